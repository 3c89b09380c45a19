"""A sketch of a weight: without it every new bit width or clipping would mean quantizing the network anew.

Quantization divides the values of a block (what shares a scale) by how far the block reaches: ``u = w / a`` with a the
largest absolute value, or the width of the range for asymmetric schemes. The error in units of ``a^2`` depends on u
alone. So one histogram of u per layer, each value counted ``a^2`` times, answers for the layer's error at any bits and
any clipping, whatever its size. Each bin keeps three moments, from which `bin_errors` has the error nearly exactly:
within 0.2 dB of the true SQNR from 3 to 8 bits and clipping from 0.5 to 1 (tests/quantization/test_weight_sketch.py).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import ParameterError
from gsjupyter.quantization.bin_errors import Bins, error_coefficients, unbounded_coefficients
from gsjupyter.quantization.block_moments import block_moments
from gsjupyter.quantization.blocks import to_blocks
from gsjupyter.quantization.clipped_ends import ClippedEnds
from gsjupyter.quantization.scheme import Granularity, Scheme

Doubles = npt.NDArray[np.float64]

BINS = 2048
"""Bins over [-1, 1]: eight between two values of an 8-bit grid."""

_BINS = Bins(2.0 / BINS, -(BINS // 2), BINS)
_RESOLUTION = 1e-13
"""Relative error power that rounding of the moments themselves can reach; float32 weights have little less."""


@dataclass(frozen=True, eq=False)
class WeightSketch:
    """What is needed of a weight to know its quantization error at any setting.

    Parameters
    ----------
    moments : ndarray of shape (3, 2048)
        Count, sum and sum of squares of the normalized values, each weighted by the square of what it was divided by,
        in bins over [-1, 1]. Zeros are left out.
    size : int
        The number of weights.
    ends : ClippedEnds, optional
        For asymmetric schemes, what clipping costs; None for symmetric ones.
    """

    moments: Doubles
    size: int
    ends: ClippedEnds | None = None

    @classmethod
    def of(
        cls, weight: npt.ArrayLike, axis: int, granularity: Granularity, *, symmetric: bool = True
    ) -> "WeightSketch":
        """Sketch a weight.

        Parameters
        ----------
        weight : array_like of float32
            The weight.
        axis : int
            Its output channel axis.
        granularity : str
            What shares a scale: ``"tensor"``, ``"channel"`` or ``"group:N"``.
        symmetric : bool
            Whether for symmetric or for asymmetric schemes.

        Raises
        ------
        ParameterError
            If the weight holds NaN or infinite values.
        """
        array = np.asarray(weight, np.float32)
        blocks = to_blocks(array, axis, granularity)
        low = blocks.min(axis=1, initial=0).astype(np.float64)
        high = blocks.max(axis=1, initial=0).astype(np.float64)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise ParameterError("the range of values is not finite, so no scale can be computed.")
        reach = np.maximum(-low, high) if symmetric else high - low
        moments = block_moments(blocks, reach, BINS)[0]
        return cls(moments, array.size, None if symmetric else ClippedEnds.of(blocks, low, high))

    @property
    def counts(self) -> Doubles:
        """The weighted number of values in each bin, of shape (2048,)."""
        return cast("Doubles", self.moments[0])

    @property
    def first(self) -> Doubles:
        """The weighted sum of the values in each bin, of shape (2048,)."""
        return cast("Doubles", self.moments[1])

    @property
    def second(self) -> Doubles:
        """The weighted sum of the squares in each bin, of shape (2048,): the power of the weights themselves."""
        return cast("Doubles", self.moments[2])

    @property
    def symmetric(self) -> bool:
        """Whether it is for symmetric schemes."""
        return self.ends is None

    @property
    def signal_power(self) -> float:
        """The mean square of the weights."""
        return float(self.second.sum()) / self.size if self.size else 0.0

    def error_power(self, bits: int, clipping: float = 1.0, *, narrow_range: bool = True) -> float:
        """Return the mean squared error of the weight at a setting.

        Parameters
        ----------
        bits : int
            Bits of an integer, 2 to 8.
        clipping : float
            The range that is kept over the whole range of each block, more than 0 and 1 at most.
        narrow_range : bool
            Whether the lowest integer is left out.
        """
        if not self.size:
            return 0.0
        error = float(np.vdot(_coefficients(bits, clipping, narrow_range, self.symmetric), self.moments))
        if self.ends is not None:
            error += self.ends.clipping_cost(_intervals(bits, narrow_range), clipping)
        return error / self.size if error > _RESOLUTION * float(self.second.sum()) else 0.0

    def sqnr_db(self, bits: int, clipping: float = 1.0, *, narrow_range: bool = True) -> float:
        """Return the signal to quantization noise ratio at a setting, in decibel; infinity from 130 dB on."""
        noise = self.error_power(bits, clipping, narrow_range=narrow_range)
        return 10.0 * math.log10(self.signal_power / noise) if noise > 0.0 else math.inf

    def merged(self, other: "WeightSketch") -> "WeightSketch":
        """Return the sketch of two weights together, both for symmetric or both for asymmetric schemes."""
        if self.ends is None or other.ends is None:
            if self.symmetric != other.symmetric:
                raise ValueError("a sketch for symmetric schemes can't be merged with one for asymmetric ones.")
            return WeightSketch(self.moments + other.moments, self.size + other.size)
        return WeightSketch(self.moments + other.moments, self.size + other.size, self.ends.merged(other.ends))

    def magnitudes(self) -> tuple[Doubles, Doubles]:
        """Return how the values are spread between 0 and the ends of their blocks, where clipping cuts.

        Returns
        -------
        edges : ndarray of shape (bins + 1,)
            From 0 to 1, the end of a block.
        power : ndarray of shape (bins,)
            Counts, each weighted by the square of what it was divided by.
        """
        if self.ends is not None:
            return self.ends.magnitudes()
        half = BINS // 2
        return np.linspace(0.0, 1.0, half + 1), self.counts[half:] + self.counts[:half][::-1]


def stacked(sketches: Sequence[WeightSketch]) -> Doubles:
    """Return the moments of several sketches in one array of shape (sketches, 3, 2048), to hand to a browser."""
    return np.stack([sketch.moments for sketch in sketches]) if sketches else np.empty((0, 3, BINS))


@lru_cache(maxsize=256)
def _coefficients(bits: int, clipping: float, narrow_range: bool, symmetric: bool) -> Doubles:
    """Return what to multiply moments with; they depend on the setting alone, so all layers share them."""
    if symmetric:
        scheme = Scheme(bits, symmetric=True, narrow_range=narrow_range)
        coefficients = error_coefficients(_BINS, clipping / scheme.highest, scheme.lowest, scheme.highest)
    else:
        coefficients = unbounded_coefficients(_BINS, clipping / _intervals(bits, narrow_range))
    coefficients.setflags(write=False)
    return coefficients


def _intervals(bits: int, narrow_range: bool) -> int:
    """Return the distance between the highest and the lowest integer of an asymmetric grid."""
    scheme = Scheme(bits, symmetric=False, narrow_range=narrow_range)
    return scheme.highest - scheme.lowest
