import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.quantization import QuantizedArray, Scheme, quantize_weight
from gsjupyter.quantization.statistics import (
    channel_ranges,
    grid_of,
    grid_positions,
    half_statistics,
    weight_statistics,
)

GRANULARITIES = ["tensor", "channel", "group:4", "group:7"]


def blocks_of(weight, axis, granularity):
    """Yield the values that share a scale, as the books would cut them: in a loop."""
    if granularity == "tensor":
        yield weight.ravel()
        return
    for channel in np.moveaxis(weight, axis, 0):
        row = channel.ravel()
        size = len(row) if granularity == "channel" else int(granularity.partition(":")[2])
        yield from (row[start : start + size] for start in range(0, len(row), size))


def by_the_books(weight, axis, scheme, clipping):
    """Return every figure from its definition, value by value, in double precision."""
    integers, errors, stored, clipped, largest, scales, points = [], [], [], 0, [], [], []
    for block in blocks_of(weight.astype(np.float64), axis, scheme.granularity):
        low, high = clipping * min(block.min(), 0), clipping * max(block.max(), 0)
        reach = max(-low, high) / scheme.highest if scheme.symmetric else (high - low) / scheme.highest
        scale = float(np.float32(reach)) or 1.0
        point = 0 if scheme.symmetric else min(max(round(-low / scale), 0), scheme.highest)
        scales.append(scale)
        points.append(point)
        for value in block:
            step = round(float(np.float32(value) / np.float32(scale))) + point
            clipped += not scheme.lowest <= step <= scheme.highest
            step = min(max(step, scheme.lowest), scheme.highest)
            integers.append(step)
            stored.append((step - point) * scale)
            errors.append((value - stored[-1]) / scale)
        largest.extend([np.abs(block).max()] * len(block))
    values = np.concatenate(list(blocks_of(weight.astype(np.float64), axis, scheme.granularity)))
    stored = np.array(stored)
    return {
        "scale_min": min(scales),
        "scale_max": max(scales),
        "zero_point_min": min(points),
        "zero_point_max": max(points),
        "levels_used": len(set(integers)) / (scheme.highest - scheme.lowest + 1),
        "clipped_share": clipped / weight.size,
        "sqnr_db": 10 * math.log10(np.mean(values**2) / np.mean((values - stored) ** 2)),
        "rmse_over_scale": math.sqrt(np.mean(np.square(errors))),
        "cosine": values @ stored / np.linalg.norm(values) / np.linalg.norm(stored),
        "outlier_ratio": math.sqrt(np.mean(np.square(largest)) / np.mean(values**2)),
    }


@given(
    shape=st.sampled_from([(6, 10), (5, 3, 3, 3), (2, 30), (40, 1, 2, 2), (3, 4, 5)]),
    place=st.integers(0, 3),
    scheme=st.builds(
        lambda bits, symmetric, granularity: Scheme(bits, symmetric, narrow_range=symmetric, granularity=granularity),
        st.integers(2, 8),
        st.booleans(),
        st.sampled_from(GRANULARITIES),
    ),
    clipping=st.sampled_from([1.0, 0.8, 0.5]),
    values=st.tuples(st.integers(-25, 25), st.integers(0, 1000)),
)
def test_every_figure_is_what_its_definition_gives(shape, place, scheme, clipping, values):
    exponent, seed = values
    rng = np.random.default_rng(seed)
    axis = place % len(shape)
    weight = (rng.standard_t(4, shape) * 10.0**exponent).astype(np.float32)
    found = weight_statistics(
        weight, quantize_weight(weight, axis, scheme, clipping), axis, (scheme.lowest, scheme.highest)
    )
    wanted = by_the_books(weight, axis, scheme, clipping)
    for name, value in wanted.items():
        assert getattr(found, name) == pytest.approx(value, rel=2e-4, abs=0.0 if "scale" in name else 1e-7), name


