"""Which values of a weight share a scale: without one answer, quantizers, sketches and rounding would each have theirs.

A block holds the values with one scale: the whole tensor, an output channel, or N neighbours within a channel.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gsjupyter.quantization.scheme import Granularity, group_size_of

Floats = npt.NDArray[np.float32]


def to_blocks(array: npt.ArrayLike, axis: int, granularity: Granularity) -> Floats:
    """Return the values of a weight block by block.

    Parameters
    ----------
    array : array_like of float32
        The weight.
    axis : int
        Its output channel axis.
    granularity : str
        ``"tensor"``, ``"channel"`` or ``"group:N"``.

    Returns
    -------
    ndarray of shape (blocks, values per block)
        Channel after channel, each in the order of its other axes; a view where that is possible. Groups of N that
        don't divide a channel are filled up with zeros, and a group is never longer than a channel.
    """
    values = np.asarray(array, np.float32)
    if granularity == "tensor":
        return values.reshape(1, -1)
    first = np.moveaxis(values, axis, 0)
    rows = first.reshape(first.shape[0], math.prod(first.shape[1:]))
    size = _group_size(rows.shape[1], granularity)
    if not size:
        return rows
    missing = -rows.shape[1] % size
    filled = np.pad(rows, ((0, 0), (0, missing))) if missing else rows
    return filled.reshape(-1, size)


def from_blocks(
    blocks: npt.NDArray[np.generic], shape: Sequence[int], axis: int, granularity: Granularity
) -> npt.NDArray[np.generic]:
    """Return the array whose blocks were taken: the inverse of `to_blocks`, in any data type.

    Parameters
    ----------
    blocks : ndarray of shape (blocks, values per block)
        The values.
    shape : sequence of int
        The shape of the array.
    axis : int
        Its output channel axis.
    granularity : str
        As in `to_blocks`.
    """
    if granularity == "tensor":
        return blocks.reshape(shape)
    channels = shape[axis]
    rest = [size for index, size in enumerate(shape) if index != axis % len(shape)]
    rows = blocks.reshape(channels, -1)[:, : math.prod(rest)]
    return np.moveaxis(rows.reshape(channels, *rest), 0, axis)


def _group_size(row: int, granularity: Granularity) -> int:
    size = group_size_of(granularity)
    return min(size, row) if size is not None else 0
