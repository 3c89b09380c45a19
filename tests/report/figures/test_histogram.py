from __future__ import annotations

import numpy as np
import pytest

from gsjupyter.passes import ActivationStatistics
from gsjupyter.quantization import ACTIVATION_UINT8, ActivationSketch, Scheme, quantize_weight, scale_and_zero_point
from gsjupyter.report.figures import plot_histogram
from tests.report.samples import ATTACK


@pytest.fixture
def weight(rng):
    return (rng.standard_normal((16, 6, 3, 3)) * rng.uniform(0.1, 2, (16, 1, 1, 1))).astype(np.float32)


def input_with(values, low, high):
    sketch = ActivationSketch()
    sketch.update(values)
    scale, zero_point = scale_and_zero_point(low, high, ACTIVATION_UINT8)
    return ActivationStatistics("uint8 per tensor", low, high, float(scale), int(zero_point), sketch=sketch)


def counts_of(axes):
    values, edges, _ = axes.patches[0].get_data()
    return values, edges


def levels_of(axes):
    return np.array([segment[0, 0] for segment in axes.collections[0].get_segments()])


def ends_of(axes):
    return [line.get_xdata()[0] for line in axes.lines]


SCHEMES = [
    Scheme(2),
    Scheme(4),
    Scheme(8),
    Scheme(8, granularity="tensor"),
    Scheme(4, granularity="group:8"),
    Scheme(5, symmetric=False, narrow_range=False),
    Scheme(8, symmetric=False, narrow_range=False, granularity="tensor"),
]


@pytest.mark.parametrize("clipping", [1.0, 0.5])
@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_every_value_is_counted_and_the_grid_has_all_its_levels(scheme, clipping, weight, drawn):
    quantized = quantize_weight(weight, 0, scheme, clipping)
    (axes,) = plot_histogram("conv1", weight, quantized)
    counts, edges = counts_of(axes)
    assert counts.sum() == weight.size
    levels = levels_of(axes)
    assert len(levels) == scheme.highest - scheme.lowest + 1
    drawn(axes)
    if scheme.granularity == "tensor":
        assert axes.get_xlabel() == f"weight\n{scheme}"
        wanted = (np.arange(scheme.lowest, scheme.highest + 1) - float(quantized.zero_point)) * float(quantized.scale)
        np.testing.assert_allclose(levels, wanted, rtol=1e-6, atol=1e-7)
        wanted_counts, _ = np.histogram(weight, edges)
        assert np.abs(wanted_counts - counts).sum() <= 0.01 * weight.size  # at the edges float32 may differ
    else:
        assert axes.get_xlabel().startswith("weight / scale")
        np.testing.assert_array_equal(levels, np.arange(scheme.lowest, scheme.highest + 1))
    step = levels[1] - levels[0]
    assert ends_of(axes) == pytest.approx([levels[0] - step / 2, levels[-1] + step / 2])


def test_a_float_weight_has_a_histogram_and_no_grid(weight, drawn):
    (axes,) = plot_histogram("fc", weight)
    assert counts_of(axes)[0].sum() == weight.size
    assert len(axes.collections) == 0
    drawn(axes)


def test_the_input_stands_beside_the_weight_with_its_own_grid(weight, rng, drawn):
    values = np.maximum(rng.standard_normal(20_000), 0).astype(np.float32)
    quantized = quantize_weight(weight, 0, Scheme())
    left, right = plot_histogram("conv1", weight, quantized, input_with(values, 0.0, 2.0))
    counts, edges = counts_of(right)
    assert counts.sum() == values.size
    np.testing.assert_allclose(counts, np.histogram(values, edges)[0], atol=0.02 * values.size)
    assert counts[np.searchsorted(edges, 0.0, side="right") - 1] >= np.count_nonzero(values == 0)
    assert levels_of(right) == pytest.approx(np.linspace(0, 2, 256))
    assert left.figure is right.figure
    drawn(right)


def test_an_input_that_calibration_never_saw_is_left_out(weight):
    assert len(plot_histogram("conv1", weight, None, ActivationStatistics("uint8", 0.0, 1.0, 1 / 255, 0))) == 1


@pytest.mark.parametrize("values", [np.zeros(5, np.float32), np.full(5, -3.0, np.float32)], ids=["zeros", "constant"])
def test_values_of_no_width_can_be_drawn(values, drawn):
    weight = np.zeros((2, 3), np.float32)
    low, high = min(0.0, float(values.min())), 0.0
    both = plot_histogram("conv1", weight, quantize_weight(weight, 0, Scheme()), input_with(values, low, high))
    assert [counts_of(axes)[0].sum() for axes in both] == [6, 5]
    drawn(both[0])


@pytest.mark.parametrize("name", ["$x$", ATTACK, r"\frac"])
def test_the_name_is_text(name, weight, drawn):
    (axes,) = plot_histogram(name, weight)
    title = axes.figure._suptitle
    assert title.get_text() == name
    assert not title.get_parse_math()
    drawn(axes)
