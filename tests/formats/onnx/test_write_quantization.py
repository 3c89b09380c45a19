"""Converted networks in ONNX Runtime: integer kernels throughout, and MindSpore's numbers."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import nn, ops
from mindspore.ops.operations import _quant_ops as quant

import gsjupyter as gs
from gsjupyter.mindir import Runner
from gsjupyter.quantization import sqnr_db
from tests.formats.onnx.integer_kernels import LAYOUT, optimized
from tests.passes.networks import normal, randomized, with_statistics


class Residual(nn.Cell):
    """What ResNets and MobileNets consist of: shortcuts, a depthwise convolution, pooling, a classifier."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, has_bias=True)
        self.pool = nn.MaxPool2d(2, 2)
        self.expand = nn.Conv2d(16, 32, 1)
        self.norm = nn.BatchNorm2d(32)
        self.depthwise = nn.Conv2d(32, 32, 3, group=32, has_bias=True)
        self.project = nn.Conv2d(32, 16, 1)
        self.other = nn.Conv2d(16, 16, 1, has_bias=True)
        self.fc = nn.Dense(16, 10)

    def construct(self, x):
        x = self.pool(ops.relu(self.stem(x)))
        x = x + self.project(ops.relu6(self.depthwise(ops.relu6(self.norm(self.expand(x))))))
        x = ops.relu(x + self.other(x))
        return self.fc(x.mean((2, 3)))


class Branches(nn.Cell):
    """Branches that are concatenated, pooled and gated, and halves of channels that go different ways."""

    def __init__(self):
        super().__init__()
        self.left = nn.Conv2d(4, 8, 1, has_bias=True)
        self.right = nn.Conv2d(4, 8, 3, has_bias=True)
        self.gate = nn.Conv2d(16, 16, 1, has_bias=True)
        self.pool = nn.AvgPool2d(2, 2)
        self.half = nn.Conv2d(8, 8, 1, has_bias=True)
        self.last = nn.Conv2d(16, 4, 1)

    def construct(self, x):
        x = ops.concat((ops.relu(self.left(x)), self.right(x)), 1)
        x = self.pool(x * ops.sigmoid(self.gate(ops.mean(x, (2, 3), True))))
        x = ops.concat((x[:, :8], ops.relu(self.half(x[:, 8:]))), 1)
        return self.last(x)


