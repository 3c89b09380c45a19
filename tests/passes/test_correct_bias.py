from __future__ import annotations

import numpy as np
import pytest
from mindspore import mint, nn

from gsjupyter.input_statistics import InputMean, input_statistics
from gsjupyter.mindir import Runner
from gsjupyter.passes import FoldBatchNorm, QuantizeWeights, linear_operators
from gsjupyter.passes.correct_bias import CorrectBias, mean_shift
from gsjupyter.passes.selection import LayerSetting, LayerSettings
from tests.networks import Embedding
from tests.passes.networks import (
    AppliedTwice,
    MatrixProduct,
    expected,
    normal,
    operators,
    parameters,
    randomized,
    standard,
    steps,
)

INT3 = LayerSettings(LayerSetting("int3"))
IMAGES = (3, 4, 7, 8)


def corrected(model, x, settings=INT3):
    """Return the model with rounded weights, and with corrected biases as well, and what was done."""
    weights = {operator.name: operator.weight.array for operator in linear_operators(model.graph())}
    step = CorrectBias(weights, input_statistics(model, [(x,)], InputMean))
    rounded, _ = steps(FoldBatchNorm(), QuantizeWeights(settings), model=model)
    changed, results = steps(FoldBatchNorm(), QuantizeWeights(settings), step, model=model)
    return rounded, changed, results[-1]


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (nn.SequentialCell(nn.Conv2d(4, 6, 3, has_bias=True)), IMAGES),
        (nn.SequentialCell(nn.Conv2d(4, 6, 3)), IMAGES),
        (nn.SequentialCell(nn.Conv2d(4, 6, 3, stride=2, group=2, has_bias=True)), IMAGES),
        (nn.SequentialCell(nn.Conv2d(4, 8, 3, group=4)), IMAGES),
        (nn.SequentialCell(nn.Conv1d(4, 6, 3, has_bias=True)), (3, 4, 9)),
        (nn.SequentialCell(nn.Dense(8, 5)), (6, 8)),
        (nn.SequentialCell(nn.Dense(8, 5, has_bias=False)), (6, 8)),
        (nn.SequentialCell(nn.Dense(8, 5)), (2, 6, 8)),
        (nn.SequentialCell(mint.nn.Linear(8, 5)), (2, 6, 8)),
        (nn.SequentialCell(mint.nn.Linear(8, 5, bias=False)), (2, 6, 8)),
        (MatrixProduct(np.ones((8, 5), np.float32)), (6, 8)),
    ],
    ids=[
        *("conv", "conv-no-bias", "grouped", "depthwise", "conv1d", "dense", "dense-no-bias", "dense-3d"),
        *("mint", "mint-no-bias", "matmul"),
    ],
)
def test_the_mean_of_each_output_channel_is_that_of_the_float_network(network, shape, rng):
    x = normal(rng, *shape) + 2
    model = standard(randomized(network, rng), x)
    rounded, changed, result = corrected(model, x)
    assert len(result.done) == 1
    assert result.done[0].reason.startswith("bias corrected by up to")
    reference, before, after = (Runner(item)(x) for item in (model, rounded, changed))
    is_image = isinstance(network, nn.SequentialCell) and "Conv" in type(network[0]).__name__
    axes = tuple(index for index in range(reference.ndim) if index != (1 if is_image else reference.ndim - 1))
    shift = np.abs((before - reference).mean(axis=axes)).max()
    left = np.abs((after - reference).mean(axis=axes)).max()
    assert shift > 0.05
    assert left < 1e-4 * np.abs(reference).max()


def test_a_shift_is_the_error_times_the_mean_group_by_group(rng):
    error, mean = rng.standard_normal((6, 2, 3, 3)), rng.standard_normal((3, 18))
    wanted = [error[channel].ravel() @ mean[channel // 2] for channel in range(6)]
    np.testing.assert_allclose(mean_shift(error, 0, mean), wanted)
    error, mean = rng.standard_normal((8, 5)), rng.standard_normal((1, 8))
    np.testing.assert_allclose(mean_shift(error, 1, mean), mean[0] @ error)


def test_a_layer_that_is_applied_twice_keeps_one_bias(rng):
    x = normal(rng, 6, 8)
    model = standard(randomized(AppliedTwice(), rng), x)
    _, changed, result = corrected(model, x)
    assert len(result.done) == 2
    biases = [array for name, array in parameters(changed).items() if "bias" in name]
    assert all(np.array_equal(biases[0], bias) for bias in biases)


def test_a_bias_that_another_layer_uses_too_is_left_to_it(rng):
    x = normal(rng, 6, 8)
    network = randomized(nn.SequentialCell(nn.Dense(8, 8), nn.Dense(8, 8)), rng)
    network[1].bias = network[0].bias
    settings = LayerSettings(LayerSetting("int3"), {"1": "float32"})
    model = standard(network, x)
    _, changed, result = corrected(model, x, settings)
    assert [change.layer for change in result.done] == ["0"]
    biases = {node.layer: node.inputs[1].array for node in changed.graph().nodes("BiasAdd")}
    np.testing.assert_array_equal(biases["1"], parameters(model)["0.bias"])
    assert not np.array_equal(biases["0"], biases["1"])


def test_layers_that_stay_in_float_are_left_alone(rng):
    words = rng.integers(0, 20, (2, 5)).astype(np.int32)
    network = randomized(Embedding(), rng)
    model = standard(network, words)
    _, changed, result = corrected(model, words, LayerSettings(LayerSetting("int8"), {"fc": "float32"}))
    assert [(change.layer, change.reason) for change in result.changes] == [
        ("fc", "its weight isn't stored in integers")
    ]
    assert operators(changed).count("BiasAdd") == operators(model).count("BiasAdd")


def test_an_input_that_was_not_watched_is_said(rng):
    x = normal(rng, 4, 8)
    network = randomized(nn.SequentialCell(nn.Dense(8, 5)), rng)
    passes = [FoldBatchNorm(), QuantizeWeights(INT3), CorrectBias({}, {})]
    _, results = steps(*passes, model=standard(network, x))
    assert [change.reason for change in results[-1].skipped] == ["the mean of its input isn't known"]


def test_a_weight_on_the_grid_needs_no_correction(rng):
    x = normal(rng, 4, 8)
    network = nn.SequentialCell(nn.Dense(8, 5))
    weight = rng.integers(-3, 4, (5, 8)).astype(np.float32)
    weight[:, 0] = 3
    network[0].weight.set_data(type(network[0].weight)(weight))
    model = standard(network, x)
    _, changed, result = corrected(model, x)
    assert [change.reason for change in result.skipped] == ["its output has kept its mean"]
    np.testing.assert_allclose(Runner(changed)(x), expected(network, x), rtol=1e-5, atol=1e-5)
