"""What quantization did to a weight, in the figures that say why: without them nobody knows what makes an SQNR bad.

All of them come from one pass over the weight.
"""

import math
import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.quantization.quantizer import QuantizedArray
from gsjupyter.quantization.weight_rows import ErrorSums, WeightRows, error_sums, pieces

Floats = npt.NDArray[np.float32]

_GRID: Final = re.compile(r"(u?)int(\d)\b")


@dataclass(frozen=True)
class WeightStatistics:
    """What quantization did to one weight.

    Parameters
    ----------
    scheme : str
        The scheme, in words.
    scale_min, scale_max : float
        The smallest and the largest scale; NaN in float16.
    sqnr_db : float
        Signal to quantization noise ratio of the weight, in decibel.
    bytes_after : int
        Integers and scales together.
    zero_point_min, zero_point_max : int or None
        The smallest and the largest integer that stands for 0.0; None in float16, as for all that follow but `cosine`.
    levels_used : float or None
        The share of the grid's levels that occur in the weight.
    clipped_share : float or None
        The share of values beyond the ends of their grid.
    rmse_over_scale : float or None
        Root mean square of error / scale: ``1 / sqrt(12)`` = 0.289 where errors come from rounding alone and are spread
        evenly over a step [1]_; clipping and unused levels make it larger or smaller.
    cosine : float or None
        Cosine similarity of the weight and what is stored of it.
    outlier_ratio : float or None
        Largest absolute value over root mean square, the loading factor L of [1]_; the largest of those that share a
        scale, in the root mean square of all values. With b bits and a symmetric grid the SQNR of rounding is
        ``6.02 b + 4.77 - 20 log10(L)`` decibel, so twice the ratio costs 6 dB, or one bit. 1.7 is an even spread, 3 to
        5 is normal.

    References
    ----------
    .. [1] N. S. Jayant, P. Noll, "Digital Coding of Waveforms", Prentice-Hall 1984, chapter 4 (quantization).
    """

    scheme: str
    scale_min: float
    scale_max: float
    sqnr_db: float
    bytes_after: int
    zero_point_min: int | None = None
    zero_point_max: int | None = None
    levels_used: float | None = None
    clipped_share: float | None = None
    rmse_over_scale: float | None = None
    cosine: float | None = None
    outlier_ratio: float | None = None


def weight_statistics(
    weight: npt.ArrayLike, quantized: QuantizedArray, axis: int = 0, grid: tuple[int, int] | None = None
) -> WeightStatistics:
    """Return what quantization did to a weight.

    Parameters
    ----------
    weight : array_like of float32
        The weight as it was.
    quantized : QuantizedArray
        What is stored of it.
    axis : int
        Its output channel axis.
    grid : tuple of int, optional
        The lowest and the highest integer of the grid; what `grid_of` says by default.
    """
    rows = WeightRows.of(np.asarray(weight, np.float32), quantized, axis)
    lowest, highest = grid if grid is not None else grid_of(quantized)
    sums = error_sums(rows.numbers, rows.dequantized, rows.scale)
    size = int(rows.lengths.sum())
    return WeightStatistics(
        scheme=quantized.scheme,
        scale_min=float(quantized.scale.min()),
        scale_max=float(quantized.scale.max()),
        sqnr_db=sums.sqnr_db,
        bytes_after=quantized.size_bytes,
        zero_point_min=int(quantized.zero_point.min()),
        zero_point_max=int(quantized.zero_point.max()),
        levels_used=_levels_used(rows, min(highest - lowest + 1, 1 << _bits_of(quantized))),
        clipped_share=_clipped(rows, sums, lowest, highest) / size if size else 0.0,
        rmse_over_scale=math.sqrt(float(sums.noise.sum()) / size) if size else 0.0,
        cosine=sums.cosine,
        outlier_ratio=_outlier_ratio(sums, rows.lengths, is_one_block=quantized.scale.size == 1),
    )


def half_statistics(weight: npt.ArrayLike, half: npt.NDArray[np.float16]) -> WeightStatistics:
    """Return what storing a weight in float16 did to it.

    Parameters
    ----------
    weight : array_like of float32
        The weight as it was.
    half : ndarray of float16
        What is stored of it, in the same shape.
    """
    numbers = np.asarray(weight, np.float32)
    numbers, stored = numbers.reshape(len(numbers), -1), half.reshape(len(half), -1)
    peaks = _largest(numbers).astype(np.float32)
    sums = error_sums(numbers, lambda part: stored[part].astype(np.float32), np.where(peaks > 0, peaks, 1.0))
    return WeightStatistics("float16", math.nan, math.nan, sums.sqnr_db, half.nbytes, cosine=sums.cosine)


