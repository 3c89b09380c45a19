from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mindspore import nn

from gsjupyter.mindir import Runner, run_with
from gsjupyter.passes import FoldBatchNorm, QuantizeActivations, QuantizeWeights, apply, linear_operators
from gsjupyter.passes.selection import LayerSetting, LayerSettings
from gsjupyter.passes.smooth_activations import SmoothActivations
from gsjupyter.quantization import ACTIVATION_UINT8, ActivationSketch, sqnr_db
from tests.passes.networks import assert_output, normal, operators, parameters, randomized, standard, steps
from tests.passes.rescalable import MintProjections, NormBehind, Projections

INT8 = LayerSettings(LayerSetting("int8", "int8"))
OUTLIER = 3


def with_outlier(network, rng):
    """Give a network random parameters, and one channel behind its normalization, or first layer, large values."""
    network = randomized(network, rng)
    for parameter in network.get_parameters():
        if parameter.name in ("norm.gamma", "norm.weight", "0.weight"):
            array = parameter.asnumpy().copy()
            array[OUTLIER] *= 100
            parameter.set_data(type(parameter)(array))
    return network


def maxima_of(model, x):
    """Return the largest absolute value of each input channel, from the inputs themselves."""
    found = {}
    graph = model.graph()
    for operator in linear_operators(graph):
        (array,) = inner(model, graph, operator.data, x)
        axis = 1 if operator.node.op == "Conv2D" else array.ndim - 1
        others = tuple(index for index in range(array.ndim) if index != axis)
        found[operator.name] = np.abs(array).max(axis=others)
    return found


def inner(model, graph, value, x):
    return run_with(model, graph, [value]).inner(x)


def smoothed(network, x, rng, **settings):
    model = standard(with_outlier(network, rng), x)
    changed, result = apply(SmoothActivations(INT8, maxima_of(model, x), **settings), model)
    return model, changed, result


def done(result):
    return [change.layer for change in result.done]


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([Projections, MintProjections]), st.booleans(), st.sampled_from([(4, 8), (2, 5, 8)]))
def test_layers_behind_a_normalization_are_smoothed_and_the_output_stays(rng, network, bias, shape):
    x = normal(rng, *shape)
    model, changed, result = smoothed(network(bias), x, rng)
    assert not result.skipped
    assert len(result.done) == len(linear_operators(model.graph()))
    assert operators(changed) == operators(model)
    assert_output(changed, Runner(model)(x), x, relative=1e-4)
    before, after = (maxima_of(item, x)["query"] for item in (model, changed))
    assert after[OUTLIER] / np.median(after) < 0.3 * before[OUTLIER] / np.median(before)


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (nn.SequentialCell(nn.Dense(8, 6), nn.ReLU(), nn.Dense(6, 5)), (4, 8)),
        (nn.SequentialCell(nn.Conv2d(3, 4, 3, has_bias=True), nn.ReLU(), nn.Conv2d(4, 5, 3)), (2, 3, 6, 6)),
        (nn.SequentialCell(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3, group=4)), (2, 3, 6, 6)),
    ],
    ids=["dense", "convolution", "depthwise"],
)
def test_another_layer_can_take_the_division(network, shape, rng):
    x = normal(rng, *shape)
    model, changed, result = smoothed(network, x, rng)
    assert done(result) == ["2"]
    assert [change.reason for change in result.skipped] == ["what makes its input takes no factors"]
    assert_output(changed, Runner(model)(x), x, relative=1e-4)


def test_a_sum_that_reads_the_same_value_is_in_the_way(rng):
    x = normal(rng, 4, 8)
    model, changed, result = smoothed(NormBehind(), x, rng)
    assert [change.reason for change in result.skipped] == [
        "LayerNorm (norm): Add (network) combines it with something else"
    ]
    np.testing.assert_array_equal(parameters(changed)["fc.weight"], parameters(model)["fc.weight"])


def test_a_multiplication_of_its_own_goes_around_it(rng):
    x = normal(rng, 4, 8)
    model, changed, result = smoothed(NormBehind(), x, rng, insert=True)
    assert done(result) == ["fc"]
    assert sorted([*operators(model), "Mul"]) == sorted(operators(changed))
    assert_output(changed, Runner(model)(x), x, relative=1e-4)


def quantized_sqnr(model, x, reference):
    sketches = []
    graph = model.graph()
    for value in dict.fromkeys(operator.data for operator in linear_operators(graph)):
        sketches.append(ActivationSketch())
        sketches[-1].update(inner(model, graph, value, x)[0])
    passes = [FoldBatchNorm(), QuantizeActivations(ACTIVATION_UINT8, sketches, INT8), QuantizeWeights(INT8)]
    return sqnr_db(reference, Runner(steps(*passes, model=model)[0])(x))


@pytest.mark.parametrize(
    ("network", "insert"), [(Projections(), False), (NormBehind(), True)], ids=["folded", "inserted"]
)
def test_an_outlier_costs_less(network, insert, rng):
    x = normal(rng, 64, 8)
    model, changed, _ = smoothed(network, x, rng, insert=insert)
    reference = Runner(model)(x)
    assert quantized_sqnr(changed, x, reference) > quantized_sqnr(model, x, reference) + 3


def test_channels_of_like_size_are_left_alone(rng):
    x = normal(rng, 4, 8)
    network = randomized(Projections(), rng)
    for parameter in network.get_parameters():
        parameter.set_data(type(parameter)(np.sign(parameter.asnumpy())))
    model = standard(network, x)
    even = {operator.name: np.ones(8, np.float32) for operator in linear_operators(model.graph())}
    _, result = apply(SmoothActivations(INT8, even), model)
    assert [change.reason for change in result.skipped] == ["smoothing would gain nothing"] * 3


def reasons_for(settings_, rng, network=None):
    x = normal(rng, 4, 8)
    network = network or nn.SequentialCell(nn.Dense(8, 6), nn.ReLU(), nn.Dense(6, 5))
    model = standard(with_outlier(network, rng), x)
    _, result = apply(SmoothActivations(settings_, maxima_of(model, x)), model)
    assert not result.done
    return {change.layer: change.reason for change in result.skipped}


def test_layers_whose_input_stays_in_float_are_not_spoken_of(rng):
    assert reasons_for(LayerSettings(LayerSetting("int8")), rng) == {}


def test_a_value_that_a_layer_in_float_reads_too_is_left_alone(rng):
    told = reasons_for(LayerSettings(LayerSetting("int8", "int8"), {"key": "float32"}), rng, Projections())
    assert told == dict.fromkeys(["query", "value"], "its input is also that of key, which isn't quantized")


def test_a_layer_with_one_scale_does_not_take_the_division(rng):
    told = reasons_for(LayerSettings(LayerSetting("int8", "int8", "tensor")), rng)
    assert told["2"] == "the weight of 0 has one scale for all channels"


def test_an_input_that_was_never_seen_is_left_alone(rng):
    x = normal(rng, 4, 8)
    model = standard(with_outlier(Projections(), rng), x)
    _, result = apply(SmoothActivations(INT8, {}), model)
    assert [change.reason for change in result.skipped] == ["calibration didn't see the input of query"] * 3
