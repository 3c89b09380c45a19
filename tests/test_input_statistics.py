from __future__ import annotations

import numpy as np
import pytest
from mindspore import mint, nn

from gsjupyter.errors import CalibrationError
from gsjupyter.input_statistics import (
    InputMaxima,
    InputMean,
    InputStatistics,
    SecondMoment,
    input_statistics,
    layer_input,
    obstacle_to_moment,
    obstacle_to_statistics,
    second_moments,
)
from gsjupyter.mindir import Runner, run_with
from gsjupyter.passes import linear_operators
from tests.networks import Embedding
from tests.passes.networks import AppliedTwice, Attention, MatrixProduct, normal, randomized, standard

CONVOLUTIONS = {
    "same": nn.Conv2d(4, 6, 3),
    "same-strided": nn.Conv2d(4, 6, 3, stride=2),
    "same-strided-even": nn.Conv2d(4, 6, (2, 4), stride=(3, 2)),
    "same-dilated": nn.Conv2d(4, 6, 3, dilation=2),
    "valid": nn.Conv2d(4, 6, 3, pad_mode="valid", stride=2),
    "padded": nn.Conv2d(4, 6, 3, pad_mode="pad", padding=(1, 2, 0, 3), stride=2, dilation=(1, 2)),
    "grouped": nn.Conv2d(4, 6, 3, group=2, pad_mode="pad", padding=1),
    "depthwise": nn.Conv2d(4, 8, 3, group=4, stride=2),
    "pointwise": nn.Conv2d(4, 6, 1),
    "one-dimensional": nn.Conv1d(4, 6, 3, stride=2),
}
PRODUCTS = {
    "dense": (nn.Dense(8, 5, has_bias=False), (4, 8)),
    "dense-3d": (nn.Dense(8, 5, has_bias=False), (2, 3, 8)),
    "mint": (mint.nn.Linear(8, 5, bias=False), (2, 3, 8)),
    "matmul": (MatrixProduct(np.ones((8, 5), np.float32)), (4, 8)),
    "matmul-transposed": (MatrixProduct(np.ones((5, 8), np.float32), transpose=True), (4, 8)),
}


