"""What is joined or split keeps its order."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
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


def test_joined(rng):
    def network(x, y):
        joined = ops.cat((x, y), 1), ops.cat((y, x, y), -2), mint.cat((x, x), 0), ops.cat((x,), 2), ops.hstack((x, y))
        return *joined, ops.vstack((x, x)), ops.stack((x, x + 1)), ops.stack((x, x, x), -1), ops.stack([x], 1)

    assert_agrees(network, normal(rng, 2, 3, 4), normal(rng, 2, 1, 4))


def test_joined_with_constants(rng):
    def network(x):
        return ops.cat((x, ops.ones((2, 1), mindspore.float32)), 1), ops.stack(
            (x, ops.zeros((2, 3), mindspore.float32))
        )

    assert_agrees(network, normal(rng, 2, 3))


def test_split(rng):
    def network(x):
        parts = ops.split(x, 3, 2), ops.split(x, (1, 3, 4), -1), ops.chunk(x, 3, 2), ops.tensor_split(x, 3, 2)
        views = mint.split(x, 5, 2), mint.split(x, (2, 6), -1), mint.chunk(x, 3, -1), mint.chunk(x, 2, 0)
        return *parts, *views, ops.unstack(x, 1), mint.unbind(x, -1), ops.Split(1, 1)(x), ops.Split(-1, 4)(x)

    assert_agrees(network, normal(rng, 2, 3, 8))


def test_a_tuple_is_the_output(rng):
    def network(x):
        return ops.split(x, 2, 1)

    assert_agrees(network, normal(rng, 2, 5))
    assert_agrees(network, normal(rng, 2, 5), float_type=np.float16, tolerance=1e-3)


def test_other_data_types(rng):
    def network(x):
        return ops.cat((x, x), 1), ops.stack((x, x), 1), *ops.split(x, 2, 1), *ops.unstack(x, 0)

    assert_agrees_in_types(
        network, (rng.standard_normal((2, 4)) * 3), np.float16, np.int16, np.uint8, np.int64, np.bool_
    )


def test_dynamic_axes(rng):
    def network(x):
        return ops.cat((x, x), 0), ops.stack((x, x), 1), *ops.split(x, 2, 2), *mint.chunk(x, 3, 2), *ops.unstack(x, 2)

    example = Tensor(shape=[None, None, 4], dtype=mindspore.float32)
    assert_agrees_at_other_sizes(network, (example,), (normal(rng, 2, 3, 4),), (normal(rng, 5, 1, 4),))


@pytest.mark.parametrize("batch", [1, 2])
def test_a_free_batch(rng, batch):
    def network(x):
        return (
            ops.cat((x, x), 1),
            ops.stack((x, x), 0),
            *ops.split(x, (1, 3), 1),
            *mint.split(x, 3, 1),
            *ops.unstack(x, 1),
        )

    others = [(normal(rng, count, 4),) for count in (1, 3)]
    assert_agrees_at_other_sizes(network, (normal(rng, batch, 4),), *others, free_batch=True)


def test_what_mindspore_exports_and_has_no_kernel_for(rng):
    def network(x):
        return mint.stack((x, x), 1), *ops.operations.array_ops.SplitV([1, -1], 2, 2)(x)

    x = normal(rng, 2, 3, 4)
    actual = run_onnx(lowered(network, x), x)
    assert_same(actual, {"0": np.stack((x, x), 1), "1": x[..., :1], "2": x[..., 1:]}, 0)


@pytest.mark.parametrize("batch", [1, 2])
def test_what_each_sample_starts_with_is_stacked_for_any_number(rng, batch):
    def network(x):
        return ops.stack((ops.ones((x.shape[0], 3), mindspore.float32), x), 1)

    others = [(normal(rng, count, 3),) for count in (1, 3)]
    assert_agrees_at_other_sizes(network, (normal(rng, batch, 3),), *others, free_batch=True)
