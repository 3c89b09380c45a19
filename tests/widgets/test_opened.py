"""Networks of all kinds as a panel opens them."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

import gsjupyter as gs
from gsjupyter.errors import CalibrationError, SourceError
from gsjupyter.mindir import Runner
from gsjupyter.widgets.opened import open_network
from tests.networks import MLP, filled, random_input, state
from tests.widgets.opened_lenet import ReadTwice


@pytest.fixture
def mlp(rng):
    return filled(MLP(), rng).set_train()


@pytest.fixture
def x(rng):
    return random_input(MLP, rng)


def test_the_network_stays_as_it_is(mlp, x):
    before = state(mlp)
    opened = open_network(mlp, x)
    assert opened.inputs.note
    assert state(mlp) == before
    assert mlp.training
    assert opened.model_source is mlp


def test_groups_are_the_layers_in_their_order(mlp, x):
    opened = open_network(mlp, x)
    assert [group.names for group in opened.groups] == [("fc1",), ("fc2",)]
    first = opened.groups[0]
    assert first.size == 8 * 16
    assert first.float_bytes == first.kept_bytes == 4 * 8 * 16
    assert first.range == (mlp.fc1.weight.asnumpy().min(), mlp.fc1.weight.asnumpy().max())
    assert opened.float_bytes == 4 * (8 * 16 + 16 * 4)
    assert opened.fixed_bytes == 0
    assert opened.input_kind == "given"
    np.testing.assert_array_equal(opened.example[0], x)


def test_a_class_takes_the_values_of_its_checkpoint(mlp, x, tmp_path):
    path = str(tmp_path / "mlp.ckpt")
    mindspore.save_checkpoint(mlp, path)
    opened = open_network(MLP, x, ckpt=path)
    expected = mlp.set_train(False)(Tensor(x)).asnumpy()
    np.testing.assert_allclose(Runner(opened.float_model)(x), expected, rtol=1e-5, atol=1e-6)
    assert opened.model_source is MLP


def test_a_file_needs_no_example(mlp, x, tmp_path):
    gs.export(gs.convert(mlp, x), tmp_path / "mlp.mindir")
    opened = open_network(tmp_path / "mlp.mindir")
    assert [group.name for group in opened.groups] == ["fc1", "fc2"]
    assert opened.input_kind == "random"
    assert opened.example[0].shape == (3, 8)
    assert "random example" in opened.notes[0]


def test_weights_that_are_stored_in_integers_stay_so(mlp, x):
    conversion = gs.convert(mlp, x, weights="int8", layers={"fc2": "float16"})
    opened = open_network(conversion.model, x)
    assert [group.obstacle for group in opened.groups] == [
        "already stored as int8 per channel",
        "already stored as float16",
    ]
    assert [group.kept_bytes for group in opened.groups] == [8 * 16 + 4 * 16, 2 * 16 * 4]
    assert opened.fixed_bytes == 8 * 16 + 4 * 16 + 2 * 16 * 4
    assert opened.float_bytes == 4 * (8 * 16 + 16 * 4)
    low, high = opened.groups[0].range
    assert low == pytest.approx(mlp.fc1.weight.asnumpy().min(), abs=0.01)
    assert high == pytest.approx(mlp.fc1.weight.asnumpy().max(), abs=0.01)


def test_layers_that_share_a_weight_are_one_group_and_a_sum_is_an_obstacle(rng):
    opened = open_network(ReadTwice(), rng.standard_normal((2, 8)).astype(np.float32))
    first, shared = opened.groups
    assert "is also read by" in first.obstacle
    assert shared.names == ("second", "third")
    assert not shared.obstacle
    assert len(shared.weights) == 1
    assert shared.size == 64


def test_nan_weights_are_an_obstacle_with_the_reason(mlp, x):
    weight = mlp.fc1.weight.asnumpy().copy()
    weight[0, :3] = np.nan
    mlp.fc1.weight.set_data(Tensor(weight))
    opened = open_network(mlp, x)
    assert opened.groups[0].obstacle.startswith("layer fc1 (Dense) holds 3 NaN weights of 128")
    assert np.isfinite(opened.groups[0].range).all()
    assert not opened.groups[1].obstacle


def test_an_iterator_is_refused(mlp, x):
    with pytest.raises(CalibrationError, match=r"read once only"):
        open_network(mlp, x, calibration=iter([x]))


def test_what_is_no_network_is_refused():
    with pytest.raises(SourceError, match="is no network"):
        open_network(3, np.zeros(3))


def test_ops_are_no_layers(rng):
    class Plain(nn.Cell):
        def construct(self, x):
            return ops.relu(x)

    opened = open_network(Plain(), rng.standard_normal((2, 3)).astype(np.float32))
    assert opened.groups == ()
    assert opened.notes == ()
    assert opened.float_bytes == 0
