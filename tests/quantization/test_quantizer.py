from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from gsjupyter.errors import ParameterError
from gsjupyter.quantization import WEIGHT_INT8, Scheme, quantize, quantize_weight, scale_and_zero_point

TINY = float(np.finfo(np.float32).tiny)
# Of still larger numbers the next step of the grid may lie beyond float32.
HUGE = float(np.float32(1e38))
SCHEMES = st.builds(Scheme, st.integers(2, 8), st.booleans(), st.booleans(), st.sampled_from(["tensor", "channel"]))
GROUPED = st.builds(
    Scheme,
    st.integers(2, 8),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["group:1", "group:3", "group:5", "group:64"]),
)
CLIPPING = st.sampled_from([1.0, 0.9, 0.5])
NUMBERS = st.floats(-HUGE, HUGE, width=32) | st.sampled_from([0.0, -0.0, 1.0, HUGE, TINY])
MODERATE = st.floats(-1e6, 1e6, width=32).map(lambda number: 0.0 if abs(number) < 1e-6 else number)


@st.composite
def weights(draw, elements=NUMBERS):
    """Draw a weight, and the axis of its output channels."""
    shape = draw(npst.array_shapes(min_dims=1, max_dims=4, max_side=4))
    fill = st.just(0.0) if draw(st.booleans()) else st.nothing()
    array = draw(npst.arrays(np.float32, shape, elements=elements, fill=fill))
    return array, draw(st.integers(-len(shape), len(shape) - 1))


def naive_range(values, scheme):
    """Return scale and zero point of a list of numbers, as the formulas have it, in double precision."""
    low, high = min([0.0, *values]), max([0.0, *values])
    if scheme.symmetric:
        scale = max(-low, high) / scheme.highest
        return (scale if scale >= TINY else 1.0), 0
    scale = (high - low) / (scheme.highest - scheme.lowest)
    scale = float(np.float32(scale)) if scale >= TINY else 1.0
    return scale, min(max(round(scheme.lowest - low / scale), scheme.lowest), scheme.highest)


def channels(array, axis, scheme):
    return np.moveaxis(array, axis, 0) if scheme.granularity == "channel" else array[np.newaxis]


@given(weights(), SCHEMES, CLIPPING)
def test_scale_and_zero_point_are_those_of_the_formulas(weight, scheme, clipping):
    array, axis = weight
    quantized = quantize_weight(array, axis, scheme, clipping)
    scales, zeros = quantized.scale.reshape(-1), quantized.zero_point.reshape(-1)
    for channel, scale, zero in zip(channels(array, axis, scheme), scales, zeros, strict=True):
        expected, expected_zero = naive_range([number * clipping for number in channel.ravel().tolist()], scheme)
        assert scale == np.float32(expected)
        assert zero == expected_zero


@given(weights(), SCHEMES)
def test_integers_are_those_of_the_formula(weight, scheme):
    array, axis = weight
    quantized = quantize_weight(array, axis, scheme)
    scales, zeros = (np.broadcast_to(item, array.shape) for item in (quantized.scale, quantized.zero_point))
    for index in np.ndindex(array.shape):
        ratio = np.float32(array[index]) / np.float32(scales[index])
        nearest = round(float(ratio)) + int(zeros[index])
        assert quantized.values[index] == min(max(nearest, scheme.lowest), scheme.highest)


@given(weights(), GROUPED, CLIPPING)
@example((np.zeros((2, 5), np.float32), 1), Scheme(4, granularity="group:3"), 1.0)
def test_groups_are_neighbours_within_a_channel(weight, scheme, clipping):
    array, axis = weight
    quantized = quantize_weight(array, axis, scheme, clipping)
    numbers, rows = np.moveaxis(quantized.dequantize(), axis, 0), np.moveaxis(array, axis, 0)
    assert quantized.dequantize().shape == array.shape
    for row, number_row in zip(rows, numbers, strict=True):
        values, dequantized = row.ravel(), number_row.ravel()
        for start in range(0, values.size, scheme.group_size):
            group = values[start : start + scheme.group_size]
            scale, zero = naive_range([number * clipping for number in group.tolist()], scheme)
            ratio = group / np.float32(scale)
            integers = [min(max(round(float(item)) + zero, scheme.lowest), scheme.highest) - zero for item in ratio]
            expected = np.asarray(integers, np.float32) * np.float32(scale)
            np.testing.assert_array_equal(dequantized[start : start + scheme.group_size], expected)


@given(weights(MODERATE), SCHEMES)
@example((np.zeros((2, 3), np.float32), 0), WEIGHT_INT8)
@example((np.full((2, 3), 0.1, np.float32), 1), WEIGHT_INT8)
@example((np.full((3, 1), -2.5, np.float32), 0), Scheme(4, symmetric=False, narrow_range=False))
def test_no_number_is_off_by_more_than_half_a_step(weight, scheme):
    array, axis = weight
    quantized = quantize_weight(array, axis, scheme)
    error = np.abs(quantized.dequantize().astype(np.float64) - array)
    # The zero point is rounded as well, so that at the ends of an asymmetric range it may be a whole step.
    steps = 0.5 if scheme.symmetric else 1.0
    assert (error <= quantized.scale * (steps + 1e-3)).all()