@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_rounding_alone_makes_an_error_of_a_step_over_the_root_of_twelve(granularity, rng):
    weight = rng.uniform(-1, 1, (64, 600)).astype(np.float32)
    found = weight_statistics(weight, quantize_weight(weight, 0, Scheme(granularity=granularity)), 0)
    tolerance = 0.2 if ":" in granularity else 0.01  # the largest of few values lies on the grid, and makes no error
    assert found.rmse_over_scale == pytest.approx(1 / math.sqrt(12), rel=tolerance)
    assert found.clipped_share == 0.0


def test_the_outlier_ratio_predicts_the_ratio_of_signal_to_noise(rng):
    for weight in (rng.standard_normal((64, 500)), rng.uniform(-1, 1, (64, 500)), rng.standard_t(5, (64, 500))):
        found = weight_statistics(weight, quantize_weight(weight, 0, Scheme()), 0)
        predicted = 6.02 * 8 + 4.77 - 20 * math.log10(found.outlier_ratio)
        assert found.sqnr_db == pytest.approx(predicted, abs=0.3)


def test_a_large_weight_is_seen_whole(rng):
    weight = rng.standard_normal((700, 300)).astype(np.float32)
    quantized = quantize_weight(weight, 0, Scheme(4))
    found = weight_statistics(weight, quantized, 0)
    error = weight.astype(np.float64) - quantized.dequantize()
    assert found.sqnr_db == pytest.approx(
        10 * math.log10(np.mean(np.square(weight, dtype=np.float64)) / np.mean(error**2)), abs=1e-4
    )
    assert found.rmse_over_scale == pytest.approx(math.sqrt(np.mean((error / quantized.scale) ** 2)), rel=1e-5)


def test_a_weight_on_the_grid_has_no_error_at_all(rng):
    integers = rng.integers(-127, 128, (6, 200)).astype(np.int8)
    scale = rng.uniform(1e-3, 1e-2, (6, 1)).astype(np.float32)
    quantized = QuantizedArray(integers, scale, np.zeros((6, 1), np.int32), "int8 per channel")
    found = weight_statistics(quantized.dequantize(), quantized, 0)
    assert (found.sqnr_db, found.rmse_over_scale, found.cosine, found.clipped_share) == (math.inf, 0.0, 1.0, 0.0)


def test_levels_are_counted_of_the_grid_that_the_scheme_names():
    integers = np.array([[-7, 0, 3, 7]], np.int8)
    quantized = QuantizedArray(integers, np.ones((1, 1), np.float32), np.zeros((1, 1), np.int32), "int4 per channel")
    assert weight_statistics(quantized.dequantize(), quantized).levels_used == 4 / 15
    assert weight_statistics(quantized.dequantize(), quantized, grid=(-8, 7)).levels_used == 4 / 16
    wide = QuantizedArray(np.array([[-8, 0, 3, 7]], np.int8), quantized.scale, quantized.zero_point, "int4 per channel")
    assert weight_statistics(wide.dequantize(), wide).levels_used == 4 / 16
    foreign = QuantizedArray(integers, quantized.scale, quantized.zero_point, "levels of somebody else")
    assert weight_statistics(foreign.dequantize(), foreign).levels_used == 4 / 255


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_odd_integers_are_a_grid_without_a_zero(bits):
    last = (1 << bits) - 1
    integers = np.arange(-last, last + 1, 2, dtype=np.int8)[None]
    quantized = QuantizedArray(integers, np.float32(1 / last), np.zeros((), np.int32), f"int{bits} per tensor")
    found = weight_statistics(quantized.dequantize(), quantized)
    assert (found.levels_used, found.clipped_share) == (1.0, 0.0)


def test_what_fills_the_last_group_up_is_no_value_of_the_weight():
    weight = np.full((2, 5), 3.0, np.float32)
    quantized = quantize_weight(weight, 0, Scheme(4, granularity="group:4"))
    assert not quantized.values[:, 1, 1:].any()
    found = weight_statistics(weight, quantized, 0)
    assert found.levels_used == 1 / 15
    assert found.outlier_ratio == pytest.approx(1.0)


