"""Quantization carried over: MindSpore Lite computes in integers, on our grids, what a file says is to be.

MindIR computes quantized activations in floating point and multiplies integer weights by their scales. The converter
knows neither. Here the weights become the floats that the integers stand for, the simulation goes, and in their places
stand FakeQuantParam nodes

    FakeQuantParam(x) -> Conv2D with FakeQuantParam(weight) -> BiasAdd -> ReLU -> FakeQuantParam -> ...

of which the converter makes int8 tensors, int32 biases and integer kernels: rounding a weight again on its own grid
gives the same integers.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from gsjupyter.formats.lite.fake_quant_param import (
    FAKE_QUANT_PARAM,
    add_fake_quant_param,
    add_matrix_product,
    add_shield,
    tell_apart,
)
from gsjupyter.formats.lite.integer_layers import PRODUCTS, IntegerLayer, IntegerLayers, data_of
from gsjupyter.formats.lite.shared_products import part_from_rectifiers
from gsjupyter.formats.onnx.grids import Grid, noted_grid
from gsjupyter.mindir import Array, Graph, Model, Node, Parameter, Scope, Value, run_with
from gsjupyter.passes import Change, UnpackWeights, apply, linear_operators
from gsjupyter.quantization import ACTIVATION_UINT8, scale_and_zero_point
from gsjupyter.quantization.value_range import ValueRange

_INT8_IN_UINT8 = 128
"""The uint8 that is the int8 0 on the same grid: Lite's kernels take int8 only."""


def annotated(model: Model, samples: Iterable[Sequence[Array]] = ()) -> tuple[Model, tuple[Change, ...]]:
    """Return a quantized network as MindIR from which Lite's converter makes a quantized file.

    Parameters
    ----------
    model : Model
        The network, its activations computed in few bits or noted to be.
    samples : iterable of sequences of ndarray
        Batches of its inputs. Lite has kernels that write integers only; the range of what no grid was chosen for, the
        network's output for example, is taken from these. Without them, layers that write such values stay in float.

    Returns
    -------
    Model
        The network in float, with FakeQuantParam nodes. Only Lite's converter reads it: MindSpore has no kernel for
        them.
    tuple of Change
        What is quantized, and what was left in float and why.

    Raises
    ------
    InputError
        If a sample doesn't fit the network.
    EngineError
        If MindSpore can't run it.
    CalibrationError
        If a sample makes NaN.
    """
    unpacked, _ = apply(UnpackWeights(), model)
    graph, simulating = unpacked.graph(), unpacked.graph()
    twins = dict(zip(graph.nodes(), simulating.nodes(), strict=True))
    layers = IntegerLayers(graph)
    wanted = {node: twins[node] for node in layers.without_grid}
    layers.give(_observed(unpacked, simulating, wanted, samples))
    changes = _Annotation(graph, layers).write()
    return unpacked.with_graph(graph), tuple(changes)


def _observed(
    model: Model, graph: Graph, wanted: Mapping[Node, Node], samples: Iterable[Sequence[Array]]
) -> dict[Node, Grid]:
    """Return grids for what samples show of values, each given with its twin in a graph that can run."""
    if not wanted:
        return {}
    ranges = {value: ValueRange() for value in wanted}
    runner = run_with(model, graph, list(wanted.values()))
    for batch in samples:
        for value_range, array in zip(ranges.values(), runner.inner(*batch), strict=True):
            value_range.update(array)
    grids = {value: _grid_for(found) for value, found in ranges.items() if not found.is_empty}
    return {value: grid for value, grid in grids.items() if grid is not None}


def _grid_for(found: ValueRange) -> Grid | None:
    scale, zero_point = scale_and_zero_point(found.low, found.high, ACTIVATION_UINT8)
    return noted_grid((float(scale), int(zero_point)))


