"""Matrices of 4 bits that are multiplied with floats: unpacked at load they would be as large as in float again.

ONNX Runtime has one kernel for them: a matrix of shape (in_channels, out_channels) with a scale for each output
channel, or for each block of a power of two of its neighbours along the input channels, 16 at least, in a MatMul.
"""

from typing import Final

import numpy as np

from gsjupyter.formats.onnx.grids import DEQUANTIZE
from gsjupyter.formats.onnx.integer_weights import channel_integers, fits_4_bits
from gsjupyter.mindir import Array, AttributeValue, Constant, Graph, Node, Parameter, Value
from gsjupyter.passes.linear import LinearOperator
from gsjupyter.passes.stored_weight import StoredWeight

MATRIX_PRODUCT: Final = "MatrixProduct"
"""Stands in the graph until it is lowered: a product with a matrix that is always a MatMul, and never a Gemm."""

_FLOAT32: Final = np.dtype(np.float32)
_PRODUCTS: Final = ("MatMul", "MatMulExt", "BatchMatMul", "Dense")
_LEAST_BLOCK: Final = 16


def write_block_product(graph: Graph, operator: LinearOperator) -> bool:
    """Let a matrix product read its weight in 4 bits; say whether it could be done."""
    node, stored = operator.node, operator.stored
    if stored is None or not stored.is_integer or node.op not in _PRODUCTS or len(operator.shape) != 2:
        return False
    if not fits_4_bits(stored.values.array) or _is_transposed(node):
        return False
    found = _channels(operator) or _blocks(stored, operator.axis)
    if found is None:
        return False
    values, scale, zero_point, attributes = found
    matrix = graph.add(
        DEQUANTIZE,
        [Parameter.of(stored.values.name, values), Constant.of(scale), Constant.of(zero_point)],
        scope=node.scope,
        shape=values.shape,
        dtype=_FLOAT32,
        attributes={**attributes, "bits": 4},
    )
    product = graph.add(MATRIX_PRODUCT, [operator.data, matrix], scope=node.scope, shape=node.shape, dtype=_FLOAT32)
    bias = node.inputs[2] if node.op == "Dense" else None
    if bias is not None and not (isinstance(bias, Constant) and bias.value is None):
        product = graph.add("Add", [product, bias], scope=node.scope, shape=node.shape, dtype=_FLOAT32)
    graph.replace(node, product)
    return True


def _is_transposed(node: Node) -> bool:
    return node.op in ("MatMul", "BatchMatMul") and bool(node.argument("transpose_a"))


def _channels(operator: LinearOperator) -> tuple[Array, Array, Array, dict[str, AttributeValue]] | None:
    weight = channel_integers(operator)
    if weight is None or not fits_4_bits(weight.zero_point):
        return None
    values = weight.values if weight.axis == 1 else weight.values.T
    return np.ascontiguousarray(values), weight.scale, weight.zero_point, {"axis": 1} if weight.scale.ndim else {}


def _blocks(stored: StoredWeight, axis: int) -> tuple[Array, Array, Array, dict[str, AttributeValue]] | None:
    quantized = stored.quantized
    size = quantized.values.size // quantized.scale.size
    if size < _LEAST_BLOCK or size & (size - 1) or quantized.scale.ndim != quantized.values.ndim:
        return None
    whole = [
        _laid_out(np.broadcast_to(item, quantized.values.shape), stored.output)
        for item in (quantized.values, quantized.scale, quantized.zero_point)
    ]
    values, scales, zero_points = (np.ascontiguousarray(item if axis == 1 else item.T) for item in whole)
    scale, zero_point = scales[::size], zero_points[::size].astype(values.dtype)
    is_even = all(
        np.array_equal(np.repeat(few, size, axis=0)[: len(values)], all_of_them)
        for few, all_of_them in ((scale, scales), (zero_point, zero_points))
    )
    return (values, scale, zero_point, {"axis": 0, "block_size": size}) if is_even and fits_4_bits(zero_point) else None


def _laid_out(array: Array, output: Node) -> Array:
    """Return an array in the layout that operators give to the numbers of a stored weight."""
    steps: list[Node] = []
    node: Value = output
    while isinstance(node, Node) and node.op != "Mul":
        steps.insert(0, node)
        node = node.inputs[0]
    for step in steps:
        setting, *more = [np.asarray(item.value).tolist() for item in step.inputs[1:] if isinstance(item, Constant)]
        if step.op == "Slice":
            array = array[tuple(slice(*ends) for ends in zip(setting, np.add(setting, more[0]), strict=True))]
        else:
            array = array.reshape(setting) if step.op == "Reshape" else array.transpose(setting)
    return array
