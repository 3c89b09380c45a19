from __future__ import annotations

import numpy as np
import pytest

from gsjupyter.quantization import Scheme, quantize_weight
from gsjupyter.quantization.statistics import grid_of, grid_positions
from gsjupyter.report.weight_histogram import BINS, weight_histogram


@pytest.fixture
def weight(rng):
    """Give a weight with channels of different ranges."""
    return (rng.standard_normal((12, 70)) * np.linspace(0.1, 2, 12)[:, None]).astype(np.float32)


def test_in_floating_point_bins_lie_between_the_ends(weight):
    found = weight_histogram(weight)
    counts, edges = np.histogram(weight.astype(np.float64), BINS)
    assert list(found.counts) == counts.tolist()
    assert (found.low, found.high) == (edges[0], edges[-1])
    assert (found.scale, found.grid_low) == (None, None)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("granularity", ["tensor", "channel", "group:32"])
@pytest.mark.parametrize("symmetric", [True, False])
def test_on_a_grid_bins_hold_whole_steps(weight, bits, granularity, symmetric):
    quantized = quantize_weight(weight, 0, Scheme(bits, symmetric, symmetric, granularity))
    found = weight_histogram(weight, quantized, 0)
    assert len(found.counts) <= BINS
    assert sum(found.counts) == weight.size
    assert (found.grid_low, found.grid_high) == grid_of(quantized)
    step = (found.high - found.low) / len(found.counts) / found.scale
    assert step == pytest.approx(round(step), abs=1e-9) or 1 / step == pytest.approx(round(1 / step), abs=1e-9)
    values = weight
    if granularity != "tensor":
        assert (found.unit, found.scale, found.zero_point) == ("scale", 1.0, 0)
        values = grid_positions(weight, quantized)
    counts, _ = np.histogram(values.astype(np.float64), len(found.counts), (found.low, found.high))
    # Where the edge of a bin is hit within float32's digits, a value may go to either side.
    assert np.abs(counts - found.counts).sum() <= 4


def test_edges_lie_between_the_integers_that_come_out(weight):
    quantized = quantize_weight(weight, 0, Scheme(4, granularity="tensor"))
    found = weight_histogram(quantized.dequantize(), quantized, 0)
    per_level = len(found.counts) // 15
    by_level = np.reshape(found.counts, (15, per_level)).sum(axis=1)
    assert by_level.tolist() == np.bincount(quantized.values.ravel() + 7, minlength=15).tolist()
    assert found.low == pytest.approx(-7.5 * found.scale)


@pytest.mark.parametrize("magnitude", [1e-42, 1e-37, 1e36])
def test_weights_may_have_any_magnitude(weight, magnitude):
    weight[:3] *= np.float32(magnitude)
    quantized = quantize_weight(weight, 0, Scheme(4))
    assert sum(weight_histogram(weight, quantized, 0).counts) == weight.size


def test_what_lies_beyond_the_grid_is_counted_too(weight):
    weight[0, 0] = 1e6
    quantized = quantize_weight(np.clip(weight, -1, 1), 0, Scheme(4, granularity="tensor"))
    found = weight_histogram(weight, quantized, 0)
    assert found.high >= 1e6
    assert sum(found.counts) == weight.size
    assert found.counts[-1] == 1


@pytest.mark.parametrize("values", [[[0.0, 0.0]], [[1.0, np.nan]], [[1.0, np.inf]], [[3e38, -3e38]], [[]]])
def test_what_can_not_be_drawn_has_no_histogram(values):
    found = weight_histogram(np.array(values, np.float32))
    assert found is None or sum(found.counts) == 2
