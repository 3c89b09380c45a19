"""Whether the scales of a weight are for the tensor, for its channels, or for groups: read from the scales themselves.

Golden Stick's layers repeat a scale for each element before it is applied.
"""

import math
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gsjupyter.goldenstick.ptq import PtqLayer
from gsjupyter.mindir import Array

Number = TypeVar("Number", np.float32, np.int32)


def layer_of(name: str, integers: Array, scale: Array, offset: Array) -> tuple[PtqLayer, int] | None:
    """Return a layer and its output channel axis; None if the scales fit no scheme.

    Parameters
    ----------
    name : str
        What the integers are called.
    integers : ndarray of int8, two axes
        The weight.
    scale, offset : ndarray
        What broadcasts against the integers.
    """
    if integers.dtype != np.int8 or integers.ndim != 2:
        return None
    try:
        scales = np.broadcast_to(scale.astype(np.float32), integers.shape)
        offsets = np.broadcast_to(np.rint(offset).astype(np.int32), integers.shape)
    except ValueError:
        return None
    # How many neighbours along each axis have the same scale and offset.
    runs = [math.gcd(_run(scales, axis), _run(offsets, axis)) for axis in (0, 1)]
    shared = [run == length for run, length in zip(runs, integers.shape, strict=True)]
    if not any(run > 1 for run in runs) and 1 not in integers.shape:
        return None
    # One scale for each row: the rows are output channels. Groups run along the other axis.
    axis = 0 if shared[1] or (not shared[0] and runs[1] >= runs[0]) else 1
    layer = PtqLayer(
        name.removesuffix(".weight"),
        name,
        np.asarray(integers, np.int8),
        _taken(scales, axis, runs, shared),
        _taken(offsets, axis, runs, shared),
    )
    return layer, axis


def _run(values: npt.NDArray[np.generic], axis: int) -> int:
    """Return the length of the runs of equal values along an axis: the greatest common divisor of where they change."""
    length = values.shape[axis]
    one, other = (np.take(values, range(start, length - 1 + start), axis) for start in (0, 1))
    changes = np.flatnonzero(np.any(one != other, axis=1 - axis)) + 1
    return math.gcd(length, *changes.tolist())


def _taken(values: npt.NDArray[Number], axis: int, runs: list[int], shared: list[bool]) -> npt.NDArray[Number]:
    """Return each value once: of shape (1,), (output channels,) or (groups, output channels)."""
    if all(shared):
        return np.array(values[0, :1])
    groups = values[:, :: runs[1]].T if axis == 0 else values[:: runs[0]]
    return np.array(groups[0] if shared[1 - axis] else groups)
