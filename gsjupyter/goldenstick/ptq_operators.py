"""The operators that Golden Stick deploys to Ascend, by their documented formulas, in the standard form.

    WeightQuantBatchMatmul:  y = x @ ((weight + antiquant_offset) * antiquant_scale) + bias                        [1]_
    QuantBatchMatmul:        y = (x1 @ x2 + bias) * scale * per_token_scale, a floating-point bias added last      [2]_
    QuantV2:                 q = clip(round(x / scale) + offset), x * scale where the offset is no integer         [3]_
    DynamicQuantExt:         scale = max(abs(x * smooth)) / 127 for each row, q = round(x * smooth / scale)        [4]_

None of them has a kernel for a CPU, but networks with them can be exported there.

.. [1] CANN, aclnnWeightQuantBatchMatmulV2.
.. [2] CANN, aclnnQuantMatmulV4.
.. [3] ``mindspore.ops.operations._infer_ops.QuantV2`` documents the product; Golden Stick's ``hal.py`` gives the
   reciprocal to that kernel only, and the scale itself to the one that takes int8 offsets.
.. [4] CANN, aclnnDynamicQuant.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.goldenstick.constant_arrays import constant_array
from gsjupyter.goldenstick.ptq import PtqLayer
from gsjupyter.goldenstick.ptq_input import PtqInput, input_of, scale_bits
from gsjupyter.goldenstick.ptq_weights import as_stored, quantize_inputs
from gsjupyter.goldenstick.wide_layers import FLOAT32
from gsjupyter.mindir import Array, Constant, Graph, Node, Parameter, Value
from gsjupyter.passes import Change, Pass, RemoveDeadCode
from gsjupyter.passes.casting import cast
from gsjupyter.passes.linear import linear_operator
from gsjupyter.passes.stored_weight import store_weight
from gsjupyter.quantization.packing import unpacked
from gsjupyter.quantization.quantizer import SMALLEST_SCALE

_OPERATORS: Final = ("WeightQuantBatchMatmul", "QuantBatchMatmul")
_MOST: Final = 127.0

Integers = npt.NDArray[np.int8]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Product:
    """What one of the operators computes: (data @ weight + bias), the weight's rows being outputs if transposed."""

    weight: Parameter
    layer: PtqLayer
    data: Value
    bias: Doubles | None
    is_transposed: bool


class LowerPtqOperators(Pass):
    """Turn Ascend's quantized matrix products into integer weights and ordinary operators.

    Left alone, with the reason in the change list: products of more than two axes, transposed inputs, quantized
    outputs, and what isn't constant where it should be.

    Parameters
    ----------
    simulate : bool
        Whether inputs with a fixed scale are quantized in the computation; if not, that is only noted.
    """

    requires = (RemoveDeadCode,)

    def __init__(self, *, simulate: bool = True) -> None:
        self.simulate = simulate
        self.layers: list[PtqLayer] = []
        """The layers that were lowered."""

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        return [self._lower(graph, node) for node in graph.nodes(*_OPERATORS)]

    def _lower(self, graph: Graph, node: Node) -> Change:
        parameter = node.parameter(1)
        integers = _integers(parameter) if parameter is not None else None
        if parameter is None or integers is None or len(node.inputs[0].shape or ()) != 2:
            return Change.skipped(node, "its weight is no stored matrix of integers, or its input no matrix")
        if node.op == "WeightQuantBatchMatmul":
            product = _weight_product(node, parameter, integers)
        else:
            product = _integer_product(graph, node, parameter, integers)
        if isinstance(product, str):
            return Change.skipped(node, product)
        self._replace(graph, node, product)
        self.layers.append(product.layer)
        return Change.done(node, f"made MatMul, weight stored as {product.layer.scheme}")

    def _replace(self, graph: Graph, node: Node, product: _Product) -> None:
        scope, layer = node.scope, product.layer
        quantized = as_stored(layer, layer.integers.shape, 0 if product.is_transposed else 1)
        weight = store_weight(graph, product.weight.name, quantized, scope)
        inputs = [cast(graph, product.data, FLOAT32, scope), weight]
        inputs += [Constant.of(False), Constant.of(product.is_transposed)]
        matmul = graph.add("MatMul", inputs, scope=scope, shape=node.shape, dtype=FLOAT32)
        output = matmul
        if product.bias is not None and product.bias.any():
            name = f"{layer.name}.bias" if layer.name else "bias"
            bias = graph.new_parameter(name, product.bias.astype(np.float32))
            output = graph.add("Add", [matmul, bias], scope=scope, shape=node.shape, dtype=FLOAT32)
        graph.replace(node, cast(graph, output, node.dtype or FLOAT32, scope))
        operator = linear_operator(matmul)
        if operator is not None and layer.input is not None:
            quantize_inputs(graph, [operator], layer.input, simulate=self.simulate)


def _weight_product(node: Node, parameter: Parameter, integers: Integers) -> _Product | str:
    """Read a product with a dequantized weight, or say what stands in the way."""
    scale, offset, bias = (constant_array(node.inputs[index]) for index in (2, 3, 6))
    if scale is None or _flag(node, 7) or not all(_is_none(node.inputs[index]) for index in (4, 5)):
        return "its output is quantized, its input transposed, or its scale not constant"
    is_transposed = _flag(node, 8)
    negated = np.zeros(1) if offset is None else offset.astype(np.float64)
    layer = _layer(parameter, integers, (scale.astype(np.float64), -negated), is_transposed=is_transposed)
    total = None if bias is None else bias.astype(np.float64)
    return _Product(parameter, layer, node.inputs[0], total, is_transposed)


