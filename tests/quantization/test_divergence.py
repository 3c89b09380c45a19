from __future__ import annotations

import math

import numpy as np
import pytest

from gsjupyter.quantization.divergence import divergences


def naive(bins, reach, levels):
    """Compute the divergence of a one-sided histogram as the slides have it, without clipped bins of their own."""
    reference = list(bins[:reach])
    reference[-1] += sum(bins[reach:])
    quantized = [0.0] * reach
    for level in range(levels):
        members = [index for index in range(reach) if index * levels // reach == level and bins[index] > 0]
        for index in members:
            quantized[index] = sum(bins[member] for member in members) / len(members)
    total, other = sum(reference), sum(quantized)
    return sum(
        p / total * math.log(p / total / (q / other)) for p, q in zip(reference, quantized, strict=True) if p > 0
    )


def test_divergences_are_those_of_the_slides(rng):
    bins = rng.integers(1, 1000, 90).astype(float) * np.exp(-np.arange(90) / 20) + 1
    bins[::7] = 0
    bins[-1] = 3
    reaches, found = divergences(bins, 0, 16)
    assert reaches[0] == 16
    assert reaches[-1] == 90
    for reach, value in zip(reaches, found, strict=True):
        if bins[reach - 1] > 0:
            assert value == pytest.approx(naive(bins.tolist(), reach, 16), rel=1e-9, abs=1e-12)


def test_a_histogram_on_both_sides_of_zero_is_cut_at_one_magnitude(rng):
    bins = rng.integers(1, 50, 60).astype(float)
    one_sided = divergences(bins, 0, 8)
    mirrored = divergences(bins[::-1], 60, 8)
    np.testing.assert_array_equal(mirrored[0], one_sided[0])
    reaches, found = divergences(np.concatenate([bins[::-1], bins]), 60, 16)
    assert set(reaches) == set(one_sided[0])
    is_divisible = reaches % 8 == 0
    np.testing.assert_allclose(found[is_divisible], one_sided[1][is_divisible], rtol=1e-9, atol=1e-12)


def test_as_many_levels_as_bins_lose_nothing(rng):
    reaches, found = divergences(rng.integers(0, 9, 50) + 1.0, 0, 64)
    assert reaches.tolist() == [50]
    assert found[-1] == pytest.approx(0.0, abs=1e-12)


def test_clipped_values_alone_in_the_last_bin_leave_it_finite():
    bins = np.zeros(200)
    bins[:20] = 50.0
    bins[-1] = 1.0
    _, found = divergences(bins, 0, 16)
    assert np.isfinite(found).all()


def test_nothing_diverges_infinitely():
    _, found = divergences(np.zeros(5), 0, 4)
    assert found.tolist() == [math.inf] * len(found)
