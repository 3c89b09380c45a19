import math

import numpy as np
import pytest
from mindspore import Tensor, nn

from gsjupyter.layer_table import layers_of
from gsjupyter.passes import LayerSetting, PackWeights, apply
from gsjupyter.quantization import sqnr_db
from tests.networks import MLP, LeNet, filled, random_input
from tests.passes.networks import AppliedTwice, normal, randomized, standard, with_statistics
from tests.quantized import quantized

WEIGHT_FIGURES = (
    *("scale_min", "scale_max", "zero_point_min", "zero_point_max", "levels_used", "clipped_share"),
    *("rmse_over_scale", "outlier_ratio"),
)
INPUT_FIGURES = (
    *("low", "high", "observed_low", "observed_high", "scale", "zero_point", "sqnr_db", "clipped_share"),
    "outlier_ratio",
)


def layers(network, *inputs, shares=None, **options):
    found = quantized(network, *inputs, **options)
    return layers_of(found.float_model, found.passes, found.results, shares)


def figures(record, names, prefix=""):
    return {name: getattr(record, prefix + name) for name in names}


@pytest.fixture
def mlp(rng):
    return filled(MLP(), rng)


@pytest.fixture
def x(rng):
    return normal(rng, 64, 8)


def test_a_quantized_layer_has_every_figure(mlp, x):
    record = layers(mlp, x)[0]
    weight = mlp.fc1.weight.asnumpy()
    scale = np.abs(weight).max(1, keepdims=True) / 127
    integers = np.round(weight / scale)
    error = weight - integers * scale
    assert (record.name, record.operator, record.shape, record.parameters) == ("fc1", "MatMul", (16, 8), 128)
    assert (record.bytes_before, record.bytes_after) == (512, 128 + 64)
    wanted = {
        "scale_min": scale.min(),
        "scale_max": scale.max(),
        "zero_point_min": 0,
        "zero_point_max": 0,
        "levels_used": len(np.unique(integers)) / 255,
        "clipped_share": 0.0,
        "rmse_over_scale": np.sqrt(np.mean((error / scale) ** 2)),
        "outlier_ratio": np.sqrt(np.mean(np.abs(weight).max(1) ** 2) / np.mean(weight**2)),
    }
    assert figures(record, WEIGHT_FIGURES) == pytest.approx(wanted, rel=1e-4)
    assert record.sqnr_db == pytest.approx(sqnr_db(weight, weight - error), abs=0.01)
    assert record.cosine == pytest.approx(1 - 10 ** (-record.sqnr_db / 10) / 2, abs=1e-6)
    quartiles = np.quantile(np.abs(weight).max(1), [0, 0.25, 0.5, 0.75, 1])
    assert record.channel_ranges == pytest.approx(tuple(quartiles))


def test_a_quantized_input_has_every_figure(mlp, x):
    record = layers(mlp, x)[0]
    scale = (x.max() - x.min()) / 255
    wanted = {
        "low": x.min(),
        "high": x.max(),
        "observed_low": x.min(),
        "observed_high": x.max(),
        "scale": scale,
        "zero_point": round(-x.min() / scale),
        "sqnr_db": 10 * math.log10(np.mean(x**2) / (scale**2 / 12)),
        "clipped_share": 0.0,
        "outlier_ratio": np.abs(x).max() / np.sqrt(np.mean(x**2)),
    }
    assert figures(record, INPUT_FIGURES, "activation_") == pytest.approx(wanted, rel=0.02)


def test_what_stays_in_float_has_channel_ranges_only(mlp, x):
    record = layers(mlp, x, overrides={"fc2": "float32"})[1]
    assert (record.weights, record.activations) == ("float32", "float32")
    assert set(figures(record, (*WEIGHT_FIGURES, "sqnr_db", "cosine")).values()) == {None}
    assert set(figures(record, INPUT_FIGURES, "activation_").values()) == {None}
    largest = np.abs(mlp.fc2.weight.asnumpy()).max(1)
    assert record.channel_ranges[0] == pytest.approx(largest.min())
    assert record.channel_ranges[4] == pytest.approx(largest.max())
    assert record.note == "kept in float32, as asked"


