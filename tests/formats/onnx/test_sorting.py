"""Order, ties included, and the places that values come from."""

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


def ordered(x):
    top = ops.topk(x, 2), ops.topk(x, 1, 1), ops.topk(x, 3, largest=False)
    return *top, ops.sort(x), ops.sort(x, 0, True), ops.argsort(x, 1), ops.argsort(x, -1, True)


def test_with_ties(rng):
    # Where its top k begin among equals, MindSpore leaves to chance.
    def network(x):
        return ops.sort(x), ops.sort(x, 0, True), ops.argsort(x, 1), ops.topk(x, 2)[0]

    assert_agrees(network, rng.integers(0, 4, (2, 3, 4)).astype(np.float32))


def test_other_data_types(rng):
    assert_agrees_in_types(ordered, rng.permutation(24).reshape(2, 3, 4), np.float32, np.float16, np.int32)


def test_dynamic_axes(rng):
    example = Tensor(shape=[None, None, 4], dtype=mindspore.float32)
    others = [(rng.standard_normal(shape).astype(np.float32),) for shape in ((2, 3, 4), (5, 4, 4))]

    def network(x):
        return ops.topk(x, 2), ops.sort(x, 1), ops.sort(x, 0, True)

    assert_agrees_at_other_sizes(network, (example,), *others)


@pytest.mark.parametrize("batch", [1, 2])
def test_a_free_batch(rng, batch):
    example, other = (rng.standard_normal((count, 3, 4)).astype(np.float32) for count in (batch, 3))
    assert_agrees_at_other_sizes(ordered, (example,), (other,), free_batch=True)


def test_what_mindspore_exports_and_has_no_kernel_for(rng):
    def network(x):
        return *mint.topk(x, 2), *mint.topk(x, 2, 1, False), *mint.sort(x), mint.argsort(x, 1, True)

    x = rng.standard_normal((2, 3, 4)).astype(np.float32)
    actual = run_onnx(lowered(network, x), x)
    down, up = np.argsort(-x, -1)[..., :2], np.argsort(x, 1)[:, :2]
    top = np.take_along_axis(x, down, -1), down, np.take_along_axis(x, up, 1), up
    expected = *top, np.sort(x), np.argsort(x, -1), np.argsort(-x, 1)
    assert_same(actual, {str(index): array for index, array in enumerate(expected)}, 0)
