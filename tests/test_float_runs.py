"""Runs in floating point: the numbers of MindSpore, whichever engine gives them, and whatever happens in between."""

from __future__ import annotations

import os
import signal
import tempfile
import threading

import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from gsjupyter import float_runs
from gsjupyter.errors import EngineError, InputError
from gsjupyter.float_runs import inner_runs, variant_runs
from gsjupyter.mindir import flat_output, run_with
from gsjupyter.mindir.variants import VariantRunner
from gsjupyter.passes import FoldBatchNorm
from tests.networks import MLP, DictOutput, LeNet, filled
from tests.passes.networks import normal, standard, steps


class WithoutLowering(nn.Cell):
    """Holds an operator that ONNX has nothing for."""

    def __init__(self):
        super().__init__()
        self.gamma = ops.Lgamma()

    def construct(self, x):
        return ops.relu(self.gamma(ops.exp(x)))


class FirstThree(nn.Cell):
    """Adds a table of three rows to the first three samples, so that other numbers of them are a special case."""

    def __init__(self, table):
        super().__init__()
        self.table = Tensor(table)

    def construct(self, x):
        return ops.relu(x[:3]) + self.table


@pytest.fixture
def x(rng):
    return normal(rng, *MLP.input_shape)


@pytest.fixture
def mlp(rng, x):
    return standard(filled(MLP(), rng), x)


@pytest.fixture
def no_mindspore(monkeypatch):
    """Fail a test in which MindSpore runs what ONNX Runtime should."""

    def fail(*_):
        pytest.fail("MindSpore runs the network")

    monkeypatch.setattr(float_runs, "run_with", fail)
    monkeypatch.setattr(float_runs, "VariantRunner", fail)


def activations(model):
    """Return a model's graph, and the values in it that are computed in float32."""
    graph = model.graph()
    return graph, [node for node in graph.nodes() if node.dtype == np.float32 and node.op != "Load"]


def assert_inner_values(runner, model, *batches):
    expected = run_with(model, *activations(model))
    for batch in batches:
        for actual, wanted in zip(runner.inner(batch), expected.inner(batch), strict=True):
            assert (actual.dtype, actual.shape) == (wanted.dtype, wanted.shape)
            np.testing.assert_allclose(actual, wanted, rtol=0, atol=1e-5 * max(np.abs(wanted).max(), 1))


def assert_same_output(actual, wanted):
    for one, other in zip(flat_output(actual).values(), flat_output(wanted).values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())


def kill_worker():
    os.kill(float_runs._worker().process_id, signal.SIGKILL)


def test_inner_values_are_those_of_mindspore_in_batches_of_any_size(rng, no_mindspore):
    x = normal(rng, *LeNet.input_shape)
    model = steps(FoldBatchNorm(), model=standard(filled(LeNet(), rng), x))[0]
    graph, values = activations(model)
    before = model.with_graph(graph).to_bytes()
    with inner_runs(model, graph, values) as runner:
        assert runner.model is model
        assert_inner_values(runner, model, x, normal(rng, 5, *x.shape[1:]), x[:1])
    assert model.with_graph(graph).to_bytes() == before


def test_variants_are_those_of_mindspore(rng, mlp, x, no_mindspore):
    weight = normal(rng, 16, 8)
    expected = VariantRunner(mlp)
    with variant_runs(mlp) as runner:
        assert_same_output(runner(x), expected(x))
        for parameters in ({"fc1.weight": weight}, {"fc1.weight": -weight, "fc2.bias": normal(rng, 4)}, {}):
            assert_same_output(runner.variant(parameters, x), expected.variant(parameters, x))


def test_variants_of_a_network_with_named_outputs(rng, no_mindspore):
    x = normal(rng, 2, 8)
    model = standard(filled(DictOutput(), rng), x)
    with variant_runs(model) as runner:
        assert_same_output(runner(x), VariantRunner(model)(x))


@pytest.mark.parametrize("name", ["fc7.weight", "fc1.weight"])
def test_values_that_no_parameter_can_have_are_refused(mlp, x, name):
    with variant_runs(mlp) as runner, pytest.raises(ValueError, match=name):
        runner.variant({name: np.ones((1, 8), np.float32)}, x)


