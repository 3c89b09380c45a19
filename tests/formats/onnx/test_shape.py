"""Shapes: nothing but the order of the axes may change, whatever the batch."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mindspore import Tensor, mint, ops

from gsjupyter.formats.onnx.shape import free_target
from tests.formats.onnx.agreement import assert_agrees, assert_agrees_at_other_sizes, assert_agrees_in_types
from tests.passes.networks import normal


def test_reshape_to_fixed_sizes(rng):
    def network(x, empty):
        flat = ops.reshape(x, (-1,)), ops.flatten(x), mint.flatten(x), mint.flatten(x, 1, 2), ops.flatten(x[0, 0])
        return (
            *flat,
            ops.reshape(x, (4, 3, 2)),
            x.view(1, 24, 1),
            ops.reshape(empty, (0, 5)),
            ops.reshape(x[0, 0, 0], (1, 1)),
        )

    assert_agrees(network, normal(rng, 2, 3, 4), np.zeros((2, 0, 3), np.float32))


def test_axes_change_places(rng):
    def network(x):
        turned = ops.transpose(x, (0, 2, 1, 3)), ops.permute(x, (-1, 0, 2, 1)), x.swapaxes(1, -1), ops.moveaxis(x, 0, 2)
        return *turned, mint.transpose(x, 0, -2), mint.permute(x, (1, 0, 3, 2)), x.T

    assert_agrees(network, normal(rng, 2, 3, 4, 5))


def test_other_data_types(rng):
    def network(x):
        return ops.transpose(x, (1, 0)), ops.reshape(x, (3, -1)), ops.expand_dims(x, 0)

    assert_agrees_in_types(
        network, (rng.standard_normal((2, 6)) * 3), np.float16, np.float64, np.int8, np.uint8, np.int64, np.bool_
    )


def test_axes_come_and_go(rng):
    def network(x):
        new = ops.expand_dims(x, 0), ops.expand_dims(x, -1), ops.unsqueeze(x, 2), mint.unsqueeze(x, -2)
        gone = ops.squeeze(x), ops.squeeze(x, 1), ops.squeeze(x, (1, -1)), mint.squeeze(x, -1)
        return *new, *gone

    assert_agrees(network, normal(rng, 2, 1, 3, 1))


def test_diagonals(rng):
    def network(x):
        return ops.diagonal(x), ops.diagonal(x, 1, 1, 2), ops.diagonal(x, -2, -1, 0), ops.diagonal(x, 4, 2, 1)

    assert_agrees(network, normal(rng, 3, 4, 5))


def test_dynamic_axes(rng):
    def network(x):
        flat = ops.flatten(x), mint.flatten(x, 0, 1), mint.flatten(x, 1, 2), ops.reshape(x, (-1, x.shape[1] * 4))
        return *flat, ops.reshape(x, (x.shape[0], 2, -1)), ops.transpose(x, (2, 0, 1)), ops.expand_dims(x, 1)

    example = Tensor(shape=[None, None, 4], dtype=mindspore.float32)
    assert_agrees_at_other_sizes(network, (example,), (normal(rng, 2, 3, 4),), (normal(rng, 5, 1, 4),))


@pytest.mark.parametrize("batch", [1, 2])
def test_a_free_batch(rng, batch):
    def network(x):
        count, length, size = x.shape
        windows = x.reshape(count, length // 2, 2, size).reshape(-1, 2, size)
        heads = x.reshape(count, length, 2, size // 2).transpose(0, 2, 1, 3)
        joined = heads.transpose(0, 2, 1, 3).reshape(count, length, size)
        turned = x.transpose(1, 0, 2).reshape(length, count, 2, size // 2)
        return windows, windows.reshape(count, length, size), heads, joined, turned, ops.flatten(x), x.view(-1, size)

    example = normal(rng, batch, 4, 6)
    others = [(normal(rng, count, 4, 6),) for count in (1, 3)]
    assert_agrees_at_other_sizes(network, (example,), *others, free_batch=True)


@given(
    batches=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    parts=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    split=st.integers(0, 4),
)
def test_a_free_target_keeps_the_batch_apart(batches, sizes, parts, split):
    exported, other = batches
    size = int(np.prod(sizes))
    target = [*parts[:split], size, *parts[split:]]
    source = (int(np.prod(parts)), *sizes)
    found = free_target((exported, *source), (exported, *target))
    reference = np.zeros((other, *source)).reshape(other, *target)
    assert ops_reshape((other, *source), found) == reference.shape


def ops_reshape(source, target):
    copied = [source[axis] if size == 0 else size for axis, size in enumerate(target)]
    return np.zeros(source).reshape(copied).shape
