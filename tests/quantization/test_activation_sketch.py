from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.errors import CalibrationError
from gsjupyter.quantization import (
    ACTIVATION_UINT8,
    ActivationSketch,
    Scheme,
    quantize,
    scale_and_zero_point,
    sqnr_db,
)
from gsjupyter.quantization.activation_sketch import COUNTERS
from tests.quantization.values import activations

CASES = activations(np.random.default_rng(5))
NUMBERS = st.floats(-1e9, 1e9, width=32) | st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-30, -1e-38, -1e-45, 3e38])
BATCHES = st.lists(st.lists(NUMBERS, max_size=5), max_size=6)


def sketch_of(*batches):
    sketch = ActivationSketch()
    for batch in batches:
        sketch.update(np.array(batch, np.float32))
    return sketch


def state(sketch):
    """Return all that a sketch holds."""
    return (
        *(sketch.low, sketch.high, sketch.count, sketch.zeros, sketch.exponent, sketch.first_counter),
        sketch.counters.tobytes(),
    )


def dequantized(values, low, high, scheme=ACTIVATION_UINT8):
    scale, zero_point = scale_and_zero_point(low, high, scheme)
    return (quantize(values, scale, zero_point, scheme).astype(np.float32) - zero_point) * scale


@given(BATCHES)
def test_the_range_is_that_of_all_batches(batches):
    sketch = sketch_of(*batches)
    values = [np.float32(value) for batch in batches for value in batch]
    assert sketch.is_empty == (not values)
    assert (sketch.count, sketch.zeros) == (len(values), values.count(0))
    if values:
        assert (sketch.low, sketch.high) == (min(values), max(values))


@given(BATCHES)
def test_counters_are_those_of_the_definition(batches):
    sketch = sketch_of(*batches)
    wanted = np.zeros(COUNTERS, np.int64)
    for value in (float(np.float32(value)) for batch in batches for value in batch):
        if value != 0:
            wanted[math.floor(value / sketch.width) - sketch.first_counter] += 1
    np.testing.assert_array_equal(sketch.counters, wanted[: sketch.counters.size])


@given(BATCHES, st.randoms(use_true_random=False))
def test_the_order_of_batches_does_not_matter(batches, random):
    shuffled = random.sample(batches, len(batches))
    assert state(sketch_of(*batches)) == state(sketch_of(*shuffled))


@given(BATCHES, BATCHES)
def test_merged_sketches_are_the_sketch_of_all(left, right):
    merged = sketch_of(*left).merged(sketch_of(*right))
    whole = sketch_of(*left, *right)
    if not whole.is_empty:
        assert state(merged) == state(whole)
    assert merged.is_empty == whole.is_empty


@given(st.lists(NUMBERS, min_size=1, max_size=5), st.lists(NUMBERS, min_size=1, max_size=5))
def test_at_least_half_of_the_counters_lie_in_the_range(first, second):
    sketch = sketch_of(first, second)
    low, high = min(sketch.low, 0.0), max(sketch.high, 0.0)
    if high - low > 1e-30:
        assert COUNTERS / 2 - 9 <= (high - low) / sketch.width <= COUNTERS


def test_moments_are_nearly_those_of_the_values(rng):
    values = rng.standard_normal(50_000).astype(np.float32)
    sketch = sketch_of(*np.split(values, 10))
    bins = sketch.bins
    index = np.floor(values / bins.width).astype(int) - bins.first
    for power, found in enumerate(sketch.moments):
        wanted = np.bincount(index, weights=values.astype(np.float64) ** power, minlength=bins.count)
        np.testing.assert_allclose(found, wanted, rtol=1e-12 if power == 0 else 0.1, atol=1e-3)
    assert sketch.signal_power == pytest.approx(np.mean(values.astype(np.float64) ** 2), rel=1e-6)


def test_values_are_taken_to_be_even_within_a_counter():
    sketch = sketch_of([1.0])
    middle, width = 1.0 + sketch.width / 2, sketch.width
    assert sketch.moments.sum(axis=1) == pytest.approx([1.0, middle, middle**2 + width**2 / 12], rel=1e-15)


