import mindspore
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn, ops

from gsjupyter.mindir import Runner, model_from_cell
from gsjupyter.passes import FoldBatchNorm, Functionalize, InferenceMode, Pipeline, RemoveDeadCode, apply
from tests.passes.networks import assert_output, expected, normal, operators, reasons, with_statistics


class Shortcut(nn.Cell):
    """A residual block as half of the zoo's ResNets write it."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 3, 3)
        self.norm = nn.BatchNorm2d(3)

    def construct(self, x):
        y = self.norm(self.conv1(x))
        y += x
        return ops.relu(y)


class Arithmetic(nn.Cell):
    def construct(self, x):
        y = ops.exp(x)
        y += x
        y += 1.5
        y -= x
        y -= 2
        y *= x
        y *= 3.0
        y /= ops.exp(x)
        y /= 2.0
        return y


class ReadAfterwards(nn.Cell):
    """Two names for one value, of which one is overwritten."""

    def construct(self, x):
        y = ops.exp(x)
        z = y
        y += x
        return y, z


class ItemReadAfterwards(nn.Cell):
    """The same with an item of a tuple."""

    def construct(self, x):
        parts = ops.split(x, 4, axis=1)
        y = parts[0]
        y += parts[1]
        return y, parts[0]


class OwnState(nn.Cell):
    def __init__(self):
        super().__init__()
        self.total = Parameter(Tensor(np.zeros((2, 8), np.float32)), name="total", requires_grad=False)

    def construct(self, x):
        self.total += x
        return self.total * 2.0


class Scaled(nn.Cell):
    def construct(self, x):
        return ops.exp(x).add_(x, alpha=2)


class Mixed(nn.Cell):
    def construct(self, x):
        y = ops.exp(x)
        y += ops.cast(x, mindspore.float16)
        return y


def test_a_shortcut_is_added_without_a_side_effect(rng):
    x = normal(rng, 2, 3, 6, 6)
    network = with_statistics(Shortcut(), rng)
    exported = model_from_cell(network, [x])
    assert "InplaceAddExt" in operators(exported)
    passes = [Functionalize(), InferenceMode(), RemoveDeadCode(), FoldBatchNorm()]
    model, _ = Pipeline(passes).run(exported)
    assert operators(model) == ["Conv2D", "BiasAdd", "Add", "ReLU"]
    assert_output(model, expected(network, x), x)


def test_all_arithmetic_signs_give_the_same(rng):
    x = normal(rng, 2, 8)
    model, _ = Pipeline([Functionalize(), InferenceMode(), RemoveDeadCode()]).run(model_from_cell(Arithmetic(), [x]))
    assert operators(model) == ["Exp", "Add", "Add", "Sub", "Sub", "Mul", "Mul", "Exp", "Div", "Div"]
    assert_output(model, expected(Arithmetic(), x), x)


@pytest.mark.parametrize("network", [ReadAfterwards(), ItemReadAfterwards()])
def test_what_has_another_reader_is_left_alone(rng, network):
    x = normal(rng, 2, 8)
    exported = model_from_cell(network, [x])
    model, result = apply(Functionalize(), exported)
    assert reasons(result) == ["what it overwrites is also read by MakeTuple (network)"]
    for actual, wanted in zip(Runner(model)(x), Runner(exported)(x), strict=True):
        np.testing.assert_array_equal(actual, wanted)


def test_a_parameter_is_left_alone(rng):
    model, result = apply(Functionalize(), model_from_cell(OwnState(), [normal(rng, 2, 8)]))
    assert "Add" not in operators(model)
    assert reasons(result) == ["it overwrites a parameter"]


@pytest.mark.parametrize(
    ("network", "reason"),
    [(Mixed(), "its second input has another data type"), (Scaled(), "its second input is scaled")],
)
def test_other_arithmetic_is_left_alone(rng, network, reason):
    model, result = apply(Functionalize(), model_from_cell(network, [normal(rng, 2, 8)]))
    assert reasons(result) == [reason]
    assert "InplaceAddExt" in operators(model)
