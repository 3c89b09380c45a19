"""Quantization written out: ONNX runtimes run integer kernels only where they find QuantizeLinear and DequantizeLinear.

MindIR computes quantized activations in floating point and multiplies integer weights by their scales, with ordinary
operators. Here, before a graph is lowered, they become

    DequantizeLinear(QuantizeLinear(x)) -> Conv with DequantizeLinear(int8), DequantizeLinear(int32) -> ...

and behind each integer kernel, where the conversion has noted a grid for its output, another such pair, so that it
writes integers too. What the network itself quantizes stays as it was trained, saturation included.
"""

from typing import Final

import numpy as np

from gsjupyter.formats.onnx.block_weights import write_block_product
from gsjupyter.formats.onnx.grids import QUANTIZE, Grid, add_quantize, noted_grid, simulated_grid
from gsjupyter.formats.onnx.integer_bias import bias_of
from gsjupyter.formats.onnx.integer_weights import channel_integers, fits_4_bits, stored_in_4_bits
from gsjupyter.mindir import Graph, Node, Scope, Value
from gsjupyter.passes import Change, LinearOperator, Pass, linear_operators
from gsjupyter.passes.integer_values import CONVOLUTIONS, MOVES, RECTIFIERS, is_global_mean
from gsjupyter.passes.note_outputs import noted_end, noted_output
from gsjupyter.passes.simulation import is_simulated, noted_input

GLOBAL_MEAN: Final = "GlobalMean"
"""Stands in the graph until it is lowered: the mean of each channel, for which there is an integer kernel."""

_BEFORE_QUANTIZE: Final = ("BiasAdd", *RECTIFIERS, *MOVES)
_SMALL_BYTES: Final = 256
_SMALLEST: Final = np.finfo(np.float32).tiny