def channel_ranges(weight: npt.ArrayLike, axis: int) -> tuple[float, float, float, float, float]:
    """Return how much the ranges of a weight's output channels differ, which is what one scale for all would cost.

    Parameters
    ----------
    weight : array_like
        The weight.
    axis : int
        Its output channel axis.

    Returns
    -------
    tuple of float
        Minimum, lower quartile, median, upper quartile and maximum of the channels' largest absolute values.
    """
    array = np.asarray(weight)
    others = tuple(index for index in range(array.ndim) if index != axis % array.ndim)
    largest = np.maximum(array.max(axis=others, initial=0), -array.min(axis=others, initial=0))
    if not largest.size:
        return (0.0, 0.0, 0.0, 0.0, 0.0)
    with np.errstate(invalid="ignore"):
        quartiles = np.quantile(largest.astype(np.float64), [0, 0.25, 0.5, 0.75, 1])
    least, lower, middle, upper, most = quartiles.tolist()
    return (least, lower, middle, upper, most)


def grid_positions(weight: npt.ArrayLike, quantized: QuantizedArray, axis: int = 0) -> Floats:
    """Return where each value of a weight lies on its grid, ``value / scale + zero_point``, before it is rounded.

    Parameters
    ----------
    weight : array_like of float32
        The weight as it was.
    quantized : QuantizedArray
        What is stored of it.
    axis : int
        Its output channel axis.

    Returns
    -------
    ndarray of shape (number of values,)
        Of no particular order.
    """
    rows = WeightRows.of(np.asarray(weight, np.float32), quantized, axis)
    positions = rows.numbers / rows.scale + rows.zero_point
    own = np.arange(positions.shape[1]) < rows.lengths[:, None]
    return np.asarray(positions[own], np.float32)


def grid_of(quantized: QuantizedArray) -> tuple[int, int]:
    """Return the lowest and the highest integer of the grid, by the bits that the scheme names.

    The lowest integer of a signed grid counts as left out (narrow range) where it doesn't occur. A grid that has a zero
    in no place (SLB's odd integers) reaches as far as its integers do.
    """
    bits = _bits_of(quantized)
    if np.iinfo(quantized.values.dtype).min == 0:
        return 0, (1 << bits) - 1
    lowest, highest = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    least, most = (int(end) for end in (quantized.values.min(initial=0), quantized.values.max(initial=0)))
    return min(least, lowest + (least > lowest)), max(most, highest)


def _clipped(rows: WeightRows, sums: ErrorSums, lowest: int, highest: int) -> int:
    """Return how many values round to an integer beyond the grid."""
    offset = rows.zero_point[:, 0].astype(np.float64)
    near = 0.499  # what is nearer to the end is not beyond it, however float32 rounds
    suspects = np.flatnonzero((sums.high + offset > highest + near) | (sums.low + offset < lowest - near))
    count = 0
    for part in pieces((len(suspects), rows.numbers.shape[1])):
        chosen = suspects[part]
        grid = np.rint(rows.numbers[chosen] / rows.scale[chosen]) + rows.zero_point[chosen]
        count += int(np.count_nonzero((grid < lowest) | (grid > highest)))
    return count


def _outlier_ratio(sums: ErrorSums, lengths: npt.NDArray[np.int64], *, is_one_block: bool) -> float:
    peaks = np.maximum(sums.high, -sums.low)
    if is_one_block:
        peaks = np.full(peaks.shape, peaks.max(initial=0))
    power = float(sums.signal @ sums.scale**2)
    return math.sqrt(float(lengths @ (peaks * sums.scale) ** 2) / power) if power else 1.0


def _levels_used(rows: WeightRows, levels: int) -> float:
    seen = np.zeros(1 << 8, bool)
    places = np.arange(rows.integers.shape[1])
    is_filled_up = bool((rows.lengths < len(places)).any())
    for part in pieces(rows.integers.shape):
        integers = rows.integers[part]
        own = integers[places < rows.lengths[part, None]] if is_filled_up else np.ascontiguousarray(integers)
        seen[own.view(np.uint8)] = True
        if np.count_nonzero(seen) >= levels:
            break
    return min(1.0, np.count_nonzero(seen) / levels)


def _bits_of(quantized: QuantizedArray) -> int:
    found = _GRID.match(quantized.scheme)
    return int(found.group(2)) if found is not None else int(np.iinfo(quantized.values.dtype).bits)


def _largest(rows: Floats) -> Floats:
    largest: Floats = np.maximum(
        rows.max(axis=1, initial=0, keepdims=True), -rows.min(axis=1, initial=0, keepdims=True)
    )
    return largest
