from __future__ import annotations

import numpy as np
import pytest

from gsjupyter.quantization.clipped_ends import BINS, CLASSES, ClippedEnds


def ends_of(blocks):
    blocks = np.asarray(blocks, np.float32)
    low, high = blocks.min(axis=1, initial=0), blocks.max(axis=1, initial=0)
    return ClippedEnds.of(blocks, low.astype(np.float64), high.astype(np.float64))


def cost(blocks, intervals, clipping):
    """Compute what the ends of the grid add to the error, by the definition."""
    total = 0.0
    for block in np.asarray(blocks, np.float64):
        low, high = min(block.min(), 0), max(block.max(), 0)
        step = clipping * (high - low) / intervals
        below = round(-low * clipping / step)
        nearest = np.round(block / step)
        last = np.clip(nearest, -below, intervals - below)
        total += (((block - last * step) ** 2) - (block - nearest * step) ** 2).sum()
    return total


@pytest.mark.parametrize("intervals", [3, 7, 15, 255])
@pytest.mark.parametrize("clipping", [0.4, 0.7, 0.9])
def test_the_cost_for_one_block_is_nearly_exact(intervals, clipping, rng):
    blocks = rng.standard_normal((1, 3000))
    assert ends_of(blocks).clipping_cost(intervals, clipping) == pytest.approx(
        cost(blocks, intervals, clipping), rel=0.01
    )


@pytest.mark.parametrize("intervals", [7, 15, 255])
@pytest.mark.parametrize("clipping", [0.5, 0.8])
def test_the_cost_for_many_blocks_is_near(intervals, clipping, rng):
    blocks = rng.standard_normal((300, 64)) + rng.uniform(-0.5, 0.5, (300, 1))
    assert ends_of(blocks).clipping_cost(intervals, clipping) == pytest.approx(
        cost(blocks, intervals, clipping), rel=0.04
    )


@pytest.mark.parametrize("intervals", [3, 15, 255])
def test_the_whole_range_costs_nothing(intervals, rng):
    blocks = rng.standard_normal((50, 64)).astype(np.float32)
    assert ends_of(blocks).clipping_cost(intervals, 1.0) == pytest.approx(0, abs=1e-3)


def test_blocks_of_one_sign_are_in_the_first_or_last_class(rng):
    positive = ends_of(np.abs(rng.standard_normal((5, 9))))
    negative = ends_of(-np.abs(rng.standard_normal((5, 9))))
    assert np.flatnonzero(positive.shares[0]).tolist() == [0]
    assert np.flatnonzero(negative.shares[0]).tolist() == [CLASSES - 1]
    assert not positive.moments[0].any()
    assert not negative.moments[1].any()


def test_zeros_cost_nothing():
    assert ends_of(np.zeros((3, 4))).clipping_cost(15, 0.5) == 0.0


def test_magnitudes_hold_all_of_both_sides(rng):
    ends = ends_of(rng.standard_normal((5, 50)))
    edges, power = ends.magnitudes()
    assert edges.shape == (BINS + 1,)
    assert power.sum() == pytest.approx(ends.moments[:, :, 0].sum())
