"""Transposed convolutions: outputs that the input's size leaves open, padding of every kind, sizes that are free."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, mint, nn, ops

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx import to_onnx
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import Function, assert_agrees, run_onnx
from tests.formats.onnx.twins import Several, assert_same_as, operators
from tests.passes.networks import normal


def test_every_padding_of_two_axes(rng):
    network = Several(
        nn.Conv2dTranspose(4, 6, 3, 2, "same", has_bias=True, bias_init="normal"),
        nn.Conv2dTranspose(4, 6, (2, 5), (4, 3), "same", dilation=(1, 2)),
        nn.Conv2dTranspose(4, 6, (3, 2), (2, 3), "valid", dilation=2, has_bias=True, bias_init="normal"),
        nn.Conv2dTranspose(4, 6, 3, 2, "pad", (1, 0, 1, 2), output_padding=1, group=2),
        nn.Conv2dTranspose(4, 6, (4, 3), 1, "pad", 2, has_bias=True, bias_init="normal"),
    )
    assert_agrees(network, normal(rng, 2, 4, 5, 6))


def test_one_axis_and_three(rng):
    one = Several(
        nn.Conv1dTranspose(4, 6, 3, 2, "same", has_bias=True, bias_init="normal"),
        nn.Conv1dTranspose(4, 6, 2, 3, "valid"),
        nn.Conv1dTranspose(4, 6, 3, 2, "pad", 1, group=2),
    )
    assert_agrees(one, normal(rng, 2, 4, 9))
    three = Several(
        nn.Conv3dTranspose(4, 6, 3, 2, "same", has_bias=True, bias_init="normal"),
        nn.Conv3dTranspose(4, 6, (2, 3, 4), (2, 1, 3), "valid"),
        nn.Conv3dTranspose(4, 6, 3, (2, 3, 2), "pad", (1, 2, 1, 0, 0, 1), output_padding=(1, 2, 0)),
    )
    assert_agrees(three, normal(rng, 2, 4, 3, 4, 5))


def test_an_output_size_of_its_own(rng):
    def network(x, weight, bias):
        same = ops.Conv2DTranspose(4, 3, pad_mode="same", stride=2)(x, weight, (2, 6, 9, 12))
        padded = ops.Conv2DTranspose(4, 3, pad_mode="pad", pad=1, stride=3)(x, weight, (2, 6, 15, 17))
        return ops.bias_add(same, bias), padded

    arrays = normal(rng, 2, 4, 5, 6), normal(rng, 4, 6, 3, 3), normal(rng, 6)
    assert_agrees(network, *arrays)
    assert operators(network, *arrays) == ["ConvTranspose", "ConvTranspose"]


def test_that_of_mint(rng):
    def network(x, weight, bias):
        return mint.nn.functional.conv_transpose2d(x, weight, bias, (2, 3), (1, 0), (1, 0), 1, (1, 2))

    def twin(x, weight, bias):
        y = ops.Conv2DTranspose(4, 3, pad_mode="pad", pad=(1, 1, 0, 0), stride=(2, 3), dilation=(1, 2))(
            x, weight, (2, 6, 10, 20)
        )
        return ops.bias_add(y, bias)

    assert_same_as(network, twin, normal(rng, 2, 4, 5, 6), normal(rng, 4, 6, 3, 3), normal(rng, 6))


def test_axes_of_free_size(rng):
    network = Several(
        nn.Conv2dTranspose(4, 6, (3, 4), (2, 3), "same", has_bias=True),
        nn.Conv2dTranspose(4, 6, 3, 2, "pad", (1, 0, 2, 1), dilation=2),
        nn.Conv2dTranspose(4, 6, (2, 4), 3, "valid"),
    )
    model = model_from_cell(network, (Tensor(shape=[None, 4, None, None], dtype=mindspore.float32),))
    x = normal(rng, 3, 4, 7, 5)
    for actual, expected in zip(run_onnx(to_onnx(model), x).values(), network(Tensor(x)), strict=True):
        np.testing.assert_allclose(actual, expected.asnumpy(), rtol=0, atol=1e-5)


def test_a_free_size_that_the_output_does_not_follow_is_refused():
    def network(x, weight):
        return ops.Conv2DTranspose(4, 3, pad_mode="same", stride=2)(x, weight, (2, 6, 10, 12))

    free = Tensor(shape=[2, 4, None, 6], dtype=mindspore.float32)
    model = model_from_cell(Function(network), (free, Tensor(np.zeros((4, 6, 3, 3), np.float32))))
    with pytest.raises(UnsupportedError, match="doesn't follow"):
        to_onnx(model)
