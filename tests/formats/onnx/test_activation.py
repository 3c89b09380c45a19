"""Activation functions, on both sides of where they bend, and where their exponentials overflow."""

from __future__ import annotations

import mindspore
import numpy as np
import onnx_ir as ir
import pytest
from mindspore import Tensor, mint, nn, ops

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx import to_onnx
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import Function, assert_agrees, assert_agrees_at_other_sizes
from tests.formats.onnx.twins import assert_same_as

POINTS = np.array([-80, -6, -3, -1.5, -0.5, -1e-3, 0, 1e-3, 0.25, 0.5, 1, 3, 6, 6.5, 15, 25], np.float32)


@pytest.mark.parametrize("points", [POINTS[:7], POINTS[3:9].reshape(3, 1, 2), POINTS])
def test_those_without_settings(points):
    softplus, softsign = ops.Softplus(), ops.Softsign()

    def network(x):
        return (
            ops.relu(x), ops.relu6(x), ops.sigmoid(x), ops.tanh(x), ops.gelu(x, approximate="tanh"), ops.fast_gelu(x),
            ops.gelu(x), ops.silu(x), ops.hardswish(x), ops.hardsigmoid(x), ops.selu(x), softplus(x), softsign(x),
            ops.mish(x), ops.logsigmoid(ops.relu(x + 6)), ops.elu(x), ops.tanhshrink(x),
        )  # fmt: skip

    # MindSpore's tanh is off by 1.2e-5 at -6, and so is what is made of it.
    assert_agrees(network, points, tolerance=2e-5)


@pytest.mark.parametrize("points", [POINTS[:7], POINTS])
def test_those_with_settings(points):
    layers = [nn.HShrink(0.35), nn.SoftShrink(0.3), nn.CELU(2.0), nn.ELU(), nn.LeakyReLU(0.1), nn.Hardtanh(-0.3, 0.4)]

    def network(x):
        return (
            layers[0](x), layers[1](x), layers[2](x), layers[3](x), layers[4](x), layers[5](x), ops.hardshrink(x, 0.5),
            ops.softshrink(x, 0.5), ops.celu(x, 0.5), ops.softplus(x), ops.softplus(x, 2, 1.0),
            mint.nn.functional.softplus(x), mint.nn.functional.softplus(x, 2, 3.0),
        )  # fmt: skip

    assert_agrees(network, points)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_data_types(dtype):
    softsign = ops.Softsign()

    def network(x):
        return (
            ops.relu(x), ops.sigmoid(x), ops.tanh(x), ops.gelu(x, approximate="tanh"), ops.silu(x), ops.elu(x),
            ops.hardswish(x), ops.hardsigmoid(x), ops.celu(x, 0.5), ops.mish(x), ops.selu(x),
            softsign(x), ops.softmax(x), ops.log_softmax(x), mint.nn.functional.softplus(x),
        )  # fmt: skip

    assert_agrees(network, POINTS[1:11].astype(dtype), tolerance=2e-3 if dtype == np.float16 else 1e-6)


def test_integers():
    def network(i, p):
        return ops.relu(i), ops.relu(p), ops.relu(ops.cast(i, mindspore.int64)), ops.relu(ops.cast(i, mindspore.int16))

    assert_agrees(network, np.array([3, 0, -4], np.int32), np.array([3, 0, -4], np.int8))


class Slopes(nn.Cell):
    """PReLU with one slope, and with one for each of 4 channels."""

    def __init__(self, slopes):
        super().__init__()
        self.one, self.many, self.slopes = nn.PReLU(), nn.PReLU(4, w=0.7), Tensor(slopes)

    def construct(self, x, y, z):
        return (
            self.one(x), self.many(x), self.many(y), self.one(z), ops.prelu(x, self.slopes), ops.prelu(y, self.slopes),
        )  # fmt: skip


def test_slopes_of_channels(rng):
    slopes, y = rng.standard_normal(4).astype(np.float32), rng.standard_normal((2, 4)).astype(np.float32)
    assert_agrees(Slopes(slopes), rng.standard_normal((2, 4, 3, 1)).astype(np.float32), y, POINTS)


