from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mindspore import nn

from gsjupyter.mindir import Runner
from gsjupyter.passes import apply, linear_operators
from gsjupyter.passes.equalize_layers import EqualizeLayers, equalizing_factors
from gsjupyter.passes.selection import LayerSetting, LayerSettings
from tests.passes.networks import assert_output, normal, operators, randomized, standard
from tests.passes.rescalable import Shortcut

PER_TENSOR = LayerSettings(LayerSetting("int8", granularity="tensor"))


def uneven(network, rng):
    """Give a network random parameters whose output channels differ in size, as folding BatchNorm makes them."""
    for parameter in randomized(network, rng).get_parameters():
        array = parameter.asnumpy()
        sizes = np.exp(2 * rng.standard_normal(len(array))).reshape(-1, *[1] * (array.ndim - 1))
        parameter.set_data(type(parameter)((array * sizes).astype(np.float32)))
    return network


def equalized(network, x, rng):
    model = standard(uneven(network, rng), x)
    changed, result = apply(EqualizeLayers(PER_TENSOR), model)
    assert operators(changed) == operators(model)
    assert_output(changed, Runner(model)(x), x, relative=1e-4)
    return changed, result


def weights(model):
    return {operator.name: operator.weight.array for operator in linear_operators(model.graph())}


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.booleans(), st.sampled_from(["plain", "depthwise", "dense"]))
def test_the_output_stays_and_both_sides_of_a_channel_are_equally_large(rng, bias, kind):
    networks = {
        "plain": [nn.Conv2d(3, 4, 3, has_bias=bias), nn.ReLU(), nn.Conv2d(4, 5, 3, has_bias=bias)],
        "depthwise": [nn.Conv2d(3, 4, 3, has_bias=bias), nn.ReLU(), nn.Conv2d(4, 4, 3, group=4, has_bias=bias)],
        "dense": [nn.Dense(8, 6, has_bias=bias), nn.ReLU(), nn.Dense(6, 5, has_bias=bias)],
    }
    x = normal(rng, *((4, 8) if kind == "dense" else (2, 3, 6, 6)))
    changed, result = equalized(nn.SequentialCell(*networks[kind]), x, rng)
    assert [(change.layer, change.reason) for change in result.done] == [("0", "equalized with 2")]
    first, second = weights(changed).values()
    made = np.abs(first).reshape(len(first), -1).max(axis=1)
    axis = 0 if kind == "depthwise" else 1
    read = np.abs(np.moveaxis(second, axis, 0)).reshape(len(made), -1).max(axis=1)
    np.testing.assert_allclose(made, read, rtol=1e-5)


def test_a_chain_of_layers_is_equalized_until_nothing_changes(rng):
    cells = [nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 6, 3, group=6), nn.ReLU(), nn.Conv2d(6, 4, 1), nn.ReLU()]
    network = nn.SequentialCell(*cells, nn.Flatten(), nn.Dense(144, 5))
    changed, result = equalized(network, normal(rng, 2, 3, 6, 6), rng)
    assert [change.layer for change in result.done] == ["0", "2", "4"]
    again, _ = apply(EqualizeLayers(PER_TENSOR), changed)
    for before, after in zip(weights(changed).values(), weights(again).values(), strict=True):
        np.testing.assert_allclose(after, before, rtol=0.05)


def test_a_channel_of_zeros_stays_as_it_is():
    assert equalizing_factors(np.array([0.0, 4.0, 9.0]), np.array([2.0, 0.0, 1.0])).tolist() == [1.0, 1.0, 3.0]


def reasons_for(network, x, rng, settings_=PER_TENSOR):
    _, result = apply(EqualizeLayers(settings_), standard(randomized(network, rng), x))
    return {change.layer: change.reason for change in result.skipped}


@pytest.mark.parametrize(
    ("settings_", "reason"),
    [
        (LayerSettings(LayerSetting("int8")), "its channels have scales of their own"),
        (LayerSettings(LayerSetting("int4", granularity="group:32")), "its channels have scales of their own"),
        (LayerSettings(LayerSetting("float16")), "its weight stays in float16"),
    ],
    ids=["channel", "group", "float"],
)
def test_layers_that_would_gain_nothing_are_left_alone(settings_, reason, rng):
    network = nn.SequentialCell(nn.Dense(8, 6), nn.ReLU(), nn.Dense(6, 5))
    assert reasons_for(network, normal(rng, 4, 8), rng, settings_) == {"0": reason, "2": reason}


def test_what_is_in_the_way_is_said(rng):
    x = normal(rng, 4, 8)
    told = reasons_for(Shortcut(), x, rng)
    assert told == {"fc1": "Add (network) combines it with something else", "fc2": "it is the network's output"}
    relu6 = nn.SequentialCell(nn.Dense(8, 6), nn.ReLU6(), nn.Dense(6, 5))
    # MindSpore gives an operator without parameters the network's scope at times, in place of its cell's.
    assert reasons_for(relu6, x, rng)["0"] in ("it is also read by ReLU6 (1)", "it is also read by ReLU6 (network)")
