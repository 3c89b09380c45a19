"""Copies of what is there, as many as the shapes ask for."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Parameter, Tensor, mint, nn, ops

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
        broad = ops.broadcast_to(x, (2, 5, 4)), ops.broadcast_to(x, (3, 2, -1, 4)), mint.broadcast_to(x, (2, 1, 4))
        tiled = ops.tile(x, (2, 1, 3)), ops.tile(x, (2,)), mint.tile(x, (2, 1, 2, 1)), ops.repeat_interleave(x, 2, 0)
        return *broad, *tiled, x.expand_as(ops.zeros((2, 3, 4), mindspore.float32))

    assert_agrees(network, normal(rng, 2, 1, 4))


def test_grids(rng):
    def network(x, y, z):
        grids = ops.meshgrid(x, y, z), ops.meshgrid(x, y, z, indexing="ij"), mint.meshgrid(y, x, indexing="xy")
        return *grids, mint.meshgrid(y, x, indexing="ij")

    assert_agrees(network, normal(rng, 2), normal(rng, 3), normal(rng, 4))


def test_other_data_types(rng):
    def network(x):
        return ops.tile(x, (2, 1)), ops.broadcast_to(x, (2, 3, 2))

    assert_agrees_in_types(
        network, (rng.standard_normal((3, 2)) * 3), np.float16, np.float64, np.int16, np.uint8, np.int64, np.bool_
    )


def test_dynamic_axes(rng):
    def network(x, y):
        count, length = x.shape[0], x.shape[1]
        broad = ops.broadcast_to(y, (count, length, 4)), ops.broadcast_to(x, (3, -1, -1, 4))
        tiled = ops.tile(y, (count, 1, 1)), ops.tile(x, (1, 2, 1)), ops.repeat_interleave(x, 2, 1)
        return *broad, *tiled, ops.meshgrid(x[:, 0, 0], x[0, :, 0])

    tensors = Tensor(shape=[None, None, 4], dtype=mindspore.float32), Tensor(normal(rng, 1, 1, 4))
    others = [(normal(rng, *shape), normal(rng, 1, 1, 4)) for shape in ((2, 3, 4), (1, 5, 4))]
    assert_agrees_at_other_sizes(network, tensors, *others)


class ClassToken(nn.Cell):
    """What a vision transformer puts before its patches, made for each sample in three ways."""

    def __init__(self, values):
        super().__init__()
        self.token = Parameter(Tensor(values), name="token")

    def construct(self, x):
        count, _, size = x.shape
        broad = ops.broadcast_to(self.token, (count, 1, size)), ops.broadcast_to(self.token, (count, -1, -1))
        return *(ops.cat((item, x), 1) for item in broad), ops.cat((ops.tile(self.token, (count, 1, 1)), x), 1)


@pytest.mark.parametrize("batch", [1, 2])
def test_a_parameter_is_copied_for_each_sample_of_a_free_batch(rng, batch):
    others = [(normal(rng, count, 4, 6),) for count in (1, 3)]
    network = ClassToken(normal(rng, 1, 1, 6))
    assert_agrees_at_other_sizes(network, (normal(rng, batch, 4, 6),), *others, free_batch=True)


@pytest.mark.parametrize("batch", [1, 2])
def test_constants_that_are_the_same_for_each_sample_are_so_for_a_free_batch(rng, batch):
    def network(x):
        zeros = ops.zeros((x.shape[0], 2, 6), mindspore.float32)
        return ops.cat((zeros, x), 1), ops.broadcast_to(x[:, :1], x.shape), ops.tile(x, (1, 2, 1))

    others = [(normal(rng, count, 4, 6),) for count in (1, 3)]
    assert_agrees_at_other_sizes(network, (normal(rng, batch, 4, 6),), *others, free_batch=True)


def test_each_item_repeated_as_numpy_does(rng):
    # MindSpore exports this, and has no kernel for it on CPU.
    def network(x):
        return mint.repeat_interleave(x, 2, 1), mint.repeat_interleave(x, 3, -1), mint.repeat_interleave(x, 2)

    x = normal(rng, 2, 3, 4)
    actual = run_onnx(lowered(network, x), x)
    expected = {"0": np.repeat(x, 2, 1), "1": np.repeat(x, 3, -1), "2": np.repeat(x, 2)}
    assert_same(actual, expected, 0)