def test_mindspore_runs_what_has_no_lowering(rng, x):
    model = standard(WithoutLowering(), x)
    with inner_runs(model, *activations(model)) as runner:
        assert_inner_values(runner, model, x)
    with variant_runs(model) as runner:
        assert_same_output(runner(x), VariantRunner(model)(x))


def test_mindspore_runs_everything_where_onnxruntime_is_not_installed(mlp, x, monkeypatch):
    monkeypatch.setattr(float_runs, "is_onnxruntime_installed", lambda: False)
    monkeypatch.setattr(float_runs, "_worker", lambda: pytest.fail("a process is asked for"))
    with inner_runs(mlp, *activations(mlp)) as runner:
        assert_inner_values(runner, mlp, x)
    with variant_runs(mlp) as runner:
        assert_same_output(runner(x), VariantRunner(mlp)(x))


def test_mindspore_takes_over_where_the_batch_size_is_built_in(rng, x):
    model = standard(FirstThree(normal(rng, 3, 8)), x)
    with inner_runs(model, *activations(model)) as runner:
        assert_inner_values(runner, model, x, normal(rng, 6, 8), x)
        with pytest.raises(EngineError, match="MindSpore can't run"):
            runner.inner(normal(rng, 2, 8))


def test_inputs_that_do_not_fit_are_refused_and_no_reason_to_change_the_engine(rng, mlp, x, no_mindspore):
    with inner_runs(mlp, *activations(mlp)) as runner:
        with pytest.raises(InputError):
            runner.inner(normal(rng, 3, 9))
        assert_inner_values(runner, mlp, x)


def test_mindspore_takes_over_from_a_process_that_was_killed(mlp, x, rng):
    weight = {"fc1.weight": normal(rng, 16, 8)}
    with inner_runs(mlp, *activations(mlp)) as runner, variant_runs(mlp) as variants:
        runner.inner(x)
        kill_worker()
        assert_inner_values(runner, mlp, x)
        assert_same_output(variants.variant(weight, x), VariantRunner(mlp).variant(weight, x))


def test_after_a_process_was_killed_the_next_runs_have_another(mlp, x, no_mindspore):
    with inner_runs(mlp, *activations(mlp)):
        kill_worker()
    with inner_runs(mlp, *activations(mlp)) as runner:
        assert_inner_values(runner, mlp, x)


def test_an_interrupt_ends_the_run_and_leaves_the_next_one_working(mlp, x):
    with inner_runs(mlp, *activations(mlp)) as runner:
        # It would be done before anyone could interrupt it.
        os.kill(float_runs._worker().process_id, signal.SIGSTOP)
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            runner.inner(x)
        timer.join()
        assert_inner_values(runner, mlp, x)
    with inner_runs(mlp, *activations(mlp)) as runner:
        assert_inner_values(runner, mlp, x)


def test_no_file_is_left(mlp, x, tmp_path, monkeypatch):
    float_runs._worker().close()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with inner_runs(mlp, *activations(mlp)) as runner:
        runner.inner(x)
        assert list(tmp_path.iterdir()) == []
        kill_worker()
        runner.inner(x)
    with pytest.raises(ZeroDivisionError), variant_runs(mlp):
        _ = 1 / 0
    float_runs._worker().close()
    assert list(tmp_path.iterdir()) == []


class Pooled(nn.Cell):
    """Takes a vector of each sample; exported with one sample, its place in the batch is the constant 0."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(5, 4)

    def construct(self, x):
        return self.fc(x[ops.arange(x.shape[0]), ops.argmax(x.sum(-1), -1)])


def test_numbers_that_another_batch_would_make_wrong_are_refused_by_mindspore(rng):
    several = normal(rng, 3, 6, 5)
    model = standard(filled(Pooled(), rng), several[:1])
    with variant_runs(model) as runner:
        assert_same_output(runner(several[:1]), VariantRunner(model)(several[:1]))
        with pytest.raises(EngineError, match="MindSpore can't run Pooled"):
            runner(several)