class _Annotation:
    """The edits that put a network's grids into its graph."""

    def __init__(self, graph: Graph, layers: IntegerLayers) -> None:
        self.graph = graph
        self.layers = layers.layers
        self.grids = layers.grids
        self.integer = layers.integer_nodes
        self.changes = list(layers.changes)
        self.weights: dict[tuple[Parameter, bytes, bytes], Parameter] = {}

    def write(self) -> list[Change]:
        """Edit the graph; return what was done and what was left in float."""
        places = self._places()
        for layer in self.layers:
            self._write_weight(layer)
            self.changes.append(Change.done(layer.operator.node, "computed in integers"))
        self._store_floats()
        for value, grid in self.grids.items():
            self._write_grid(value, grid, places.get(value, []))
        for layer in self.layers:
            self._mark_kernel(self._with_bias(layer), self.grids[layer.end])
        part_from_rectifiers(self.graph)
        tell_apart(self.graph)
        return self.changes

    def _places(self) -> dict[Value, list[tuple[Node, int]]]:
        """Return where integer kernels read each value."""
        layers = [(layer.operator.node, layer.operator.data_index) for layer in self.layers]
        inside = {node for layer in self.layers for node in _chain(layer)}
        others = [place for node in self.integer - inside for place in data_of(node)]
        places: dict[Value, list[tuple[Node, int]]] = {}
        for node, index in (*layers, *others):
            places.setdefault(node.inputs[index], []).append((node, index))
        return places

    def _write_weight(self, layer: IntegerLayer) -> None:
        """Put the numbers that a weight's integers stand for in its place, with its grid."""
        operator, weight = layer.operator, layer.weight
        scale, zero_point = weight.scale, weight.zero_point.astype(np.int32)
        key = (weight.stored, scale.tobytes(), zero_point.tobytes())
        if key not in self.weights:
            shape = [-1 if axis == weight.axis else 1 for axis in range(weight.values.ndim)]
            per = [item.reshape(shape) if item.ndim else item for item in (scale, zero_point)]
            floats = ((weight.values - per[1]) * per[0]).astype(np.float32)
            self.weights[key] = Parameter.of(weight.stored.name, floats)
        offset = _INT8_IN_UINT8 if weight.values.dtype == np.uint8 else 0
        marked = add_fake_quant_param(self.graph, self.weights[key], scale, zero_point - offset, operator.node.scope)
        operator.node.set_input(operator.weight_index, marked)

    def _store_floats(self) -> None:
        """Store the weights of layers that stay in float as floats."""
        for operator in linear_operators(self.graph):
            stored = operator.stored
            if stored is not None:
                values = stored.quantized.dequantize() if stored.is_integer else stored.values.array
                floats = self.graph.new_parameter(operator.weight.name, np.asarray(values, np.float32))
                self.graph.replace(stored.output, floats)

    def _write_grid(self, value: Value, grid: Grid, places: list[tuple[Node, int]]) -> None:
        """Put what says on which grid a value is between it and those that read it as integers.

        What writes integers is read so by all.
        """
        is_integer = value in self.integer
        if not is_integer and not places:
            return
        source = value if is_integer or not isinstance(value, Node) else add_shield(self.graph, value)
        readers = value.readers
        scope = value.scope if isinstance(value, Node) else Scope.parse("")
        marked = self._marked(source, grid, scope)
        if is_integer:
            self.graph.replace(value, marked, readers=readers)
            self._shield_means(marked)
        else:
            for node, index in places:
                node.set_input(index, marked)

    def _shield_means(self, marked: Node) -> None:
        """Keep the converter from taking the grid of what is averaged for that of the averages."""
        for reader in marked.readers:
            if reader.op == "AvgPool":
                reader.set_input(0, add_shield(self.graph, marked))

    def _with_bias(self, layer: IntegerLayer) -> Node:
        """Give a layer a bias of its own, and a matrix product one that is part of it; return the layer's node."""
        operator, bias = layer.operator, layer.bias
        node = operator.node
        values = self.graph.new_parameter(bias.parameter.name, bias.array) if bias is not None else None
        if node.op not in PRODUCTS:
            if bias is not None and values is not None:
                bias.reader.set_input(bias.index, values)
            return node
        inputs = [operator.data, node.inputs[operator.weight_index], *([values] if values is not None else [])]
        before = bias.reader if bias is not None else node
        product = add_matrix_product(self.graph, inputs, like=before, is_transposed=operator.axis == 0)
        self.graph.replace(before, product)
        return product

    def _mark_kernel(self, node: Node, grid: Grid) -> None:
        """Say of a layer itself on which grid it ends.

        The converter makes one kernel of a layer, its bias and its ReLU, and keeps what it knows of the first.
        """
        readers = node.readers
        if not any(reader.op == FAKE_QUANT_PARAM for reader in readers):
            self.graph.replace(node, self._marked(node, grid, node.scope), readers=readers)

    def _marked(self, value: Value, grid: Grid, scope: Scope) -> Node:
        zero_point = grid.zero_point.astype(np.int32) - _INT8_IN_UINT8
        return add_fake_quant_param(self.graph, value, grid.scale, zero_point, scope)


def _chain(layer: IntegerLayer) -> list[Node]:
    """Return what one kernel computes: a layer, its bias, its ReLU."""
    steps = [layer.operator.node, *([layer.bias.reader] if layer.bias is not None else []), layer.end]
    return list(dict.fromkeys(steps))
