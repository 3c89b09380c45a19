import mindspore
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn
from mindspore.ops.auto_generate import DynamicQuantExt, QuantBatchMatmul, WeightQuantBatchMatmul
from mindspore.ops.operations._infer_ops import QuantV2

from gsjupyter.goldenstick.ptq import describe
from gsjupyter.goldenstick.ptq_operators import LowerPtqOperators
from gsjupyter.mindir import Runner, model_from_cell
from gsjupyter.passes import Functionalize, InferenceMode, Pipeline, RemoveDeadCode, linear_operators
from gsjupyter.passes.simulation import has_noted_input
from tests.ptq.layouts import computed, float_bits, packed, quantized

INPUTS, OUTPUTS = 8, 6
SCALE, OFFSET = np.float16(0.0625), 11


def parameter(name, value):
    return None if value is None else Parameter(value if isinstance(value, Tensor) else Tensor(value), name=name)


class WeightQuantized(nn.Cell):
    """As Golden Stick's WeightQuantMatmul: input in float16, integer weight."""

    def __init__(self, weight, scale, negated_offset, *, is_transposed, group=0):
        super().__init__()
        self.weight = parameter("fc.weight", weight)
        self.weight_scale = parameter("fc.weight_scale", scale)
        self.weight_zp = parameter("fc.weight_zp", negated_offset)
        self.product = WeightQuantBatchMatmul(False, is_transposed, group)

    def construct(self, x):
        return self.product(x, self.weight, self.weight_scale, self.weight_zp, None, None, None)


class AllQuantized(nn.Cell):
    """As Golden Stick's AllQuantMatmul: both sides are integers."""

    def __init__(self, weight, product_scale, bias, input_scale, input_offset):
        super().__init__()
        self.weight = parameter("fc.weight", weight)
        self.dequant_scale = parameter("fc.dequant_scale", product_scale)
        self.quant_bias = parameter("fc.quant_bias", bias)
        self.input_scale = parameter("fc.input_scale", input_scale)
        self.input_zp = parameter("fc.input_zp", input_offset)
        self.quant = QuantV2()
        self.product = QuantBatchMatmul(transpose_x1=False, transpose_x2=True, dtype=mindspore.float16)

    def construct(self, x):
        x = self.quant(x, self.input_scale, self.input_zp, False, "ROUND", mindspore.int8)
        return self.product(x, self.weight, self.dequant_scale, None, self.quant_bias, None)


class RowQuantized(nn.Cell):
    """As Golden Stick's DynamicQuantMatmul: each row of the input has a scale of its own."""

    def __init__(self, weight, scale, smooth):
        super().__init__()
        self.weight = parameter("fc.weight", weight)
        self.weight_scale = parameter("fc.weight_scale", scale)
        self.smooth_scale = parameter("fc.smooth_scale", smooth)
        self.quant = DynamicQuantExt()
        self.product = QuantBatchMatmul(transpose_x1=False, transpose_x2=True, dtype=mindspore.float16)

    def construct(self, x):
        x, scale = self.quant(x, self.smooth_scale)
        return self.product(x, self.weight, self.weight_scale, None, None, scale)


@pytest.fixture
def x(rng):
    return rng.standard_normal((5, INPUTS)).astype(np.float16)


def lowered(network, x, **options):
    step = LowerPtqOperators(**options)
    pipeline = Pipeline([Functionalize(), RemoveDeadCode(), step], after=Pipeline([InferenceMode()]))
    model, results = pipeline.run(model_from_cell(network, [x]))
    return step, model, results[-1]


def assert_computes(model, x, wanted):
    actual = Runner(model)(x)
    assert actual.dtype == np.float16
    # The output is in float16, which has eleven bits.
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=1e-3 * np.abs(wanted).max())


@pytest.mark.parametrize("is_transposed", [True, False])
def test_a_product_with_an_integer_weight(is_transposed, x, rng):
    integers, scale, offset, _ = quantized(rng, OUTPUTS, INPUTS)
    scale = scale.astype(np.float16)
    stored = integers if is_transposed else np.ascontiguousarray(integers.T)
    network = WeightQuantized(stored, scale, (-offset).astype(np.float16), is_transposed=is_transposed)
    step, model, _ = lowered(network, x)
    weight = (integers - offset[:, None]) * scale.astype(np.float32)[:, None]
    assert_computes(model, x, computed(x.astype(np.float32), weight, 0))
    assert describe(step.layers) == "PTQ, 8 bit, per channel, 1 layer"
    assert [operator.stored.scheme for operator in linear_operators(model.graph())] == ["int8 per channel"]


