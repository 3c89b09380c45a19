from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.errors import ParameterError
from gsjupyter.quantization import Scheme, WeightSketch, quantize_weight, sqnr_db
from gsjupyter.quantization.weight_sketch import BINS, stacked
from tests.quantization.values import weights
from tests.zoo.networks import SMALL

CASES = weights(np.random.default_rng(7))
CLIPPINGS = (0.5, 0.6, 0.7, 0.85, 0.95, 0.99, 1.0)
EXACT_DB = 100.0
"""From here on an error is that of float32 and not of the grid."""


def true_sqnr_db(weight, axis, scheme, clipping):
    return sqnr_db(weight, quantize_weight(weight, axis, scheme, clipping).dequantize())


def worst_difference(weight, axis, granularity, *, symmetric, clippings=CLIPPINGS, narrow=True):
    """Return the largest difference of predicted and true SQNR in decibel from 3 to 8 bits, and where it is."""
    sketch = WeightSketch.of(weight, axis, granularity, symmetric=symmetric)
    worst = (0.0, 0, 0.0)
    for bits in range(3, 9):
        for clipping in clippings:
            true = true_sqnr_db(weight, axis, Scheme(bits, symmetric, narrow, granularity), clipping)
            found = sketch.sqnr_db(bits, clipping, narrow_range=narrow)
            if min(true, found) < EXACT_DB:
                worst = max(worst, (abs(true - found), bits, clipping))
    return worst


@pytest.mark.parametrize("granularity", ["channel", "tensor", "group:64"])
@pytest.mark.parametrize("name", CASES)
def test_the_sqnr_of_a_symmetric_grid_is_the_true_one(name, granularity):
    assert worst_difference(CASES[name], 0, granularity, symmetric=True) < (0.05, 0, 0)


@pytest.mark.parametrize("granularity", ["channel", "tensor", "group:64"])
@pytest.mark.parametrize("name", CASES)
def test_the_sqnr_of_an_asymmetric_grid_is_the_true_one(name, granularity):
    clippings = (0.5, 0.7, 0.95, 1.0)
    found = worst_difference(CASES[name], 0, granularity, symmetric=False, clippings=clippings, narrow=False)
    assert found < (0.2, 0, 0)


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_lowest_integer_may_be_used_or_not(symmetric):
    for name in ("normal", "LeNet's first layer"):
        for narrow in (True, False):
            found = worst_difference(CASES[name], 0, "channel", symmetric=symmetric, clippings=(0.6, 1), narrow=narrow)
            assert found < (0.1, 0, 0)


@given(st.integers(2, 8), st.floats(0.5, 1), st.integers(1, 6), st.integers(1, 400), st.integers(0, 999))
def test_small_weights_of_any_shape_are_near_the_true_error(bits, clipping, channels, size, seed):
    rng = np.random.default_rng(seed)
    weight = (rng.standard_t(3, (channels, size)) * 10.0 ** rng.integers(-6, 6)).astype(np.float32)
    sketch = WeightSketch.of(weight, 0, "channel")
    quantized = quantize_weight(weight, 0, Scheme(bits), clipping)
    true = float(np.mean((weight - quantized.dequantize().astype(np.float64)) ** 2))
    # Of few values one may lie at a boundary, where the sketch is off by 3/32 of a bin times the slope.
    step = quantized.scale.max().astype(np.float64)
    assert sketch.error_power(bits, clipping) == pytest.approx(true, rel=0.01, abs=0.1 * step**2 / weight.size + 1e-20)


@pytest.mark.parametrize("name", SMALL)
def test_the_sqnr_of_a_zoo_network_is_the_true_one(name):
    import mindcv

    made = mindcv.create_model(name, pretrained=False)
    kernels = [item.asnumpy() for item in made.get_parameters() if item.name.endswith("weight") and item.ndim > 1]
    assert len(kernels) > 20
    for weight in kernels:
        assert worst_difference(weight, 0, "channel", symmetric=True, clippings=(0.6, 1)) < (0.05, 0, 0)


def test_signal_power_is_the_mean_square(rng):
    weight = rng.standard_normal((8, 3, 5, 5)).astype(np.float32)
    for granularity in ("tensor", "channel", "group:16"):
        sketch = WeightSketch.of(weight, 0, granularity)
        assert sketch.size == weight.size
        assert sketch.signal_power == pytest.approx(np.mean(weight.astype(np.float64) ** 2), rel=1e-9)


def test_the_axis_of_the_output_channels_counts(rng):
    weight = (rng.standard_normal((6, 40)) * np.arange(1, 41)).astype(np.float32)
    scheme = Scheme(4)
    for axis in (0, 1, -1):
        found = WeightSketch.of(weight, axis, "channel").sqnr_db(4)
        assert found == pytest.approx(true_sqnr_db(weight, axis, scheme, 1.0), abs=0.05)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("granularity", ["channel", "group:16"])
