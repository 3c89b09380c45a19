"""Weights stored in few bits: the form in which they stand in the graph, written and recognised in one place.

    weight = (Cast(integers, float32) - Cast(zero_point, float32)) * scale

with the subtraction left out where every zero point is 0. Where groups within a channel have scales of their own a
Reshape puts them together, after which a Slice drops what the last group was filled up with, and a Transpose moves the
channels to their axis, each where it is needed. Float16 weights are ``Cast(numbers, float32)``. These are ordinary
operators, which any backend runs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import UnsupportedError
from gsjupyter.mindir import Constant, Graph, Node, Parameter, Scope, Value
from gsjupyter.passes.casting import cast
from gsjupyter.quantization import QuantizedArray

_FLOAT32 = np.dtype(np.float32)
_INTEGERS = (np.dtype(np.int8), np.dtype(np.uint8))
_SCHEME = "weight_scheme"
ZERO_POINT_SUFFIX = ".zero_point"
"""What the name of a weight's zero points ends with, after that of its integers."""


@dataclass(frozen=True)
class StoredWeight:
    """A weight that is stored in few bits.

    Parameters
    ----------
    output : Node
        The weight as float32.
    values : Parameter
        What is stored: int8, uint8 or float16.
    scale : Parameter, optional
        What the integers are multiplied by; None for float16.
    zero_point : Parameter, optional
        The integers that stand for 0.0; None where all are 0.
    scheme : str
        The scheme, in words.
    """

    output: Node
    values: Parameter
    scale: Parameter | None
    zero_point: Parameter | None
    scheme: str

    @property
    def size_bytes(self) -> int:
        """The bytes that it takes, scale and zero point included."""
        parts = (self.values, self.scale, self.zero_point)
        return sum(part.size_bytes for part in parts if part is not None)

    @property
    def is_integer(self) -> bool:
        """Whether it is stored as integers, and not as float16."""
        return self.scale is not None

    @property
    def quantized(self) -> QuantizedArray:
        """The integers with their scale and zero point.

        Raises
        ------
        UnsupportedError
            If it is float16, which has none.
        """
        if self.scale is None:
            raise UnsupportedError(f"{self.values.name} is stored as float16, not as integers.")
        scale = self.scale.array.astype(np.float32)
        offset = self.zero_point.array.astype(np.int32) if self.zero_point is not None else np.zeros(scale.shape, int)
        return QuantizedArray(
            self.values.array.astype(self.values.dtype),
            scale,
            np.broadcast_to(offset, scale.shape).astype(np.int32),
            self.scheme,
            self.output.shape,
            _channel_axis(self.output),
        )


def store_weight(graph: Graph, name: str, quantized: QuantizedArray, scope: Scope) -> Node:
    """Put a quantized weight into a graph; return the node that gives it as float32.

    Parameters
    ----------
    graph : Graph
        The graph.
    name : str
        What the integers are called; the scale is ``<name>.scale``, the zero point ``<name>.zero_point``.
    quantized : QuantizedArray
        The weight.
    scope : Scope
        The layer that it belongs to.
    """
    shape = quantized.values.shape
    numbers = cast(graph, Parameter.of(name, quantized.values), _FLOAT32, scope)
    if quantized.zero_point.any():
        zero_point = graph.new_parameter(f"{name}{ZERO_POINT_SUFFIX}", _narrowed(quantized))
        offset = cast(graph, zero_point, _FLOAT32, scope)
        numbers = graph.add("Sub", [numbers, offset], scope=scope, shape=shape, dtype=_FLOAT32)
    scale = graph.new_parameter(f"{name}.scale", quantized.scale)
    weight = graph.add("Mul", [numbers, scale], scope=scope, shape=shape, dtype=_FLOAT32)
    if quantized.shape is not None and quantized.shape != shape:
        weight = _ungrouped(graph, weight, quantized.shape, quantized.axis)
    weight.annotate(_SCHEME, quantized.scheme)
    return weight


def _ungrouped(graph: Graph, weight: Node, shape: tuple[int, ...], axis: int) -> Node:
    """Add the operators that give grouped numbers the shape of the weight."""

    def step(operator: str, output: Sequence[int], *settings: Sequence[int]) -> Node:
        constants = [Constant.of(tuple(setting)) for setting in settings]
        return graph.add(operator, [weight, *constants], scope=weight.scope, shape=output, dtype=_FLOAT32)

    if axis == 0 and math.prod(weight.shape or ()) == math.prod(shape):
        return step("Reshape", shape, shape)
    channels, rest = shape[axis], [size for index, size in enumerate(shape) if index != axis]
    filled = math.prod(weight.shape or ()) // channels
    weight = step("Reshape", (channels, filled), (channels, filled))
    if filled != math.prod(rest):
        weight = step("Slice", (channels, math.prod(rest)), (0, 0), (channels, math.prod(rest)))
    if len(rest) > 1:
        weight = step("Reshape", (channels, *rest), (channels, *rest))
    if axis:
        order = list(range(1, len(shape)))
        order.insert(axis, 0)
        weight = step("Transpose", shape, order)
    return weight


def _channel_axis(output: Node) -> int:
    """Return the axis to which a grouped weight's channels were moved."""
    if output.op != "Transpose":
        return 0
    order = output.inputs[1]
    value = order.value if isinstance(order, Constant) else ()
    return value.index(0) if isinstance(value, tuple) and 0 in value else 0


def stored_weight(value: Value) -> StoredWeight | None:
    """Return how a weight is stored; None if the value is no such weight."""
    if not isinstance(value, Node):
        return None
    product: Value | None = value
    for operator in ("Transpose", "Reshape", "Slice", "Reshape"):
        if isinstance(product, Node) and product.op == operator:
            product = _input(product, 0)
    if isinstance(product, Node) and product.op == "Mul":
        return _stored_integers(value, product)
    half = _cast_parameter(value)
    if half is None or half.dtype != np.float16:
        return None
    return StoredWeight(value, half, None, None, "float16")


def _stored_integers(output: Node, product: Node) -> StoredWeight | None:
    numbers, scale, zero_point = product.inputs[0], product.parameter(1), None
    if isinstance(numbers, Node) and numbers.op == "Sub":
        zero_point = _cast_parameter(numbers.inputs[1])
        if zero_point is None:
            return None
        numbers = numbers.inputs[0]
    values = _cast_parameter(numbers)
    if values is None or scale is None or values.dtype not in _INTEGERS:
        return None
    per = "tensor" if scale.array.size == 1 else "channel" if output is product else "group"
    scheme = output.annotations.get(_SCHEME, f"{values.dtype} per {per}")
    return StoredWeight(output, values, scale, zero_point, str(scheme))


def _cast_parameter(value: Value) -> Parameter | None:
    is_widened = isinstance(value, Node) and value.op == "Cast" and value.dtype == _FLOAT32
    return value.parameter(0) if is_widened and isinstance(value, Node) else None


def _input(node: Node, index: int) -> Value | None:
    return node.inputs[index] if index < len(node.inputs) else None


def _narrowed(quantized: QuantizedArray) -> npt.NDArray[np.generic]:
    dtype, zero_point = quantized.values.dtype, quantized.zero_point
    limits = np.iinfo(dtype)
    fits = limits.min <= zero_point.min() and zero_point.max() <= limits.max
    return zero_point.astype(dtype) if fits else zero_point.astype(np.int32)
