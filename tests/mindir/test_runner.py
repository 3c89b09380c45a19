from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from gsjupyter.errors import EngineError, InputError, UnsupportedError
from gsjupyter.mindir import Runner, Scope, check_inputs, model_from_cell, run_with
from tests.networks import MLP, ControlFlow, DictOutput, LeNet, TwoInputs, filled, random_input


@pytest.fixture
def lenet(rng):
    return filled(LeNet(), rng).set_train(False)


@pytest.fixture
def x(lenet, rng):
    return random_input(lenet, rng)


@pytest.fixture
def model(lenet, x):
    return model_from_cell(lenet, [x])


@pytest.fixture
def mlp_model(rng):
    return model_from_cell(filled(MLP(), rng), [np.zeros((3, 8), np.float32)])


def test_inner_values_are_those_that_mindspore_computes(lenet, model, x):
    graph = model.graph()
    convolutions = graph.nodes("Conv2D")
    pools = graph.nodes("MaxPool")
    first, second, pooled = run_with(model, graph, [*convolutions, pools[0]]).inner(x)
    expected = lenet.conv1(Tensor(x))
    np.testing.assert_allclose(first, expected.asnumpy(), rtol=1e-5, atol=1e-6)
    expected = lenet.pool(ops.relu(lenet.bn1(expected)))
    np.testing.assert_allclose(pooled, expected.asnumpy(), rtol=1e-5, atol=1e-6)
    # conv2's bias is a node of its own.
    expected = lenet.conv2(expected).asnumpy() - lenet.conv2.bias.asnumpy().reshape(1, -1, 1, 1)
    np.testing.assert_allclose(second, expected, rtol=1e-4, atol=1e-5)


def test_asking_for_inner_values_leaves_output_and_graph_as_they_are(model, x):
    graph = model.graph()
    before = model.with_graph(graph).to_bytes()
    output, *_ = run_with(model, graph, graph.nodes("Conv2D"))(x)
    np.testing.assert_array_equal(output, Runner(model)(x))
    assert model.with_graph(graph).to_bytes() == before


def test_inputs_and_parameters_are_values_like_any_other(model, x):
    graph = model.graph()
    weight = graph.parameters()[0]
    same, stored = run_with(model, graph, [graph.inputs[0], weight]).inner(x)
    np.testing.assert_array_equal(same, x)
    np.testing.assert_array_equal(stored, weight.array)


def test_no_inner_values_are_none(model, x):
    assert run_with(model, model.graph(), []).inner(x) == ()


def test_inner_values_of_a_network_with_a_dictionary(rng):
    network, x = filled(DictOutput(), rng), rng.standard_normal((3, 8)).astype(np.float32)
    model = model_from_cell(network, [x])
    graph = model.graph()
    inner = run_with(model, graph, graph.nodes("MatMul")).inner(x)
    assert [array.shape for array in inner] == [(3, 6), (3, 3)]


def test_control_flow_runs_but_cannot_be_edited(rng):
    network, x = filled(ControlFlow(), rng), rng.standard_normal((3, 8)).astype(np.float32)
    model = model_from_cell(network, [x])
    np.testing.assert_allclose(Runner(model)(x), network(Tensor(x)).asnumpy(), rtol=1e-4)
    with pytest.raises(UnsupportedError, match=r"ControlFlow has control flow .*sub-functions"):
        model.graph()


def test_arrays_and_tensors_are_taken_alike(model, x):
    runner = Runner(model)
    np.testing.assert_array_equal(runner(x), runner(Tensor(x)))


def test_another_batch_size_is_taken(mlp_model, rng):
    assert Runner(mlp_model)(rng.standard_normal((5, 8)).astype(np.float32)).shape == (5, 4)


def test_an_operator_that_the_device_lacks_is_named(mlp_model, capfd):
    graph = mlp_model.graph()
    graph.output = graph.add("NoSuchOperator", [graph.output], scope=Scope.parse(""))
    broken = mlp_model.with_graph(graph)
    with pytest.raises(UnsupportedError, match=r"CPU has no kernel for NoSuchOperator, in layer \(network\)"):
        Runner(broken)(np.zeros((3, 8), np.float32))
    assert capfd.readouterr() == ("", "")


class FixedBatch(nn.Cell):
    def construct(self, x):
        return x.reshape((3, 4, 2)).sum(axis=1)


def test_what_mindspore_cannot_run_is_told(capfd):
    runner = Runner(model_from_cell(FixedBatch(), [np.zeros((3, 8), np.float32)]))
    with pytest.raises(EngineError, match="MindSpore can't run FixedBatch"):
        runner(np.zeros((5, 8), np.float32))
    assert capfd.readouterr() == ("", "")


def test_a_run_leaves_the_mode_as_it_was(mlp_model):
    before = mindspore.get_context("mode"), mindspore.get_context("jit_syntax_level")
    Runner(mlp_model)(np.zeros((3, 8), np.float32))
    assert (mindspore.get_context("mode"), mindspore.get_context("jit_syntax_level")) == before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], r"MLP takes 1 input \(x\), 0 given"),
        ([np.zeros((3, 8), np.float32)] * 2, "2 given"),
        ([np.zeros((3, 8))], "input x of MLP is float32, float64 given"),
        ([np.zeros((3, 8), np.int32)], "int32 given"),
        ([np.zeros((3, 9), np.float32)], r"input x of MLP has shape \(3, 8\), \(3, 9\) given"),
        ([np.zeros(8, np.float32)], r"has shape \(3, 8\), \(8,\) given"),
    ],
)
def test_an_input_that_does_not_fit_is_told(mlp_model, given, message):
    with pytest.raises(InputError, match=message):
        Runner(mlp_model)(*given)


def test_a_dynamic_axis_is_called_any():
    network = TwoInputs()
    dynamic = [Tensor(shape=[None, size], dtype=mindspore.float32) for size in (8, 4)]
    model = model_from_cell(network, dynamic)
    with pytest.raises(InputError, match=r"input text of TwoInputs has shape \('any', 4\), \(3, 5\) given"):
        check_inputs(model.name, model.inputs, [np.zeros((3, 8), np.float32), np.zeros((3, 5), np.float32)])
