"""Which values an engine with integer kernels wants quantized, besides the inputs of layers.

Such a kernel writes integers, and goes from integers to integers. A convolution whose output nobody quantizes is
computed in float, and so is what adds two values of which one is a float. So these values are quantized as well:

- the end of each integer convolution, behind its bias and its ReLU, unless all that read it quantize it themselves;
- what is added, multiplied, concatenated or averaged from such values alone, if an integer kernel reads it.

Matrix products are left out: their integer kernels write floats. So is what the caller gets, and what a layer reads
that is to be kept in float.
"""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from gsjupyter.mindir import Constant, Graph, Node, Parameter, Value
from gsjupyter.passes.linear import LinearOperator, linear_operators
from gsjupyter.passes.simulation import begins_simulation, is_simulated

MOVES: Final = (
    "DepthToSpace",
    "ExpandDims",
    "Flatten",
    "MaxPool",
    "Reshape",
    "ResizeNearestNeighbor",
    "Slice",
    "Split",
    "Squeeze",
    "StridedSlice",
    "Transpose",
    "TupleGetItem",
)
"""What only moves numbers, or picks some of them: a grid before it is a grid behind it."""

RECTIFIERS: Final = ("ReLU", "ReLU6")
"""What cuts numbers off, as the ends of a grid do."""

CONVOLUTIONS: Final = ("Conv2D", "Conv3D")
"""Those that engines have integer kernels for; for transposed ones they have none."""

_COMBINES: Final = ("Add", "AvgPool", "Concat", "LeakyReLU", "Mul", "Sigmoid")
_TUPLES: Final = ("MakeTuple", "make_list")
_FLOAT32: Final = np.dtype(np.float32)
_MEANS: Final = ("ReduceMean", "MeanExt")
_ADAPTIVE_MEANS: Final = ("AdaptiveAvgPool2D", "AdaptiveAvgPool2DExt")
_PIXELS: Final = (2, 3)


class IntegerValues:
    """The values of a network that integer kernels write.

    Parameters
    ----------
    graph : Graph
        The network.
    is_quantized : callable
        Says of a layer whether its input is to be quantized, or is already.
    is_integer : callable
        Says of a layer whether its weight is to be stored as integers, or is already.
    """

    def __init__(
        self,
        graph: Graph,
        is_quantized: Callable[[LinearOperator], bool],
        is_integer: Callable[[LinearOperator], bool],
    ) -> None:
        operators = [item for item in linear_operators(graph) if not item.is_embedding]
        self._layers = {item.node: item for item in operators if is_quantized(item)}
        self._kept = {item.node for item in operators} - self._layers.keys()
        self._integer = {node for node, item in self._layers.items() if is_integer(item)}
        self._nodes = graph.nodes()
        self._ends: dict[Node, Node] = {}
        self._on_grid: set[Value] = set()
        self._active: set[Node] = set()
        for node in self._nodes:
            self._look_forward(node)
        for node in reversed(self._nodes):
            if node in self._ends and self._is_read_by_integers(node):
                self._active.add(self._ends[node])

    @property
    def outputs(self) -> dict[Node, Node]:
        """The values to quantize, each with the one whose grid it has: itself, or the value that it moves."""
        found: dict[Node, Node] = {}
        for node in self._nodes:
            origin = _origin(node)
            if self._needs_grid(node):
                found[node] = node
            elif isinstance(origin, Node) and origin in found and self._is_kernel_input(node):
                found[node] = origin
        return found

    def _look_forward(self, node: Node) -> None:
        """Find out whether a node's output can be integers."""
        if node.op in MOVES:
            is_on_grid = node.inputs[0] in self._on_grid
        elif (producer := self._producer(node)) is not None and not self._is_blocked(node):
            self._ends[node] = producer
            is_on_grid = True
        else:
            is_on_grid = is_simulated(node)
        if is_on_grid or (self._is_layer_input(node) and not self._is_blocked(node)):
            self._on_grid.add(node)

    def _producer(self, end: Node) -> Node | None:
        """Return the convolution or combination whose integer kernel ends with a node; None if none does."""
        if end.dtype != _FLOAT32 or any(_is_fused(reader) for reader in end.readers):
            return None
        node = end
        while _is_fused(node) and isinstance(before := node.inputs[0], Node):
            node = before
        if node.op in CONVOLUTIONS:
            return node if node in self._integer else None
        is_combination = _has_kernel(node) and all(value in self._on_grid for value in _data(node))
        return node if is_combination else None

    def _needs_grid(self, node: Node) -> bool:
        if node not in self._on_grid or node.op in MOVES or is_simulated(node) or self._is_covered(node):
            return False
        producer = self._ends.get(node)
        if producer is not None:
            return producer.op in CONVOLUTIONS or producer in self._active
        return any(reader in self._active for reader in _readers_behind(node))

    def _is_blocked(self, value: Value) -> bool:
        """Say whether something reads a value that must not see it rounded."""
        return any(reader in self._kept or reader.op == "Return" for reader in _readers_behind(value))

    def _is_covered(self, value: Value) -> bool:
        """Say whether all that reads a value quantizes it, and in the same way."""
        first, *others = value.readers
        if not others and first.op in MOVES:
            return self._is_covered(first)
        if not others and begins_simulation(first):
            return True
        return all(self._reads_as_data(reader, value) for reader in value.readers)

    def _is_kernel_input(self, value: Value) -> bool:
        return self._is_layer_input(value) or any(reader in self._active for reader in _readers(value))

    def _is_layer_input(self, value: Value) -> bool:
        return any(self._reads_as_data(reader, value) for reader in value.readers)

    def _reads_as_data(self, reader: Node, value: Value) -> bool:
        return reader in self._layers and self._layers[reader].data is value

    def _is_read_by_integers(self, value: Value) -> bool:
        return any(
            reader in self._layers or reader in self._active or begins_simulation(reader)
            for reader in _readers_behind(value)
        )


