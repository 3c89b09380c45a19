"""Which values of a network are integers in MindSpore Lite, on which grid, and which layers are computed in integers.

Lite has one grid for a value, whoever reads it, and an integer kernel only where it knows the grids of all that the
kernel reads and of what it writes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from gsjupyter.formats.onnx.grids import Grid, noted_grid, simulated_grid
from gsjupyter.formats.onnx.integer_bias import Bias, bias_of
from gsjupyter.formats.onnx.integer_weights import ChannelIntegers, channel_integers
from gsjupyter.mindir import Constant, Graph, Node, Value
from gsjupyter.passes import Change, LinearOperator, linear_operators
from gsjupyter.passes.integer_values import MOVES, RECTIFIERS
from gsjupyter.passes.note_outputs import noted_end, noted_output
from gsjupyter.passes.simulation import is_simulated, noted_input

PRODUCTS: Final = ("MatMul", "MatMulExt", "BatchMatMul", "Dense")
COMBINATIONS: Final = ("Add", "Mul", *RECTIFIERS)
"""What is computed in integers besides layers and what only moves numbers.

Means are taken in float: Lite's kernels for integers round them to the grid of what is averaged first. So are sigmoids,
whose kernel gives nonsense for the largest integer, and tensors are joined in float: of a tuple Lite's converter knows
no grids.
"""

_TENSOR_MOVES: Final = tuple(sorted({*MOVES} - {"Split", "TupleGetItem"}))
_TUPLES: Final = ("MakeTuple", "make_list")
_FLOAT32: Final = np.dtype(np.float32)
_LAST_UINT8: Final = 255
_HALF: Final = np.asarray(0.5, np.float32)


@dataclass(frozen=True)
class IntegerLayer:
    """A layer with an integer kernel.

    Parameters
    ----------
    operator : LinearOperator
        The layer.
    weight : ChannelIntegers
        Its weight.
    bias : Bias, optional
        What is added.
    end : Node
        What the kernel writes: the layer's value behind its bias and its ReLU.
    """

    operator: LinearOperator
    weight: ChannelIntegers
    bias: Bias | None
    end: Node


class IntegerLayers:
    """The integer layers of a network, and the values that are integers.

    Parameters
    ----------
    graph : Graph
        The network, its weights unpacked. What simulates the quantization of activations is taken out of it, but for
        grids that Lite doesn't have.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.grids: dict[Value, Grid] = {}
        """Which values are integers, and on which grid."""
        self.changes: list[Change] = []
        """What stays in float, and why."""
        operators = [operator for operator in linear_operators(graph) if not operator.is_embedding]
        asked = {operator.node: _asked_grid(operator) for operator in operators}
        self._find_noted()
        self._find_simulated()
        for operator in operators:
            grid = asked[operator.node]
            if grid is not None:
                self._put(operator.data, grid)
        found = [self._layer(operator, asked[operator.node]) for operator in operators]
        self.layers = [layer for layer in found if layer is not None]
        """The layers to compute in integers."""

    @property
    def without_grid(self) -> list[Node]:
        """What layers write that can be computed in integers, if a grid is found for it."""
        return list(dict.fromkeys(layer.end for layer in self.layers if layer.end not in self.grids))

    def give(self, grids: Mapping[Node, Grid]) -> None:
        """Take grids for values that have none; a layer whose output still has none stays in float."""
        for value, grid in grids.items():
            self.grids.setdefault(value, grid)
        for layer in self.layers:
            if layer.end not in self.grids:
                self._skip(layer.operator.node, "nothing says on which grid its output is")
        self.layers = [layer for layer in self.layers if layer.end in self.grids]
        self._give_before_rectifiers()

    @property
    def integer_nodes(self) -> set[Node]:
        """What writes integers: it reads none but integers, and has a kernel for them."""
        nodes = {node for node in self.graph.nodes() if node in self.grids and self._reads_integers(node)}
        return nodes | {layer.end for layer in self.layers}

    def _give_before_rectifiers(self) -> None:
        """Put what a ReLU reads on the grid of what it gives: the numbers that this cuts off the ReLU cuts off too."""
        for node in self.graph.nodes(*RECTIFIERS):
            before = node.inputs[0]
            is_alone = isinstance(before, Node) and len(before.readers) == 1 and before not in self.grids
            if node in self.grids and is_alone and isinstance(before, Node) and self._reads_integers(before):
                self.grids[before] = self.grids[node]

    def _reads_integers(self, node: Node) -> bool:
        """Say whether a node has an integer kernel and reads none but integers."""
        tensors = [reader.inputs[index] for reader, index in data_of(node)]
        has_kernel = node.op in (*COMBINATIONS, *_TENSOR_MOVES)
        return has_kernel and bool(tensors) and all(value in self.grids for value in tensors)

    def _find_noted(self) -> None:
        for node in self.graph.nodes():
            grid = noted_grid(noted_output(node))
            if grid is not None and node.dtype == _FLOAT32:
                self._put(noted_end(node), grid)

    def _find_simulated(self) -> None:
        found = []
        for node in self.graph.nodes():
            simulated = simulated_grid(node)
            if simulated is not None and _is_whole(simulated[1]):
                self.graph.replace(node, simulated[0])
                found.append(simulated)
            elif is_simulated(node):
                _round_by_floor(self.graph, node)
        for value, grid in sorted(found, key=lambda item: -float(item[1].scale)):
            self._put(value, grid)

    def _put(self, value: Value, grid: Grid) -> None:
        """Put a value on a grid, with all that it only moves."""
        path = [value]
        while isinstance(value, Node) and value.op in _TENSOR_MOVES:
            value = value.inputs[0]
            path.append(value)
        own = self.grids.get(path[-1], grid)
        for step in reversed(path):
            self.grids.setdefault(step, own)

    def _layer(self, operator: LinearOperator, asked: Grid | None) -> IntegerLayer | None:
        node, weight = operator.node, channel_integers(operator)
        reason = _obstacle(operator, asked, weight)
        if reason or asked is None or weight is None:
            if asked is not None or (operator.stored is not None and operator.stored.is_integer):
                self._skip(node, reason)
            return None
        grid = self.grids[operator.data]
        if grid.key != asked.key:
            self.changes.append(Change.done(node, "its input is on the grid that others read it on"))
        bias = bias_of(operator)
        if bias is not None and np.isfinite(bias.array).all():
            weight = weight.with_room_for(bias.array, grid.scale)
        return IntegerLayer(operator, weight, bias, self._end(node, bias))

    def _end(self, node: Node, bias: Bias | None) -> Node:
        """Return the last of what a layer's kernel computes: itself, its bias, or its ReLU."""
        end = bias.reader if bias is not None else node
        reader = end.readers[0] if len(end.readers) == 1 else None
        is_inside = end not in self.grids and reader is not None and reader.op in RECTIFIERS
        return reader if is_inside and reader is not None else end

    def _skip(self, node: Node, reason: str) -> None:
        self.changes.append(Change.skipped(node, reason))


