"""What is predicted of a network and of each layer: the same fields as in the browser, under Python's names.

See ``labextension/src/panel/core/prediction.ts``.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerPrediction:
    """What is predicted of one layer.

    Parameters
    ----------
    weights : str
        The weight's format.
    bits : int or None
        Its bits; None in floating point.
    granularity : str
        What shares a scale.
    symmetric : bool
        Whether the grid lies evenly around 0.
    clipping : float
        The share of the range that the grid covers.
    fixed : bool
        Whether no option changes the weight.
    pending : bool
        Whether the bits are still to be chosen, which takes a measurement first.
    error : float or None
        The mean squared error of the weight; None where it isn't known.
    sqnr_db : float or None
        Its SQNR in decibel; None where it isn't known.
    bytes : int
        What the weights take.
    contribution : float or None
        What they add to the error power of the output; None where that isn't known.
    share : float or None
        That as a share of what all layers add.
    input_sqnr_db : float or None
        The SQNR of the layer's quantized input in decibel; None in floating point.
    """

    weights: str
    bits: int | None
    granularity: str
    symmetric: bool
    clipping: float
    fixed: bool
    pending: bool
    error: float | None
    sqnr_db: float | None
    bytes: int
    contribution: float | None
    share: float | None
    input_sqnr_db: float | None


@dataclass(frozen=True)
class Prediction:
    """What is predicted of a network.

    Parameters
    ----------
    layers : tuple of LayerPrediction
        Its layers, in the order of ``Network.layers``.
    weight_bytes : int
        What all weights of layers take.
    compression : float
        How many times smaller that is than in float32.
    output_sqnr_db : float or None
        The SQNR of the output in decibel; None where it isn't known.
    within_budget : bool
        Whether there is a setting that fits the budget.
    smallest_bytes, largest_bytes : int
        The smallest and the largest size that a budget can choose.
    """

    layers: tuple[LayerPrediction, ...]
    weight_bytes: int
    compression: float
    output_sqnr_db: float | None
    within_budget: bool
    smallest_bytes: int
    largest_bytes: int
