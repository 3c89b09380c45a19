"""The bias as an input of its operator: what is folded, and what must not be."""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, ops

from gsjupyter.formats.onnx.bias import has_bias, with_added_vector, with_bias
from gsjupyter.formats.onnx.builder import Builder
from gsjupyter.formats.onnx.operation import Operation
from gsjupyter.formats.onnx.table import LOWERINGS
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import Function

ARRAYS = [np.ones(shape, np.float32) for shape in ((3, 4), (5, 4), (5,), (3, 5))]


def lowered(network, readers, fold):
    """Lower a network, the last node that is one of some readers by a function of its own; return its result."""
    graph = model_from_cell(Function(network), tuple(map(Tensor, ARRAYS))).graph()
    builder, result = Builder(graph), None
    for node in graph.nodes():
        operation = Operation(node, builder)
        if node.op in readers:
            result = fold(operation)
        elif node.op in LOWERINGS:
            builder.set(node, LOWERINGS[node.op](operation))
    return result, [(node.op_type, len(node.inputs)) for node in builder.nodes]


def test_a_vector_on_either_side_of_a_sum():
    def right(x, weight, vector, matrix):
        return ops.MatMul(False, True)(x, weight) + ops.relu(vector)

    def left(x, weight, vector, matrix):
        return ops.relu(vector) + ops.MatMul(False, True)(x, weight)

    for network in (right, left):
        result, nodes = lowered(network, ("Add",), with_added_vector)
        assert result is not None
        assert nodes == [("Relu", 1), ("Gemm", 3)]


def test_a_matrix_is_no_bias():
    def network(x, weight, vector, matrix):
        return ops.MatMul(False, True)(x, weight) + matrix

    result, nodes = lowered(network, ("Add",), with_added_vector)
    assert result is None
    assert nodes == [("Gemm", 2)]


def test_a_bias_of_a_bias_is_left_alone():
    def network(x, weight, vector, matrix):
        return ops.bias_add(ops.relu(ops.MatMul(False, True)(x, weight)), vector)

    result, nodes = lowered(network, ("BiasAdd",), lambda operation: with_bias(operation, 0, 1))
    assert result is None
    assert nodes == [("Gemm", 2), ("Relu", 1)]


def test_a_product_has_a_bias_if_nothing_else_becomes_of_it():
    def network(x, weight, vector, matrix):
        product = ops.MatMul(False, True)(x, weight)
        return product, ops.bias_add(product, vector), ops.bias_add(ops.MatMul(True, True)(x.T, weight), vector)

    graph = model_from_cell(Function(network), tuple(map(Tensor, ARRAYS))).graph()
    assert {node.argument("transpose_a"): has_bias(node) for node in graph.nodes("MatMul")} == {
        False: False,
        True: True,
    }
