"""Arrays to integers and back: ``q = clip(round(x / scale) + zero_point)`` and ``x' = (q - zero_point) * scale`` [1]_.

.. [1] B. Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
   Inference", CVPR 2018, section 2.1. Ties round to even, as numpy and IEEE 754 do.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import ParameterError
from gsjupyter.quantization.blocks import to_blocks
from gsjupyter.quantization.scheme import Scheme

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int8] | npt.NDArray[np.uint8]

SMALLEST_SCALE = float(np.finfo(np.float32).tiny)
"""Scales below the smallest normal float32 would be flushed to zero by some devices."""


@dataclass(frozen=True)
class QuantizedArray:
    """Integers with what turns them back into numbers.

    Parameters
    ----------
    values : ndarray of int8 or uint8
        The integers, in the shape of the original; of shape (channels, groups, group size) where groups of a channel
        have scales of their own, the last group filled up.
    scale : ndarray of float32
        One value (shape ``()``), or one per channel in a shape that broadcasts against `values`.
    zero_point : ndarray of int32
        The integer that stands for 0.0, in the shape of `scale`.
    scheme : str
        The scheme, in words.
    shape : tuple of int, optional
        The shape of the original, where `values` is in groups.
    axis : int
        The original's output channel axis, where `values` is in groups.
    """

    values: Integers
    scale: Floats
    zero_point: npt.NDArray[np.int32]
    scheme: str
    shape: tuple[int, ...] | None = None
    axis: int = 0

    def dequantize(self) -> Floats:
        """Return the numbers that the integers stand for."""
        numbers = np.asarray(self.values, np.float32)
        if self.zero_point.any():
            numbers -= self.zero_point.astype(np.float32)
        numbers *= self.scale
        return numbers if self.shape is None else self._ungrouped(numbers, self.shape)

    def _ungrouped(self, numbers: Floats, shape: tuple[int, ...]) -> Floats:
        if numbers.size == math.prod(shape) and self.axis == 0:
            return numbers.reshape(shape)
        rest = [size for index, size in enumerate(shape) if index != self.axis]
        rows = numbers.reshape(numbers.shape[0], -1)[:, : math.prod(rest)]
        return np.moveaxis(rows.reshape(numbers.shape[0], *rest), 0, self.axis)

    def rescaled(self, factor: npt.NDArray[np.float64]) -> "QuantizedArray":
        """Return the integers of the array times a factor, with scales that stay above 0.

        Where the factor is negative the integers change their sign. If there is a -128 among them, or a zero point,
        their bits are turned over instead: ``-q = ~q + 1``, so ``~q`` with the zero point ``-1 - zero_point`` stands
        for the same, and never leaves the grid.

        Parameters
        ----------
        factor : ndarray
            One for each channel, in a shape that broadcasts against `values`.
        """
        factor, scale = np.broadcast_arrays(factor, self.scale.astype(np.float64) * factor)
        limits, negative = np.iinfo(self.values.dtype), factor < 0
        zero_point = np.broadcast_to(self.zero_point, factor.shape)
        if limits.min < 0 and not self.zero_point.any() and self.values.min(initial=0) > limits.min:
            values = np.where(negative, -self.values, self.values)
        else:
            values = np.where(negative, ~self.values, self.values)
            zero_point = np.where(negative, limits.max + limits.min - zero_point, zero_point)
        gone = np.abs(scale) < SMALLEST_SCALE
        is_finer = scale.size > self.scale.size
        integers: Integers = np.where(gone, 0, values).astype(self.values.dtype)  # type: ignore[assignment]
        return replace(
            self,
            values=integers,
            scale=np.where(gone, 1.0, np.abs(scale)).astype(np.float32),
            zero_point=np.where(gone, 0, zero_point).astype(np.int32),
            scheme=self.scheme.replace("per tensor", "per channel") if is_finer else self.scheme,
        )

    @property
    def size_bytes(self) -> int:
        """The bytes that integers and scales take."""
        zero_point = self.values.dtype.itemsize * self.zero_point.size if self.zero_point.any() else 0
        return int(self.values.nbytes + self.scale.nbytes + zero_point)


def scale_and_zero_point(
    low: npt.ArrayLike, high: npt.ArrayLike, scheme: Scheme
) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Return the scale and zero point that a range of values needs.

    Parameters
    ----------
    low, high : array_like
        The range; widened to hold 0, which must be exact for padding and ReLU.
    scheme : Scheme
        Symmetric: ``scale = max(|low|, |high|) / highest`` and zero point 0. Asymmetric:
        ``scale = (high - low) / (highest - lowest)`` and ``zero_point = round(lowest - low / scale)``. A range of no
        width has scale 1.

    Returns
    -------
    scale : ndarray of float32
    zero_point : ndarray of int32

    Raises
    ------
    ParameterError
        If the range isn't finite.
    """
    least = np.minimum(np.asarray(low, np.float64), 0.0)
    most = np.maximum(np.asarray(high, np.float64), 0.0)
    if not (np.isfinite(least).all() and np.isfinite(most).all()):
        raise ParameterError("the range of values is not finite, so no scale can be computed.")
    if scheme.symmetric:
        scale = np.maximum(-least, most) / scheme.highest
        zero_point = np.zeros(scale.shape, np.int32)
        return _usable(scale), zero_point
    scale = _usable((most - least) / (scheme.highest - scheme.lowest))
    zero_point = np.rint(scheme.lowest - least / scale)
    return scale, np.clip(zero_point, scheme.lowest, scheme.highest).astype(np.int32)