@given(weights(), SCHEMES)
def test_zero_is_exact(weight, scheme):
    array, axis = weight
    assert not quantize_weight(array, axis, scheme).dequantize()[array == 0].any()


@given(weights(), SCHEMES)
def test_the_grid_is_kept(weight, scheme):
    array, axis = weight
    values = quantize_weight(array, axis, scheme).values
    assert values.dtype == scheme.dtype
    assert values.shape == array.shape
    assert scheme.lowest <= values.min()
    assert values.max() <= scheme.highest


@given(weights())
def test_the_largest_number_of_a_channel_takes_the_last_integer(weight):
    array, axis = weight
    for channel, integers in zip(
        channels(array, axis, WEIGHT_INT8),
        channels(quantize_weight(array, axis, WEIGHT_INT8).values, axis, WEIGHT_INT8),
        strict=True,
    ):
        if np.abs(channel).max() >= 1000 * TINY:
            assert np.abs(integers.astype(int)).max() == 127


@given(weights(MODERATE), st.integers(-20, 20))
def test_a_weight_times_a_power_of_two_has_the_same_integers(weight, exponent):
    array, axis = weight
    scaled = quantize_weight(array * np.float32(2.0**exponent), axis, WEIGHT_INT8)
    np.testing.assert_array_equal(scaled.values, quantize_weight(array, axis, WEIGHT_INT8).values)


def test_ties_round_to_even():
    scale, zero = np.float32(1), np.int32(0)
    integers = quantize([0.5, 1.5, 2.5, -0.5, -1.5], scale, zero, WEIGHT_INT8)
    assert integers.tolist() == [0, 2, 2, 0, -2]


def test_what_is_out_of_range_is_clipped():
    assert quantize([1e30, -1e30], np.float32(1), np.int32(0), WEIGHT_INT8).tolist() == [127, -127]


@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1, 1)])
def test_one_number_is_a_weight(shape):
    quantized = quantize_weight(np.full(shape, -3.0, np.float32), 0, Scheme(granularity="tensor"))
    assert quantized.values.shape == shape
    assert quantized.dequantize() == pytest.approx(-3.0)


def test_each_channel_has_a_scale_in_a_shape_that_broadcasts(rng):
    weight = rng.standard_normal((4, 3, 2, 2)).astype(np.float32)
    quantized = quantize_weight(weight, 1, WEIGHT_INT8)
    assert quantized.scale.shape == quantized.zero_point.shape == (1, 3, 1, 1)
    assert quantized.scale.dtype == np.float32
    assert quantized.zero_point.dtype == np.int32


def test_a_channel_of_zeros_has_scale_one_and_stays_zero():
    weight = np.array([[0.0, 0.0], [1.0, -2.0]], np.float32)
    quantized = quantize_weight(weight, 0, WEIGHT_INT8)
    assert quantized.scale[0, 0] == 1
    assert not quantized.dequantize()[0].any()


def test_the_bytes_are_those_of_integers_and_scales(rng):
    quantized = quantize_weight(rng.standard_normal((4, 6)).astype(np.float32), 0, WEIGHT_INT8)
    assert quantized.size_bytes == 4 * 6 + 4 * 4


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("granularity", ["tensor", "channel"])
def test_a_weight_that_is_not_finite_is_refused(value, granularity):
    weight = np.ones((3, 4), np.float32)
    weight[1, 2] = value
    with pytest.raises(ParameterError, match="not finite"):
        quantize_weight(weight, 0, Scheme(granularity=granularity))


@pytest.mark.parametrize(("low", "high"), [(1.0, 2.0), (-2.0, -1.0), (0.0, 0.0)])
def test_a_range_is_widened_to_hold_zero(low, high):
    scheme = Scheme(symmetric=False, narrow_range=False, granularity="tensor")
    scale, zero = scale_and_zero_point(low, high, scheme)
    assert (scheme.lowest - zero) * scale <= min(low, 0)
    assert (scheme.highest - zero) * scale >= max(high, 0) * (1 - 1e-6)


def test_rounding_alone_costs_a_step_over_the_root_of_twelve(rng):
    weight = rng.uniform(-1, 1, (1, 200_000)).astype(np.float32)
    quantized = quantize_weight(weight, 0, WEIGHT_INT8)
    rmse = np.sqrt(np.mean((quantized.dequantize() - weight) ** 2))
    assert rmse / quantized.scale.item() == pytest.approx(1 / math.sqrt(12), rel=0.01)
