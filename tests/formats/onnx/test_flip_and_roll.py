"""Reversed and rolled axes."""

from __future__ import annotations

import mindspore
import numpy as np
from mindspore import Tensor, mint, ops

from gsjupyter.formats.onnx import to_onnx
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import (
    as_cell,
    assert_agrees_at_other_sizes,
    assert_agrees_in_types,
    assert_same,
    run_onnx,
)
from tests.passes.networks import normal


def test_reversed(rng):
    def network(x):
        return ops.flip(x, (0,)), ops.flip(x, (-1, 1)), mint.flip(x, (0, 1, 2)), ops.fliplr(x), ops.rot90(x, 1, (0, 1))

    assert_agrees_in_types(network, (rng.standard_normal((2, 3, 4)) * 3), np.float32, np.float16, np.int16, np.bool_)


def test_reversed_along_a_dynamic_axis(rng):
    def network(x):
        return ops.flip(x, (0,))

    example = Tensor(shape=[None, 3], dtype=mindspore.float32)
    others = [(normal(rng, count, 3),) for count in (1, 4)]
    assert_agrees_at_other_sizes(network, (example,), *others)


def rolled(x):
    # MindSpore exports this, and has no kernel for it on CPU.
    one = mint.roll(x, 1, 2), mint.roll(x, -2, 1), mint.roll(x, 7, 0), ops.roll(x, 4, 2)
    return *one, mint.roll(x, (1, -2), (0, 2)), ops.roll(x, 5)


def rolled_by_numpy(x):
    one = np.roll(x, 1, 2), np.roll(x, -2, 1), np.roll(x, 7, 0), np.roll(x, 4, 2)
    arrays = *one, np.roll(x, (1, -2), (0, 2)), np.roll(x, 5)
    return {str(index): array for index, array in enumerate(arrays)}


def test_rolled(rng):
    x = normal(rng, 2, 3, 4)
    model = model_from_cell(as_cell(rolled), (Tensor(x),))
    assert_same(run_onnx(to_onnx(model), x), rolled_by_numpy(x), 0)
    larger = normal(rng, 3, 3, 4)
    assert_same(run_onnx(to_onnx(model, free_batch=True), larger), rolled_by_numpy(larger), 0)