def _integer_product(graph: Graph, node: Node, parameter: Parameter, integers: Integers) -> _Product | str:
    """Read a product of integers, with the quantization of its input, or say what stands in the way."""
    scale, is_transposed, source = constant_array(node.inputs[2]), _flag(node, 7), node.inputs[0]
    if scale is None or _flag(node, 6) or not _is_none(node.inputs[3]):
        return "its input is transposed, it has an offset, or its scale is not constant"
    weight_scale, products, offset = scale_bits(scale), scale_bits(scale), 0
    incoming: PtqInput | None = None
    if isinstance(source, Node) and source.op == "QuantV2" and _is_none(node.inputs[5]):
        given = {"input_scale": source.inputs[1], "input_offset": source.inputs[2]}
        found = {name: array for name, value in given.items() if (array := constant_array(value)) is not None}
        if len(found) < len(given):
            return "the scale of its input is not constant"
        numbers = {name: np.asarray(array, np.float64) for name, array in found.items()}
        incoming, divided = input_of(node.layer, found, {**numbers, "product_scale": products})
        weight_scale = products if divided is None else divided
        offset, data = (0 if incoming is None else incoming.offset), source.inputs[0]
    elif (dynamic := _dynamic(source)) is not None:
        data = _row_quantized(graph, dynamic)
    else:
        return "its input is quantized by no known operator"
    layer = _layer(parameter, integers, (weight_scale, np.zeros(1)), is_transposed=is_transposed)
    sums = offset * integers.sum(axis=1 if is_transposed else 0, dtype=np.int64)
    bias = _bias_of(products.reshape(-1), sums, constant_array(node.inputs[4]))
    return _Product(parameter, replace(layer, input=incoming), data, bias, is_transposed)


def _layer(
    parameter: Parameter, integers: Integers, scale_and_offset: tuple[Doubles, Doubles], *, is_transposed: bool
) -> PtqLayer:
    """Return the layer of an operator; groups are along the input channels, of a transposed weight the last axis."""
    is_grouped = scale_and_offset[0].ndim == 2 and min(scale_and_offset[0].shape) > 1
    scale, offset = (value.T if is_transposed and value.ndim == 2 else value for value in scale_and_offset)
    if not is_grouped:
        scale, offset = scale.reshape(-1), offset.reshape(-1)
    return PtqLayer(
        parameter.name.rpartition(".")[0],
        parameter.name,
        integers,
        scale.astype(np.float32),
        np.broadcast_to(np.rint(offset), scale.shape).astype(np.int32),
    )


def _bias_of(products: Doubles, sums: npt.NDArray[np.int64], bias: Array | None) -> Doubles:
    """Return what is added where the input's offset has been subtracted from it: `sums` is the offset's part.

    An integer bias is added before the products are scaled, a floating-point one behind.
    """
    if bias is None:
        return np.asarray(products * sums)
    before = bias.dtype.kind == "i"
    numbers = bias.astype(np.float64)
    return np.asarray(products * (numbers + sums) if before else products * sums + numbers)


def _dynamic(value: Value) -> Node | None:
    """Return the DynamicQuantExt whose integers a value is."""
    source = value.inputs[0] if isinstance(value, Node) and value.op == "TupleGetItem" else None
    return source if isinstance(source, Node) and source.op == "DynamicQuantExt" else None


def _row_quantized(graph: Graph, node: Node) -> Node:
    """Add the operators that quantize each row by its largest value, and dequantize it."""
    source, scope = node.inputs[0], node.scope
    shape = source.shape or ()

    def step(operator: str, *inputs: Value, rows: bool = False) -> Node:
        size = (*shape[:-1], 1) if rows else shape
        return graph.add(operator, inputs, scope=scope, shape=size, dtype=FLOAT32)

    def number(value: float) -> Constant:
        return Constant.of(np.asarray(value, np.float32))

    data = cast(graph, source, FLOAT32, scope)
    if len(node.inputs) > 1 and not _is_none(node.inputs[1]):
        data = step("Mul", data, cast(graph, node.inputs[1], FLOAT32, scope))
    most = step("ReduceMax", step("Abs", data), Constant.of((-1,)), Constant.of(True), rows=True)
    # A row of zeros has no scale, and any serves.
    scale = step("Maximum", step("Div", most, number(_MOST), rows=True), number(SMALLEST_SCALE), rows=True)
    return step("Mul", step("Rint", step("Div", data, scale)), scale)


def _integers(parameter: Parameter) -> Integers | None:
    """Return a weight of int8, or of 4-bit integers that lie two in a byte; None if it is something else."""
    shape = parameter.shape or ()
    if len(shape) != 2:
        return None
    if parameter.is_readable:
        return np.asarray(parameter.array, np.int8) if parameter.dtype == np.int8 else None
    raw = np.frombuffer(parameter.proto.raw_data, np.int8)
    return unpacked(raw.reshape(shape)) if raw.size == shape[0] * shape[1] else None


def _flag(node: Node, index: int) -> bool:
    value = node.inputs[index]
    return isinstance(value, Constant) and value.value is True


def _is_none(value: Value) -> bool:
    return isinstance(value, Constant) and value.value is None