def _usable(scale: npt.NDArray[np.float64]) -> Floats:
    return np.where(scale < SMALLEST_SCALE, 1.0, scale).astype(np.float32)


def quantize(array: npt.ArrayLike, scale: Floats, zero_point: npt.NDArray[np.int32], scheme: Scheme) -> Integers:
    """Return the integers nearest to the values of an array, clipped to the grid."""
    # Float32 throughout, where the integers are exact, and in place: with int32 numpy would go on in float64.
    grid = np.asarray(np.asarray(array, np.float32) / scale)
    np.rint(grid, out=grid)
    if zero_point.any():
        grid += zero_point.astype(np.float32)
    np.clip(grid, scheme.lowest, scheme.highest, out=grid)
    integers: Integers = grid.astype(np.int8) if scheme.symmetric else grid.astype(np.uint8)
    return integers


def quantize_weight(weight: npt.ArrayLike, axis: int, scheme: Scheme, clipping: float = 1.0) -> QuantizedArray:
    """Quantize a weight by the range of its values.

    Parameters
    ----------
    weight : array_like of float32
        The weight.
    axis : int
        Its output channel axis; not used if the scheme is per tensor.
    scheme : Scheme
        The scheme.
    clipping : float
        The share of each range that the grid covers, above 0 and at most 1: values beyond it are clipped, for a finer
        step everywhere else.

    Returns
    -------
    QuantizedArray
        A channel of zeros has scale 1 and stays exactly zero.

    Raises
    ------
    ParameterError
        If the weight holds NaN or infinite values.
    """
    array = np.asarray(weight, np.float32)
    if scheme.group_size is not None:
        blocks = to_blocks(array, axis, scheme.granularity)
        groups = blocks.reshape(array.shape[axis], -1, blocks.shape[1])
        return replace(_quantized(groups, (2,), scheme, clipping), shape=array.shape, axis=axis % array.ndim)
    others = tuple(index for index in range(array.ndim) if index != axis % array.ndim)
    return _quantized(array, others if scheme.granularity == "channel" else None, scheme, clipping)


def _quantized(values: Floats, axes: tuple[int, ...] | None, scheme: Scheme, clipping: float) -> QuantizedArray:
    keep = axes is not None
    low = values.min(axis=axes, keepdims=keep, initial=0.0)
    high = values.max(axis=axes, keepdims=keep, initial=0.0)
    scale, zero_point = scale_and_zero_point(
        np.multiply(low, clipping, dtype=np.float64), np.multiply(high, clipping, dtype=np.float64), scheme
    )
    return QuantizedArray(quantize(values, scale, zero_point, scheme), scale, zero_point, str(scheme))
