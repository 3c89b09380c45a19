"""Factors that move from one layer's outputs into the next layers' weights: the network stays what it was.

Where a channel's values are divided by a factor and everything that reads them passes factors on, the weights at the
end can be multiplied by it instead. Operators with ``f(s x) = s f(x)`` for ``s > 0`` pass them on, ReLU for example,
and so do those that only move values around; biases on the way are divided as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import UnsupportedError
from gsjupyter.mindir import Constant, Graph, Node, Parameter, Value
from gsjupyter.passes.channel_places import CHANNEL_AXIS, JOINS, Place, offset_axis, offset_index, passed_on
from gsjupyter.passes.linear import LinearOperator, along, linear_operator
from gsjupyter.passes.simulation import has_noted_input

Doubles = npt.NDArray[np.float64]

_MATRIX_PRODUCTS: Final = ("MatMul", "Dense", "MatMulExt", "BatchMatMul")


@dataclass(frozen=True)
class Part:
    """A parameter that has the channels along one of its axes.

    Parameters
    ----------
    node : Node
        What reads it.
    index : int
        At which input.
    axis : int
        The axis with the channels.
    repeat : int
        How many neighbours along the axis belong to one channel: after Flatten, a channel's pixels.
    groups : int
        In how many groups the channels are; those of a grouped convolution's weight lie along its first two axes.
    """

    node: Node
    index: int
    axis: int
    repeat: int = 1
    groups: int = 1

    @property
    def parameter(self) -> Parameter | None:
        """The parameter; None if it is computed."""
        return self.node.parameter(self.index)

    def scaled(self, array: npt.NDArray[Any], factors: Doubles) -> Doubles:
        """Return the array times a factor for each channel."""
        values = np.repeat(factors, self.repeat)
        if self.groups == 1:
            return np.asarray(array * along(self.axis, values, array.ndim), np.float64)
        shape = (self.groups, 1, -1, *[1] * (array.ndim - 2))
        return np.asarray((self._grouped(array) * values.reshape(shape)).reshape(array.shape), np.float64)

    def maxima(self, array: npt.NDArray[Any]) -> Doubles:
        """Return the largest absolute value of each channel."""
        return np.asarray(self.rows(np.abs(array)).max(axis=1), np.float64)

    def rows(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the array with a row for each channel."""
        if self.groups == 1:
            size = array.shape[self.axis] // self.repeat
            return np.moveaxis(array, self.axis, 0).reshape(size, -1)
        grouped = np.moveaxis(self._grouped(array), 2, 1)
        return grouped.reshape(grouped.shape[0] * grouped.shape[1], -1)

    def scale(self, graph: Graph, factors: Doubles) -> None:
        """Let the node read the numbers times a factor for each channel; others go on reading the old ones."""
        old = self.parameter
        if old is None:
            raise UnsupportedError(f"input {self.index} of {in_words(self.node)} is computed, and can't be scaled.")
        numbers = self.scaled(old.array, factors).astype(np.float32)
        alone = len(old.readers) == 1
        new = Parameter.of(old.name, numbers) if alone else graph.new_parameter(old.name, numbers)
        self.node.set_input(self.index, new)

    def _grouped(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return array.reshape(self.groups, array.shape[0] // self.groups, *array.shape[1:])


@dataclass(frozen=True)
class Reader:
    """A layer at the end of the way.

    Parameters
    ----------
    operator : LinearOperator
        The layer.
    weight : Part
        Its weight, by input channels.
    """

    operator: LinearOperator
    weight: Part


@dataclass
class Span:
    """What lies between a value and the layers that read it.

    Parameters
    ----------
    offsets : list of Part
        Numbers that are added on the way: divided when the value is.
    readers : list of Reader
        The layers whose weights are then multiplied.
    obstacle : str
        Why factors can't move; empty if they can.
    """

    offsets: list[Part] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    obstacle: str = ""


def span_from(value: Value, axis: int) -> Span:
    """Return where factors for the channels of a value can move.

    Parameters
    ----------
    value : Value
        What is to be divided.
    axis : int
        Its channel axis.
    """
    return _Walk(value, axis).span


def span_behind(operator: LinearOperator) -> tuple[Part | None, Span]:
    """Return a layer's weight by output channels, and where factors for these can move.

    The weight is None, and the span has an obstacle, where the layer's outputs can't be divided.
    """
    node, is_matrix = operator.node, operator.node.op in _MATRIX_PRODUCTS and len(operator.shape) == 2
    is_transposed = node.op == "Conv2DTranspose" and node.attributes.get("group", 1) == 1
    if not (is_matrix or is_transposed or node.op == "Conv2D") or len(node.shape or ()) < 2:
        return None, Span(obstacle=f"{in_words(node)} has no output channels that can be divided")
    span = span_from(node, -1 if is_matrix else CHANNEL_AXIS)
    if node.op == "Dense" and not isinstance(node.inputs[2], Constant):
        if node.parameter(2) is None:
            span.obstacle = f"the bias of {in_words(node)} is computed"
        span.offsets.append(Part(node, 2, 0))
    span.obstacle = obstacle_to_scaling(operator, as_reader=False) or span.obstacle
    return Part(node, operator.weight_index, operator.axis), span


def in_words(node: Node) -> str:
    """Return a node's operator and layer."""
    return f"{node.op} ({node.layer or 'network'})"


class _Walk:
    """Follows the channels of a value from reader to reader."""

    def __init__(self, value: Value, axis: int) -> None:
        self.span = Span()
        self.places: dict[Value, Place] = {value: (axis % len(value.shape or (1,)), 1)}
        self._waiting: dict[Node, None] = {}
        pending = [value]
        while pending:
            current = pending.pop()
            for reader in current.readers:
                place = self._follow(reader, current) if reader not in self.places else None
                if place is not None:
                    self.places[reader] = place
                    pending.append(reader)
        for node in self._waiting:
            self.refuse(f"{in_words(node)} combines it with something else")
        if not self.span.readers:
            self.refuse("no layer reads it")

    def refuse(self, reason: str) -> None:
        """Note what stands in the way; the first counts."""
        self.span.obstacle = self.span.obstacle or reason

    def _follow(self, reader: Node, value: Value) -> Place | None:
        """Return where the channels are in what a reader computes; None where the way ends, well or not."""
        axis, repeat = self.places[value]
        operator = linear_operator(reader)
        if operator is not None and value is operator.data:
            self._arrive(operator, axis, repeat)
            return None
        computed = [item for item in reader.inputs[:2] if not isinstance(item, Parameter | Constant)]
        if reader.op in JOINS and len(computed) == 2:
            return self._join(reader, computed)
        place = passed_on(reader, value, (axis, repeat))
        index = offset_index(reader, value)
        if place is not None and index is not None:
            offset = offset_axis(reader, index, place)
            self.span.offsets += [Part(reader, index, offset, repeat)] if offset is not None else []
            place = place if offset is not None else None
        if place is None:
            is_output = reader.op == "Return"
            self.refuse("it is the network's output" if is_output else f"it is also read by {in_words(reader)}")
        return place

    def _join(self, node: Node, values: Sequence[Value]) -> Place | None:
        """Pass on the factors that both operands have: ``max(s a, s b) = s max(a, b)``."""
        places = {self.places.get(value) for value in values}
        place = places.pop()
        is_aligned = len({len(value.shape or ()) for value in values}) == 1
        if places or place is None or not is_aligned:
            self._waiting[node] = None
            return None
        self._waiting.pop(node, None)
        return place

    def _arrive(self, operator: LinearOperator, axis: int, repeat: int) -> None:
        weight = input_channels(operator, axis, repeat)
        if weight is None:
            self.refuse(f"{in_words(operator.node)} doesn't multiply along its channels")
        elif reason := obstacle_to_scaling(operator):
            self.refuse(reason)
        else:
            self.span.readers.append(Reader(operator, weight))


def obstacle_to_scaling(operator: LinearOperator, *, as_reader: bool = True) -> str:
    """Return why a layer's weight can't take factors, for its inputs or else its outputs; empty if it can."""
    if operator.stored is not None:
        return f"the weight of {operator.name} is stored as {operator.stored.scheme}"
    if len(operator.weight.readers) > 1:
        return f"the weight of {operator.name} is shared"
    if as_reader and has_noted_input(operator.node):
        return f"the input of {operator.name} is quantized already"
    return ""


def input_channels(operator: LinearOperator, axis: int, repeat: int) -> Part | None:
    """Return a layer's weight by input channels, if these are what lies along an axis of its input."""
    node, ndim = operator.node, len(operator.shape)
    if node.op == "Conv2D" and axis == CHANNEL_AXIS and repeat == 1:
        group = node.attributes.get("group", 1)
        is_plain = isinstance(group, int) and node.attributes.get("format", "NCHW") == "NCHW"
        return Part(node, operator.weight_index, 1, groups=group if isinstance(group, int) else 1) if is_plain else None
    if node.op not in _MATRIX_PRODUCTS or ndim != 2:
        return None
    is_transposed = node.op in ("MatMul", "BatchMatMul") and bool(node.argument("transpose_a"))
    wanted = len(operator.data.shape or ()) - (2 if is_transposed else 1)
    return Part(node, operator.weight_index, 1 - operator.axis, repeat) if axis == wanted else None
