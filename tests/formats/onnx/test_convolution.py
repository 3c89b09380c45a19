"""Convolutions: sizes that windows don't divide, padding that is uneven, every setting of a window."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, mint, nn, ops

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx import to_onnx
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import assert_agrees, run_onnx
from tests.formats.onnx.twins import Several, assert_same_as, operators
from tests.passes.networks import normal


def test_every_padding_of_two_axes(rng):
    network = Several(
        nn.Conv2d(4, 6, (2, 4), (3, 5), "same", has_bias=True, bias_init="normal"),
        nn.Conv2d(4, 6, (4, 2), 1, "same"),
        nn.Conv2d(4, 6, 3, 2, "same", dilation=(2, 3), has_bias=True, bias_init="normal"),
        nn.Conv2d(4, 6, (1, 2), (5, 4), "same"),
        nn.Conv2d(4, 6, (3, 2), (2, 1), "pad", (1, 2, 0, 3), (2, 1), 2),
        nn.Conv2d(4, 6, 3, 2, "valid", has_bias=True, bias_init="normal"),
        nn.Conv2d(4, 8, 3, 1, "pad", 1, group=4),
    )
    assert_agrees(network, normal(rng, 2, 4, 9, 8))


def test_one_axis_and_three(rng):
    one = Several(
        nn.Conv1d(4, 6, 4, 3, "same", has_bias=True, bias_init="normal"),
        nn.Conv1d(4, 6, 3, 2, "pad", 2, 2, 2),
    )
    assert_agrees(one, normal(rng, 2, 4, 11))
    three = Several(
        nn.Conv3d(4, 6, (2, 3, 4), (1, 2, 3), "same", has_bias=True, bias_init="normal"),
        nn.Conv3d(4, 6, 3, 2, "pad", (1, 2, 0, 1, 1, 3), group=2),
        nn.Conv3d(4, 6, 2, 1, "valid"),
    )
    assert_agrees(three, normal(rng, 2, 4, 5, 6, 7))


def test_weights_that_are_computed_and_a_sum_that_is_read_twice(rng):
    def network(x, weight, bias):
        y = ops.conv2d(x, weight)
        return ops.bias_add(y, bias), ops.relu(y), ops.conv2d(x, ops.relu(weight), ops.relu(bias), 1, "pad", 1)

    arrays = normal(rng, 2, 4, 9, 8), normal(rng, 6, 4, 3, 3), normal(rng, 6)
    assert_agrees(network, *arrays)
    assert operators(network, *arrays) == ["Conv", "Unsqueeze", "Add", "Relu", "Relu", "Relu", "Conv"]


def test_half_precision(rng):
    network = nn.Conv2d(3, 4, 3, has_bias=True, bias_init="normal", dtype=mindspore.float16)
    assert_agrees(network, normal(rng, 2, 3, 5, 5).astype(np.float16), tolerance=2e-3)


def test_those_of_mint(rng):
    def network(*arrays):
        x, weight, bias, grouped, even, volume, kernel, one, line = arrays
        functional = mint.nn.functional
        return (
            functional.conv2d(x, weight, bias, padding=1),
            functional.conv2d(x, even, bias, padding="same", dilation=2),
            functional.conv2d(x, grouped, None, (2, 1), (1, 0), (1, 2), 2),
            functional.conv1d(one, line, bias, stride=2, padding=1),
            functional.conv2d(x, weight, bias, padding="valid"),
            ops.auto_generate.convolution_str_op(x, even, bias, (1, 1), "same", (2, 1), False, (0, 0), 1),
            functional.conv3d(volume, kernel, bias, padding=(0, 1, 1)),
        )

    def twin(*arrays):
        x, weight, bias, grouped, even, volume, kernel, one, line = arrays
        return (
            ops.conv2d(x, weight, bias, 1, "pad", 1),
            ops.conv2d(x, even, bias, 1, "same", 0, 2),
            ops.conv2d(x, grouped, None, (2, 1), "pad", (1, 0), (1, 2), 2),
            ops.conv1d(one, line, bias, 2, "pad", 1),
            ops.conv2d(x, weight, bias),
            ops.conv2d(x, even, bias, 1, "same", 0, (2, 1)),
            ops.conv3d(volume, kernel, bias, 1, "pad", (0, 1, 1)),
        )

    planes = (2, 4, 9, 8), (6, 4, 3, 3), (6,), (6, 2, 3, 3), (6, 4, 4, 2)
    others = (2, 4, 3, 4, 5), (6, 4, 1, 3, 3), (2, 4, 9), (6, 4, 3)
    assert_same_as(network, twin, *(normal(rng, *shape) for shape in planes + others))


def test_axes_of_free_size(rng):
    network = Several(
        nn.Conv2d(4, 6, (3, 4), 2, "same"), nn.Conv2d(4, 6, 3, 2, "pad", (1, 0, 2, 1), dilation=2, has_bias=True)
    )
    model = model_from_cell(network, (Tensor(shape=[None, 4, None, None], dtype=mindspore.float32),))
    x = normal(rng, 3, 4, 9, 8)
    for actual, expected in zip(run_onnx(to_onnx(model), x).values(), network(Tensor(x)), strict=True):
        np.testing.assert_allclose(actual, expected.asnumpy(), rtol=0, atol=1e-5)


def test_dilated_same_padding_of_an_axis_of_free_size_is_refused():
    network = nn.Conv2d(4, 6, 3, pad_mode="same", dilation=2)
    model = model_from_cell(network, (Tensor(shape=[None, 4, None, None], dtype=mindspore.float32),))
    with pytest.raises(UnsupportedError, match="it is dilated"):
        to_onnx(model)


class Network(nn.Cell):
    """One operator of each heavy family."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 2, "same", has_bias=True)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, 1, "same", group=8)
        self.up = nn.Conv2dTranspose(8, 4, 3, 2, has_bias=True)
        self.gn = nn.GroupNorm(2, 4)
        self.pool = nn.MaxPool2d(3, 2, "same")
        self.fc = nn.Dense(4 * 5 * 6, 7)
        self.flatten = nn.Flatten()

    def construct(self, x):
        x = ops.relu(self.bn1(self.conv1(x)))
        x = self.pool(self.gn(self.up(self.conv2(x))))
        x = ops.interpolate(x, (5, 6), mode="bilinear", align_corners=False)
        return self.fc(self.flatten(x))


def test_a_small_network_takes_any_batch_and_half_precision(rng):
    network = Network()
    network.set_train(False)
    model = model_from_cell(network, (Tensor(normal(rng, 2, 3, 10, 12)),))
    many = normal(rng, 5, 3, 10, 12)
    expected = network(Tensor(many)).asnumpy()
    free = to_onnx(model, free_batch=True)
    half = to_onnx(model, free_batch=True, float_type=np.float16)
    np.testing.assert_allclose(run_onnx(free, many)["output"], expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(run_onnx(half, many)["output"], expected, rtol=0, atol=5e-3)
