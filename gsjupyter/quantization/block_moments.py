"""One fast pass over a weight that leaves moments of its normalized values: numpy alone would make ten slow ones.

It goes in pieces that stay in the cache of one core. Threads would not help: `numpy.bincount` holds the interpreter's
lock (two at once took 2.0 times as long as one; numpy 1.26).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

PIECE = 1 << 16
"""Values in a piece; with its temporaries it takes 2 MB."""

_SMALLEST_REACH = 1e-35
"""Blocks that reach less far have all values in the bin of 0: they can't be divided by in float32."""

_INWARD = 1.0 - 2.0**-20
"""Keeps the ends of the range in the last bins, however float32 rounds."""


def block_moments(
    blocks: npt.NDArray[np.float32],
    reach: Doubles,
    bins: int,
    *,
    reach_below: Doubles | None = None,
    group: npt.NDArray[np.intp] | None = None,
    groups: int = 1,
) -> Doubles:
    """Return moments of the values of blocks, each block divided by its reach and counted by the reach's square.

    Zeros are not counted: they are exact on every grid.

    Parameters
    ----------
    blocks : ndarray of shape (blocks, values per block)
        The values.
    reach : ndarray of shape (blocks,)
        What each block is divided by; no absolute value is larger.
    bins : int
        Bins over [-1, 1]; an even number.
    reach_below : ndarray of shape (blocks,), optional
        What values below 0 are divided by, if by something else.
    group : ndarray of shape (blocks,), optional
        The histogram that each block counts in, if there are several.
    groups : int
        How many histograms.

    Returns
    -------
    ndarray of shape (groups, 3, bins)
        Count, sum and sum of squares of the normalized values ``u`` in each bin; since a value ``w`` of a block of
        reach ``a`` is ``a u`` and counts ``a^2``, these are the sums of ``a^2``, ``a w`` and ``w^2``.
    """
    sums = np.zeros((3, groups * bins))
    above = reach[:, np.newaxis]
    below = above if reach_below is None else reach_below[:, np.newaxis]
    to_bin, to_bin_below = _factors(above, bins), _factors(below, bins)
    offset = None if group is None else (group * bins)[:, np.newaxis]
    for rows, columns in _pieces(*blocks.shape):
        part = blocks[rows, columns]
        size, factor = above[rows], to_bin[rows]
        if reach_below is not None:
            is_above = part > 0.0
            size, factor = np.where(is_above, size, below[rows]), np.where(is_above, factor, to_bin_below[rows])
        scaled = part * factor
        scaled += np.float32(bins // 2)
        index = scaled.astype(np.intp)
        if offset is not None:
            index += offset[rows]
        position, value = index.ravel(), part.astype(np.float64)
        count = np.broadcast_to(size * size, part.shape)
        is_zero = part == 0.0
        if is_zero.any():
            count = np.where(is_zero, 0.0, count)
        for row, weights in enumerate((count, value * size, value * value)):
            sums[row] += np.bincount(position, weights=weights.ravel(), minlength=sums.shape[1])
    return np.moveaxis(sums.reshape(3, groups, bins), 0, 1)


def _factors(reach: Doubles, bins: int) -> npt.NDArray[np.float32]:
    usable = np.where(reach > _SMALLEST_REACH, reach, np.inf)
    return (bins // 2 * _INWARD / usable).astype(np.float32)


def _pieces(rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """Yield what to take of an array at once: several rows, or a part of one."""
    if columns == 0:
        return
    height = max(1, PIECE // columns)
    width = min(columns, PIECE)
    for top in range(0, rows, height):
        for left in range(0, columns, width):
            yield slice(top, top + height), slice(left, left + width)