class Flat(nn.Cell):
    """A classifier whose dense layer reads a flattened map, as LeNet's does."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, has_bias=True)
        self.flatten = nn.Flatten()
        self.fc = nn.Dense(8 * 8 * 8, 10)

    def construct(self, x):
        return self.fc(self.flatten(ops.relu(self.conv(x))))


def converted(network, x, **options):
    return gs.convert(network, x, **{"weights": "int8", "activations": "int8", **options}).model


def assert_close(model, x, actual, decibel):
    assert sqnr_db(Runner(model)(x), actual) > decibel


def test_a_residual_network_runs_in_integers_from_its_input_to_its_output(rng):
    x = normal(rng, 2, 3, 16, 16)
    model = converted(with_statistics(randomized(Residual(), rng), rng), x)
    operators, output = optimized(model, x)
    kernels = [operator for operator in operators if operator not in LAYOUT]
    assert kernels == [
        "QuantizeLinear",
        *["QLinearConv", "NhwcMaxPool"],
        *["QLinearConv", "QLinearConv", "QLinearConv", "QLinearAdd"],
        *["QLinearConv", "QLinearAdd"],
        *["QLinearGlobalAveragePool", "QGemm"],
    ]
    assert_close(model, x, output, 25)


def test_a_convolution_before_a_flattened_map_runs_in_integers(rng):
    x = normal(rng, 2, 3, 8, 8)
    model = converted(randomized(Flat(), rng), x)
    operators, output = optimized(model, x)
    assert [operator for operator in operators if operator not in LAYOUT] == ["QuantizeLinear", "QLinearConv", "QGemm"]
    assert_close(model, x, output, 25)


def test_branches_run_in_integers_up_to_what_the_caller_gets(rng):
    x = normal(rng, 2, 4, 8, 8)
    model = converted(randomized(Branches(), rng), x)
    operators, output = optimized(model, x)
    kernels = [operator for operator in operators if operator not in LAYOUT]
    # The last convolution computes in float, since its output is not to be rounded.
    assert set(kernels[: kernels.index("DequantizeLinear")]) <= {
        *["QuantizeLinear", "QLinearConv", "QLinearConcat", "QLinearSigmoid", "QLinearMul", "QLinearAveragePool"],
        *["QLinearGlobalAveragePool", "Split", "Slice"],
    }
    assert kernels[kernels.index("DequantizeLinear") :].count("Conv") == 1
    assert kernels.count("QuantizeLinear") == 1
    assert_close(model, x, output, 25)


def test_a_bias_that_was_corrected_and_one_that_was_not_there_are_added_in_integers(rng):
    x = normal(rng, 2, 3, 16, 16)
    model = converted(with_statistics(randomized(Residual(), rng), rng), x, bias_correction=True)
    operators, output = optimized(model, x)
    assert operators.count("QLinearConv") == 5
    assert "Add" not in operators
    assert_close(model, x, output, 25)


@pytest.mark.parametrize(
    ("options", "floats"),
    [
        ({"keep": ["other"]}, {"Conv", "FusedConv", "Add"}),
        ({"layers": {"expand": "int4", "other": {"weights": "int6"}}}, set()),
    ],
    ids=["kept", "mixed bits"],
)
def test_layers_with_settings_of_their_own(rng, options, floats):
    x = normal(rng, 2, 3, 16, 16)
    model = converted(with_statistics(randomized(Residual(), rng), rng), x, **options)
    operators, output = optimized(model, x)
    assert operators.count("QLinearConv") == 5 - len(options.get("keep", []))
    assert bool(floats & set(operators)) == bool(floats)
    assert_close(model, x, output, 25)


def test_what_is_only_noted_becomes_what_would_have_been_simulated(rng):
    x = normal(rng, 2, 3, 16, 16)
    network = with_statistics(randomized(Residual(), rng), rng)
    simulated, noted = (converted(network, x, simulate=simulate) for simulate in (True, False))
    assert "Rint" not in {node.op for node in noted.graph().nodes()}
    (kernels, output), (expected_kernels, expected) = optimized(noted, x), optimized(simulated, x)
    assert kernels == expected_kernels
    np.testing.assert_array_equal(output, expected)


class Trained(nn.Cell):
    """A network as SimQAT leaves it: symmetric grids, of 8 and of 4 bits, behind ReLU and pooling."""

    def __init__(self, **grid):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, has_bias=True)
        self.conv2 = nn.Conv2d(8, 8, 3, has_bias=True)
        self.fc = nn.Dense(8, 4)
        self.pool = nn.MaxPool2d(2, 2)
        self.quantize = quant.FakeQuantPerLayer(symmetric=True, training=False, **grid)
        self.weights = quant.FakeQuantPerLayer(num_bits=8, symmetric=True, narrow_range=True, training=False)
        self.low = mindspore.Parameter(mindspore.Tensor([-3.0], mindspore.float32), name="low")
        self.high = mindspore.Parameter(mindspore.Tensor([3.0], mindspore.float32), name="high")
        self.conv2d = ops.Conv2D(8, 3, pad_mode="same")
        self.bias_add = ops.BiasAdd()

    def rounded(self, x):
        return self.quantize(x, self.low, self.high)

    def layer(self, cell, x):
        weight = self.weights(cell.weight, self.low, self.high)
        return self.bias_add(self.conv2d(self.rounded(x), weight), cell.bias)

    def construct(self, x):
        x = self.pool(ops.relu6(self.layer(self.conv1, x)))
        return self.fc(self.rounded(ops.relu(self.layer(self.conv2, x)).mean((2, 3))))


@pytest.mark.parametrize("grid", [{"num_bits": 8}, {"num_bits": 4, "narrow_range": True}], ids=str)
def test_trained_grids_are_kept_where_they_end(rng, grid):
    x = 2 * normal(rng, 2, 3, 8, 8)
    model = gs.convert(randomized(Trained(**grid), rng), x).model
    operators, output = optimized(model, x)
    # Behind the second convolution nothing was trained to be quantized, so it stays in float.
    assert operators.count("QLinearConv") == 1
    assert "Rint" not in operators
    assert_close(model, x, output, 25)
