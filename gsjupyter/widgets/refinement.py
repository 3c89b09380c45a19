"""The exact search for a budget's bits, which the browser's sweep only comes near to: made when a slider is let go."""

from typing import Any

from gsjupyter.errors import OptionError
from gsjupyter.interrupts import interruptible
from gsjupyter.options import ConvertOptions
from gsjupyter.quantization.allocation import best_allocation
from gsjupyter.report import Sensitivity
from gsjupyter.widgets.opened import OpenedNetwork
from gsjupyter.widgets.options_data import data_of
from gsjupyter.widgets.results import decibel_data
from gsjupyter.widgets.settings_errors import Settings
from gsjupyter.widgets.sketches import SketchStore


def refinement_data(
    opened: OpenedNetwork, sketches: SketchStore, sensitivity: Sensitivity, options: ConvertOptions
) -> dict[str, Any]:
    """Return the best bits within the budget as JSON: a ``Refinement`` of ``labextension/src/panel/types.ts``.

    Parameters
    ----------
    opened : OpenedNetwork
        The network.
    sketches : SketchStore
        Sketches of its weights.
    sensitivity : Sensitivity
        What was measured of it.
    options : ConvertOptions
        How it is to be converted; with a budget.

    Raises
    ------
    OptionError
        If there is no budget, or it is too small for any setting.
    """
    settings = Settings(opened, sketches, sensitivity, options)
    limit = settings.limit_bytes
    if limit is None:
        raise OptionError("without a budget there are no bits to choose.", advice="Give one: 4x, or 500KB.")
    with interruptible():
        found = best_allocation(settings.choices(), limit, fixed_bytes=settings.fixed_bytes)
    bits = {int(name): chosen for name, chosen in found.bits.items()}
    prediction = settings.prediction(bits)
    return {
        "options": data_of(options),
        "bits": {str(layer): chosen for layer, chosen in bits.items()},
        "size_bytes": found.size_bytes,
        "sqnr_db": decibel_data(prediction.output_sqnr_db),
    }
