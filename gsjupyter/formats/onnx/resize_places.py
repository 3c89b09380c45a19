"""Which place of the data a place of a resized axis takes: float32 decides, and not all programs decide alike.

MindSpore multiplies a place by ``size / count``, ONNX Runtime divides it by ``count / size``. Where the exact product
is whole, the two may round to different sides of it, so for such sizes the places have to be written into the file.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import Array

_STEPS: Final = 1024
"""How many steps MindSpore's table of cubic weights has between two places."""

_Numbers = npt.NDArray[np.floating[Any]]
_Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """An axis that is resized.

    Parameters
    ----------
    size, count : int
        Its size before and after.
    aligned : bool
        Whether the first and the last places are to coincide.
    half_pixel : bool
        Whether a place stands for its middle.
    scale : float
        By how much the axis was to be resized, if that is what was asked for; else 0.
    """

    size: int
    count: int
    aligned: bool = False
    half_pixel: bool = False
    scale: float = 0

    @property
    def step(self) -> np.float32:
        """How far apart in the data two neighbours of the result are, as MindSpore computes it."""
        if self.aligned:
            return np.float32(self.size - 1) / np.float32(max(self.count - 1, 1))
        if self.scale:
            return np.float32(1) / np.float32(self.scale)
        return np.float32(self.size) / np.float32(self.count)

    def nearest(self) -> Array:
        """Return the places that MindSpore takes as nearest neighbours, of shape (count,)."""
        return self._rounded(self._middles(np.float32) * self.step)

    def is_certain(self) -> bool:
        """Say whether others take the same: by division in float32, and in exact numbers."""
        divided = self._middles(np.float32) / self._scale()
        if self.aligned:
            divided = self._middles(np.float32) * np.float32(self.size - 1) / np.float32(max(self.count - 1, 1))
        own = self.nearest()
        return np.array_equal(own, self._rounded(divided)) and np.array_equal(own, self._rounded(self._exact()))

    def cubic(self) -> Array:
        """Return the matrix of MindSpore's cubic weights, of shape (count, size)."""
        middles = self._middles(np.float32) * self.step - np.float32(0.5 if self.half_pixel else 0)
        first = np.floor(middles)
        # The step of the table that is next.
        weights = _cubic_weights(
            np.rint((middles - first) * _STEPS).astype(np.float64) / _STEPS, -0.5 if self.half_pixel else -0.75
        )
        places = first.astype(int)[:, None] + np.arange(-1, 3)
        if self.half_pixel:
            weights = np.where((places >= 0) & (places < self.size), weights, 0)
            weights /= weights.sum(axis=1, keepdims=True)
        matrix = np.zeros((self.count, self.size))
        rows = np.broadcast_to(np.arange(self.count)[:, None], places.shape)
        np.add.at(matrix, (rows, np.clip(places, 0, self.size - 1)), weights)
        return matrix.astype(np.float32)

    def _middles(self, dtype: npt.DTypeLike) -> _Numbers:
        places: _Numbers = np.arange(self.count).astype(dtype)
        return places + places.dtype.type(0.5) if self.half_pixel else places

    def _scale(self) -> np.float32:
        return np.float32(self.scale) if self.scale else np.float32(self.count) / np.float32(self.size)

    def _exact(self) -> _Numbers:
        middles = self._middles(np.float64)
        if self.aligned:
            return middles * (self.size - 1) / max(self.count - 1, 1)
        return middles / float(np.float32(self.scale)) if self.scale else middles * self.size / self.count

    def _rounded(self, exact: _Numbers) -> Array:
        chosen = np.floor(exact + exact.dtype.type(0.5)) if self.aligned else np.floor(exact)
        return np.clip(chosen.astype(np.int64), 0, self.size - 1)


def _cubic_weights(distance: _Doubles, slope: float) -> _Doubles:
    """Return the weights of the four places around, of shape (count, 4), by how far behind the second each lies."""

    def near(distance: _Doubles) -> _Doubles:
        return ((slope + 2) * distance - (slope + 3)) * distance * distance + 1

    def far(distance: _Doubles) -> _Doubles:
        return ((slope * distance - 5 * slope) * distance + 8 * slope) * distance - 4 * slope

    return np.stack([far(distance + 1), near(distance), near(1 - distance), far(2 - distance)], axis=1)