def vectors(model, x):
    """Return the vectors of a network's one layer, of shape (groups, vectors, length), and its operator."""
    graph = model.graph()
    (operator,) = linear_operators(graph)
    (array,) = run_with(model, graph, [operator.data]).inner(x)
    return np.concatenate(list(layer_input(operator).vectors(array)), axis=1), operator


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_is_the_product_of_its_weight_with_the_vectors(name, rng):
    shape = (3, 4, 11) if name == "one-dimensional" else (3, 4, 10, 11)
    x = normal(rng, *shape)
    model = standard(randomized(nn.SequentialCell(CONVOLUTIONS[name]), rng), x)
    found, operator = vectors(model, x)
    rows = operator.weight.array.reshape(len(found), -1, found.shape[-1])
    wanted = Runner(model)(x)
    outputs = (found @ rows.transpose(0, 2, 1)).reshape(len(found), 3, -1, rows.shape[1])
    actual = outputs.transpose(1, 0, 3, 2).reshape(wanted.shape)
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_matrix_product_is_that_of_its_weight_with_the_vectors(name, rng):
    network, shape = PRODUCTS[name]
    x = normal(rng, *shape)
    model = standard(randomized(nn.SequentialCell(network), rng), x)
    found, operator = vectors(model, x)
    rows = np.moveaxis(operator.weight.array, operator.axis, 0)
    wanted = Runner(model)(x)
    np.testing.assert_allclose((found[0] @ rows.T).reshape(wanted.shape), wanted, rtol=0, atol=1e-4)


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("groups", [1, 2])
def test_statistics_are_those_of_all_vectors_at_once(groups, batch_size, rng):
    x = normal(rng, 8, 4, 6, 5) + 1
    model = standard(randomized(nn.SequentialCell(nn.Conv2d(4, 6, 3, group=groups)), rng), x[:batch_size])
    batches = [(x[start : start + batch_size],) for start in range(0, 8, batch_size)]
    found, _ = vectors(model, x)
    wanted = found.astype(np.float64)
    mean = input_statistics(model, batches, InputMean)["0"]
    maxima = input_statistics(model, batches, InputMaxima)["0"]
    moment = dict(second_moments(model, lambda: batches))["0"]
    np.testing.assert_allclose(mean, wanted.mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(maxima, np.abs(x).max(axis=(0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(
        moment, np.einsum("gvi,gvj->gij", wanted, wanted) / wanted.shape[1], rtol=1e-4, atol=1e-5
    )


def test_a_layer_that_is_applied_twice_has_one_statistic_of_all_its_inputs(rng):
    x = normal(rng, 4, 8)
    model = standard(randomized(AppliedTwice(), rng), x)
    graph = model.graph()
    first, second = run_with(model, graph, [operator.data for operator in linear_operators(graph)]).inner(x)
    mean = input_statistics(model, [(x,)], InputMean)
    assert list(mean) == ["fc"]
    np.testing.assert_allclose(mean["fc"][0], np.concatenate([first, second]).mean(axis=0), rtol=1e-5)


def test_layers_that_read_the_same_value_share_the_work(rng):
    model = standard(randomized(Attention(), rng), normal(rng, 4, 8))
    statistics = InputStatistics(model.graph(), SecondMoment)
    assert len(statistics.collectors) == 2
    assert [len(watching) for watching in statistics.collectors.values()] == [1, 1]


def test_moments_are_gathered_in_as_many_passes_as_memory_asks_for(rng):
    x = normal(rng, 4, 8)
    model = standard(randomized(nn.SequentialCell(*(nn.Dense(8, 8) for _ in range(5))), rng), x)
    passes = []

    def batches():
        passes.append(len(passes))
        return [(x,)]

    at_once = dict(second_moments(model, batches))
    assert len(passes) == 1
    in_parts = dict(second_moments(model, batches, memory_bytes=2 * 8 * 8 * 4))
    assert len(passes) == 1 + 3
    assert list(at_once) == list(in_parts) == ["0", "1", "2", "3", "4"]
    for name, moment in at_once.items():
        np.testing.assert_array_equal(moment, in_parts[name])


def test_only_the_layers_asked_for_are_watched(rng):
    x = normal(rng, 4, 8)
    model = standard(randomized(nn.SequentialCell(nn.Dense(8, 8), nn.Dense(8, 8)), rng), x)
    assert [name for name, _ in second_moments(model, lambda: [(x,)], layers=["1"])] == ["1"]


def reasons(network, x, rng, obstacle):
    return [obstacle(operator) for operator in linear_operators(standard(randomized(network, rng), x).graph())]


def test_what_cannot_be_watched_is_said_and_left_out(rng):
    network, x = nn.SequentialCell(nn.Conv2dTranspose(3, 4, 3)), normal(rng, 2, 3, 5, 5)
    assert reasons(network, x, rng, obstacle_to_statistics) == [
        "the input of Conv2DTranspose can't be taken as vectors"
    ]
    assert input_statistics(standard(network, x), [(x,)], InputMean) == {}
    words = rng.integers(0, 20, (2, 5)).astype(np.int32)
    told = reasons(Embedding(), words, rng, obstacle_to_moment)
    assert told == ["an embedding has no input but row numbers", ""]
    batched = MatrixProduct(np.ones((3, 8, 5), np.float32))
    told = reasons(batched, normal(rng, 3, 4, 8), rng, obstacle_to_moment)
    assert told == ["the input of BatchMatMul can't be taken as vectors"]


def test_a_layer_with_very_many_inputs_has_no_moment(rng):
    network, x = nn.SequentialCell(nn.Dense(9000, 2)), normal(rng, 2, 9000)
    assert reasons(network, x, rng, obstacle_to_moment) == ["it has 9,000 inputs, more than 8,192"]
    assert dict(second_moments(standard(network, x), lambda: [(x,)])) == {}


@pytest.mark.parametrize("statistic", [InputMean, InputMaxima])
def test_inputs_that_are_not_finite_are_refused(statistic, rng):
    x = normal(rng, 4, 8)
    model = standard(randomized(nn.SequentialCell(nn.Dense(8, 8)), rng), x)
    x[1, 2] = np.nan
    with pytest.raises(CalibrationError, match="NaN or infinite"):
        input_statistics(model, [(x,)], statistic)
    with pytest.raises(CalibrationError, match="NaN or infinite"):
        dict(second_moments(model, lambda: [(x,)]))


def test_no_batch_is_refused(rng):
    model = standard(randomized(nn.SequentialCell(nn.Dense(8, 8)), rng), normal(rng, 4, 8))
    with pytest.raises(CalibrationError, match="empty"):
        dict(second_moments(model, list))
