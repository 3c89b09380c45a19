"""What a network would lose at any bits, without converting it again and again: ``gs.sensitivity``."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsjupyter.calibration import observe
from gsjupyter.calibration_data import CalibrationData
from gsjupyter.float_network import float_network
from gsjupyter.interrupts import interruptible
from gsjupyter.layer_gains import Elsewhere, measure_sensitivity
from gsjupyter.mindir import Array, Model
from gsjupyter.options import ConvertOptions, options_from
from gsjupyter.passes import QuantizeActivations, activation_inputs, apply, linear_operators
from gsjupyter.progress import Steps
from gsjupyter.quantization import ACTIVATION_UINT8
from gsjupyter.quantization.sensitivity import BITS
from gsjupyter.report.sensitivity import Sensitivity

if TYPE_CHECKING:
    from ipyparallel import Client


def sensitivity(
    source: Any,
    example: Any = None,
    *,
    ckpt: str | Path | None = None,
    calibration: Any = None,
    keep: str | Iterable[str] = (),
    bits: Iterable[int] = BITS,
    options: ConvertOptions | None = None,
    cluster: "Client | str | None" = None,
    **settings: Any,
) -> Sensitivity:
    """Measure which layers of a network can do with few bits.

    Each layer is quantized alone, at three numbers of bits (at all of them, if there are a dozen layers at most), and
    the output compared. From that the output's error is predicted for any bits of all layers. The source is left as it
    is.

    Parameters
    ----------
    source : nn.Cell, class of one, str or Path
        The network, its class if a checkpoint gives the values, or a MindIR file.
    example : Tensor, ndarray or tuple of these
        One batch of its input, on which outputs are compared. A few samples will do, and each makes it take longer.
    ckpt : str or Path, optional
        A checkpoint whose values are meant instead of the network's own.
    calibration : Dataset, iterable of batches, or arrays, optional
        Data that int8 activations take their ranges from; the example by default.
    keep : str or iterable of str
        Names or globs of layers that are to stay in float32.
    bits : iterable of int
        The numbers of bits to choose from.
    options : ConvertOptions, optional
        How the network is to be quantized; single ones go before it.
    cluster : ipyparallel.Client or str, optional
        A cluster, or the name of its profile, whose machines share the runs: for networks that take long.
    **settings
        The fields of `ConvertOptions`.

    Returns
    -------
    Sensitivity

    Raises
    ------
    GsError
        As `gs.convert` does; UnsupportedError if no weight could be quantized, ClusterError if a cluster can't be
        reached or lacks something.

    Examples
    --------
    >>> sensitivity = gs.sensitivity(net, x)
    >>> sensitivity.predict(4), sensitivity.predict({"conv1": 8, "fc3": 4})
    >>> gs.convert(net, x, budget="8x").layers
    """
    chosen = options_from(settings, keep, options)
    with interruptible(), Steps() as steps:
        network = float_network(source, example, ckpt, calibration, simulate=chosen.simulate, begin=steps.begin)
        chosen.settings.check(linear_operators(network.model.graph()))
        quantized = _with_quantized_inputs(network.model, network.data, chosen, steps)
        steps.begin("measure sensitivity")
        return measure_sensitivity(
            network.model,
            network.example,
            chosen.settings,
            bits=tuple(bits),
            input_kind=network.input_kind,
            quantized_inputs=quantized,
            elsewhere=None if cluster is None else _on(cluster, network.model, network.example, steps),
        )


def _on(cluster: "Client | str", model: Model, example: Sequence[Array], steps: Steps) -> Elsewhere:
    from gsjupyter.remote_gains import errors_on

    return partial(errors_on, cluster, model, example, steps.begin)


def _with_quantized_inputs(
    float_model: Model, data: CalibrationData, options: ConvertOptions, steps: Steps
) -> Model | None:
    """Return the network with the inputs of its layers quantized; None if they stay as they are."""
    settings, observer = options.settings, options.activation_observer
    if not activation_inputs(float_model.graph(), settings):
        return None
    steps.begin("calibrate")
    observed = observe(float_model, data.batches(), settings)
    return apply(QuantizeActivations(ACTIVATION_UINT8, observed, settings, observer=observer), float_model)[0]
