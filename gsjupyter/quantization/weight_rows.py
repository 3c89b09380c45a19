"""A weight cut into rows that share a scale, and sums over them: what every figure of its quantization is made of.

Values are taken in units of their scale ("steps"), so that weights of any magnitude can be squared in float32, and in
pieces that stay in the processor's cache.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.quantization.blocks import to_blocks
from gsjupyter.quantization.error import ratio_db
from gsjupyter.quantization.quantizer import QuantizedArray

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_PIECE: Final = 1 << 16


@dataclass(frozen=True)
class WeightRows:
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
    def of(cls, weight: Floats, quantized: QuantizedArray, axis: int) -> "WeightRows":
        """Cut a weight by the scales of what is stored of it; by its output channels, if there is only one.

        Parameters
        ----------
        weight : ndarray of float32
            The weight.
        quantized : QuantizedArray
            What is stored of it.
        axis : int
            The weight's output channel axis.
        """
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
class ErrorSums:
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


def error_sums(numbers: Floats, stored: Callable[[slice], Floats], scale: Floats) -> ErrorSums:
    """Return the sums over a weight's rows.

    Parameters
    ----------
    numbers : ndarray of shape (rows, length)
        The weight.
    stored : callable
        Gives what is stored of some of its rows.
    scale : ndarray of shape (rows, 1)
        The unit of each row.
    """
    signal, noise, product, low, high = np.empty((5, len(numbers)))
    for part in pieces(numbers.shape):
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
    return ErrorSums(signal, noise, product, low, high, scale[:, 0].astype(np.float64))


def pieces(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield slices of rows, each of few enough values for the processor's cache."""
    step = max(1, _PIECE // max(1, shape[1]))
    for start in range(0, shape[0], step):
        yield slice(start, start + step)


def _broadcast(array: npt.NDArray[np.generic], ndim: int) -> npt.NDArray[np.generic]:
    return array.reshape((1,) * (ndim - array.ndim) + array.shape)