def is_global_mean(node: Node) -> bool:
    """Say whether a node takes the mean of each channel of images: over both axes of their pixels, and no other."""
    if not node.inputs or len(node.inputs[0].shape or ()) != len(_PIXELS) + 2:
        return False
    if node.op in _ADAPTIVE_MEANS:
        return (node.shape or ())[2:] == (1, 1)
    given = node.inputs[1] if node.op in _MEANS and len(node.inputs) > 1 else None
    if not isinstance(given, Constant):
        return False
    axes = np.atleast_1d(np.asarray(given.value))
    return axes.dtype.kind == "i" and tuple(sorted(axes % (len(_PIXELS) + 2))) == _PIXELS


def _has_kernel(node: Node) -> bool:
    return node.op in _COMBINES or is_global_mean(node)


def _data(node: Node) -> list[Value]:
    """Return the tensors that a node combines, those of a tuple one by one; settings are left out."""
    first = node.inputs[0] if node.inputs else None
    if isinstance(first, Node) and first.op in _TUPLES:
        return list(first.inputs)
    count = 2 if node.op in ("Add", "Mul") else 1
    return list(node.inputs[:count])


def _is_fused(node: Node) -> bool:
    before = node.inputs[0] if node.inputs else None
    if not isinstance(before, Node) or len(before.readers) != 1:
        return False
    if node.op in RECTIFIERS:
        return True
    return node.op == "BiasAdd" and isinstance(node.inputs[1], Parameter) and before.op in CONVOLUTIONS


def _origin(node: Node) -> Value:
    value: Value = node
    while isinstance(value, Node) and value.op in MOVES:
        value = value.inputs[0]
    return value


def _readers(value: Value) -> Iterable[Node]:
    """Yield what reads a value; through a tuple, what takes all of it."""
    for reader in value.readers:
        if reader.op in _TUPLES:
            yield from _readers(reader)
        else:
            yield reader


def _readers_behind(value: Value) -> Iterable[Node]:
    """Yield what reads a value, directly or after it was only moved."""
    for reader in _readers(value):
        if reader.op in MOVES:
            yield from _readers_behind(reader)
        else:
            yield reader