def test_parts_merged_are_the_whole(granularity, symmetric, rng):
    weight = rng.standard_t(4, (48, 96)).astype(np.float32)
    weight[rng.random(weight.shape) < 0.3] = 0
    whole = WeightSketch.of(weight, 0, granularity, symmetric=symmetric)
    parts = [WeightSketch.of(part, 0, granularity, symmetric=symmetric) for part in np.split(weight, [7, 30])]
    merged = parts[0].merged(parts[1]).merged(parts[2])
    assert merged.size == whole.size
    np.testing.assert_array_equal(merged.counts > 0, whole.counts > 0)
    np.testing.assert_allclose(merged.moments, whole.moments, rtol=1e-12, atol=1e-12)
    for bits in (3, 8):
        for clipping in (0.6, 1.0):
            found = merged.error_power(bits, clipping)
            assert found == pytest.approx(whole.error_power(bits, clipping), rel=1e-9)


def test_equal_channels_have_exactly_equal_counts_merged():
    # Powers of two, so that weighted counts are whole numbers.
    weight = np.array([[1, -1, 0.5, 0.25], [4, 2, 2, 1]], np.float32)
    whole = WeightSketch.of(weight, 0, "channel")
    merged = WeightSketch.of(weight[:1], 0, "channel").merged(WeightSketch.of(weight[1:], 0, "channel"))
    np.testing.assert_array_equal(merged.moments, whole.moments)


def test_sketches_for_different_grids_are_not_merged():
    symmetric, other = (WeightSketch.of(np.ones((2, 2)), 0, "channel", symmetric=kind) for kind in (True, False))
    with pytest.raises(ValueError, match="can't be merged"):
        symmetric.merged(other)


def test_the_same_weight_has_the_same_sketch(rng):
    weight = rng.standard_normal((300, 500)).astype(np.float32)
    first, second = (WeightSketch.of(weight, 0, "channel") for _ in range(2))
    assert first.moments.tobytes() == second.moments.tobytes()


def test_a_weight_that_lies_on_the_grid_has_no_error(rng):
    weight = (rng.integers(-7, 8, (16, 64)) * 0.125).astype(np.float32)
    weight[:, 0] = 7 * 0.125
    sketch = WeightSketch.of(weight, 0, "channel")
    assert sketch.error_power(4) == 0.0
    assert sketch.sqnr_db(4) == math.inf
    assert sketch.sqnr_db(3) < 30


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("weight", [np.zeros((3, 4)), np.zeros((0, 4)), np.zeros((3, 0)), np.full((2, 3), 1e-45)])
def test_weights_of_nothing_have_no_error(weight, symmetric):
    sketch = WeightSketch.of(weight, 0, "channel", symmetric=symmetric)
    assert sketch.error_power(4) <= 1e-80


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("symmetric", [True, False])
def test_a_weight_that_is_not_finite_is_refused(value, symmetric):
    weight = np.ones((3, 4), np.float32)
    weight[1, 2] = value
    with pytest.raises(ParameterError, match="not finite"):
        WeightSketch.of(weight, 0, "channel", symmetric=symmetric)


@pytest.mark.parametrize("exponent", [-30, -20, 20, 30])
def test_the_size_of_a_weight_does_not_matter(exponent, rng):
    weight = rng.standard_normal((16, 64)).astype(np.float32)
    scaled = (weight * 10.0**exponent).astype(np.float32)
    found, wanted = (WeightSketch.of(part, 0, "channel").sqnr_db(4, 0.7) for part in (scaled, weight))
    assert found == pytest.approx(wanted, abs=1e-3)


def test_moments_of_several_layers_are_stacked(rng):
    sketches = [WeightSketch.of(rng.standard_normal((4, 9)), 0, "channel") for _ in range(3)]
    assert stacked(sketches).shape == (3, 3, BINS)
    assert stacked([]).shape == (0, 3, BINS)


@pytest.mark.parametrize("symmetric", [True, False])
def test_magnitudes_are_those_relative_to_the_ends_of_blocks(symmetric, rng):
    weight = rng.standard_normal((32, 400)).astype(np.float32)
    edges, power = WeightSketch.of(weight, 0, "channel", symmetric=symmetric).magnitudes()
    high, low = weight.max(axis=1, keepdims=True), -weight.min(axis=1, keepdims=True)
    reach = np.maximum(high, low) if symmetric else np.where(weight > 0, high, low)
    reach = np.broadcast_to(reach, weight.shape).astype(np.float64)
    wanted, _ = np.histogram(np.abs(weight) / reach, edges, weights=reach**2)
    # Rounding may put single values into the next bin.
    np.testing.assert_allclose(np.cumsum(power), np.cumsum(wanted), rtol=2e-3, atol=2 * reach.max() ** 2)
    assert power.sum() == pytest.approx(wanted.sum(), rel=1e-9)
