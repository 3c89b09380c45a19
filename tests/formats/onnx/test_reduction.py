"""Reductions: over one axis, several or all, negative ones, of size 1, kept or not, of numbers of all kinds."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, mint, ops

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx import to_onnx
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import Function, assert_agrees, assert_agrees_at_other_sizes
from tests.formats.onnx.twins import assert_same_as
from tests.passes.networks import normal


def test_sums_means_and_products(rng):
    keep, skip, product = ops.ReduceSum(keep_dims=True), ops.ReduceSum(skip_mode=True), ops.ReduceProd()

    def network(x, scalar):
        return (
            ops.reduce_sum(x, 1), keep(x, (1, -1)), skip(x, ()), keep(x, ()), ops.sum(x), ops.sum(x, (0, 2), True),
            mint.sum(x, -1), x.sum(axis=2), mint.mean(x), mint.mean(x, 1), mint.mean(x, (1, -2), True), x.mean((2, 3)),
            ops.reduce_mean(x), x.mean(0, keep_dims=True), ops.prod(x), mint.prod(x, 1), ops.prod(x, -1, True),
            product(x, (1, 2)), ops.mean(scalar), ops.sum(scalar), ops.nansum(x, 1), ops.logsumexp(x, (1, 2), True),
        )  # fmt: skip

    assert_agrees(network, normal(rng, 2, 3, 1, 4), np.array(2.5, np.float32))


def test_sums_means_and_products_of_other_data_types(rng):
    product = ops.ReduceProd()

    def network(x, i, b):
        h, d, p = x.half(), ops.cast(x, mindspore.float64), ops.cast(i, mindspore.int8)
        return (
            ops.sum(i, 1), ops.sum(b, 1), ops.sum(x, 0, dtype=mindspore.float64), ops.sum(p), ops.reduce_sum(p, 1),
            mint.mean(i, 1, dtype=mindspore.float32), ops.mean(i, 1), ops.mean(-i), mint.prod(i, 1), product(i, 0),
            ops.sum(d), mint.mean(d, 1), ops.cast(mint.sum(h, 1), mindspore.float32), mint.mean(h, 1),
        )  # fmt: skip

    integers = np.array([[7, -7, 7], [-8, 100, 30]], np.int32)
    assert_agrees(network, normal(rng, 2, 3), integers, integers > 0, tolerance=1e-3)


def test_extremes(rng):
    def network(x, i, scalar):
        short = ops.cast(i, mindspore.int16)
        return (
            ops.amax(x), ops.amax(x, 1), ops.amin(x, (0, -1), keepdims=True), mint.max(x), mint.min(x), x.max(),
            x.min(axis=(0, 1)), ops.max(x, 1)[0], ops.max(x, -1, keepdims=True)[0], ops.min(x, 2)[0], mint.max(x, 1)[0],
            mint.min(x, 0, True)[0], ops.amax(i), ops.amin(short, 1), ops.max(i, 0)[0], ops.aminmax(x, axis=1)[1],
            ops.norm(x, float("inf"), 1), ops.amax(scalar),
        )  # fmt: skip

    integers = np.array([[3, -4, 5], [1, 5, -7]], np.int32)
    assert_agrees(network, normal(rng, 2, 3, 1, 4), integers, np.array(2.5, np.float32))


def test_where_extremes_are(rng):
    def network(x, i):
        short = ops.cast(i, mindspore.int16)
        return (
            ops.argmax(x, 1), mint.argmax(x, -1), mint.argmax(x), mint.argmax(x, 1, True), ops.argmin(x, 1),
            ops.max(x, 1)[1], ops.max(x, -1, keepdims=True)[1], ops.min(x, 0)[1], mint.max(x, 1)[1],
            mint.min(x, 0, True)[1], ops.argmax(i, 1), ops.argmin(i * 0, 1), ops.argmax(short, 0), ops.argmax(i * 0, 1),
            x.argmax(2),
        )  # fmt: skip

    ties = np.array([[3, 5, 5], [1, -7, -7]], np.int32)
    assert_agrees(network, normal(rng, 2, 3, 1, 4), ties)


def test_all_and_any():
    def network(b, x, i):
        return (
            ops.all(b), ops.all(b, 1), mint.all(b, 0, True), mint.any(b), ops.any(b, -1, True), b.all((0, 1)), b.any(0),
            ops.all(x), ops.all(x, 1), ops.count_nonzero(x), i.any(), i.all(1),
        )  # fmt: skip

    fractions = np.array([[0.3, -0.2, 0.1], [0, 0.5, 3]], np.float32)
    # MindSpore gives the first of these as uint8.
    integers = np.array([[0, 200], [3, 1]], np.uint8)
    assert_agrees(network, np.array([[True, True, True], [False, True, False]]), fractions, integers)


def test_norms(rng):
    norms = [ops.LpNorm((1, 2), 2, True), ops.LpNorm(-1, 1), ops.LpNorm((0, 1, 2), 3), ops.LpNorm(1, 2, True, 5.0)]
    normalize = [ops.L2Normalize(1), ops.L2Normalize(-1, 3.0)]

    def network(x):
        return (
            norms[0](x), norms[1](x), norms[2](x), norms[3](x), norms[0](x * 0), normalize[0](x), normalize[1](x),
            normalize[0](x * 0), ops.norm(x), ops.norm(x, 2, 1), ops.norm(x, 1, 1, True), ops.norm(x, dim=(1, 2)),
            ops.vector_norm(x, 3.0, 1), ops.cosine_similarity(x, x + 1, dim=1),
        )  # fmt: skip

    assert_agrees(network, normal(rng, 2, 3, 4))


def test_variances(rng):
    unbiased = ops.ReduceStd(axis=(0, 2), unbiased=True, keep_dims=True)

    def network(x):
        d = ops.cast(x, mindspore.float64)
        return (
            ops.std(x, 1), ops.std(x), ops.std(x, (1, 2), 1, True), ops.var(x, -1, 1), ops.var_mean(x, 1),
            ops.std_mean(x, (0, 1), 1)[1], unbiased(x)[0], unbiased(x)[1], x.std(1), x.var(1, 1, True), ops.std(d, 1),
        )  # fmt: skip

    assert_agrees(network, normal(rng, 3, 4, 5) + 100, tolerance=1e-4)


def variances_over_the_batch(x):
    return ops.var(x, 0, 1), ops.std(x, None, 1), ops.var(x, (1, 2), 1), ops.mean(x, (0, 2)), ops.argmax(x, 0)


def test_a_batch_of_any_size(rng):
    others = [(normal(rng, size, 4, 5),) for size in (2, 5)]
    assert_agrees_at_other_sizes(variances_over_the_batch, (normal(rng, 3, 4, 5),), *others, free_batch=True)


@pytest.mark.parametrize("float_type", [np.float32, np.float16])
def test_axes_of_any_size(rng, float_type):
    example = Tensor(shape=[None, 4, None], dtype=mindspore.float32)
    others = [(normal(rng, 2, 4, 5),), (normal(rng, 7, 4, 3),)]
    tolerance = 1e-5 if float_type == np.float32 else 3e-3
    assert_agrees_at_other_sizes(
        variances_over_the_batch, (example,), *others, tolerance=tolerance, float_type=float_type
    )


@pytest.mark.parametrize("shape", [[None, 4], [3, None]])
def test_a_running_product_along_an_axis_of_any_size_is_refused(shape):
    axis = shape.index(None)

    def network(x):
        return ops.cumprod(x, axis)

    model = model_from_cell(Function(network), (Tensor(shape=shape, dtype=mindspore.float32),))
    with pytest.raises(UnsupportedError, match="the size of the axis is free"):
        to_onnx(model)


def test_running_sums_and_products(rng):
    sums = [ops.CumSum(exclusive, reverse) for exclusive in (False, True) for reverse in (False, True)]
    products = [ops.CumProd(exclusive, reverse) for exclusive in (False, True) for reverse in (False, True)]

    def network(x, i):
        p = ops.cast(i, mindspore.int8)
        return (
            sums[0](x, 0), sums[1](x, 1), sums[2](x, -1), sums[3](x, 1), ops.cumsum(i, 0), ops.cumsum(p, 0),
            products[0](x, 0), products[1](x, 1), products[2](x, -1), products[3](x, 1), ops.cumprod(i, 0),
            ops.cumprod(x[:, :1], 1), ops.cumsum(x, 1, dtype=mindspore.float64),
        )  # fmt: skip

    assert_agrees(network, normal(rng, 2, 7, 3), np.array([7, -3, 2, 0, 100], np.int32))


def test_operators_that_mindspore_runs_on_other_devices_only(rng):
    def network(x):
        return (
            mint.std(x, 1), mint.var(x, (1, 2), correction=0, keepdim=True), mint.var(x), mint.var_mean(x, 1)[0],
            mint.std_mean(x, 1)[1], mint.logsumexp(x, 1), mint.logsumexp(x, (1, 2), True), mint.norm(x),
            mint.norm(x, 1, 1), mint.norm(x, 3.0, 1, True), mint.norm(x, float("inf"), 1),
            mint.norm(x, -float("inf"), 1), mint.norm(ops.relu(x), 0, 1), mint.argmin(x, 1, True), mint.argmin(x),
            mint.cumsum(x, 1), mint.cumsum(x, -1, dtype=mindspore.float64),
        )  # fmt: skip

    def twin(x):
        return (
            ops.std(x, 1, 1), ops.var(x, (1, 2), 0, True), ops.var(x, None, 1), ops.var(x, 1, 1), ops.mean(x, 1),
            ops.logsumexp(x, 1), ops.logsumexp(x, (1, 2), True), ops.norm(x), ops.norm(x, 1, 1),
            ops.vector_norm(x, 3.0, 1, True), ops.amax(ops.abs(x), 1), ops.amin(ops.abs(x), 1),
            ops.sum((x > 0).float(), 1), ops.expand_dims(ops.argmin(x, 1).long(), 1), ops.argmin(x).long(),
            ops.cumsum(x, 1), ops.cumsum(x, -1, dtype=mindspore.float64),
        )  # fmt: skip

    assert_same_as(network, twin, normal(rng, 2, 3, 4))
