"""Whole models: the names of inputs, outputs and parameters, and what is said of operators without lowering."""

from __future__ import annotations

import json

import mindspore
import numpy as np
import pytest
from mindspore import Parameter, Tensor, mint, nn, ops

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx import to_onnx
from gsjupyter.formats.onnx.lowering import lowered_graph
from gsjupyter.mindir import Constant
from gsjupyter.signature import OUTPUTS
from tests.formats.onnx.agreement import assert_agrees, exported, lowered, run_onnx
from tests.formats.onnx.twins import assert_same_as
from tests.networks import DictOutput, LeNet, NestedOutput, filled
from tests.passes.networks import normal

TABLE = Tensor(np.arange(3, dtype=np.float32))


def names(onnx_model):
    return [value.name for value in onnx_model.graph.inputs], [value.name for value in onnx_model.graph.outputs]


@pytest.mark.parametrize("options", [{}, {"free_batch": True}])
def test_outputs_of_all_nestings_and_kinds(rng, options):
    def network(x):
        y = ops.relu(x)
        return x, (y, (y, y + 1)), [x * 2, (x,)], TABLE, 3, 2.5, True, x.shape, ops.topk(x, 2), x > 0

    assert_agrees(network, normal(rng, 2, 3, 4), **options)


def test_a_tuple_of_one_item_and_no_tuple(rng):
    def one(x):
        return (ops.relu(x),)

    x = normal(rng, 2, 3)
    assert names(lowered(one, x))[1] == ["0"]
    assert names(lowered(ops.relu, x))[1] == ["output"]
    assert OUTPUTS not in lowered(ops.relu, x).metadata_props


@pytest.mark.parametrize("network", [DictOutput, NestedOutput])
def test_outputs_have_the_keys_of_the_network(rng, network):
    x = normal(rng, 2, 8)
    cell = filled(network(), rng)
    assert_agrees(cell, x)
    onnx_model = lowered(cell, x)
    assert json.loads(onnx_model.metadata_props[OUTPUTS]) == names(onnx_model)[1]


class SameNames(nn.Cell):
    """Outputs that are called as the input is, as its layer, and as a node is."""

    def construct(self, x):
        return {"x": x + 1, "network/Relu": ops.relu(x), "y": x}


