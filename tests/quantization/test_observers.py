from __future__ import annotations

import itertools

import numpy as np
import pytest

from gsjupyter.errors import CalibrationError, OptionError
from gsjupyter.quantization import (
    ACTIVATION_UINT8,
    OBSERVERS,
    ActivationSketch,
    Scheme,
    WeightSketch,
    activation_range,
    quantize_weight,
    sqnr_db,
    weight_clipping,
)
from tests.quantization.values import activations, weights

ACTIVATIONS = activations(np.random.default_rng(6))
WEIGHTS = weights(np.random.default_rng(8))


def sketch_of(values):
    sketch = ActivationSketch()
    sketch.update(np.asarray(values, np.float32))
    return sketch


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("scheme", [ACTIVATION_UINT8, Scheme(8)], ids=str)
@pytest.mark.parametrize("observer", OBSERVERS)
def test_ranges_lie_within_what_was_seen(observer, scheme, name):
    sketch = sketch_of(ACTIVATIONS[name])
    low, high = activation_range(sketch, scheme, observer)
    assert sketch.low <= low <= high <= sketch.high
    assert activation_range(sketch, scheme, observer) == (low, high)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_minmax_keeps_everything(name):
    sketch = sketch_of(ACTIVATIONS[name])
    assert activation_range(sketch, ACTIVATION_UINT8, "minmax") == (ACTIVATIONS[name].min(), ACTIVATIONS[name].max())


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "few"])
def test_percentile_cuts_a_two_hundredth_of_a_percent_at_either_end(name):
    values = ACTIVATIONS[name]
    sketch = sketch_of(values)
    low, high = activation_range(sketch, ACTIVATION_UINT8, "percentile")
    wanted = np.quantile(values, [5e-5, 1 - 5e-5], method="inverted_cdf")
    neighbours = np.sort(values)[[0, 8, -8, -1]]
    assert low == pytest.approx(wanted[0], abs=neighbours[1] - neighbours[0] + sketch.width)
    assert high == pytest.approx(wanted[1], abs=neighbours[3] - neighbours[2] + sketch.width)
    assert np.mean((values < low) | (values > high)) == pytest.approx(1e-4, abs=1e-4)


def test_percentile_of_a_symmetric_scheme_cuts_magnitudes(rng):
    values = rng.standard_normal(200_000) * np.where(rng.random(200_000) < 0.5, 1, 2)
    low, high = activation_range(sketch_of(values), Scheme(8), "percentile")
    assert low == -high
    assert high == pytest.approx(np.quantile(np.abs(values), 0.9999), rel=0.01)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_mse_has_the_least_error_of_all_ranges(name):
    sketch = sketch_of(ACTIVATIONS[name])
    found = sketch.sqnr_db(*activation_range(sketch, ACTIVATION_UINT8, "mse"), ACTIVATION_UINT8)
    shares = np.linspace(0.05, 1, 20)
    pairs = itertools.product(shares, shares) if sketch.low < 0 < sketch.high else zip(shares, shares, strict=True)
    best = max(sketch.sqnr_db(sketch.low * low, sketch.high * high, ACTIVATION_UINT8) for low, high in pairs)
    assert found >= best - 0.1
    assert found >= sketch.sqnr_db(sketch.low, sketch.high, ACTIVATION_UINT8)


def test_mse_does_not_clip_a_short_end_because_it_clips_the_long_one():
    values = np.random.default_rng(0).standard_normal(400_000)
    sketch = sketch_of(values / (1 + np.exp(-1.702 * values)))
    found = sketch.sqnr_db(*activation_range(sketch, ACTIVATION_UINT8, "mse"), ACTIVATION_UINT8)
    shares = np.linspace(0.5, 1, 50)
    assert found >= max(sketch.sqnr_db(sketch.low, share * sketch.high, ACTIVATION_UINT8) for share in shares) - 0.05


