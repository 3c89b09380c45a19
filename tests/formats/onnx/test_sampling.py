"""Values at any place, inside and outside, and channels that become pixels."""

from __future__ import annotations

import numpy as np
import pytest
from mindspore import Tensor, mint, ops

from gsjupyter.formats.onnx import to_onnx
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import Function, assert_agrees, run_onnx
from tests.passes.networks import normal


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_mode_and_padding(rng, dtype):
    def network(x, places, volume, deep_places):
        results = ()
        for mode in ("bilinear", "nearest"):
            for padding in ("zeros", "border", "reflection"):
                for aligned in (False, True):
                    results += (
                        ops.grid_sample(x, places, mode, padding, aligned),
                        ops.grid_sample(volume, deep_places, mode, padding, aligned),
                    )
        return results

    shapes = (2, 3, 5, 4), (2, 6, 7, 2), (2, 3, 5, 4, 3), (2, 6, 7, 2, 3)
    assert_agrees(network, *(normal(rng, *shape).astype(dtype) for shape in shapes))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32, np.uint8, np.int64])
def test_channels_and_pixels(rng, dtype):
    def network(x):
        return ops.DepthToSpace(2)(x), ops.SpaceToDepth(2)(x), ops.SpaceToDepth(4)(x)

    assert_agrees(network, rng.integers(0, 200, (2, 8, 4, 12)).astype(dtype))


def test_sub_pixels(rng):
    def network(x):
        return ops.pixel_shuffle(x, 2), mint.nn.functional.pixel_shuffle(x, 2), ops.pixel_unshuffle(x, 3)

    assert_agrees(network, normal(rng, 2, 8, 3, 6))


def test_any_batch(rng):
    def network(x):
        return ops.DepthToSpace(2)(x)

    x = rng.integers(0, 200, (3, 8, 4, 6)).astype(np.int32)
    model = model_from_cell(Function(network), (Tensor(x[:2]),))
    np.testing.assert_array_equal(run_onnx(to_onnx(model, free_batch=True), x)["output"], network(Tensor(x)).asnumpy())
