from __future__ import annotations

import numpy as np
import pytest

from gsjupyter.quantization import block_moments as module
from gsjupyter.quantization.block_moments import block_moments


@pytest.fixture
def small_pieces(request, monkeypatch):
    """Cut weights into many pieces."""
    if request.param:
        monkeypatch.setattr(module, "PIECE", 64)


def naive(blocks, reach, below, bins):
    found = np.zeros((3, bins))
    for block, *sizes in zip(blocks.astype(np.float64), below, reach, strict=True):
        for value in block[block != 0]:
            size = sizes[int(value > 0)]
            index = min(int((value / size + 1) * bins / 2), bins - 1)
            found[:, index] += (size**2, size * value, value**2)
    return found


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (40, 9), (3, 120), (5, 0), (0, 5)])
@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("zeros", [0.0, 0.2])
@pytest.mark.parametrize("small_pieces", [True, False], indirect=True)
@pytest.mark.usefixtures("small_pieces")
def test_moments_are_those_of_the_definition(shape, sides, zeros, rng):
    blocks = rng.standard_normal(shape).astype(np.float32)
    blocks[rng.random(shape) < zeros] = 0
    above, below = (np.maximum(side.max(axis=1, initial=0), 1e-3).astype(np.float64) for side in (blocks, -blocks))
    if sides == 1:
        above = below = np.maximum(above, below)
    found = block_moments(blocks, above, 16, reach_below=below if sides == 2 else None)
    np.testing.assert_allclose(found[0], naive(blocks, above, below, 16), rtol=1e-12, atol=1e-12)


def test_groups_are_counted_apart(rng):
    blocks = rng.standard_normal((20, 30)).astype(np.float32)
    reach = np.abs(blocks).max(axis=1).astype(np.float64)
    group = rng.integers(0, 3, 20)
    found = block_moments(blocks, reach, 64, group=group, groups=3)
    for index in range(3):
        alone = block_moments(blocks[group == index], reach[group == index], 64)[0]
        np.testing.assert_allclose(found[index], alone, rtol=1e-12, atol=1e-12)


def test_the_ends_are_in_the_outermost_bins(rng):
    reach = 10.0 ** rng.uniform(-30, 30, 500)
    blocks = np.stack([reach, -reach], axis=1).astype(np.float32)
    counts = block_moments(blocks, blocks[:, 0].astype(np.float64), 2048)[0, 0]
    assert np.flatnonzero(counts).tolist() == [0, 2047]


def test_blocks_too_small_to_divide_by_are_in_the_bin_of_zero():
    blocks = np.array([[1e-38, -1e-40], [0, 0]], np.float32)
    moments = block_moments(blocks, np.array([1e-38, 0.0]), 2048)[0]
    assert np.flatnonzero(moments[2]).tolist() == [1024]
    assert moments[2].sum() == pytest.approx(1e-76, rel=1e-3)