class WriteQuantization(Pass):
    """Put QuantizeLinear and DequantizeLinear where MindIR computes quantization, or where it is noted.

    The last pass before a graph is lowered: no backend of MindSpore knows these operators.

    Left alone, with the reason in the change list: grids of more than 256 levels, and weights that no kernel takes as
    integers. Both are computed as before.
    """

    def __init__(self) -> None:
        self._grids: dict[Value, Grid] = {}
        self._pairs: dict[tuple[Value, object], Node] = {}
        self._is_moved: dict[Value, bool] = {}

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        changes = self._write_noted_outputs(graph)
        changes += self._write_simulated(graph)
        changes += self._write_noted_inputs(graph)
        self._absorb_rectifiers(graph)
        weights = [self._write_weight(graph, operator) for operator in linear_operators(graph)]
        changes += [change for change in weights if change is not None]
        for node in graph.nodes():
            if is_global_mean(node) and self._grid_of(node.inputs[0]) is not None:
                _write_global_mean(graph, node)
        return changes

    def _write_noted_outputs(self, graph: Graph) -> list[Change]:
        changes = []
        for node in graph.nodes():
            grid = noted_grid(noted_output(node))
            if grid is not None:
                end = noted_end(node)
                readers = end.readers
                pair = self._pair(graph, end, grid)
                graph.replace(end, pair, readers=readers)
                self._is_moved[pair] = node.op in MOVES
                changes.append(Change.done(node, "output quantized"))
        return changes

    def _write_simulated(self, graph: Graph) -> list[Change]:
        changes = []
        for node in graph.nodes():
            if not is_simulated(node):
                continue
            found = simulated_grid(node)
            if found is None:
                changes.append(Change.skipped(node, "its grid doesn't fit 8 bits"))
                continue
            value, grid = found
            graph.replace(node, value if self._is_on(value, grid) else self._pair(graph, value, grid, node))
            changes.append(Change.done(node, "activation quantized"))
        return changes

    def _is_on(self, value: Value, grid: Grid) -> bool:
        """Say whether quantizing a value again changes nothing, or would only lose what the first time has kept."""
        own = self._grids.get(value)
        return own is not None and (own.key == grid.key or self._is_moved.get(value, False))

    def _write_noted_inputs(self, graph: Graph) -> list[Change]:
        """Quantize the inputs of layers where nothing computes it."""
        changes = []
        for operator in linear_operators(graph):
            node, data = operator.node, operator.data
            grid = noted_grid(noted_input(node), node.annotations.get("input_highest"))
            if grid is None or operator.is_embedding or is_simulated(_origin(data)) or self._grid_of(data) is not None:
                continue
            node.set_input(operator.data_index, self._pair(graph, data, grid, node))
            changes.append(Change.done(node, "input quantized as noted"))
        return changes

    def _pair(self, graph: Graph, value: Value, grid: Grid, like: Node | None = None) -> Node:
        """Return a value that was quantized and made float again."""
        key = (value, grid.key)
        if key not in self._pairs:
            scope = value.scope if isinstance(value, Node) else like.scope if like is not None else Scope.parse("")
            self._pairs[key] = add_quantize(graph, value, grid, scope)
            self._grids[self._pairs[key]] = grid
        return self._pairs[key]

    def _grid_of(self, value: Value) -> Grid | None:
        return self._grids.get(_origin(value))

    def _absorb_rectifiers(self, graph: Graph) -> None:
        """Let the ends of grids do what the ReLU before them does: it is dropped, and its layer writes integers."""
        for (value, _), pair in list(self._pairs.items()):
            grid, rectifier = self._grids[pair], _rectifier_before(value)
            if rectifier is None or not grid.is_per_tensor:
                continue
            cut = grid.behind(rectifier)
            if rectifier is value:
                graph.replace(pair, self._pair(graph, rectifier.inputs[0], cut, rectifier))
            elif cut.key != grid.key:
                graph.replace(rectifier, self._pair(graph, rectifier.inputs[0], cut, rectifier))

    def _write_weight(self, graph: Graph, operator: LinearOperator) -> Change | None:
        stored, node = operator.stored, operator.node
        if stored is None or not stored.is_integer:
            return None
        grid = self._grid_of(operator.data)
        is_integer = grid is not None and grid.is_per_tensor and _has_integer_kernel(node)
        weight = channel_integers(operator) if is_integer else None
        if grid is not None and weight is not None:
            bias = bias_of(operator)
            if bias is not None and np.isfinite(bias.array).all():
                weight = weight.with_room_for(bias.array, grid.scale)
                bias.quantize(graph, np.asarray(np.maximum(grid.scale * weight.scale, _SMALLEST), np.float32))
            node.set_input(operator.weight_index, weight.add_to(graph, node))
            return Change.done(node, "weight read as integers")
        if grid is None and write_block_product(graph, operator):
            return Change.done(node, "weight read in 4 bits")
        values = stored.values
        if fits_4_bits(values.array) and values.size_bytes >= _SMALL_BYTES:
            readers = [reader for reader in values.readers if reader.op == "Cast"]
            graph.replace(values, stored_in_4_bits(graph, values, node), readers=readers)
        return Change.skipped(node, "no integer kernel takes its weight")


def _has_integer_kernel(node: Node) -> bool:
    """Say whether a layer is computed in integers: a convolution is only where integers are what it writes."""
    if node.op not in CONVOLUTIONS:
        return True
    while len(node.readers) == 1:
        node = node.readers[0]
        if node.op == QUANTIZE:
            return True
        if node.op not in _BEFORE_QUANTIZE:
            return False
    return False


def _write_global_mean(graph: Graph, node: Node) -> None:
    mean = graph.add(GLOBAL_MEAN, [node.inputs[0]], scope=node.scope, shape=node.shape, dtype=node.dtype)
    graph.replace(node, mean)


def _rectifier_before(value: Value) -> Node | None:
    """Return the ReLU that makes a value, or that makes what a value only moves, if nothing else reads it."""
    while isinstance(value, Node) and value.op in MOVES and len(value.readers) == 1:
        value = value.inputs[0]
    is_rectifier = isinstance(value, Node) and value.op in RECTIFIERS and len(value.readers) == 1
    return value if is_rectifier and isinstance(value, Node) else None


def _origin(value: Value) -> Value:
    """Return what a value is before it was only moved."""
    while isinstance(value, Node) and value.op in MOVES:
        value = value.inputs[0]
    return value
