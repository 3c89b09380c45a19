"""How far to move the size of outliers from activations into weights, so that neither is rounded too coarsely.

SmoothQuant [1]_ divides each input channel by a factor and multiplies the weights that read it:

    s_j = max|X_j|^strength / max|W_j|^(1 - strength)

The best strength differs from layer to layer and with the bits of the weights, and a wrong one does harm. So it is
chosen by what rounding is expected to cost at the layer's output: with steps ``d`` a rounding error has the power
``d^2 / 12``, and adds

    d_x^2 / 12 * sum W^2  +  sum d_w^2 / 12 * E[x^2]

.. [1] G. Xiao, J. Lin, M. Seznec, H. Wu, J. Demouth, S. Han, "SmoothQuant: Accurate and Efficient Post-Training
   Quantization for Large Language Models", ICML 2023.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsjupyter.quantization.blocks import from_blocks, to_blocks
from gsjupyter.quantization.quantizer import scale_and_zero_point
from gsjupyter.quantization.scheme import ACTIVATION_UINT8, Scheme

Doubles = npt.NDArray[np.float64]

STRENGTHS: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of an outlier that may be moved."""
_DEVIATIONS: Final = 3.0
"""How many standard deviations the largest value of a channel is taken to be."""
_STEPS: Final = ACTIVATION_UINT8.highest - ACTIVATION_UINT8.lowest


def smoothing_factors(inputs: Doubles, weights: Doubles, strength: float) -> Doubles:
    """Return what each channel is divided by; 1 for channels without values or without weights.

    Parameters
    ----------
    inputs, weights : ndarray of shape (channels,)
        The largest absolute value of each channel's inputs, and of the weights that read it.
    strength : float
        The share of an outlier that is moved, from 0 to 1.
    """
    alive = (inputs > 0.0) & (weights > 0.0)
    factors = np.where(alive, inputs, 1.0) ** strength / np.where(alive, weights, 1.0) ** (1.0 - strength)
    return np.asarray(np.where(alive, factors, 1.0))


def expected_error(
    weight: npt.NDArray[Any], axis: int, scheme: Scheme | None, inputs: npt.NDArray[Any], largest: float
) -> float:
    """Return the error power that rounding is expected to add to the sum of a layer's outputs.

    Parameters
    ----------
    weight : ndarray
        The weight.
    axis : int
        Its output channel axis.
    scheme : Scheme, optional
        How it is quantized; None if it isn't.
    inputs : ndarray
        The largest absolute value of the input channel that each weight reads, in a shape that broadcasts against it.
    largest : float
        The largest of all inputs, on both sides of zero: what the activations' grid has to cover.
    """
    step = 2.0 * largest / _STEPS
    error = step**2 / 12.0 * float(np.sum(np.square(weight, dtype=np.float64)))
    if scheme is None:
        return error
    blocks = to_blocks(weight, axis, scheme.granularity)
    low, high = (function(blocks, axis=1, keepdims=True, initial=0.0) for function in (np.min, np.max))
    steps = np.broadcast_to(scale_and_zero_point(low, high, scheme)[0], blocks.shape)
    squares = np.square(from_blocks(steps, weight.shape, axis, scheme.granularity) * inputs / _DEVIATIONS)
    return error + float(squares.sum(dtype=np.float64)) / 12.0
