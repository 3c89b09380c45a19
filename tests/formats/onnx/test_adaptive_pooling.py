"""Pooling to a given size: sizes that divide, ones that don't, and axes that stay."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, mint, nn, ops

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx import to_onnx
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import assert_agrees, lowered, run_onnx
from tests.formats.onnx.twins import assert_same_as
from tests.passes.networks import normal


def test_means_and_maxima(rng):
    def network(x, unbatched, volume, line):
        return (
            ops.adaptive_avg_pool2d(x, (3, 4)),
            ops.adaptive_avg_pool2d(x, (5, 3)),
            ops.adaptive_avg_pool2d(x, (None, 3)),
            ops.adaptive_avg_pool2d(x, (11, 1)),
            ops.adaptive_avg_pool2d(x, 1),
            ops.adaptive_avg_pool2d(unbatched, (2, 3)),
            ops.adaptive_avg_pool3d(volume, (2, 4, 3)),
            ops.adaptive_avg_pool3d(volume, (3, 1, 7)),
            ops.adaptive_avg_pool1d(line, 3),
            ops.adaptive_max_pool2d(x, (5, 3)),
            ops.adaptive_max_pool2d(x, (None, 3)),
            ops.adaptive_max_pool2d(unbatched, 1),
            ops.adaptive_max_pool2d(x, (3, 4), return_indices=True),
            ops.adaptive_max_pool3d(volume, (2, 4, 3)),
            ops.adaptive_max_pool1d(line, 3),
        )

    shapes = (2, 3, 9, 8), (3, 9, 8), (2, 3, 5, 6, 7), (2, 3, 9)
    assert_agrees(network, *(normal(rng, *shape) for shape in shapes))


def test_those_of_mint(rng):
    def network(x, volume, line):
        functional = mint.nn.functional
        return (
            functional.adaptive_avg_pool2d(x, (5, 3)),
            functional.adaptive_avg_pool1d(line, 4),
            functional.adaptive_avg_pool3d(volume, (2, None, 3)),
        )

    def twin(x, volume, line):
        return (
            ops.adaptive_avg_pool2d(x, (5, 3)),
            ops.adaptive_avg_pool2d(line[:, :, None], (1, 4))[:, :, 0],
            ops.adaptive_avg_pool3d(volume, (2, None, 3)),
        )

    assert_same_as(network, twin, normal(rng, 2, 3, 9, 8), normal(rng, 2, 3, 5, 6, 7), normal(rng, 2, 3, 9))


def test_what_can_not_be_told_is_refused(rng):
    def places(x):
        return ops.adaptive_max_pool2d(x, (5, 3), return_indices=True)

    with pytest.raises(UnsupportedError, match="where its maxima lie"):
        lowered(places, normal(rng, 2, 3, 9, 8))
    free = Tensor(shape=[None, 3, None, 8], dtype=mindspore.float32)
    with pytest.raises(UnsupportedError, match="free size"):
        lowered(nn.AdaptiveAvgPool2d(2), free)


def test_any_batch(rng):
    model = model_from_cell(nn.AdaptiveAvgPool2d((5, 3)), (Tensor(normal(rng, 2, 3, 9, 8)),))
    x = normal(rng, 3, 3, 9, 8)
    expected = nn.AdaptiveAvgPool2d((5, 3))(Tensor(x)).asnumpy()
    np.testing.assert_allclose(run_onnx(to_onnx(model, free_batch=True), x)["output"], expected, rtol=0, atol=1e-6)
