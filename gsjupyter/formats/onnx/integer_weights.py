"""Weights and biases as integer kernels take them: with floats in their place none would run.

Weights are int8 or uint8, with a scale for the tensor or for each output channel; biases are int32, whose scale is
that of the input times that of the weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gsjupyter.formats.onnx.grids import DEQUANTIZE
from gsjupyter.mindir import Array, Constant, Graph, Node, Parameter, Value
from gsjupyter.passes.linear import LinearOperator

STORE_4_BITS: Final = "Store4Bits"
"""Stands in the graph until it is lowered: integers that the file holds in 4 bits each, and that are read as they are.
"""

Integers: TypeAlias = npt.NDArray[np.integer[Any]]

_FLOAT32: Final = np.dtype(np.float32)
_FOUR_BITS: Final = {"int8": (-8, 7), "uint8": (0, 15)}
_LARGEST_BIAS: Final = float(1 << 30)
_INTEGER_KERNELS: Final = ("Conv2D", "Conv3D", "MatMul", "MatMulExt", "BatchMatMul", "Dense")


@dataclass(frozen=True)
class ChannelIntegers:
    """A weight with one scale, or one for each output channel.

    Parameters
    ----------
    stored : Parameter
        The integers, int8 or uint8, in the shape of the weight.
    scale : ndarray of float32, of shape () or (channels,)
    zero_point : ndarray of the type of the integers, in the shape of `scale`
    axis : int
        The axis of the channels.
    """

    stored: Parameter
    scale: npt.NDArray[np.float32]
    zero_point: Integers
    axis: int

    @property
    def values(self) -> Integers:
        """The integers."""
        return self.stored.array  # type: ignore[return-value]  # int8 or uint8, as was checked

    def with_room_for(self, bias: Array, input_scale: npt.NDArray[np.float32]) -> "ChannelIntegers":
        """Return the weight with scales so large that the bias fits an int32 of input scale times weight scale.

        That takes a channel whose weights are all but nothing beside its bias, so rounding them again loses nothing.
        """
        needed = np.abs(bias.astype(np.float64)) / (_LARGEST_BIAS * float(input_scale))
        if (needed <= self.scale).all():
            return self
        scale = np.maximum(self.scale.astype(np.float64), needed)
        shape = [-1 if axis == self.axis else 1 for axis in range(self.values.ndim)]
        old, new, offset = (
            np.broadcast_to(item, scale.shape).reshape(shape) for item in (self.scale, scale, self.zero_point)
        )
        limits = np.iinfo(self.values.dtype)
        moved = np.rint((self.values.astype(np.float64) - offset) * (old / new)) + offset
        values = np.clip(moved, limits.min, limits.max).astype(self.values.dtype)
        return ChannelIntegers(
            Parameter.of(self.stored.name, values),
            scale.astype(np.float32),
            np.ascontiguousarray(np.broadcast_to(self.zero_point, scale.shape)),
            self.axis,
        )

    def add_to(self, graph: Graph, like: Node) -> Node:
        """Add what gives the weight in float32; return it."""
        values = stored_in_4_bits(graph, self.stored, like) if fits_4_bits(self.values) else self.stored
        return add_dequantize(graph, [values, Constant.of(self.scale), Constant.of(self.zero_point)], self.axis, like)


def channel_integers(operator: LinearOperator) -> ChannelIntegers | None:
    """Return the weight of a layer as its integer kernel takes it; None if there is no such kernel."""
    stored = operator.stored
    if stored is None or not stored.is_integer or operator.node.op not in _INTEGER_KERNELS:
        return None
    quantized = stored.quantized
    scale, axis = quantized.scale, operator.axis
    is_laid_out = quantized.values.shape == stored.output.shape and stored.output.op == "Mul"
    along_channels = scale.size == 1 or (scale.ndim == quantized.values.ndim and scale.shape[axis] == scale.size)
    zero_point = quantized.zero_point.astype(quantized.values.dtype)
    if not (is_laid_out and along_channels) or (zero_point != quantized.zero_point).any():
        return None
    shape = () if scale.size == 1 else (-1,)
    return ChannelIntegers(stored.values, scale.reshape(shape), zero_point.reshape(shape), axis)


def fits_4_bits(values: Array) -> bool:
    """Say whether integers fit 4 bits, signed or not as they are."""
    lowest, highest = _FOUR_BITS[values.dtype.name]
    return values.size > 0 and lowest <= int(values.min()) and int(values.max()) <= highest


def stored_in_4_bits(graph: Graph, values: Value, like: Node) -> Node:
    """Return integers that are stored in 4 bits each, and read as int8 or uint8."""
    return graph.add(STORE_4_BITS, [values], scope=like.scope, shape=values.shape, dtype=values.dtype)


def add_dequantize(graph: Graph, inputs: Sequence[Value], axis: int, like: Node) -> Node:
    """Add what turns integers into float32, each index of an axis with a scale of its own if there are several."""
    values, scale, *_ = inputs
    attributes = {"axis": axis} if scale.shape else {}
    return graph.add(DEQUANTIZE, inputs, scope=like.scope, shape=values.shape, dtype=_FLOAT32, attributes=attributes)
