"""Tensors that hold what their shape and a few numbers say."""

from __future__ import annotations

import mindspore
import numpy as np
from mindspore import Tensor, mint, ops

from tests.formats.onnx.agreement import (
    assert_agrees,
    assert_agrees_at_other_sizes,
    assert_agrees_in_types,
    assert_same,
    lowered,
    run_onnx,
)
from tests.passes.networks import normal


def test_fixed_shapes(rng):
    def network(x):
        plain = ops.zeros((2, 3), mindspore.int32), ops.ones((2,), mindspore.float16), ops.full((2, 3), 1.5)
        others = mint.full((2, 3), 7), mint.full((2,), -1.5), ops.eye(3, 4), mint.eye(2, dtype=mindspore.int32)
        like = ops.zeros_like(x), mint.ones_like(x), mint.zeros_like(x, dtype=mindspore.int8), ops.full_like(x, 2)
        return *plain, *others, *like, x.new_zeros((2, 2)), x.new_ones((3,)), ops.linspace(0.0, 1.0, 5)

    assert_agrees(network, normal(rng, 2, 3))


def test_dynamic_shapes(rng):
    def network(x):
        count = x.shape[0]
        plain = ops.zeros((count, 3), mindspore.int32), mint.ones((count,)), mint.full((2, count), 1.5)
        like = ops.ones_like(x), mint.zeros_like(x), ops.tril(ops.ones((count, count), mindspore.float32))
        return *plain, *like, ops.arange(count), ops.arange(1, count * 2, 2)

    example = Tensor(shape=[None, 3], dtype=mindspore.float32)
    assert_agrees_at_other_sizes(network, (example,), (normal(rng, 2, 3),), (normal(rng, 5, 3),))


def test_triangles(rng):
    def network(x):
        return (
            ops.tril(x),
            ops.tril(x, 1),
            ops.tril(x, -2),
            ops.triu(x),
            ops.triu(x, 2),
            mint.triu(x, -1),
            ops.tril(x, 9),
        )

    assert_agrees_in_types(
        network,
        (rng.standard_normal((2, 4, 5)) * 3),
        np.float32,
        np.float16,
        np.float64,
        np.int8,
        np.uint8,
        np.int16,
        np.int32,
        np.bool_,
    )


def test_what_mindspore_exports_and_has_no_kernel_for(rng):
    def network(x):
        ranges = mint.arange(0, x.shape[0]), mint.arange(1, 2, 0.25), mint.linspace(-1, 1, 5)
        return *ranges, mint.tril(x, 1), mint.full_like(x, 3), mint.arange(0, mint.sum(x) * 0 + 3)

    x = normal(rng, 3, 4)
    actual = run_onnx(lowered(network, x), x)
    ranges = np.arange(3), np.arange(1, 2, 0.25, dtype=np.float32), np.linspace(-1, 1, 5, dtype=np.float32)
    expected = *ranges, np.tril(x, 1), np.full_like(x, 3), np.arange(3.0)
    assert_same(actual, {str(index): array for index, array in enumerate(expected)}, 1e-6)
