from __future__ import annotations

import weakref

import numpy as np
import pytest
from mindspore import nn

from gsjupyter.calibration import Observed, observe, observe_with_outputs, run_calibration
from gsjupyter.errors import CalibrationError
from gsjupyter.passes import FoldBatchNorm, LayerSetting, LayerSettings, activation_inputs, watched_outputs
from gsjupyter.quantization import ActivationSketch
from gsjupyter.quantization.value_range import ValueRange
from tests.networks import MLP, LeNet, filled
from tests.passes.networks import expected, normal, standard, steps

ALL = LayerSettings(LayerSetting(activations="int8"))


class Sum(nn.Cell):
    """Adds what two convolutions give, which integer kernels do in integers."""

    input_shape = (2, 3, 6, 6)

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 1)
        self.head = nn.Conv2d(4, 2, 1)

    def construct(self, x):
        return self.head(self.left(x) + self.right(x))


class Kept:
    """Keeps what it sees, which a real collector must not."""

    def __init__(self):
        self.arrays = []

    def update(self, array):
        self.arrays.append(array.copy())


@pytest.fixture
def mlp(rng):
    return filled(MLP(), rng)


def folded(network, x):
    return steps(FoldBatchNorm(), model=standard(network, x))[0]


def inputs_of(model):
    graph = model.graph()
    return graph, list(activation_inputs(graph, ALL))


def test_collectors_see_the_inner_values_of_each_batch(mlp, rng):
    batches = [normal(rng, 4, 8) for _ in range(3)]
    model = folded(mlp, batches[0])
    graph, (first, hidden) = inputs_of(model)
    left, right, other = Kept(), Kept(), Kept()
    count = run_calibration(
        model, graph, iter([(batch,) for batch in batches]), {first: [other], hidden: [left, right]}
    )
    assert count == 3
    for batch, seen, one, two in zip(batches, other.arrays, left.arrays, right.arrays, strict=True):
        np.testing.assert_array_equal(seen, batch)
        np.testing.assert_allclose(one, expected(mlp.fc1, batch), rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(two, one)


def test_the_graph_is_left_as_it_is(mlp, rng):
    x = normal(rng, 4, 8)
    model = folded(mlp, x)
    graph, values = inputs_of(model)
    before = model.with_graph(graph).to_bytes()
    run_calibration(model, graph, [(x,)], {value: [Kept()] for value in values})
    assert model.with_graph(graph).to_bytes() == before


def test_one_batch_is_in_memory_at_a_time(mlp, rng):
    given, inner = [], []

    def batches():
        for _ in range(5):
            batch = normal(rng, 4, 8)
            given.append(weakref.ref(batch))
            # The batch before is still the loop's.
            assert sum(item() is not None for item in given) <= 2
            yield (batch,)

    class Watch:
        def update(self, array):
            assert all(item() is None for item in inner)
            inner.append(weakref.ref(array))

    model = folded(mlp, normal(rng, 4, 8))
    graph, (_, hidden) = inputs_of(model)
    assert run_calibration(model, graph, batches(), {hidden: [Watch()]}) == 5
    assert len(inner) == 5


@pytest.mark.parametrize("batch", [np.ones((4, 9), np.float32), np.ones((4, 8), np.int32)], ids=["shape", "type"])
def test_a_batch_that_does_not_fit_is_named(batch, mlp, rng):
    x = normal(rng, 4, 8)
    model = folded(mlp, x)
    graph, values = inputs_of(model)
    with pytest.raises(CalibrationError, match="calibration batch 1 doesn't fit"):
        run_calibration(model, graph, [(x,), (batch,)], {values[0]: [Kept()]})


def test_no_batch_is_refused(mlp, rng):
    model = folded(mlp, normal(rng, 4, 8))
    graph, values = inputs_of(model)
    with pytest.raises(CalibrationError, match="the calibration data is empty"):
        run_calibration(model, graph, [], {values[0]: [Kept()]})


def test_nan_in_a_batch_is_refused(mlp, rng):
    x = normal(rng, 4, 8)
    with pytest.raises(CalibrationError, match="NaN or infinite"):
        observe(folded(mlp, x), [(x,), (np.full_like(x, np.nan),)], ALL)


def test_sketches_are_those_of_all_batches(rng):
    network = filled(LeNet(), rng)
    batches = [normal(rng, *LeNet.input_shape) for _ in range(3)]
    model = folded(network, batches[0])
    sketches = observe(model, [(batch,) for batch in batches], ALL)
    graph, values = inputs_of(model)
    collectors = {value: [Kept()] for value in values}
    run_calibration(model, graph, [(batch,) for batch in batches], collectors)
    for sketch, (kept,) in zip(sketches, collectors.values(), strict=True):
        seen = np.concatenate([array.ravel() for array in kept.arrays])
        assert (sketch.low, sketch.high, sketch.count) == (seen.min(), seen.max(), seen.size)
        assert sketch.zeros == np.count_nonzero(seen == 0)


def test_layers_that_are_kept_are_not_watched(mlp, rng):
    x = normal(rng, 4, 8)
    formats = LayerSettings(LayerSetting(activations="int8"), {"fc1": "float32"})
    assert len(observe(folded(mlp, x), [(x,)], formats)) == 1


@pytest.mark.parametrize(("observer", "kind"), [("minmax", ValueRange), ("mse", ActivationSketch)])
def test_outputs_of_integer_kernels_are_seen_with_the_inputs_of_layers(rng, observer, kind):
    batches = [(normal(rng, *Sum.input_shape),) for _ in range(2)]
    model = folded(filled(Sum(), rng), batches[0][0])
    seen = observe_with_outputs(model, batches, ALL, observer)
    graph = model.graph()
    inputs, outputs = list(activation_inputs(graph, ALL)), watched_outputs(graph, ALL)
    assert len(outputs) == 2
    assert all(isinstance(sketch, ActivationSketch) for sketch in seen.inputs)
    assert all(type(found) is kind for found in seen.outputs)
    collectors = {value: [Kept()] for value in [*inputs, *outputs]}
    run_calibration(model, graph, batches, collectors)
    for found, (kept,) in zip([*seen.inputs, *seen.outputs], collectors.values(), strict=True):
        arrays = np.concatenate([array.ravel() for array in kept.arrays])
        assert (found.low, found.high) == (arrays.min(), arrays.max())


def test_nothing_to_watch_needs_no_run(mlp, rng):
    model = folded(mlp, normal(rng, 4, 8))
    assert observe_with_outputs(model, iter(()), LayerSettings(LayerSetting()), "minmax") == Observed()
