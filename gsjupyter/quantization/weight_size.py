"""How many bytes a quantized weight takes, before it is quantized: a budget is divided before anything is stored."""

import math
from collections.abc import Sequence
from typing import Final

from gsjupyter.quantization.scheme import Scheme

_SCALE_BYTES: Final = 4
_ZERO_POINT_BYTES: Final = 1
_BYTE: Final = 8

UNPACKING_BYTES: Final = 2500
"""What must be saved before integers are certain to be packed: what unpacks a weight takes 1.4 to 2.2 kB."""


def weight_size_bytes(shape: Sequence[int], axis: int, scheme: Scheme) -> int:
    """Return the bytes of a weight: its integers, packed where that makes a file smaller, with scales and zero points.

    Parameters
    ----------
    shape : sequence of int
        The weight's shape.
    axis : int
        Its output channel axis.
    scheme : Scheme
        How it is quantized. Groups that don't divide a channel are filled up, and what fills them takes room too.
    """
    size, channels = math.prod(shape), shape[axis]
    row = size // channels if channels else 0
    scales, stored = {"tensor": 1, "channel": channels}.get(scheme.granularity, 0), size
    if scheme.group_size is not None:
        group = max(1, min(scheme.group_size, row))
        scales = channels * -(-row // group)
        stored = scales * group
    each = _SCALE_BYTES + (0 if scheme.symmetric else _ZERO_POINT_BYTES)
    packed = -(-stored * scheme.bits // _BYTE)
    return (packed if stored - packed >= UNPACKING_BYTES else stored) + scales * each