def test_half_precision_has_a_ratio_and_no_grid(mlp, x):
    record = layers(mlp, x, setting=LayerSetting("float16"))[0]
    assert 60 < record.sqnr_db < 90
    assert record.cosine == pytest.approx(1, abs=1e-6)
    assert set(figures(record, WEIGHT_FIGURES).values()) == {None}
    assert record.bytes_after == 256


def test_a_weight_that_came_quantized_has_the_figures_of_its_integers(mlp, x):
    first = quantized(mlp, x)
    before = layers_of(first.float_model, first.passes, first.results)[0]
    record = layers_of(first.model, [], [])[0]
    known = ("scale_min", "scale_max", "zero_point_min", "zero_point_max", "levels_used")
    assert figures(record, known) == figures(before, known)
    assert record.outlier_ratio == pytest.approx(before.outlier_ratio, rel=0.01)
    assert record.channel_ranges == pytest.approx(before.channel_ranges, rel=1e-5)
    lost = ("sqnr_db", "clipped_share", "rmse_over_scale", "cosine")
    assert set(figures(record, lost).values()) == {None}
    assert record.activation_scale == pytest.approx(before.activation_scale)
    assert record.activation_sqnr_db is None
    assert (record.weights, record.bytes_after) == (before.weights, before.bytes_after)


def test_asymmetric_weights_have_zero_points_and_few_bits_clip_by_their_observer(rng):
    network = randomized(nn.SequentialCell(nn.Dense(64, 16)), rng)
    setting = LayerSetting("int4", symmetric=False, observer="mse")
    record = layers(network, normal(rng, 4, 64), setting=setting)[0]
    assert 0 < record.zero_point_min <= record.zero_point_max < 15
    assert 0 < record.clipped_share < 0.2


def test_packed_integers_take_less_room(rng):
    network = randomized(nn.SequentialCell(nn.Dense(256, 64)), rng)
    found = quantized(network, normal(rng, 4, 256), setting=LayerSetting("int4"))
    packing = PackWeights(found.model)
    apply(packing, found.model)
    loose = layers_of(found.float_model, found.passes, found.results)
    packed = layers_of(found.float_model, [*found.passes, packing], found.results)
    assert [loose[0].bytes_after, packed[0].bytes_after] == [64 * 256 + 64 * 4, 64 * 256 // 2 + 64 * 4]


def test_shares_of_the_error_go_to_their_layers(mlp, x):
    found = layers(mlp, x, shares={"fc2": 0.7})
    assert [record.error_share for record in found] == [None, 0.7]


def test_batch_norm_is_part_of_the_weight_whose_ranges_are_shown(rng):
    network = with_statistics(filled(LeNet(), rng), rng)
    x = random_input(network, rng)
    norm = network.bn1
    factor = norm.gamma.asnumpy() / np.sqrt(norm.moving_variance.asnumpy() + norm.eps)
    weight = network.conv1.weight.asnumpy() * factor[:, None, None, None]
    record = layers(network, x)[0]
    assert record.channel_ranges[4] == pytest.approx(np.abs(weight).max(), rel=1e-5)


def test_a_layer_that_is_applied_twice_is_one_row(rng):
    assert len(layers(randomized(AppliedTwice(), rng), normal(rng, 4, 8))) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_can_be_shown(value, rng):
    network = randomized(nn.SequentialCell(nn.Dense(8, 5)), rng)
    weight = network[0].weight.asnumpy().copy()
    weight[0, 0] = value
    network[0].weight.set_data(Tensor(weight))
    found = layers_of(standard(network, normal(rng, 2, 8)), [], [])
    assert not np.isfinite(found[0].channel_ranges[4])
    assert "float32" in repr(found.detailed())
