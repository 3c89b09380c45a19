"""Pseudo-quantization as MindSpore's own operators, without Golden Stick: values that training forms seldom have."""

import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn, ops
from mindspore.ops.operations import _quant_ops as quant

import gsjupyter as gs
from gsjupyter.errors import ParameterError, UnsupportedError

X = np.random.default_rng(5).normal(0, 1, (3, 8)).astype(np.float32)


class QuantizedDense(nn.Cell):
    """A dense layer whose weight goes through one operator of pseudo-quantization."""

    def __init__(self, operator, *ranges, weight=None):
        super().__init__()
        rng = np.random.default_rng(1)
        weight = rng.normal(0, 0.5, (4, 8)) if weight is None else weight
        self.weight = Parameter(Tensor(np.asarray(weight, np.float32)), name="dense.weight")
        self.ranges = [Parameter(Tensor(np.asarray(value, np.float32)), name=f"r{i}") for i, value in enumerate(ranges)]
        self.first = self.ranges[0]
        self.second = self.ranges[1] if len(ranges) > 1 else None
        self.operator = operator
        self.matmul = ops.MatMul(transpose_b=True)

    def construct(self, x):
        if self.second is None:
            return self.matmul(x, self.operator(self.weight))
        return self.matmul(x, self.operator(self.weight, self.first, self.second))


def dense(operator, *ranges, weight=None):
    return QuantizedDense(operator, *ranges, weight=weight)


def rounded(weight, scale, lowest, highest, zero_point=0.0):
    scale = np.asarray(scale, np.float64).reshape(-1, 1)
    return (np.clip(np.rint(weight / scale + zero_point), lowest, highest) - zero_point) * scale


def assert_weight(network, expected):
    conversion = gs.convert(network, X)
    np.testing.assert_allclose(conversion(X), X @ expected.T.astype(np.float32), rtol=1e-4, atol=1e-5)
    return conversion


class TestSimQat:
    def test_bits_and_the_grid_come_from_the_operator(self):
        operator = quant.FakeQuantPerLayer(num_bits=4, symmetric=True, narrow_range=True, training=False)
        network = dense(operator, [-1.0], [0.5])
        conversion = assert_weight(network, rounded(network.weight.asnumpy(), 2 / 14, -7, 7))
        assert conversion.recognised == ("SimQAT, 4 bit, per tensor, 1 layer",)
        assert conversion.layers[0].weights == "int4 per tensor"

    def test_a_range_that_leaves_zero_out_keeps_golden_sticks_zero_point(self):
        operator = quant.FakeQuantPerLayer(num_bits=8, symmetric=False, training=False)
        network = dense(operator, [0.5], [1.5], weight=np.random.default_rng(2).uniform(0.4, 1.6, (4, 8)))
        scale = 1 / 255
        expected = rounded(network.weight.asnumpy(), scale, 0, 255, np.round(-0.5 / scale))
        assert_weight(network, expected)

    def test_no_range_at_all_has_the_scale_1(self):
        operator = quant.FakeQuantPerLayer(num_bits=8, symmetric=False, training=False)
        network = dense(operator, [2.0], [2.0], weight=np.random.default_rng(2).uniform(-3, 9, (4, 8)))
        assert_weight(network, rounded(network.weight.asnumpy(), 1, 0, 255))


class TestLsq:
    @pytest.mark.parametrize("sign", [1, -1])
    def test_the_sign_of_the_threshold_is_no_matter(self, sign):
        alpha = np.array([0.3, 0.5, 0.7, 0.9])
        operator = quant.FakeLearnedScaleQuantPerChannel(neg_trunc=False, training=False, channel_axis=0)
        network = dense(operator, sign * alpha, [127.0])
        conversion = assert_weight(network, rounded(network.weight.asnumpy(), alpha / 127, -127, 127))
        assert conversion.recognised == ("LSQ, 8 bit, per channel, 1 layer",)

    def test_cut_negatives_make_an_unsigned_grid(self):
        operator = quant.FakeLearnedScaleQuantPerLayer(neg_trunc=True, training=False)
        network = dense(operator, [0.8], [255.0])
        conversion = assert_weight(network, rounded(network.weight.asnumpy(), 0.8 / 255, 0, 255))
        assert conversion.layers[0].weights == "uint8 per tensor"

    def test_four_bits(self):
        operator = quant.FakeLearnedScaleQuantPerLayer(neg_trunc=False, training=False)
        network = dense(operator, [0.8], [7.0])
        conversion = assert_weight(network, rounded(network.weight.asnumpy(), 0.8 / 7, -7, 7))
        assert conversion.recognised == ("LSQ, 4 bit, per tensor, 1 layer",)


def test_a_range_that_is_computed_is_refused_by_name():
    class Computed(nn.Cell):
        def __init__(self):
            super().__init__()
            self.fake_quant = quant.FakeQuantPerLayer(num_bits=8, training=False)
            self.dense = nn.Dense(8, 4)

        def construct(self, x):
            low, high = x.min().reshape((1,)), x.max().reshape((1,))
            return self.dense(self.fake_quant(x, low, high))

    with pytest.raises(UnsupportedError, match=r"input 1 of FakeQuantPerLayer .* is computed while the network runs"):
        gs.convert(Computed(), X)


def test_nan_weights_are_refused_by_name():
    weight = np.ones((4, 8))
    weight[2, 3] = np.nan
    operator = quant.FakeQuantPerLayer(num_bits=8, symmetric=True, training=False)
    with pytest.raises(ParameterError, match=r"dense\.weight holds 1 NaN of 32 values"):
        gs.convert(dense(operator, [-1.0], [1.0], weight=weight), X)


def test_what_no_device_here_can_run_is_named_with_its_layer():
    class Unknown(nn.Cell):
        def __init__(self):
            super().__init__()
            self.update = quant.MinMaxUpdatePerLayer()
            self.low, self.high = (Parameter(Tensor(np.zeros(1, np.float32)), name=name) for name in ("low", "high"))

        def construct(self, x):
            return x * self.update(x, self.low, self.high)[0]

    class Network(nn.Cell):
        def __init__(self):
            super().__init__()
            self.body = nn.Dense(8, 4)
            self.watch = Unknown()

        def construct(self, x):
            return self.watch(self.body(x))

    with pytest.raises(UnsupportedError, match=r"no kernel for MinMaxUpdatePerLayer, in layer watch \(Unknown\)"):
        gs.convert(Network(), X)


def test_ranges_that_were_never_trained_are_pointed_out():
    operator = quant.FakeQuantPerLayer(num_bits=8, symmetric=True, training=False)
    conversion = gs.convert(dense(operator, [-6.0], [6.0]), X)
    assert any("still from -6 to 6" in note for note in conversion.notes)
