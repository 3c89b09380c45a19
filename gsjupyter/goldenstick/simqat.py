"""SimQAT in training form: the range of each tensor lies in two parameters, the grid on the operator.

With ``qmin`` and ``qmax`` the ends of the grid (signed if symmetric):

    scale = (max - min) / (qmax - qmin), zero_point = round(qmin - min / scale)
    symmetric: max = max(|min|, |max|), min = -max, zero_point = 0
    min == max everywhere: scale = 1, zero_point = 0

SLB's activations are quantized by the same operators.

Source: mindspore_gs 1.4.1, ``quantization/quant_utils.py`` (cal_quantization_params, get_quant_min_max).
"""

from typing import Final

import numpy as np

from gsjupyter.goldenstick.fake_quant import Doubles, FakeQuant, channel_axis, grid_of, stored_numbers
from gsjupyter.mindir import Node

OPERATORS: Final = ("FakeQuantPerLayer", "FakeQuantPerChannel")
_MIN, _MAX = 1, 2


def read(node: Node) -> FakeQuant:
    """Return what a pseudo-quantization operator of SimQAT computes.

    Raises
    ------
    UnsupportedError
        If its range is no stored parameter.
    """
    bits, is_symmetric = int(node.number("num_bits")), bool(node.argument("symmetric"))
    lowest, highest = grid_of(bits, is_signed=is_symmetric, narrow_range=bool(node.argument("narrow_range")))
    low, high = stored_numbers(node, _MIN), stored_numbers(node, _MAX)
    scale, zero_point = _scale_and_zero_point(low, high, lowest, highest, is_symmetric=is_symmetric)
    return FakeQuant("SimQAT", bits, scale, zero_point, lowest, highest, axis=channel_axis(node))


def _scale_and_zero_point(
    low: Doubles, high: Doubles, lowest: int, highest: int, *, is_symmetric: bool
) -> tuple[Doubles, Doubles]:
    if (low == high).all():
        return np.ones_like(low), np.zeros_like(low)
    if is_symmetric:
        high = np.maximum(np.abs(low), np.abs(high))
        low = -high
    scale = (high - low) / (highest - lowest)
    if is_symmetric:
        return scale, np.zeros_like(scale)
    with np.errstate(divide="ignore", invalid="ignore"):
        zero_point = np.where(scale == 0, 0.0, np.round(lowest - low / scale))
    return scale, zero_point