def test_entropy_cuts_off_a_far_outlier(rng):
    sketch = sketch_of(np.append(np.abs(rng.standard_normal(100_000)), 30))
    low, high = activation_range(sketch, ACTIVATION_UINT8, "entropy")
    assert low == sketch.low
    assert 3 < high < 8


def test_entropy_keeps_an_even_spread(rng):
    sketch = sketch_of(rng.uniform(0, 1, 500_000))
    assert activation_range(sketch, ACTIVATION_UINT8, "entropy") == pytest.approx((0, 1), abs=1e-2)


@pytest.mark.parametrize("values", [np.zeros(5), np.full(5, 3), np.full(5, -3), [1e-30, -1e-38], [0, 0, 1]])
@pytest.mark.parametrize("observer", OBSERVERS)
def test_ranges_of_hardly_anything(observer, values):
    sketch = sketch_of(values)
    low, high = activation_range(sketch, ACTIVATION_UINT8, observer)
    assert sketch.low <= low <= high <= sketch.high


def test_a_sketch_of_nothing_has_no_range():
    with pytest.raises(CalibrationError, match="saw no values"):
        activation_range(ActivationSketch(), ACTIVATION_UINT8, "mse")


def test_an_observer_that_is_not_there_is_refused(rng):
    with pytest.raises(OptionError, match="one of minmax, percentile, mse, entropy, not 'mean'"):
        activation_range(sketch_of([1.0]), ACTIVATION_UINT8, "mean")
    with pytest.raises(OptionError, match="not 'mean'"):
        weight_clipping(WeightSketch.of(rng.standard_normal((2, 3)), 0, "channel"), Scheme(), "mean")


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("bits", [3, 4, 8])
@pytest.mark.parametrize("name", WEIGHTS)
def test_mse_clips_a_weight_to_the_least_true_error(name, bits, symmetric):
    weight, scheme = WEIGHTS[name], Scheme(bits, symmetric, symmetric)
    ratio = weight_clipping(WeightSketch.of(weight, 0, "channel", symmetric=symmetric), scheme, "mse")
    assert 0 < ratio <= 1

    def true_sqnr_db(clipping):
        return min(sqnr_db(weight, quantize_weight(weight, 0, scheme, clipping).dequantize()), 100.0)

    assert true_sqnr_db(ratio) >= max(map(true_sqnr_db, (0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0))) - 0.1


@pytest.mark.parametrize("observer", OBSERVERS)
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("granularity", ["tensor", "channel", "group:32"])
def test_clipping_ratios_are_at_most_one(observer, symmetric, granularity):
    for weight in WEIGHTS.values():
        sketch = WeightSketch.of(weight, 0, granularity, symmetric=symmetric)
        assert 0 < weight_clipping(sketch, Scheme(4, symmetric, symmetric, granularity), observer) <= 1


@pytest.mark.parametrize("observer", OBSERVERS)
def test_a_weight_of_zeros_is_not_clipped(observer):
    assert weight_clipping(WeightSketch.of(np.zeros((3, 4)), 0, "channel"), Scheme(4), observer) == 1.0


def test_percentile_of_a_weight_is_that_of_its_magnitudes(rng):
    weight = rng.standard_normal((100, 1000)).astype(np.float32)
    ratio = weight_clipping(WeightSketch.of(weight, 0, "tensor"), Scheme(8, granularity="tensor"), "percentile")
    assert ratio == pytest.approx(np.quantile(np.abs(weight), 0.9999) / np.abs(weight).max(), rel=0.01)


def test_entropy_clips_a_weight_with_outliers_and_no_other(rng):
    even = WeightSketch.of(rng.uniform(-1, 1, (100, 1000)), 0, "tensor")
    assert weight_clipping(even, Scheme(4), "entropy") > 0.95
    outlier = WeightSketch.of(np.append(rng.uniform(-1, 1, (1, 99_999)), [[4.0]], axis=1), 0, "tensor")
    assert 0.2 < weight_clipping(outlier, Scheme(4), "entropy") < 0.35
