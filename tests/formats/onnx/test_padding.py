"""Padding in each mode and order of axes, of more and less than nothing."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, mint, nn, ops

from tests.formats.onnx.agreement import (
    assert_agrees,
    assert_agrees_at_other_sizes,
    assert_agrees_in_types,
    assert_same,
    lowered,
    run_onnx,
)
from tests.passes.networks import normal


def test_with_a_number(rng):
    pad, zeros = nn.Pad(((0, 0), (1, 2), (0, 0), (0, 1))), nn.ZeroPad2d((1, -2, 0, 1))
    by_axes = ops.operations.nn_ops.PadV3("constant", False)

    def network(x):
        numbers = ops.pad(x, (1, 2)), ops.pad(x, (1, 2, 0, 1), "constant", 3.5), ops.pad(x, (-1, 2, 0, -1), value=-1.0)
        others = mint.nn.functional.pad(x, (1, 2, 0, 1, 3, 0), "constant", 0.5), mint.nn.functional.pad(x, (-1, -1))
        return *numbers, *others, pad(x), zeros(x), by_axes(x, (0, 1, 2, 0, 1, 2, 1, 0), 1.0)

    assert_agrees(network, normal(rng, 2, 3, 4, 5))


def test_with_what_is_there(rng):
    mirrored = nn.Pad(((0, 0), (1, 2), (0, 0), (3, 1)), "REFLECT")
    symmetric = nn.Pad(((0, 0), (1, 2), (0, 0), (4, 1)), "SYMMETRIC")
    layers = nn.ReflectionPad2d((1, 2, 0, 3)), nn.ReplicationPad2d((6, 2, 0, 1)), nn.ReflectionPad3d((1, 2, 0, 1, 1, 1))

    def network(x):
        modes = (
            ops.pad(x, (4, 2, 0, 1), "reflect"),
            ops.pad(x, (7, 2, 0, 1), "replicate"),
            ops.pad(x, (5, 2, 4, 1), "circular"),
        )
        return *modes, mirrored(x), symmetric(x), layers[0](x), layers[1](x), layers[2](x)

    assert_agrees(network, normal(rng, 2, 3, 4, 5))


def test_other_data_types(rng):
    def network(x):
        return ops.pad(x, (1, 2)), ops.pad(x, (0, 1, 2, 0), "constant", 3)

    assert_agrees_in_types(
        network, (rng.standard_normal((2, 3, 4)) * 3), np.float16, np.float64, np.int8, np.int16, np.uint8, np.int64
    )


def test_dynamic_axes(rng):
    def network(x):
        return ops.pad(x, (1, 2)), ops.pad(x, (1, x.shape[0])), ops.pad(x, (1, 2, 0, 1), "replicate")

    example = Tensor(shape=[None, 3, 4], dtype=mindspore.float32)
    assert_agrees_at_other_sizes(network, (example,), (normal(rng, 2, 3, 4),), (normal(rng, 5, 3, 4),))


@pytest.mark.parametrize("batch", [1, 2])
def test_a_free_batch(rng, batch):
    def network(x):
        return ops.pad(x, (1, 2, 0, 1)), ops.pad(x, (1, 2), "reflect")

    others = [(normal(rng, count, 3, 4),) for count in (1, 3)]
    assert_agrees_at_other_sizes(network, (normal(rng, batch, 3, 4),), *others, free_batch=True)


def test_what_mindspore_exports_and_has_no_kernel_for(rng):
    def network(x):
        mirrored = mint.nn.functional.pad(x, (1, 2, 0, 3), "reflect")
        return mirrored, mint.nn.functional.pad(x, (6, 2, 0, 1), "replicate")

    x = normal(rng, 2, 3, 4, 5)
    actual = run_onnx(lowered(network, x), x)
    pairs = ((0, 0), (0, 0), (0, 3), (1, 2)), ((0, 0), (0, 0), (0, 1), (6, 2))
    assert_same(actual, {"0": np.pad(x, pairs[0], "reflect"), "1": np.pad(x, pairs[1], "edge")}, 0)