def test_softmax_over_any_axis(rng):
    layers = [nn.Softmax(0), nn.Softmax2d(), nn.LogSoftmax(1), nn.Softmin()]

    def network(x):
        return (
            ops.softmax(x, -1), ops.softmax(x, 1), layers[0](x), layers[1](x), layers[2](x), layers[3](x),
            ops.log_softmax(x), ops.log_softmax(x, 0), mint.nn.functional.softmax(x, 2),
            mint.nn.functional.log_softmax(x, 1), ops.softmax(x * 100, 1), ops.softmax(x, 1, dtype=mindspore.float64),
        )  # fmt: skip

    assert_agrees(network, (rng.standard_normal((2, 3, 1, 5)) * 5).astype(np.float32))


def test_a_softmax_over_several_axes_is_refused(rng):
    model = model_from_cell(Function(ops.Softmax((1, 2))), (Tensor(np.ones((2, 3, 4), np.float32)),))
    with pytest.raises(UnsupportedError, match="it has 2 axes"):
        to_onnx(model)


def test_gates(rng):
    def network(x):
        return mint.nn.functional.glu(x), mint.nn.functional.glu(x, 1)

    assert_agrees(network, rng.standard_normal((2, 4, 6)).astype(np.float32))


def test_operators_that_mindspore_runs_on_other_devices_only():
    def network(x):
        functional = mint.nn.functional
        return (
            functional.gelu(x), functional.gelu(x, approximate="tanh"), functional.elu(x, 1.0), functional.elu(x, 0.5),
            functional.selu(x), functional.leaky_relu(x, 0.1), functional.relu6(x), functional.hardtanh(x, -0.5, 0.6),
            functional.mish(x), functional.logsigmoid(x), functional.threshold(x, 0.3, 7.0), ops.swiglu(x, -1),
        )  # fmt: skip

    def twin(x):
        return (
            ops.gelu(x), ops.gelu(x, approximate="tanh"), ops.elu(x),
            ops.maximum(x, 0) + 0.5 * ops.minimum(x.exp() - 1, 0),
            ops.selu(x), ops.leaky_relu(x, 0.1), ops.relu6(x), ops.hardtanh(x, -0.5, 0.6),
            ops.mish(x), ops.logsigmoid(x), ops.select(x > 0.3, x, 7.0), ops.silu(x[:, :7]) * x[:, 7:],
        )  # fmt: skip

    assert_same_as(network, twin, POINTS[1:15].reshape(1, -1))


def mixed_network(x):
    """Go through all families: reductions, masks, gates, arithmetic."""
    centred = x - mint.mean(x, (1, 2), True)
    scale = ops.rsqrt(ops.mean(ops.square(centred), (1, 2), True) + 1e-5)
    normal = ops.clamp(centred * scale, -3, 3)
    masked = ops.masked_fill(normal, normal > 1, -1e9)
    weights = ops.softmax(masked, 2)
    gated = ops.gelu(normal, approximate="tanh") * ops.sigmoid(normal) + ops.leaky_relu(normal, 0.1)
    chosen = ops.select(normal > 0, gated / 2, ops.tanh(normal))
    return weights, chosen, ops.sum(chosen * weights, 2), ops.argmax(x, 2), ops.cast(ops.floor(x * 4), mindspore.int32)


@pytest.mark.parametrize("options", [{}, {"float_type": np.float16, "tolerance": 3e-3}])
def test_a_batch_of_any_size(rng, options):
    example, *others = ((rng.standard_normal((size, 3, 4)).astype(np.float32),) for size in (2, 1, 5))
    assert_agrees_at_other_sizes(mixed_network, example, *others, free_batch=True, **options)


def test_half_precision_computes_in_half_precision():
    model = model_from_cell(Function(mixed_network), (Tensor(np.zeros((2, 3, 4), np.float32)),))
    kinds = {value.dtype for value in to_onnx(model, float_type=np.float16).graph.initializers.values()}
    assert ir.DataType.FLOAT not in kinds
