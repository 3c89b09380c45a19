"""Slices as Python means them, and StridedSlice with every mask."""

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


def test_slices(rng):
    def network(x):
        forwards = x[1:3, :, ::2], x[:-1], x[:, -2:], x[5:], x[3:1], x[..., 1:2], x[:, :3, 2:9]
        backwards = x[:, :, ::-1], x[..., ::-2], x[3:0:-1], x[-1:-9:-2], x[:, 1::-1]
        return *forwards, *backwards

    assert_agrees(network, normal(rng, 4, 3, 4, 5))


def test_items_and_new_axes(rng):
    def network(x):
        items = x[0], x[-1], x[..., 1], x[0, 1, 2, 3], x[:, -2, 1:], x[1, ..., -1], x[2:, 0, ..., ::2]
        return *items, x[:, None], x[None, ..., 0], x[1:, None, ..., 0, None], x[0, None, :, 1:3, None]

    assert_agrees(network, normal(rng, 4, 3, 4, 5))


def test_masks(rng):
    def network(x):
        ends = (
            ops.strided_slice(x, (1, 1, 1), (2, 2, 3), (1, 1, 1), 1),
            ops.strided_slice(x, (1, 1), (3, 2), (1, 1), 0, 3),
        )
        back = ops.strided_slice(x, (3, 2), (0, 0), (-1, -2), 1, 2), ops.strided_slice(x, (1, 4), (0, 1), (1, -1), 3, 1)
        return *ends, *back, ops.strided_slice(x, (1, -1), (2, 2), (1, 1), 0, 0, 0, 0, 3)

    assert_agrees(network, normal(rng, 4, 3, 4, 5))


def test_masks_that_mindspore_has_no_kernel_for(rng):
    # Its CPU kernel takes no notice of ellipses and new axes, which Python's own slices never become.
    def network(x):
        dots = (
            ops.strided_slice(x, (1, 9, 1), (2, 9, 3), (1, 9, 1), 0, 0, 2),
            ops.strided_slice(x, (0, 1), (0, 2), (1, 1), 0, 0, 1),
        )
        new = (
            ops.strided_slice(x, (0, 1, 0), (1, 3, 1), (1, 1, 1), 0, 0, 0, 5),
            ops.strided_slice(x, (0, 0), (0, 4), (1, 1), 0, 0, 1, 2),
        )
        both = ops.strided_slice(x, (1, 0, 0, 2), (2, 0, 1, 0), (1, 1, 1, -1), 0, 8, 2, 4, 1)
        return *dots, *new, both, ops.strided_slice(x, (1, 0, -2), (2, 0, 0), (1, 1, 1), 0, 0, 2, 0, 5)

    x = normal(rng, 4, 3, 4, 5)
    actual = run_onnx(lowered(network, x), x)
    dots, new = (x[1:2, ..., 1:3], x[..., 1:2]), (x[None, 1:3, None], x[..., None])
    expected = *dots, *new, x[1, ..., None, 2::-1], x[1, ..., -2]
    assert_same(actual, {str(index): array for index, array in enumerate(expected)}, 0)


def test_other_operators(rng):
    def network(x):
        ends = (
            ops.slice(x, (0, 1, 0, 0), (2, 2, -1, 3)),
            ops.strided_slice(x, (3, 2, 3, 4), (0, 0, 0, 0), (-1, -2, -1, -1)),
        )
        narrow = x.narrow(1, 0, 2), mint.narrow(x, 1, 1, 2), mint.narrow(x, -1, -3, 2), ops.narrow(x, 2, 0, 4)
        return *ends, *narrow, mint.select(x, 1, 2), mint.select(x, -1, -2)

    assert_agrees(network, normal(rng, 4, 3, 4, 5))


def test_other_data_types(rng):
    def network(x):
        return x[1:], x[:, ::-1], x[0], ops.slice(x, (0, 1), (2, 2))

    assert_agrees_in_types(
        network, (rng.standard_normal((3, 4)) * 3), np.float16, np.float64, np.int16, np.uint8, np.bool_
    )


def test_dynamic_axes(rng):
    def network(x):
        whole = x[:, 0], x[-1], x[1:], x[..., ::-1], ops.slice(x, (0, 1, 0), (-1, 1, -1)), x[:, None, 1:, 0]
        return *whole, mint.narrow(x, 1, 1, 1), mint.select(x, 0, -1)

    example = Tensor(shape=[None, None, 4], dtype=mindspore.float32)
    assert_agrees_at_other_sizes(network, (example,), (normal(rng, 2, 3, 4),), (normal(rng, 5, 2, 4),))


@pytest.mark.parametrize("batch", [1, 2])
def test_a_free_batch(rng, batch):
    def network(x):
        count = x.shape[0]
        whole = ops.strided_slice(x, (0, 0, 0), (count, 2, 4), (1, 1, 1)), ops.slice(x, (0, 1, 0), (count, 2, 4))
        return *whole, x[:, 1], x[0:count, 0, 1:], mint.narrow(x, 0, 0, count)

    others = [(normal(rng, count, 3, 4),) for count in (1, 3)]
    assert_agrees_at_other_sizes(network, (normal(rng, batch, 3, 4),), *others, free_batch=True)
