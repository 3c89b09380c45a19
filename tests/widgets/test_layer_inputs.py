"""What calibration sees of layers' inputs, however a network reads them."""

from __future__ import annotations

import numpy as np
import pytest

from gsjupyter.errors import CalibrationError
from gsjupyter.passes import LayerSetting, LayerSettings
from gsjupyter.widgets.opened import open_network
from tests.networks import MLP, Embedding, Shared, filled, random_input


@pytest.fixture
def mlp(rng):
    return filled(MLP(), rng)


@pytest.fixture
def x(rng):
    return random_input(MLP, rng)


def test_the_network_runs_once_whatever_the_settings(mlp, x):
    batches = Counting([x, x])
    inputs = open_network(mlp, x, calibration=batches).inputs
    every = inputs.sketches(LayerSettings(LayerSetting(activations="int8")))
    assert [sketch.count for sketch in every] == [2 * 3 * 8, 2 * 3 * 16]
    kept = LayerSettings(LayerSetting(activations="int8"), {"fc1": "float32"})
    assert inputs.sketches(kept) == every[1:]
    assert inputs.note == ""
    assert batches.times_read == 1


class Counting(list):
    times_read = 0

    def __iter__(self):
        self.times_read += 1
        return super().__iter__()


def test_a_range_is_chosen_once(lenet):
    inputs, group = lenet.network.inputs, lenet.network.groups[0]
    sketch = inputs.sketch(group.operators)
    assert inputs.range(sketch, "mse") is inputs.range(sketch, "mse")
    assert inputs.range(sketch, "mse").sqnr_db > inputs.range(sketch, "minmax").sqnr_db


def test_a_layer_that_is_applied_twice_shows_its_widest_input(rng):
    network = filled(Shared(), rng).set_train(False)
    x = random_input(Shared, rng)
    opened = open_network(network, x)
    group = next(group for group in opened.groups if group.name == "fc")
    assert len(group.operators) == 2
    seen = opened.inputs.sketch(group.operators)
    inner = opened.inputs.sketch(group.operators[:1]), opened.inputs.sketch(group.operators[1:])
    assert seen.high - seen.low == max(item.high - item.low for item in inner)


def test_an_embedding_has_no_input_in_floating_point(rng):
    words = rng.integers(0, 20, (2, 5)).astype(np.int32)
    opened = open_network(filled(Embedding(), rng), words)
    table, dense = opened.groups
    assert opened.inputs.sketch(table.operators) is None
    assert opened.inputs.sketch(dense.operators).count == 2 * 8


def test_calibration_data_that_do_not_fit_are_refused(mlp, x):
    opened = open_network(mlp, x, calibration=[x[:, :5]])
    with pytest.raises(CalibrationError, match="batch 0"):
        opened.inputs.sketch(opened.groups[0].operators)


def test_an_example_that_makes_nan_is_a_note(mlp, x):
    x[0, 0] = np.nan
    opened = open_network(mlp, x)
    assert opened.inputs.sketch(opened.groups[0].operators) is None
    assert "Nothing is known of the layers' inputs" in opened.notes[0]
    assert "NaN" in opened.notes[0]


def test_an_example_that_makes_nan_can_be_no_calibration(mlp, x):
    x[0, 0] = np.nan
    with pytest.raises(CalibrationError, match="NaN"):
        open_network(mlp, x).inputs.sketches(LayerSettings(LayerSetting(activations="int8")))
