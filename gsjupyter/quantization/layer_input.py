"""The vectors that a layer's weight is applied to: what input statistics are about, for a convolution as for a product.

A convolution is a matrix product of its weight's rows with windows of its input (im2col [1]_), in the order of the
weight's axes: input channel, then height, then width. Padding is part of what the weight sees.

.. [1] K. Chellapilla, S. Puri, P. Simard, "High Performance Convolutional Neural Networks for Document Processing",
   IWFHR 2006.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Floats = npt.NDArray[np.float32]
Sides: TypeAlias = tuple[int, int]

_CHUNK_BYTES: Final = 1 << 25
"""Windows overlap, so they take up to kernel height x width times the input's memory: not all samples at once."""


class LayerInput(ABC):
    """How an input array becomes vectors."""

    @property
    @abstractmethod
    def channel_axis(self) -> int:
        """The input array's channel axis."""

    @abstractmethod
    def vectors(self, array: npt.NDArray[Any]) -> Iterator[Floats]:
        """Yield arrays of shape (groups, vectors, vector length), which together hold all vectors.

        Parameters
        ----------
        array : ndarray
            The layer's input.
        """


@dataclass(frozen=True)
class MatrixInput(LayerInput):
    """The input of a matrix product.

    Parameters
    ----------
    is_transposed : bool
        Whether a vector is a column and not a row.
    """

    is_transposed: bool = False

    @property
    def channel_axis(self) -> int:
        """The input array's channel axis."""
        return -2 if self.is_transposed else -1

    def vectors(self, array: npt.NDArray[Any]) -> Iterator[Floats]:
        """Yield the rows as one array of shape (1, vectors, vector length)."""
        rows = np.swapaxes(array, -1, -2) if self.is_transposed else array
        yield np.asarray(rows, np.float32).reshape(1, -1, rows.shape[-1])


@dataclass(frozen=True)
class ConvolutionInput(LayerInput):
    """The input of a two-dimensional convolution, of shape (batch, channels, height, width).

    Parameters
    ----------
    kernel, stride, dilation : tuple of int
        Of height and width.
    padding : tuple of two tuples of int, optional
        Zeros before and after height and width. None pads like TensorFlow's "same": the output is the input over the
        stride, rounded up, and an odd zero goes behind.
    groups : int
        In how many groups the channels are convolved.
    """

    kernel: Sides
    stride: Sides = (1, 1)
    dilation: Sides = (1, 1)
    padding: tuple[Sides, Sides] | None = ((0, 0), (0, 0))
    groups: int = 1

    @property
    def channel_axis(self) -> int:
        """The input array's channel axis."""
        return 1

    def vectors(self, array: npt.NDArray[Any]) -> Iterator[Floats]:
        """Yield the windows of a few samples at a time, as arrays of shape (groups, windows, window size)."""
        images = np.asarray(array, np.float32)
        reach = [(size - 1) * step + 1 for size, step in zip(self.kernel, self.dilation, strict=True)]
        padded = np.pad(images, ((0, 0), (0, 0), *self._padding(images.shape[2:], reach)))
        windows = sliding_window_view(padded, reach, axis=(2, 3))  # type: ignore[call-overload]  # takes sequences
        (down, right), (far_down, far_right) = self.stride, self.dilation
        windows = windows[:, :, ::down, ::right, ::far_down, ::far_right]
        samples = max(1, _CHUNK_BYTES // max(windows[:1].size * images.itemsize, 1))
        for start in range(0, len(windows), samples):
            yield self._grouped(windows[start : start + samples])

    def _grouped(self, windows: Floats) -> Floats:
        batch, channels, height, width, *kernel = windows.shape
        split = windows.reshape(batch, self.groups, channels // self.groups, height, width, *kernel)
        ordered = split.transpose(1, 0, 3, 4, 2, 5, 6)
        return ordered.reshape(self.groups, batch * height * width, -1)

    def _padding(self, sizes: tuple[int, ...], reach: list[int]) -> list[Sides]:
        if self.padding is not None:
            return list(self.padding)
        missing = [
            max((-(-size // step) - 1) * step + length - size, 0)
            for size, step, length in zip(sizes, self.stride, reach, strict=True)
        ]
        return [(total // 2, total - total // 2) for total in missing]
