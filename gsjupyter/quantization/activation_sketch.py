"""A sketch of activations: calibration would otherwise keep every value, or know no more than the largest.

It counts values in bins of a power of two in width, with 0 on an edge. When a value comes that lies too far out, the
width doubles and neighbours are added up. So memory is bounded whatever the number of batches, and what is left is the
same in whatever order they come, to the last bit. Smallest and largest value are exact, and zeros, which every grid
holds exactly and ReLU makes many of, are counted apart.
"""

import math

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import CalibrationError
from gsjupyter.quantization.bin_errors import Bins, error_coefficients
from gsjupyter.quantization.quantizer import scale_and_zero_point
from gsjupyter.quantization.scheme import Scheme

Doubles = npt.NDArray[np.float64]

COUNTERS = 1 << 15
"""Bins in which values are counted: at least half of them lie between the smallest and the largest value, so that a
step of an 8-bit grid over the whole range has 64 or more."""

MERGED = 8
"""So many counters make one bin with three moments, from which errors are computed."""

_PIECE = 1 << 16
_SMALLEST_EXPONENT = -120
"""Finer bins would need factors beyond float32; smaller values count as nearly zero."""

_RESOLUTION = 1e-9
"""Relative error power below which the width of the counters shows, so that it is taken for none."""


class ActivationSketch:
    """What is needed of a tensor's values to choose a range for it, and to know what that costs.

    Attributes
    ----------
    low, high : float
        The smallest and the largest value seen; infinity and minus infinity before the first.
    count : int
        How many values were seen.
    zeros : int
        How many of them were zero.
    exponent : int
        The width of a counter's bin is 2 to this power.
    """

    def __init__(self) -> None:
        self.low = math.inf
        self.high = -math.inf
        self.count = 0
        self.zeros = 0
        self.exponent = _SMALLEST_EXPONENT
        self._first = 0
        self._counters: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._moments: Doubles | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been seen yet."""
        return self.count == 0

    @property
    def width(self) -> float:
        """The width of a counter's bin."""
        return math.ldexp(1.0, self.exponent)

    @property
    def counters(self) -> npt.NDArray[np.int64]:
        """The number of values in each bin, zeros left out; bin i begins at ``(first_counter + i) * width``."""
        return self._counters

    @property
    def first_counter(self) -> int:
        """Where the first bin begins, in widths; a multiple of 8."""
        return self._first

    def update(self, array: npt.ArrayLike) -> None:
        """Take in one batch of values.

        Raises
        ------
        CalibrationError
            If it holds NaN or infinite values; none of it is counted then.
        """
        with np.errstate(over="ignore"):
            values = np.asarray(array).astype(np.float32, copy=False).reshape(-1)
        if values.size == 0:
            return
        low, high = float(values.min()), float(values.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise CalibrationError("the calibration data makes NaN or infinite values.")
        self._widen(low, high, self.exponent)
        # All of this is exact: a power of two, and whole numbers below 2^24. Where the width is above 1 a small number
        # times its inverse may be too small for float32.
        working = np.float32 if self.exponent <= 0 else np.float64
        scale, first = working(math.ldexp(1.0, -self.exponent)), working(self._first)
        zeros = 0
        for start in range(0, values.size, _PIECE):
            part = values[start : start + _PIECE]
            zeros += part.size - int(np.count_nonzero(part != 0))
            place = np.multiply(part, scale, dtype=working)
            np.floor(place, out=place)
            place -= first
            counts = np.bincount(place.astype(np.intp))
            self._counters[: counts.size] += counts
        self._counters[-self._first] -= zeros
        self.zeros += zeros
        self.count += values.size

    def merged(self, other: "ActivationSketch") -> "ActivationSketch":
        """Return the sketch of what either has seen."""
        both = ActivationSketch()
        seen = [one for one in (self, other) if not one.is_empty]
        for one in seen:
            both._widen(one.low, one.high, one.exponent)
        for one in seen:
            both._counters += _moved(one.counters, one.first_counter, both._first, both.exponent - one.exponent)
            both.count += one.count
            both.zeros += one.zeros
        return both

    @property
    def bins(self) -> Bins:
        """Where the bins with moments lie."""
        return Bins(self.width * MERGED, self._first // MERGED, self._counters.size // MERGED)

    @property
    def moments(self) -> Doubles:
        """Count, sum and sum of squares of the values in each bin, zeros left out; of shape (3, bins)."""
        if self._moments is None:
            self._moments = self._computed_moments()
        return self._moments

    @property
    def signal_power(self) -> float:
        """The mean square of the values."""
        return float(self.moments[2].sum()) / self.count if self.count else 0.0

    def error_power(self, low: float, high: float, scheme: Scheme) -> float:
        """Return the mean squared error of the values, quantized on the grid of a range.

        Parameters
        ----------
        low, high : float
            The range.
        scheme : Scheme
            The scheme; `scale_and_zero_point` has the grid.
        """
        if not self.count:
            return 0.0
        scale, zero_point = scale_and_zero_point(low, high, scheme)
        moments, zero = self.moments, int(zero_point)
        coefficients = error_coefficients(self.bins, float(scale), scheme.lowest - zero, scheme.highest - zero)
        error = float(np.vdot(coefficients, moments))
        return error / self.count if error > _RESOLUTION * float(moments[2].sum()) else 0.0

    def sqnr_db(self, low: float, high: float, scheme: Scheme) -> float:
        """Return the signal to quantization noise ratio on the grid of a range, in decibel; infinity from 90 dB on."""
        noise = self.error_power(low, high, scheme)
        return 10.0 * math.log10(self.signal_power / noise) if noise > 0.0 else math.inf

    def clipped_share(self, low: float, high: float) -> float:
        """Return the share of the values that lie beyond a range, widened to hold 0."""
        if not self.count:
            return 0.0
        below = self._share_below(min(low, 0.0))
        return below + (1.0 - self._share_below(max(high, 0.0)) if high < self.high else 0.0)

    def quantile(self, share: float) -> float:
        """Return the value that a share of all values lies below, from the smallest (0) to the largest (1)."""
        if self.is_empty:
            return math.nan
        sums, target = self._cumulative(), share * self.count
        before_zero = float(sums[-self._first])
        if before_zero < target <= before_zero + self.zeros:
            return min(max(0.0, self.low), self.high)
        if target > before_zero:
            target -= self.zeros
        index = min(int(np.searchsorted(sums[1:], target)), self._counters.size - 1)
        inside = (target - sums[index]) / max(1, int(self._counters[index]))
        value = (self._first + index + min(float(inside), 1.0)) * self.width
        return min(max(value, self.low), self.high)

    def _share_below(self, value: float) -> float:
        if value <= self.low:
            return 0.0
        sums = self._cumulative()
        place = value / self.width - self._first
        index = min(max(int(place), 0), self._counters.size - 1)
        below = float(sums[index]) + min(max(place - index, 0.0), 1.0) * int(self._counters[index])
        return (below + (self.zeros if value > 0.0 else 0)) / self.count

    def _cumulative(self) -> Doubles:
        """Return the number of values below the edges of the counters, zeros left out."""
        return np.concatenate([[0.0], np.cumsum(self._counters, dtype=np.float64)])

    def _computed_moments(self) -> Doubles:
        counts = self._counters.astype(np.float64)
        middle = (self._first + np.arange(counts.size) + 0.5) * self.width
        # Within a counter's bin values are taken to be even: that adds width^2 / 12 to the square of its middle.
        squares = middle * middle + self.width**2 / 12
        moments = np.stack([counts, counts * middle, counts * squares])
        merged: Doubles = moments.reshape(3, -1, MERGED).sum(axis=2)
        return merged

    def _widen(self, low: float, high: float, exponent: int) -> None:
        """Make room for a range of values, in bins of at least a width."""
        self._moments = None
        self.low, self.high = min(self.low, low), max(self.high, high)
        least, most = min(self.low, 0.0), max(self.high, 0.0)
        exponent = max(exponent, _exponent_for(least, most))
        first = _first_for(least, exponent)
        if (exponent, first) != (self.exponent, self._first) or not self._counters.size:
            self._counters = _moved(self._counters, self._first, first, exponent - self.exponent)
            self.exponent, self._first = exponent, first


def _moved(counters: npt.NDArray[np.int64], first: int, new_first: int, doublings: int) -> npt.NDArray[np.int64]:
    """Return counters that begin with another bin, in bins so many times twice as wide."""
    moved = np.zeros(COUNTERS, np.int64)
    filled = np.flatnonzero(counters)
    places = (filled + first) >> min(doublings, 62)
    np.add.at(moved, places - new_first, counters[filled])
    return moved


def _first_for(least: float, exponent: int) -> int:
    return math.floor(math.ldexp(least, -exponent)) // MERGED * MERGED


def _exponent_for(least: float, most: float) -> int:
    """Return the smallest exponent with which the counters reach from the least value to the most."""
    span = most - least
    if span == 0.0:
        return _SMALLEST_EXPONENT
    exponent = max(_SMALLEST_EXPONENT, math.frexp(span / COUNTERS)[1] - 1)
    while math.floor(math.ldexp(most, -exponent)) - _first_for(least, exponent) >= COUNTERS:
        exponent += 1
    return exponent