def test_an_output_that_is_called_as_an_input_gets_another_name_and_keeps_its_own_in_the_notes(rng):
    x = normal(rng, 2, 3)
    onnx_model = lowered(SameNames(), x)
    inputs, outputs = names(onnx_model)
    assert inputs == ["x"]
    assert len({*inputs, *outputs}) == 4
    assert json.loads(onnx_model.metadata_props[OUTPUTS]) == ["x", "network/Relu", "y"]
    for actual, expected in zip(run_onnx(onnx_model, x).values(), (x + 1, np.maximum(x, 0), x), strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_a_network_that_gives_its_input_or_a_constant_alone(rng):
    x = normal(rng, 2, 3)
    model = exported(ops.relu, x)
    for kind, expected in (("input", x), ("constant", x * 2)):
        graph = model.graph()
        graph.output = graph.inputs[0] if kind == "input" else Constant.of(x * 2)
        (actual,) = run_onnx(lowered_graph(model, graph), x).values()
        np.testing.assert_array_equal(actual, expected)


def test_an_output_that_no_onnx_model_has_is_refused(rng):
    def network(x):
        return x, "text"

    with pytest.raises(UnsupportedError, match="output 1 is no tensor: 'text'"):
        lowered(network, normal(rng, 2, 3))


def test_an_input_that_numpy_has_no_data_type_for_is_refused():
    with pytest.raises(UnsupportedError, match="is no tensor of a data type that numpy has"):
        lowered(ops.relu, Tensor(np.ones(3, np.float32)).astype(mindspore.bfloat16))


class Constants(nn.Cell):
    """Parameters with names that constants and layers might take, beside constants."""

    def __init__(self):
        super().__init__()
        self.first = Parameter(Tensor(np.full(400, 2, np.float32)), name="constant")
        self.second = Parameter(Tensor(np.full(400, 3, np.float32)), name="network")

    def construct(self, x):
        return ops.tanh(x + 5 * self.first) * self.second + Tensor(np.arange(400, dtype=np.float32))


def test_parameters_keep_their_names(rng):
    lenet, x = filled(LeNet(), rng), normal(rng, *LeNet.input_shape)
    model = exported(lenet.set_train(False), x)
    stored = to_onnx(model).graph.initializers
    for parameter in model.graph().parameters():
        np.testing.assert_array_equal(stored[parameter.name].const_value.numpy(), parameter.array)
    found = lowered(Constants(), normal(rng, 2, 400)).graph.initializers
    assert [found[name].const_value.numpy()[0] for name in ("constant", "network")] == [2, 3]


def test_what_nobody_reads_is_not_in_the_file(rng):
    model = exported(filled(nn.LSTM(4, 5, has_bias=False), rng), normal(rng, 3, 2, 4))
    assert "LSTM" in {node.op_type for node in to_onnx(model).graph}
    assert not {parameter.name for parameter in model.graph().parameters()} & set(to_onnx(model).graph.initializers)


class Gammas(nn.Cell):
    """Layers with operators that ONNX has nothing for, one of them twice."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = (Gamma() for _ in range(3))

    def construct(self, x):
        return ops.digamma(self.fc1(x)) + self.fc2(x + 1) + self.fc3(self.fc3(x + 2))


class Gamma(nn.Cell):
    """Holds the operator itself: of a function of `ops` MindSpore tells only which layer calls it first."""

    def __init__(self):
        super().__init__()
        self.lgamma = ops.Lgamma()

    def construct(self, x):
        return self.lgamma(x)


class ManyUnknown(nn.Cell):
    def construct(self, x):
        return ops.lgamma(x), ops.digamma(x), ops.bessel_i0(x), ops.bessel_i1(x), ops.bessel_j0(x), ops.bessel_j1(x)


def test_operators_without_lowering_are_named_with_a_layer_and_how_many_more(rng):
    x = normal(rng, 2, 3)
    with pytest.raises(UnsupportedError) as raised:
        lowered(Gammas(), x)
    assert raised.value.message == (
        "ONNX export knows no counterpart of Lgamma (fc1 and 2 more), Digamma (the network itself)."
    )
    assert "Replace these layers" in raised.value.advice
    with pytest.raises(UnsupportedError, match=r"Lgamma \(the network itself\), Digamma .*\) and 2 more\.\n"):
        lowered(ManyUnknown(), x)


def test_settings_of_a_kind_that_nobody_has_seen_are_refused(rng):
    def network(x):
        return ops.transpose(x, (1, 0))

    model = exported(network, normal(rng, 2, 3))
    graph = model.graph()
    graph.nodes("Transpose")[0].set_input(1, Constant.of("last"))
    with pytest.raises(UnsupportedError, match=r"^Transpose in .* as ONNX: its settings can't be read \(invalid"):
        lowered_graph(model, graph)


def test_the_model_says_which_versions_it_is_of(rng):
    onnx_model = lowered(ops.relu, normal(rng, 2, 3))
    assert (onnx_model.ir_version, dict(onnx_model.opset_imports)) == (10, {"": 21})
    assert (onnx_model.producer_name, onnx_model.graph.name) == ("gsjupyter", "Function")


class Masked(nn.Cell):
    """Attention masks as networks have them: stored, filled in, and computed."""

    def __init__(self, number):
        super().__init__()
        self.number = number
        self.mask = Tensor(np.triu(np.full((4, 4), number, np.float32), 1))

    def construct(self, x):
        later = ops.softmax(x + self.mask, -1), ops.softmax(ops.masked_fill(x, x > 0.5, self.number), -1)
        return *later, ops.softmax(x + (x > 0.5).astype(mindspore.float32) * -1e9, -1)


@pytest.mark.parametrize("number", [-1e9, -np.inf])
def test_masks_in_half_precision(rng, number):
    # Some number in each row is let through.
    x = np.minimum(normal(rng, 2, 4, 4), [0, 3, 3, 3]).astype(np.float32)
    assert_agrees(Masked(number), x, float_type=np.float16, tolerance=2e-3)


def test_half_precision_changes_no_data_type_that_the_caller_sees(rng):
    def network(x):
        kinds = x.astype(mindspore.float16), x.astype(mindspore.float64), x > 0, ops.argmax(x)
        return *kinds, ops.arange(0, x.shape[0], 1).astype(mindspore.float32) + x[:, 0], TABLE, x

    assert_agrees(network, normal(rng, 2, 3), float_type=np.float16, tolerance=2e-3)


def test_tuples_that_hold_constants(rng):
    table = Tensor(normal(rng, 4, 3))

    def network(x):
        return ops.einsum("ab,cb->ac", x, table), ops.addn((x, table[:2], x)), ops.addn((x,)), mint.cat((table, x))

    def twin(x):
        return x @ table.T, x + table[:2] + x, x, ops.cat((table, x))

    assert_same_as(network, twin, normal(rng, 2, 3))