@pytest.mark.parametrize("share", [1.0, 0.9, 0.6, 0.3, 0.1])
@pytest.mark.parametrize("name", CASES)
def test_the_sqnr_is_the_true_one(name, share):
    values = CASES[name]
    sketch = sketch_of(values)
    low, high = share * sketch.low, share * sketch.high
    true = sqnr_db(values, dequantized(values, low, high))
    assert sketch.sqnr_db(low, high, ACTIVATION_UINT8) == pytest.approx(true, abs=0.05)


@pytest.mark.parametrize("scheme", [Scheme(8), Scheme(4), Scheme(4, symmetric=False, narrow_range=False)], ids=str)
@pytest.mark.parametrize("ends", [(1, 1), (0.5, 1), (1, 0.2), (0, 0.7)])
def test_any_scheme_and_any_ends_will_do(scheme, ends, rng):
    values = rng.standard_normal(20_000).astype(np.float32)
    sketch = sketch_of(values)
    low, high = ends[0] * sketch.low, ends[1] * sketch.high
    true = sqnr_db(values, dequantized(values, low, high, scheme))
    assert sketch.sqnr_db(low, high, scheme) == pytest.approx(true, abs=0.05)


def test_one_value_on_the_grid_has_no_error():
    sketch = sketch_of(np.full(9, 3.0))
    assert sketch.error_power(0, 3, ACTIVATION_UINT8) == 0.0
    assert sketch.sqnr_db(0, 3, ACTIVATION_UINT8) == math.inf


@pytest.mark.parametrize("values", [[], [0.0, 0.0]])
def test_nothing_has_no_error(values):
    sketch = sketch_of(values)
    assert sketch.error_power(0, 1, ACTIVATION_UINT8) == sketch.signal_power == sketch.clipped_share(0, 1) == 0.0
    assert sketch.sqnr_db(0, 1, ACTIVATION_UINT8) == math.inf


@pytest.mark.parametrize("name", CASES)
def test_quantiles_are_those_of_the_values(name):
    values = np.sort(CASES[name])
    sketch = sketch_of(values)
    for share in (0.0, 1e-4, 0.01, 0.3, 0.5, 0.9, 0.9999, 1.0):
        # Between the two values around it, give or take a counter's width.
        place = share * len(values)
        low, high = values[max(math.ceil(place) - 1, 0)], values[min(math.ceil(place), len(values) - 1)]
        assert low - sketch.width <= sketch.quantile(share) <= high + sketch.width
    assert math.isnan(sketch_of().quantile(0.5))


@pytest.mark.parametrize("name", CASES)
def test_the_clipped_share_is_that_of_the_values(name):
    values = CASES[name]
    sketch = sketch_of(values)
    assert sketch.clipped_share(sketch.low, sketch.high) == 0.0
    for low, high in ((-1, 1), (-0.1, 3), (0.5, 2), (0, 5.9), (-200, 0)):
        wanted = np.mean((values < min(low, 0)) | (values > max(high, 0)))
        near = 2 * np.mean(np.abs(values[:, None] - [low, high]) < sketch.width)
        assert sketch.clipped_share(low, high) == pytest.approx(wanted, abs=near + 1e-9)


def test_memory_does_not_grow_with_the_data(rng):
    sketch = ActivationSketch()
    for size in (10, 1_000_000):
        sketch.update(rng.standard_normal(size))
        assert sketch.counters.nbytes == COUNTERS * 8


def test_batches_larger_than_a_piece_are_counted_whole(rng):
    values = rng.standard_normal((3, 100_001)).astype(np.float32)
    assert state(sketch_of(values)) == state(sketch_of(*np.array_split(values.reshape(-1), 7)))
    assert state(sketch_of(values.T)) == state(sketch_of(values))


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, np.uint8])
def test_other_types_are_counted_as_numbers(dtype):
    sketch = ActivationSketch()
    sketch.update(np.array([0, 1, 3, 100], dtype))
    assert state(sketch) == state(sketch_of([0, 1, 3, 100]))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_values_that_are_not_finite_are_refused_and_not_counted(value):
    sketch = sketch_of([1.0, 2.0])
    before = state(sketch)
    with pytest.raises(CalibrationError, match="NaN or infinite"):
        sketch.update(np.array([5.0, value]))
    assert state(sketch) == before