@pytest.mark.parametrize("group", [0, 4])
def test_four_bits_two_in_a_byte(group, x, rng):
    integers, scale, offset, _ = quantized(rng, OUTPUTS, INPUTS, 4, group)
    scale = scale.astype(np.float16)
    network = WeightQuantized(packed(integers.T), scale, (-offset).astype(np.float16), is_transposed=False, group=group)
    step, model, _ = lowered(network, x)
    scales, offsets = (np.repeat(each, group, 0).T if group else each[:, None] for each in (scale, offset))
    assert_computes(model, x, computed(x.astype(np.float32), (integers - offsets) * scales.astype(np.float32), 0))
    assert describe(step.layers) == f"PTQ, 4 bit, per {'group of 4' if group else 'channel'}, 1 layer"


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("is_reciprocal", [False, True])
@pytest.mark.parametrize("extra", [0, 300])
def test_a_product_of_integers(smooth, is_reciprocal, extra, x, rng):
    integers, scale, _, _ = quantized(rng, OUTPUTS, INPUTS)
    factor = (2.0 ** rng.integers(-1, 2, INPUTS)) if smooth else np.ones(INPUTS)
    product = (float(SCALE) * scale).astype(np.float32)
    given = float(SCALE) / factor
    network = AllQuantized(
        integers,
        float_bits(product),
        -OFFSET * integers.sum(axis=1, dtype=np.int32) + np.int32(extra),
        (1 / given if is_reciprocal else given).astype(np.float16),
        np.full(INPUTS, OFFSET, np.float16 if is_reciprocal else np.int8),
    )
    step, model, _ = lowered(network, x)
    # By the formulas of the operators: integers all the way, one scale at the end.
    quotient = x.astype(np.float32) / given.astype(np.float32)
    left = np.clip(np.round(quotient) + OFFSET, -128, 127).astype(np.int64)
    wanted = (left @ integers.T.astype(np.int64) + network.quant_bias.asnumpy()) * product
    assert_computes(model, x, wanted)
    operator = linear_operators(model.graph())[0]
    assert has_noted_input(operator.node)
    assert describe(step.layers) == "PTQ, 8 bit, per channel, 1 layer, activations 8 bit"


def test_a_quantized_input_may_be_noted_only(x, rng):
    integers, scale, _, _ = quantized(rng, OUTPUTS, INPUTS)
    product = (float(SCALE) * scale).astype(np.float32)
    bias = -OFFSET * integers.sum(axis=1, dtype=np.int32)
    given = (np.full(INPUTS, SCALE), np.full(INPUTS, OFFSET, np.int8))
    _, model, _ = lowered(AllQuantized(integers, float_bits(product), bias, *given), x, simulate=False)
    assert_computes(model, x, computed(x.astype(np.float32), integers * scale[:, None], 0))
    operator = linear_operators(model.graph())[0]
    assert operator.node.annotations["input_zero_point"] == OFFSET + 128


@pytest.mark.parametrize("smooth", [False, True])
def test_a_scale_for_each_row(smooth, x, rng):
    x[2] = 0
    integers, scale, _, _ = quantized(rng, OUTPUTS, INPUTS)
    factor = rng.uniform(0.5, 2, INPUTS).astype(np.float16) if smooth else None
    _, model, _ = lowered(RowQuantized(integers, scale, factor), x)
    data = x.astype(np.float32) * (1 if factor is None else factor.astype(np.float32))
    rows = np.maximum(np.abs(data).max(axis=1, keepdims=True), 1e-30) / 127
    assert_computes(model, x, (np.round(data / rows) * rows) @ (integers * scale[:, None]).T)
    assert [operator.stored.scheme for operator in linear_operators(model.graph())] == ["int8 per channel"]


def test_what_is_not_known_is_left_alone_with_the_reason(x, rng):
    class Batched(nn.Cell):
        def __init__(self):
            super().__init__()
            self.weight = parameter("weight", rng.integers(-9, 9, (2, INPUTS, OUTPUTS)).astype(np.int8))
            self.scale = parameter("scale", np.ones(OUTPUTS, np.float16))
            self.product = WeightQuantBatchMatmul(False, False, 0)

        def construct(self, x):
            return self.product(x, self.weight, self.scale, None, None, None, None)

    step, _, result = lowered(Batched(), np.stack([x, x]))
    assert [change.reason for change in result.skipped] == [
        "its weight is no stored matrix of integers, or its input no matrix"
    ]
    assert step.layers == []
