"""What each layer costs the output, measured for a panel: from then on its browser predicts the output's error."""

import math
from collections.abc import Mapping
from typing import Any

from gsjupyter.interrupts import interruptible
from gsjupyter.layer_gains import measure_sensitivity
from gsjupyter.mindir import Model
from gsjupyter.options import ConvertOptions
from gsjupyter.passes import QuantizeActivations, apply
from gsjupyter.progress import Steps
from gsjupyter.quantization import ACTIVATION_UINT8
from gsjupyter.quantization.sensitivity import LayerCost
from gsjupyter.report import Sensitivity
from gsjupyter.widgets.opened import OpenedNetwork
from gsjupyter.widgets.options_data import data_of


def measured_sensitivity(
    opened: OpenedNetwork, options: ConvertOptions, *, at_most_s: float | None = None
) -> Sensitivity:
    """Measure the layers of a network, as `gs.sensitivity` does.

    Parameters
    ----------
    opened : OpenedNetwork
        The network.
    options : ConvertOptions
        How the layers are to be quantized; any bits are measured where no override sets a weight's format.
    at_most_s : float, optional
        How long it may take, in seconds.

    Raises
    ------
    TimeLimitError
        If it would take longer.
    OptionError
        If an override means no layer.
    UnsupportedError, ParameterError, InputError, CalibrationError
        As in `gs.sensitivity`.
    """
    settings = options.settings
    settings.check(operator for group in opened.groups for operator in group.operators)
    with interruptible(), Steps() as steps:
        inputs = _with_quantized_inputs(opened, options)
        steps.begin("measure sensitivity")
        return measure_sensitivity(
            opened.float_model,
            opened.example,
            settings,
            input_kind=opened.input_kind,
            quantized_inputs=inputs,
            at_most_s=at_most_s,
        )


def sensitivity_data(opened: OpenedNetwork, sensitivity: Sensitivity, options: ConvertOptions) -> dict[str, Any]:
    """Return what was measured as JSON: a ``Sensitivity`` of ``labextension/src/panel/types.ts``.

    Parameters
    ----------
    opened : OpenedNetwork
        The network.
    sensitivity : Sensitivity
        What was measured of it.
    options : ConvertOptions
        What it was measured with.
    """
    model = sensitivity.model
    costs = costs_of(opened, sensitivity)
    return {
        "layers": [
            {"layer": layer, "weight_errors": _by_bits(cost.weight_errors), "measured": _by_bits(cost.measured)}
            for layer, cost in costs.items()
        ],
        "ceiling": model.ceiling if math.isfinite(model.ceiling) else None,
        "activation_error": model.activation_error,
        "measurement": str(sensitivity.measurement),
        "options": data_of(options),
    }


def costs_of(opened: OpenedNetwork, sensitivity: Sensitivity) -> dict[int, LayerCost]:
    """Return what was measured of each layer, by its number in ``Network.layers``; layers kept in float are left out.

    Parameters
    ----------
    opened : OpenedNetwork
        The network.
    sensitivity : Sensitivity
        What was measured of it.
    """
    by_name = {cost.name: cost for cost in sensitivity.model.layers}
    numbered = enumerate(group.name for group in opened.groups)
    return {layer: by_name[name] for layer, name in numbered if name in by_name}


def _by_bits(values: Mapping[int, float]) -> dict[str, float]:
    return {str(bits): float(value) for bits, value in values.items()}


def _with_quantized_inputs(opened: OpenedNetwork, options: ConvertOptions) -> Model | None:
    """Return the network with the inputs of its layers quantized; None if nothing computes them so."""
    settings = options.settings
    sketches = opened.inputs.sketches(settings) if options.simulate else []
    if not sketches:
        return None
    observer = options.activation_observer
    return apply(QuantizeActivations(ACTIVATION_UINT8, sketches, settings, observer=observer), opened.float_model)[0]
