"""Matrix products and biases: every combination of ranks and of transposed factors, integers that wrap."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, mint, nn, ops

from gsjupyter.formats.onnx import to_onnx
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import assert_agrees, run_onnx
from tests.formats.onnx.twins import assert_same_as, operators
from tests.passes.networks import normal


def test_transposed_factors(rng):
    def network(a, b, c, d):
        return (
            ops.MatMul(False, False)(a, b),
            ops.MatMul(True, False)(b, b),
            ops.MatMul(False, True)(a, a),
            ops.MatMul(True, True)(b, a),
            ops.BatchMatMul(False, False)(c, d),
            ops.BatchMatMul(True, False)(c, c),
            ops.BatchMatMul(False, True)(c, c),
            ops.BatchMatMul(True, True)(d, c),
        )

    shapes = (3, 4), (4, 3), (2, 5, 3, 4), (2, 5, 4, 3)
    assert_agrees(network, *(normal(rng, *shape) for shape in shapes))


def test_factors_of_any_rank(rng):
    def network(vector, matrix, stack, block):
        return (
            ops.matmul(vector, vector),
            ops.matmul(vector, matrix),
            ops.matmul(matrix.T, vector),
            ops.matmul(matrix, matrix.T),
            ops.matmul(stack, matrix),
            ops.matmul(stack, vector),
            ops.matmul(matrix.T, ops.transpose(stack, (0, 2, 1))),
            ops.matmul(block, ops.transpose(stack, (0, 2, 1))),
            mint.bmm(stack, ops.transpose(stack, (0, 2, 1))),
            ops.ger(vector, vector),
        )

    shapes = (4,), (4, 5), (2, 3, 4), (6, 2, 3, 4)
    assert_agrees(network, *(normal(rng, *shape) for shape in shapes))


def test_dense_layers(rng):
    def network(vector, matrix, stack, weight, bias):
        return (
            ops.dense(vector, weight, bias),
            ops.dense(matrix, weight, bias),
            ops.dense(stack, weight, bias),
            ops.dense(vector, weight),
            ops.dense(stack, weight),
        )

    shapes = (4,), (3, 4), (2, 3, 4), (5, 4), (5,)
    assert_agrees(network, *(normal(rng, *shape) for shape in shapes))


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int8, np.uint8, np.int16, np.int32, np.int64])
def test_data_types(rng, dtype):
    def network(a, b, weight, bias):
        return ops.matmul(a, b), mint.bmm(a[None], b[None]), ops.dense(a, weight, bias), ops.bias_add(b, bias)

    low, high = (0, 255) if dtype == np.uint8 else (-128, 127)
    arrays = [rng.integers(low, high, shape).astype(dtype) for shape in ((3, 4), (4, 5), (5, 4), (5,))]
    # Half precision: MindSpore rounds sums on the way.
    assert_agrees(network, *arrays, tolerance=5e-3 if dtype == np.float16 else 1e-5)


def test_a_bias_of_every_rank_and_format(rng):
    def network(two, three, four, five, bias):
        return (
            ops.bias_add(two, bias),
            ops.bias_add(three, bias),
            ops.bias_add(four, bias),
            ops.bias_add(five, bias),
            ops.BiasAdd("NCDHW")(five, bias),
            ops.BiasAdd("NHWC")(two, bias),
            ops.BiasAdd("NHWC")(ops.transpose(three, (0, 2, 1)), bias),
            ops.BiasAdd("NHWC")(ops.transpose(four, (0, 2, 3, 1)), bias),
        )

    shapes = (2, 5), (2, 5, 3), (2, 5, 3, 4), (2, 5, 3, 4, 2), (5,)
    assert_agrees(network, *(normal(rng, *shape) for shape in shapes))


def test_the_bias_is_an_input_of_the_product(rng):
    dense = nn.Dense(4, 5, bias_init="normal", activation="relu")

    def product(x, weight, bias):
        return ops.bias_add(ops.matmul(x, weight), ops.relu(bias))

    assert operators(dense, normal(rng, 3, 4)) == ["Gemm", "Relu"]
    assert operators(product, normal(rng, 3, 4), normal(rng, 4, 5), normal(rng, 5)) == ["Relu", "Gemm"]
    assert_agrees(product, normal(rng, 3, 4), normal(rng, 4, 5), normal(rng, 5))


def test_a_product_that_is_also_read_without_its_bias(rng):
    def network(x, weight, bias):
        y = ops.matmul(x, weight)
        return ops.bias_add(y, bias), ops.bias_add(ops.bias_add(ops.MatMul(False, False)(x, weight), bias), bias), y

    assert_agrees(network, normal(rng, 3, 4), normal(rng, 4, 5), normal(rng, 5))


def test_products_that_are_added(rng):
    def network(*arrays):
        a, b, added, stack, other, sums = arrays
        return mint.baddbmm(sums, stack, other, beta=0.5, alpha=3), ops.addmm(added, a, b), ops.inner(a, a)

    shapes = (5,), (3, 4), (4, 5), (3, 5), (2, 3, 4), (2, 4, 5), (2, 3, 5)
    arrays = [normal(rng, *shape) for shape in shapes]
    assert_agrees(network, *arrays[1:])

    def only_on_ascend(*arrays):
        vector, a, b, added, stack, other = arrays
        return (
            mint.addmm(added, a, b, beta=0.5, alpha=3),
            mint.addmm(vector, a, b),
            mint.addmv(a[:, 0], a, b[:, 0], beta=2, alpha=0.5),
            mint.mm(a, b),
            mint.mv(a, b[:, 0]),
            mint.dot(vector, vector),
            ops.einsum("bij,bjk->ik", stack, other),
        )

    def twin(*arrays):
        vector, a, b, added, stack, other = arrays
        return (
            0.5 * added + 3 * ops.matmul(a, b),
            vector + ops.matmul(a, b),
            2 * a[:, 0] + 0.5 * ops.matmul(a, b[:, 0]),
            ops.matmul(a, b),
            ops.matmul(a, b[:, 0]),
            ops.matmul(vector, vector),
            ops.bmm(stack, other).sum(0),
        )

    assert_same_as(only_on_ascend, twin, *arrays[:-1])


def test_rows_of_a_free_number(rng):
    network = mint.nn.Linear(4, 5)
    model = model_from_cell(network, (Tensor(shape=[None, None, 4], dtype=mindspore.float32),))
    x = normal(rng, 2, 3, 4)
    expected = network(Tensor(x)).asnumpy()
    np.testing.assert_allclose(run_onnx(to_onnx(model), x)["output"], expected, rtol=0, atol=1e-6)
    fixed = model_from_cell(network, (Tensor(x),))
    actual = run_onnx(to_onnx(fixed, free_batch=True), x[:1])["output"]
    np.testing.assert_allclose(actual, expected[:1], rtol=0, atol=1e-6)
