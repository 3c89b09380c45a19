import numpy as np
from mindspore import nn

from gsjupyter.mindir import Runner
from gsjupyter.passes import FoldBatchNorm, FoldConstants, LayerSetting, LayerSettings, QuantizeWeights, apply
from tests.passes.networks import (
    Broadcast,
    Counting,
    Noise,
    StandardizedConv,
    TransposedWeight,
    assert_output,
    expected,
    normal,
    operators,
    parameters,
    randomized,
    reasons,
    standard,
    steps,
)


def folded(network, *inputs):
    model = standard(network, *inputs)
    return apply(FoldConstants(model), model)


def quantized(network, x):
    settings = LayerSettings(LayerSetting("int8"))
    return steps(FoldBatchNorm(), QuantizeWeights(settings), model=standard(network, x))[0]


def test_a_standardized_weight_is_computed_once(rng):
    x = normal(rng, 2, 3, 6, 6)
    network = randomized(StandardizedConv(), rng, scales=[3.0])
    model, result = folded(network, x)
    assert operators(model) == ["Conv2D"]
    assert [change.reason for change in result.done] == ["computed once, from weight"]
    assert_output(model, expected(network, x), x)
    weight = parameters(model)["weight"]
    np.testing.assert_allclose(weight.mean(axis=(1, 2, 3)), 0, atol=1e-6)


def test_a_transposed_parameter_is_stored_transposed(rng):
    x = normal(rng, 2, 300)
    network = randomized(TransposedWeight(400, 300), rng)
    model, _ = folded(network, x)
    assert operators(model) == ["MatMulExt"]
    np.testing.assert_array_equal(parameters(model)["weight"], network.weight.asnumpy().T)
    assert_output(model, expected(network, x), x)


def test_a_broadcast_that_is_larger_than_its_parameter_is_left_alone(rng):
    x = normal(rng, 5000, 8)
    network = randomized(Broadcast(), rng)
    model, result = folded(network, x)
    assert reasons(result) == ["its result of 160,000 bytes is larger than what it is computed from"]
    assert_output(model, expected(network, x), x)


def test_at_load_a_broadcast_is_folded_whatever_its_size(rng):
    x = normal(rng, 5000, 8)
    network = randomized(Broadcast(), rng)
    model = standard(network, x)
    loaded, result = apply(FoldConstants(model, growth_limit=False), model)
    assert operators(loaded) == ["Add"]
    assert len(result.done) == 1
    assert_output(loaded, expected(network, x), x)


def test_a_random_operator_is_left_random(rng):
    x = normal(rng, 2, 8)
    model, _ = folded(Noise(), x)
    assert "StandardNormal" in operators(model)
    runner = Runner(model)
    assert np.abs(runner(x) - runner(x)).max() > 0


def test_stored_integers_are_left_small_in_a_file_that_is_converted_again(rng):
    x = normal(rng, 2, 8)
    network = randomized(nn.SequentialCell(nn.Dense(8, 5)), rng)
    model = quantized(network, x)
    again, result = apply(FoldConstants(model), model)
    assert reasons(result) == ["0.weight is stored as int8 to be small"]
    assert parameters(again)["0.weight"].dtype == np.int8
    assert_output(again, Runner(model)(x), x, relative=0)


def test_stored_integers_are_turned_into_numbers_at_load(rng):
    x = normal(rng, 2, 8)
    model = quantized(randomized(nn.SequentialCell(nn.Dense(8, 5)), rng), x)
    loaded, _ = apply(FoldConstants(model, growth_limit=False), model)
    assert operators(loaded) == ["MatMul", "BiasAdd"]
    assert_output(loaded, Runner(model)(x), x, relative=1e-6)


def test_a_parameter_that_the_network_writes_is_never_a_constant(rng):
    x = normal(rng, 2, 8)
    model, result = folded(Counting(), x)
    assert not result.done
    runner = Runner(model)
    np.testing.assert_allclose(runner(x) + 1, runner(x), rtol=1e-5)


def test_a_network_with_nothing_to_compute_is_left_as_it_is(rng):
    x = normal(rng, 2, 8)
    model, result = folded(nn.SequentialCell(nn.Dense(8, 5), nn.ReLU()), x)
    assert not result.changes
    assert operators(model) == ["MatMul", "BiasAdd", "ReLU"]
