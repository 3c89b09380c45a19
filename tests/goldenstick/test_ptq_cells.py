from types import SimpleNamespace

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn
from mindspore_gs.ptq.quant_cells.mindone.fake_quant_linear import (
    FakeQuantA16WxLinearCell,
    FakeQuantW8A8DynamicLinearCell,
    FakeQuantW8A8LinearCell,
)

import gsjupyter as gs
from gsjupyter.goldenstick.ptq import describe
from gsjupyter.goldenstick.ptq_cells import RecognizePtqCells
from gsjupyter.mindir import Runner, model_from_cell
from gsjupyter.passes import Functionalize, InferenceMode, Pipeline, RemoveDeadCode, linear_operators
from gsjupyter.passes.simulation import has_noted_input
from tests.ptq.layouts import computed, quantized

INPUTS, OUTPUTS = 8, 6
SCALE, OFFSET = np.float32(0.02), 11


class Network(nn.Cell):
    """One of Golden Stick's layers."""

    def __init__(self, layer):
        super().__init__()
        self.fc = layer

    def construct(self, x):
        return self.fc(x)


class Case:
    """A layer of a class of Golden Stick's with random values, and what they stand for."""

    def __init__(self, rng, layer, *, bits=8, group=0, dtype=np.float32, shape=(5, INPUTS)):
        dense = nn.Dense(INPUTS, OUTPUTS, dtype=mindspore.dtype.pytype_to_dtype(dtype))
        self.network = Network(layer("fc", dense, None, SimpleNamespace(group_size=group)))
        integers, scale, offset, _ = quantized(rng, OUTPUTS, INPUTS, bits, group)
        self.bias = rng.standard_normal(OUTPUTS).astype(dtype)
        values = {
            "fc.weight": integers,
            "fc.weight_scale": scale.astype(dtype),
            "fc.weight_offset": offset,
            "fc.bias": self.bias,
            "fc.input_scale": np.full(1, SCALE, dtype),
            "fc.input_offset": np.full(1, OFFSET, np.int32),
        }
        for name, parameter in self.network.parameters_dict().items():
            parameter.set_data(Tensor(values[name]))
        self.x = rng.standard_normal(shape).astype(dtype)
        self.integers, self.scale = integers, values["fc.weight_scale"].astype(np.float32)
        repeated = [np.repeat(each, group, 0).T if group else each[:, None] for each in (self.scale, offset)]
        self.weight = (integers - repeated[1]) * repeated[0]

    def recognized(self, **options):
        model = model_from_cell(self.network, [self.x])
        step = RecognizePtqCells(**options)
        pipeline = Pipeline([Functionalize(), RemoveDeadCode(), step], after=Pipeline([InferenceMode()]))
        return step, model, pipeline.run(model)[0]

    def wanted(self, **incoming):
        return computed(self.x.astype(np.float32), self.weight, self.bias.astype(np.float32), **incoming)


def assert_near(actual, wanted, relative):
    assert actual.shape == wanted.shape
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=relative * np.abs(wanted).max())


def only_operator(model):
    operators = linear_operators(model.graph())
    assert len(operators) == 1
    return operators[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize(
    ("bits", "group", "scheme"),
    [
        (8, 0, "int8 per channel"),
        (4, 0, "int4 per channel"),
        (4, 4, "int4 per group:4"),
        (8, 2, "int8 per group:2"),
    ],
)
def test_integer_weights_are_recognized(bits, group, scheme, dtype, rng):
    case = Case(rng, FakeQuantA16WxLinearCell, bits=bits, group=group, dtype=dtype)
    step, _, model = case.recognized()
    granularity = f"group of {group}" if group else "channel"
    assert describe(step.layers) == f"PTQ, {bits} bit, per {granularity}, 1 layer"
    operator = only_operator(model)
    assert (operator.name, operator.stored.scheme, operator.stored.values.dtype) == ("fc", scheme, np.int8)
    assert_near(Runner(model)(case.x), case.wanted(), 1e-5 if dtype is np.float32 else 2e-3)


@pytest.mark.parametrize(("dtype", "relative"), [(np.float32, 1e-5), (np.float16, 2e-2)])
@pytest.mark.parametrize("simulate", [True, False])
def test_quantized_inputs_are_recognized(simulate, dtype, relative, rng):
    case = Case(rng, FakeQuantW8A8LinearCell, dtype=dtype)
    step, _, model = case.recognized(simulate=simulate)
    incoming = {"input_scale": np.float32(dtype(SCALE)), "input_offset": OFFSET} if simulate else {}
    assert_near(Runner(model)(case.x), case.wanted(**incoming), relative)
    assert describe(step.layers) == "PTQ, 8 bit, per channel, 1 layer, activations 8 bit"
    operator = only_operator(model)
    assert has_noted_input(operator.node)
    assert ("Rint" in {node.op for node in model.graph().nodes()}) == simulate


def test_inputs_that_are_quantized_by_what_they_hold_stay_as_they_are(rng):
    # Golden Stick's own layer takes the range along the tokens, so it has one scale for each input channel, and
    # computes for one sample only.
    case = Case(rng, FakeQuantW8A8DynamicLinearCell, shape=(1, 3, INPUTS))
    _, source, model = case.recognized()
    assert only_operator(model).stored.scheme == "int8 per channel"
    scale = np.abs(case.x).max(axis=1) * 2 / 255
    rounded = np.clip(np.round(case.x / scale), -128, 127) * scale
    wanted = rounded @ case.weight.T + case.bias
    assert_near(Runner(source)(case.x), wanted, 1e-5)
    assert_near(Runner(model)(case.x), wanted, 1e-5)


def test_a_conversion_says_what_it_has_recognized(rng):
    case = Case(rng, FakeQuantW8A8LinearCell)
    conversion = gs.convert(case.network, case.x)
    assert conversion.recognised == ("PTQ, 8 bit, per channel, 1 layer, activations 8 bit",)
    assert [record.weights for record in conversion.layers] == ["int8 per channel"]
    assert [record.activations for record in conversion.layers] == ["uint8 per tensor"]
    assert_near(conversion(case.x), case.wanted(input_scale=np.float32(SCALE), input_offset=OFFSET), 1e-5)


def test_a_layer_is_recognized_once(rng):
    case = Case(rng, FakeQuantA16WxLinearCell)
    _, _, model = case.recognized()
    step = RecognizePtqCells()
    graph = model.graph()
    assert step.run(graph) == []
    assert step.layers == []


def test_the_layers_of_the_user_are_left_as_they_were(rng):
    case = Case(rng, FakeQuantA16WxLinearCell)
    before = dict(vars(case.network.fc.layer))
    model_from_cell(case.network, [case.x])
    assert vars(case.network.fc.layer) == before
    assert case.network.fc.layer._params["weight"] is None
