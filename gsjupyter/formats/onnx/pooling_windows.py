"""The windows of a pooling operator: how many there are, and what share of its places each has.

Where an output has more windows than fit (``ceil_mode``), the padding at the end is made as long as the last window
needs: runtimes disagree about such windows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gsjupyter.formats.onnx.sliding_window import extent


@dataclass(frozen=True)
class Windows:
    """Where the windows of a pooling operator lie.

    Parameters
    ----------
    sizes : tuple of int
        The data's sizes along the pooled axes, -1 for a free one.
    kernel, strides, dilations : tuple of int
        One number an axis.
    pads : list of int or None
        ONNX's padding; None if it is "same" and a size is unknown.
    is_ceiled : bool
        Whether a last window that doesn't fit counts.
    """

    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: list[int] | None
    is_ceiled: bool = False

    @property
    def is_known(self) -> bool:
        """Whether all sizes are known."""
        return self.pads is not None and min(self.sizes) >= 0

    @property
    def is_global(self) -> bool:
        """Whether there is one window, and it is all of the data."""
        return self.is_known and self.kernel == self.sizes and not any(self.pads or ())

    def attributes(self) -> dict[str, Any]:
        """Return ONNX's attributes."""
        common: dict[str, Any] = {"kernel_shape": self.kernel, "strides": self.strides}
        if max(self.dilations) > 1:
            common["dilations"] = self.dilations
        if self.pads is None:
            return {**common, "auto_pad": "SAME_UPPER"}
        if not self.is_known:
            return {**common, "pads": self.pads, "ceil_mode": int(self.is_ceiled)}
        axes = self._axes()
        return {**common, "pads": [*(axis.begin for axis in axes), *(axis.needed_end for axis in axes)]}

    def shares(self) -> npt.NDArray[np.float32]:
        """Return the share of each window's places that isn't behind the padding, of shape (windows, ...)."""
        product = np.ones((), np.float32)
        for axis in self._axes():
            product = product[..., None] * axis.shares()
        return product

    def _axes(self) -> list["_Axis"]:
        pads = self.pads or []
        begins, ends = pads[: len(self.sizes)], pads[len(self.sizes) :]
        extents = map(extent, self.kernel, self.dilations)
        numbers = zip(self.sizes, extents, self.strides, begins, ends, strict=True)
        return [_Axis(*each, is_ceiled=self.is_ceiled) for each in numbers]


@dataclass(frozen=True)
class _Axis:
    size: int
    extent: int
    stride: int
    begin: int
    end: int
    is_ceiled: bool

    @property
    def count(self) -> int:
        """How many windows there are."""
        room = self.size + self.begin + self.end - self.extent
        if not self.is_ceiled:
            return room // self.stride + 1
        count = -(-room // self.stride) + 1
        # A window that would begin in the padding at the end is none.
        return count - 1 if (count - 1) * self.stride >= self.size + self.begin else count

    @property
    def needed_end(self) -> int:
        """The padding that the last window needs."""
        return max((self.count - 1) * self.stride + self.extent - self.size - self.begin, 0)

    def shares(self) -> npt.NDArray[np.float32]:
        """Return the share of each window's places that isn't behind the padding, of shape (count,)."""
        starts = np.arange(self.count) * self.stride
        inside = np.minimum(starts + self.extent, self.size + self.begin + self.end) - starts
        shares: npt.NDArray[np.float32] = (inside / self.extent).astype(np.float32)
        return shares