def data_of(node: Node) -> Iterator[tuple[Node, int]]:
    """Yield where a node reads tensors: itself and the input, or the tuple that it reads."""
    for index, value in enumerate(node.inputs):
        if isinstance(value, Node) and value.op in _TUPLES:
            yield from data_of(value)
        elif value.dtype == _FLOAT32:
            yield node, index


def _obstacle(operator: LinearOperator, asked: Grid | None, weight: ChannelIntegers | None) -> str:
    """Say why a layer isn't computed in integers; nothing if it is."""
    node = operator.node
    if operator.stored is None or not operator.stored.is_integer:
        return "its weight isn't stored as integers"
    if asked is None:
        return "its input isn't quantized to 8 bits"
    if node.op not in ("Conv2D", *PRODUCTS):
        return f"Lite has no integer kernel for {node.op}"
    if weight is None:
        return "groups within a channel of its weight have scales of their own"
    if node.op == "Conv2D" and not _is_plain(operator):
        return "Lite has no integer kernel for this number of groups of channels"
    if node.op in PRODUCTS and (len(operator.shape) != 2 or _is_turned(node)):
        return "Lite has no integer kernel for this form of a matrix product"
    return ""


def _is_plain(operator: LinearOperator) -> bool:
    """Say whether a convolution has one group, or is depthwise: a group for each channel in and out."""
    group, channels = operator.node.argument("group"), (operator.data.shape or (0, 0))[1]
    return group == 1 or group == channels == operator.shape[0]


def _is_turned(node: Node) -> bool:
    return node.op in ("MatMul", "BatchMatMul") and bool(node.argument("transpose_a"))


def _asked_grid(operator: LinearOperator) -> Grid | None:
    """Return the grid that a layer reads its input on, computed or noted; None if that isn't one of Lite's."""
    origin = operator.data
    while isinstance(origin, Node) and origin.op in MOVES:
        origin = origin.inputs[0]
    if is_simulated(origin):
        found = simulated_grid(origin)
        grid = found[1] if found is not None else None
    else:
        grid = noted_grid(noted_input(operator.node), operator.node.annotations.get("input_highest"))
    return grid if grid is not None and _is_whole(grid) else None


def _is_whole(grid: Grid) -> bool:
    """Say whether a grid is one of 8 bits for the whole tensor.

    Lite's integers end where int8 does, so what saturates before that is computed in float. One level more doesn't
    matter.
    """
    return grid.is_per_tensor and grid.lowest <= 1 and grid.highest >= _LAST_UINT8 - 1


def _round_by_floor(graph: Graph, simulated: Node) -> None:
    """Let simulated quantization round by an operator that Lite has."""
    node: Value = simulated
    while isinstance(node, Node) and node.op != "Rint":
        node = node.inputs[0]
    if isinstance(node, Node):
        half, scope, shape, dtype = Constant.of(_HALF), node.scope, node.shape, node.dtype
        raised = graph.add("Add", [node.inputs[0], half], scope=scope, shape=shape, dtype=dtype)
        graph.replace(node, graph.add("Floor", [raised], scope=scope, shape=shape, dtype=dtype))
