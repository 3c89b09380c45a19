"""What quantization did to a weight, in the figures that say why: without them nobody knows what makes an SQNR bad.

All of them come from one pass over the weight, in pieces that stay in the processor's cache. Values are taken in units
of their scale ("steps"), so that weights of any magnitude can be squared in float32.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.quantization.blocks import to_blocks
from gsjupyter.quantization.quantizer import QuantizedArray

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_PIECE: Final = 1 << 16
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
    rows = _Rows.of(np.asarray(weight, np.float32), quantized, axis)
    lowest, highest = grid if grid is not None else grid_of(quantized)
    sums = _sums(rows.numbers, rows.dequantized, rows.scale)
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
    sums = _sums(numbers, lambda part: stored[part].astype(np.float32), np.where(peaks > 0, peaks, 1.0))
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
    rows = _Rows.of(np.asarray(weight, np.float32), quantized, axis)
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


def ratio_db(signal: float, noise: float) -> float:
    """Return the ratio of two powers in decibel: infinity without noise, minus infinity without signal, NaN of NaN."""
    if math.isnan(signal) or math.isnan(noise):
        return math.nan
    if noise == 0.0:
        return math.inf
    return 10.0 * math.log10(signal / noise) if signal > 0.0 and math.isfinite(noise) else -math.inf


@dataclass(frozen=True)
class _Rows:
    """A weight whose values share a scale row by row.

    Parameters
    ----------
    numbers : ndarray of shape (rows, length)
        The weight; groups may be filled up with zeros.
    integers : ndarray of shape (rows, length)
        What is stored of it.
    scale, zero_point : ndarray of shape (rows, 1)
    lengths : ndarray of shape (rows,)
        How many values of each row are the weight's.
    """

    numbers: Floats
    integers: npt.NDArray[np.generic]
    scale: Floats
    zero_point: Floats
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of(cls, weight: Floats, quantized: QuantizedArray, axis: int) -> "_Rows":
        values, missing = quantized.values, 0
        if quantized.shape is not None and quantized.shape != values.shape:
            weight = to_blocks(weight, quantized.axis, f"group:{values.shape[-1]}").reshape(values.shape)
            missing = values[0].size - math.prod(quantized.shape) // values.shape[0]
            axis = 0
        scale, zero_point = (_broadcast(part, values.ndim) for part in (quantized.scale, quantized.zero_point))
        first = [index for index, size in enumerate(scale.shape) if size > 1] or [axis % values.ndim]
        order = first + [index for index in range(values.ndim) if index not in first]
        count = math.prod(values.shape[index] for index in first)
        length = values.size // count if count else 0
        lengths = np.full(count, length, np.int64)
        if missing:
            # Only the last group of a channel is filled up.
            lengths[values.shape[1] - 1 :: values.shape[1]] -= missing
        numbers = weight.transpose(order).reshape(count, length)
        integers = values.transpose(order).reshape(count, length)
        per_row = [
            np.broadcast_to(part.transpose(order).reshape(-1, 1), (count, 1)).astype(np.float32)
            for part in (scale, zero_point)
        ]
        return cls(numbers, integers, per_row[0], per_row[1], lengths)

    def dequantized(self, part: slice) -> Floats:
        """Return the numbers that some rows of integers stand for, computed as `QuantizedArray.dequantize` does."""
        numbers = self.integers[part].astype(np.float32)
        if self.zero_point[part].any():
            numbers -= self.zero_point[part]
        numbers *= self.scale[part]
        return numbers


@dataclass(frozen=True)
class _Sums:
    """Sums over the rows of a weight w and its error e, in units of each row's scale.

    Parameters
    ----------
    signal, noise, product : ndarray of shape (rows,)
        Sums of w * w, e * e and w * e.
    low, high : ndarray of shape (rows,)
        The smallest and the largest w, and 0.
    scale : ndarray of shape (rows,)
    """

    signal: Doubles
    noise: Doubles
    product: Doubles
    low: Doubles
    high: Doubles
    scale: Doubles

    @property
    def sqnr_db(self) -> float:
        """Signal to noise ratio, in decibel."""
        return ratio_db(self._total(self.signal), self._total(self.noise))

    @property
    def cosine(self) -> float:
        """Cosine of w and w - e, from differences that keep its digits near 1; 1 if both are zero, NaN if one is."""
        signal = self._total(self.signal)
        product, noise = self._total(self.product), self._total(self.noise)
        stored = signal - 2 * product + noise
        if signal == 0.0 or stored <= 0.0:
            return 1.0 if signal == 0.0 and noise == 0.0 else math.nan
        return (1 - product / signal) / math.sqrt(stored / signal)

    def _total(self, steps: Doubles) -> float:
        return float(steps @ self.scale**2)


def _sums(numbers: Floats, stored: Callable[[slice], Floats], scale: Floats) -> _Sums:
    signal, noise, product, low, high = np.empty((5, len(numbers)))
    for part in _pieces(numbers.shape):
        values = numbers[part]
        # Subtracted before it is divided by the scale: a weight that lies on the grid has no error at all.
        error = values - stored(part)
        error /= scale[part]
        steps = values / scale[part]
        signal[part] = np.einsum("ij,ij->i", steps, steps)
        noise[part] = np.einsum("ij,ij->i", error, error)
        product[part] = np.einsum("ij,ij->i", steps, error)
        low[part] = steps.min(axis=1, initial=0)
        high[part] = steps.max(axis=1, initial=0)
    return _Sums(signal, noise, product, low, high, scale[:, 0].astype(np.float64))


def _pieces(shape: tuple[int, ...]) -> Iterator[slice]:
    step = max(1, _PIECE // max(1, shape[1]))
    for start in range(0, shape[0], step):
        yield slice(start, start + step)


def _clipped(rows: _Rows, sums: _Sums, lowest: int, highest: int) -> int:
    """Return how many values round to an integer beyond the grid."""
    offset = rows.zero_point[:, 0].astype(np.float64)
    near = 0.499  # what is nearer to the end is not beyond it, however float32 rounds
    suspects = np.flatnonzero((sums.high + offset > highest + near) | (sums.low + offset < lowest - near))
    count = 0
    for part in _pieces((len(suspects), rows.numbers.shape[1])):
        chosen = suspects[part]
        grid = np.rint(rows.numbers[chosen] / rows.scale[chosen]) + rows.zero_point[chosen]
        count += int(np.count_nonzero((grid < lowest) | (grid > highest)))
    return count


def _outlier_ratio(sums: _Sums, lengths: npt.NDArray[np.int64], *, is_one_block: bool) -> float:
    peaks = np.maximum(sums.high, -sums.low)
    if is_one_block:
        peaks = np.full(peaks.shape, peaks.max(initial=0))
    power = float(sums.signal @ sums.scale**2)
    return math.sqrt(float(lengths @ (peaks * sums.scale) ** 2) / power) if power else 1.0


def _levels_used(rows: _Rows, levels: int) -> float:
    seen = np.zeros(1 << 8, bool)
    places = np.arange(rows.integers.shape[1])
    is_filled_up = bool((rows.lengths < len(places)).any())
    for part in _pieces(rows.integers.shape):
        integers = rows.integers[part]
        own = integers[places < rows.lengths[part, None]] if is_filled_up else np.ascontiguousarray(integers)
        seen[own.view(np.uint8)] = True
        if np.count_nonzero(seen) >= levels:
            break
    return min(1.0, np.count_nonzero(seen) / levels)


def _bits_of(quantized: QuantizedArray) -> int:
    found = _GRID.match(quantized.scheme)
    return int(found.group(2)) if found is not None else int(np.iinfo(quantized.values.dtype).bits)


def _broadcast(array: npt.NDArray[np.generic], ndim: int) -> npt.NDArray[np.generic]:
    return array.reshape((1,) * (ndim - array.ndim) + array.shape)


def _largest(rows: Floats) -> Floats:
    largest: Floats = np.maximum(
        rows.max(axis=1, initial=0, keepdims=True), -rows.min(axis=1, initial=0, keepdims=True)
    )
    return largest
