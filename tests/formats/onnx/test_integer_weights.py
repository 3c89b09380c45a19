"""Stored weights of all kinds in ONNX: the numbers of MindSpore, in as few bits as they need, in the right kernel."""

from __future__ import annotations

import numpy as np
import pytest
from mindspore import Tensor, nn, ops

import gsjupyter as gs
from gsjupyter.mindir import Parameter, Runner
from tests.formats.onnx.integer_kernels import optimized, stored_types
from tests.passes.networks import normal, randomized


class Layers(nn.Cell):
    """A convolution, one in groups, a dense layer whose input channels are no multiple of 16, and one that is."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 3, has_bias=True)
        self.depthwise = nn.Conv2d(8, 8, 3, group=8)
        self.fc1 = nn.Dense(72, 64)
        self.fc2 = nn.Dense(64, 40, has_bias=False)
        self.table = nn.Embedding(30, 64)

    def construct(self, x):
        x = self.depthwise(self.conv(x)).reshape(-1, 8, 72)
        return self.fc2(ops.relu(self.fc1(x)) + self.table(ops.arange(8)))


SCHEMES = [
    {"weights": "int6", "symmetric": False},
    {"weights": "int4"},
    {"weights": "int4", "granularity": "group:16"},
    {"weights": "int8"},
    {"weights": "int4", "granularity": "group:32", "symmetric": False},
    {"weights": "int3", "granularity": "tensor", "symmetric": False},
    {"weights": "int2", "granularity": "group:24", "symmetric": False},
]


@pytest.mark.parametrize("options", SCHEMES, ids=lambda options: "-".join(map(str, options.values())))
def test_weights_give_the_numbers_of_mindspore(rng, options):
    x = normal(rng, 3, 4, 9, 8)
    model = gs.convert(randomized(Layers(), rng), x, **options).model
    operators, output = optimized(model, x)
    expected = Runner(model)(x)
    np.testing.assert_allclose(output, expected, rtol=0, atol=2e-6 * np.abs(expected).max())
    assert "DequantizeLinear" not in operators
    fits, is_block = options["weights"] < "int5", options.get("granularity") != "group:24"
    assert operators.count("MatMulNBits") == (2 if fits and is_block else 0)
    types = stored_types(model)
    wanted = {True: {"INT4", "UINT4"}, False: {"INT8", "UINT8"}}[fits]
    assert all(types[f"{name}.weight"] in wanted for name in ("conv", "fc1", "fc2"))


@pytest.mark.parametrize("options", SCHEMES[:3], ids=lambda options: "-".join(map(str, options.values())))
def test_quantized_inputs_meet_integers(rng, options):
    x = normal(rng, 3, 8)
    network = randomized(nn.SequentialCell(nn.Dense(8, 64)), rng)
    model = gs.convert(network, x, activations="int8", **options).model
    operators, output = optimized(model, x)
    expected = Runner(model)(x)
    # The bias is rounded to what one step of the input times one step of the weight makes.
    weight = np.abs(network[0].weight.asnumpy()).max() / {"int8": 127, "int6": 31, "int4": 7}[options["weights"]]
    step = 1.5 * np.ptp(x) / 255 * weight
    np.testing.assert_allclose(output, expected, rtol=0, atol=step)
    is_grouped = "group" in options.get("granularity", "")
    assert operators == (["QuantizeLinear", "DequantizeLinear", "Gemm"] if is_grouped else ["QuantizeLinear", "QGemm"])


def test_a_bias_far_larger_than_its_weights_is_not_lost(rng):
    x = normal(rng, 2, 4, 6, 6)
    network = randomized(nn.SequentialCell(nn.Conv2d(4, 4, 3, has_bias=True), nn.ReLU(), nn.Conv2d(4, 2, 1)), rng)
    weight, bias = network[0].weight.asnumpy(), np.array([1e3, -0.5, 1e-30, 0], np.float32)
    weight[0] *= 1e-9
    weight[3] = 0
    network[0].weight.set_data(Tensor(weight))
    network[0].bias.set_data(Tensor(bias))
    model = gs.convert(network, x, weights="int8", activations="int8").model
    operators, output = optimized(model, x)
    assert operators.count("QLinearConv") == 1
    expected = Runner(model)(x)
    # One step of the grid between the layers.
    step = np.abs(network[2].weight.asnumpy()).sum(axis=1).max() * 1e3 / 255
    np.testing.assert_allclose(output, expected, rtol=0, atol=step)


def test_a_weight_that_two_layers_share_is_integers_for_both(rng):
    class Shared(nn.Cell):
        def __init__(self):
            super().__init__()
            self.first = nn.Dense(16, 16)
            self.second = nn.Dense(16, 16)
            self.second.weight = self.first.weight

        def construct(self, x):
            return self.second(ops.relu(self.first(x)))

    x = normal(rng, 3, 16)
    model = gs.convert(randomized(Shared(), rng), x, weights="int8", activations="int8").model
    assert (
        len([item for item in model.graph().parameters() if isinstance(item, Parameter) and item.dtype == np.int8]) == 1
    )
    operators, output = optimized(model, x)
    assert operators.count("QGemm") == 2
    expected = Runner(model)(x)
    np.testing.assert_allclose(output, expected, rtol=0, atol=1e-2 * np.abs(expected).max())
