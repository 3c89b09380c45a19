from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.quantization.bin_errors import FINEST_SPACING, Bins, error_coefficients, unbounded_coefficients

GRIDS = st.tuples(st.integers(-130, 0), st.integers(0, 255)).filter(lambda ends: ends[0] < ends[1])
BINS = st.builds(Bins, st.sampled_from([0.001, 0.25, 1.0, 3.0]), st.integers(-60, 20), st.integers(1, 60))


def squared_error(values, step, lowest=-np.inf, highest=np.inf):
    return (values - step * np.clip(np.round(values / step), lowest, highest)) ** 2


def moments_of(values, bins):
    """Count values by the definition, one bin at a time."""
    found = np.zeros((3, bins.count))
    for value in values:
        index = min(max(int(np.floor(value / bins.width)) - bins.first, 0), bins.count - 1)
        found[:, index] += (1, value, value**2)
    return found


@given(BINS, st.floats(0.01, 50), GRIDS)
def test_the_error_of_even_values_is_exact(bins, spacing, ends):
    points = 800
    step = spacing * bins.width
    values = (bins.first + (np.arange(bins.count * points) + 0.5) / points) * bins.width
    moments = np.stack([values**power for power in range(3)]).reshape(3, bins.count, points).mean(axis=2)
    wanted = squared_error(values, step, *ends).reshape(bins.count, points).mean(axis=1)
    found = (error_coefficients(bins, step, *ends) * moments).sum(axis=0)
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3 * step**2)


@given(st.floats(2, 50), GRIDS, st.integers(0, 99))
def test_values_in_a_bin_with_one_grid_value_have_their_exact_error(spacing, ends, seed):
    bins = Bins(0.5, -64, 128)
    step = spacing * bins.width
    values = np.random.default_rng(seed).uniform(-31, 31, 300)
    index = np.floor(values / bins.width)
    edges = np.stack([index, index + 1]) * bins.width / step
    is_whole = np.floor(edges[0] + 0.5) == np.ceil(edges[1] - 0.5)
    values = values[is_whole]
    found = np.vdot(error_coefficients(bins, step, *ends), moments_of(values, bins))
    assert found == pytest.approx(squared_error(values, step, *ends).sum(), rel=1e-9, abs=1e-9)


@given(st.floats(2, 20), st.floats(-30, 30))
def test_a_single_value_anywhere_is_off_by_a_small_part_of_a_step(spacing, value):
    bins = Bins(0.5, -64, 128)
    step = spacing * bins.width
    found = np.vdot(error_coefficients(bins, step, -127, 127), moments_of([value], bins))
    # The kink's best quadratic is off by 3/32 of a bin times its slope at most, at the boundary itself.
    assert found == pytest.approx(squared_error(value, step), abs=2 * step * bins.width * 3 / 32 + 1e-9)


@given(st.floats(0.001, 0.2))
def test_a_grid_without_ends_is_one_with_far_ends(step):
    bins = Bins(2 / 64, -32, 64)
    moments = moments_of(np.random.default_rng(0).uniform(-1, 1, 5000), bins)
    far = np.vdot(error_coefficients(bins, step, -2000, 2000), moments)
    exact = step / bins.width >= FINEST_SPACING
    assert np.vdot(unbounded_coefficients(bins, step), moments) == pytest.approx(far, rel=1e-9 if exact else 0.01)
