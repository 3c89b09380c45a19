"""Layers in integers as MindSpore Lite defines them, in numpy: what its kernels are held against."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import Node

Integers = npt.NDArray[np.int64]


class Int8Grid(NamedTuple):
    """A grid of int8, or one for each channel: ``x = (q - zero_point) * scale``."""

    scale: npt.NDArray[np.float64]
    zero_point: Integers

    @classmethod
    def of(cls, node: Node) -> Int8Grid:
        """Return the grid that a FakeQuantParam node stands for."""
        attributes = node.attributes
        return cls(
            np.asarray(attributes["linear_quant_scale"], np.float64),
            np.asarray(attributes["linear_quant_zero_point"], np.int64),
        )

    def integers(self, array: npt.ArrayLike, axis: int = 0) -> Integers:
        """Return the nearest integers, each index of an axis on its own grid if there are several."""
        values = np.asarray(array, np.float64)
        shape = [-1 if index == axis else 1 for index in range(values.ndim)] if self.scale.size > 1 else ()
        scale, zero_point = self.scale.reshape(shape), self.zero_point.reshape(shape)
        return np.clip(np.rint(values / scale) + zero_point, -128, 127).astype(np.int64)


class Layer(NamedTuple):
    """What an integer layer reads and writes: its grids, its weight and its bias as floats."""

    data: Int8Grid
    weight: Int8Grid
    output: Int8Grid
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32] | None
    axis: int = 0

    def dense(self, inputs: npt.ArrayLike) -> Integers:
        """Return the integers that a matrix product writes."""
        weight = np.moveaxis(self._weight(), self.axis, 0)
        return self._written(self._centered(inputs) @ weight.T, -1)

    def convolution(
        self, inputs: npt.ArrayLike, *, stride: int = 1, padding: tuple[int, int] = (0, 0), group: int = 1
    ) -> Integers:
        """Return the integers that a convolution writes, of images with their channels second."""
        images, weight = self._centered(inputs), self._weight()
        # Of a centered image 0 stands for 0.0, so it is what lies beyond the border.
        images = np.pad(images, [(0, 0), (0, 0), padding, padding])
        windows = np.lib.stride_tricks.sliding_window_view(images, weight.shape[2:], axis=(2, 3))
        windows = windows[:, :, ::stride, ::stride]
        parts = zip(np.split(windows, group, axis=1), np.split(weight, group), strict=True)
        sums = [np.einsum("ncyxhw,ochw->noyx", part, kernels) for part, kernels in parts]
        return self._written(np.concatenate(sums, axis=1), 1)

    def _centered(self, inputs: npt.ArrayLike) -> Integers:
        return self.data.integers(inputs) - self.data.zero_point

    def _weight(self) -> Integers:
        shape = [-1 if index == self.axis else 1 for index in range(self.weights.ndim)]
        return self.weight.integers(self.weights, self.axis) - self.weight.zero_point.reshape(shape)

    def _written(self, sums: Integers, axis: int) -> Integers:
        """Add the bias, and bring the sums from the scale of the products to that of the output."""
        shape = [-1 if index == axis % sums.ndim else 1 for index in range(sums.ndim)]
        scale = self.data.scale * self.weight.scale
        if self.bias is not None:
            sums = sums + np.rint(self.bias.astype(np.float64) / scale).astype(np.int64).reshape(shape)
        moved = _scaled(sums, (scale / self.output.scale).reshape(shape)) + self.output.zero_point
        return np.clip(moved, -128, 127).astype(np.int64)


def _scaled(sums: Integers, factor: npt.NDArray[np.float64]) -> Integers:
    """Return whole multiples of a factor as processors without floats compute them, so rounded twice.

    The factor is ``fraction / 2 ** shift`` with a fraction of a half at least: the integers are multiplied by the
    fraction, rounded, shifted, and rounded again.
    """
    fraction, exponent = np.frexp(factor)
    multiplied = np.floor(sums * fraction + 0.5)
    shifted = np.abs(multiplied) * 2.0**exponent
    return (np.sign(multiplied) * np.floor(shifted + 0.5)).astype(np.int64)