def test_channels_with_a_negative_factor_folded_in_are_read_with_their_zero_points(rng):
    weight = rng.uniform(-1, 3, (4, 50)).astype(np.float32)
    quantized = quantize_weight(weight, 0, Scheme(8, symmetric=False, narrow_range=False))
    factor = np.array([1.0, -2.0, 0.5, -1.0])[:, None]
    found = weight_statistics(weight * factor, quantized.rescaled(factor), 0)
    plain = weight_statistics(weight, quantized, 0)
    assert found.rmse_over_scale == pytest.approx(plain.rmse_over_scale, rel=1e-3)
    assert found.zero_point_max > plain.zero_point_max


def test_weights_of_zeros_are_stored_without_loss():
    weight = np.zeros((3, 4), np.float32)
    found = weight_statistics(weight, quantize_weight(weight, 0, Scheme()), 0)
    assert (found.sqnr_db, found.cosine, found.outlier_ratio, found.levels_used) == (math.inf, 1.0, 1.0, 1 / 255)


def test_no_values_are_no_error():
    weight = np.zeros((0, 4), np.float32)
    quantized = QuantizedArray(weight.astype(np.int8), np.ones((1, 1), np.float32), np.zeros((1, 1), np.int32), "int8")
    found = weight_statistics(weight, quantized, 0)
    assert (found.sqnr_db, found.clipped_share, found.rmse_over_scale) == (math.inf, 0.0, 0.0)


@pytest.mark.parametrize("exponent", [-30, 0, 4])
def test_half_precision_is_measured_at_any_size(exponent, rng):
    weight = (rng.standard_normal((6, 40)) * 10.0**exponent).astype(np.float32)
    half = weight.astype(np.float16)
    found = half_statistics(weight, half)
    reference, stored = weight.astype(np.float64), half.astype(np.float64)
    noise = np.mean((reference - stored) ** 2)
    assert found.sqnr_db == pytest.approx(10 * math.log10(np.mean(reference**2) / noise), abs=0.01)
    wanted = (
        math.nan
        if exponent < -20
        else float(np.sum(reference * stored) / np.linalg.norm(reference) / np.linalg.norm(stored))
    )
    assert found.cosine == pytest.approx(wanted, abs=1e-7, nan_ok=True)
    assert (found.scheme, found.bytes_after) == ("float16", 480)
    given = {"scheme", "scale_min", "scale_max", "sqnr_db", "bytes_after", "cosine"}
    assert {getattr(found, field.name) for field in fields(found) if field.name not in given} == {None}


def test_channel_ranges_are_the_quartiles_of_the_largest_values():
    weight = np.array([[1, -5, 0], [2, 1, 1], [0, 0, 0], [-3, 1, 2], [4, 0, -1]], np.float32)
    assert channel_ranges(weight, 0) == (0, 2, 3, 4, 5)
    assert channel_ranges(weight.T, 1) == channel_ranges(weight.T, -1) == (0, 2, 3, 4, 5)
    assert channel_ranges(np.zeros((0, 3), np.float32), 0) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("scheme", [Scheme(4, granularity="group:4"), Scheme(8), Scheme(5, symmetric=False)], ids=str)
def test_positions_on_the_grid_round_to_what_is_stored(scheme, rng):
    weight = rng.standard_normal((6, 10)).astype(np.float32)
    quantized = quantize_weight(weight, 0, scheme)
    positions = grid_positions(weight, quantized)
    assert positions.size == weight.size
    lowest, highest = grid_of(quantized)
    stored = quantized.values.reshape(6, -1)[:, :10]
    np.testing.assert_array_equal(np.sort(np.clip(np.rint(positions), lowest, highest)), np.sort(stored.ravel()))
