import os
import signal

import mindspore
import numpy as np
import pytest

from gsjupyter.interrupts import interruptible
from gsjupyter.mindir import Parameter, Runner, model_from_cell
from gsjupyter.mindir.variants import VariantRunner
from tests.networks import DictOutput, LeNet, filled, random_input


@pytest.fixture(params=["graph", "pynative"])
def mode(request):
    """Set MindSpore's mode, and put it back."""
    before = mindspore.get_context("mode")
    mindspore.set_context(mode=mindspore.GRAPH_MODE if request.param == "graph" else mindspore.PYNATIVE_MODE)
    yield request.param
    mindspore.set_context(mode=before)


@pytest.fixture
def model(rng):
    network = filled(LeNet(), rng).set_train(False)
    return model_from_cell(network, [random_input(network, rng)])


@pytest.fixture
def x(rng):
    return rng.standard_normal(LeNet.input_shape).astype(np.float32)


@pytest.fixture
def runner(model):
    return VariantRunner(model)


def weights(model):
    return {item.name: item.array for item in model.graph().parameters() if item.name.endswith("weight")}


def with_weight(model, name, array):
    """Return the model that holds another weight: what a variant is to compute."""
    graph = model.graph()
    old = next(item for item in graph.parameters() if item.name == name)
    graph.replace(old, Parameter.of(name, array))
    return model.with_graph(graph)


def test_a_variant_computes_what_a_model_with_that_weight_does(mode, model, runner, x):
    for name, weight in weights(model).items():
        halved = (0.5 * weight).astype(np.float32)
        expected = Runner(with_weight(model, name, halved))(x)
        np.testing.assert_array_equal(runner.variant({name: halved}, x), expected)


def test_afterwards_the_runner_computes_what_it_did(mode, runner, model, x):
    before = runner(x)
    zeros = {name: np.zeros_like(weight) for name, weight in weights(model).items()}
    assert not np.array_equal(runner.variant(zeros, x), before)
    np.testing.assert_array_equal(runner(x), before)
    np.testing.assert_array_equal(runner.variant({}, x), before)


def test_nothing_is_compiled_anew(mode, runner, model, x):
    name, weight = next(iter(weights(model).items()))
    runner(x)
    compiled = set(runner._cell.compile_cache)
    assert len(compiled) == 1
    for factor in (0.0, 0.5, 2.0):
        runner.variant({name: (factor * weight).astype(np.float32)}, x)
    assert set(runner._cell.compile_cache) == compiled


def test_the_model_stays_as_it_is(runner, model, x):
    before = model.to_bytes()
    runner.variant({name: np.zeros_like(weight) for name, weight in weights(model).items()}, x)
    assert model.to_bytes() == before


def test_after_an_interrupt_nothing_is_left_behind(runner, model, x):
    before = runner(x)
    zeros = {name: np.zeros_like(weight) for name, weight in weights(model).items()}

    replaced = []

    class Interrupting(dict):
        """Values whose reading is interrupted, when they are checked and the first is replaced already."""

        readings = 0

        def items(self):
            self.readings += 1
            for number, item in enumerate(super().items()):
                if (self.readings, number) == (2, 1):
                    replaced.append(runner._loaded[next(iter(zeros))].asnumpy().copy())
                    os.kill(os.getpid(), signal.SIGINT)
                yield item

    with pytest.raises(KeyboardInterrupt), interruptible():
        runner.variant(Interrupting(zeros), x)
    assert [array.any() for array in replaced] == [False]
    np.testing.assert_array_equal(runner(x), before)


def test_after_an_error_nothing_is_left_behind(runner, model, x):
    before = runner(x)
    name, weight = next(iter(weights(model).items()))
    with pytest.raises(Exception, match="takes 1 input"):
        runner.variant({name: np.zeros_like(weight)}, x, x)
    np.testing.assert_array_equal(runner(x), before)


def test_outputs_keep_their_nesting(rng):
    network, x = filled(DictOutput(), rng), rng.standard_normal((3, 8)).astype(np.float32)
    runner = VariantRunner(model_from_cell(network, [x]))
    output = runner.variant({"head.weight": np.zeros((3, 6), np.float32)}, x)
    assert list(output) == ["features", "logits"]
    np.testing.assert_array_equal(output["features"], runner(x)["features"])
    np.testing.assert_allclose(output["logits"], np.broadcast_to(network.head.bias.asnumpy(), (3, 3)), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("nothing", np.zeros(3, np.float32)),
        ("conv1.weight", np.zeros((6, 1, 5), np.float32)),
        ("conv1.weight", np.zeros((6, 1, 5, 5), np.float64)),
    ],
)
def test_what_does_not_fit_is_refused(runner, x, name, array):
    with pytest.raises(ValueError, match="can't replace"):
        runner.variant({name: array}, x)
