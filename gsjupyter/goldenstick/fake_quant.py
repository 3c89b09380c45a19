"""What a pseudo-quantization operator computes, whichever algorithm left it, in one form that can be lowered.

    x' = (clip(round(x / scale + zero_point), lowest, highest) - zero_point) * scale

Source: mindspore_gs 1.4.1, ``quantization/quant_utils.py`` and ``quantization/fake_quantizer.py``.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import UnsupportedError
from gsjupyter.mindir import Node
from gsjupyter.quantization import QuantizedArray

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FakeQuant:
    """One pseudo-quantization operator.

    Parameters
    ----------
    algorithm : str
        The algorithm that left it: ``SimQAT``, ``LSQ``, ``SLB``.
    bits : int
        Bits of an integer.
    scale : ndarray of float64
        One value, or one for each channel. Above 0, or 0 for a range of no width.
    zero_point : ndarray of float64
        The integers that stand for 0.0, in the shape of `scale`.
    lowest, highest : int
        The grid's ends.
    axis : int
        The axis of the channels.
    is_converted : bool
        Whether the algorithm's own ``convert`` had left it (a ``FakeQuantParam``).
    """

    algorithm: str
    bits: int
    scale: Doubles
    zero_point: Doubles
    lowest: int
    highest: int
    axis: int = 0
    is_converted: bool = False

    @property
    def is_per_channel(self) -> bool:
        """Whether each channel has a scale of its own."""
        return self.scale.size > 1

    @property
    def scheme(self) -> str:
        """The scheme, in words."""
        kind = "int" if self.lowest < 0 else "uint"
        return f"{kind}{self.bits} per {'channel' if self.is_per_channel else 'tensor'}"

    @property
    def is_untrained(self) -> bool:
        """Whether its range is still the one that training starts from, -6 to 6."""
        return bool(np.allclose(self.scale * (self.highest - self.lowest), 12, rtol=1e-6))

    @property
    def fits_a_byte(self) -> bool:
        """Whether the integers can be stored as int8 or uint8."""
        return self.lowest >= -128 and self.highest <= (127 if self.lowest < 0 else 255)

    def broadcast(self, ndim: int) -> tuple[Doubles, Doubles]:
        """Return scale (1 for a range of no width) and zero point in the shape that broadcasts against `ndim` axes."""
        shape = [-1 if index == self.axis else 1 for index in range(ndim)] if self.is_per_channel else ()
        scale = np.where(self.scale == 0, 1.0, self.scale)
        return scale.reshape(shape), self.zero_point.reshape(shape)

    def quantize(self, array: npt.ArrayLike) -> QuantizedArray:
        """Return the integers that the operator makes of an array; those of a range of no width are its zero point."""
        values = np.asarray(array, np.float64)
        scale, zero_point = self.broadcast(values.ndim)
        grid = np.clip(np.rint(values / scale + zero_point), self.lowest, self.highest)
        if not self.scale.all():
            empty = (self.scale == 0).reshape(scale.shape)
            grid = np.where(empty, zero_point, grid)
        return QuantizedArray(
            values=grid.astype(np.int8) if self.lowest < 0 else grid.astype(np.uint8),
            scale=scale.astype(np.float32),
            zero_point=zero_point.astype(np.int32),
            scheme=self.scheme,
        )


def grid_of(bits: int, *, is_signed: bool, narrow_range: bool) -> tuple[int, int]:
    """Return the lowest and highest integer; a narrow range leaves the lowest out."""
    lowest, highest = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
    return lowest + narrow_range, highest


def channel_axis(node: Node) -> int:
    """Return the axis of the channels that an operator in training form names; 0 where it has one scale."""
    axis = node.attributes.get("channel_axis", 0)
    return axis if isinstance(axis, int) and axis >= 0 else 0


def stored_numbers(node: Node, index: int) -> Doubles:
    """Return the values of an input that is a parameter, flat.

    Raises
    ------
    UnsupportedError
        If it is computed while the network runs.
    """
    parameter = node.parameter(index)
    if parameter is None:
        raise UnsupportedError(
            f"input {index} of {node.op} in layer {node.layer or '(network)'} is computed while the network runs, "
            "so no scale can be read from it."
        )
    return parameter.array.astype(np.float64).ravel()
