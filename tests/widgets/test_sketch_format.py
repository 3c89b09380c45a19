"""Sketches after they went through bytes, against what they were; and the bytes against their description."""

from __future__ import annotations

import math
import zlib

import numpy as np
import pytest

from gsjupyter.errors import ParameterError
from gsjupyter.quantization import WeightSketch
from gsjupyter.widgets.sketch_format import decode, encode
from tests.quantization.values import weights

CASES = {name: weight[:64] for name, weight in weights(np.random.default_rng(7)).items()}
CLIPPINGS = (0.3, 0.6, 0.93, 1.0)
NO_ERROR_DB = 100.0


def outliers():
    rng = np.random.default_rng(3)
    return {name: rng.standard_t(degrees, (64, 576)).astype(np.float32) for name, degrees in (("2", 2), ("1.5", 1.5))}


def sketches_of(cases, granularity, *, symmetric):
    return [WeightSketch.of(weight, 0, granularity, symmetric=symmetric) for weight in cases.values()]


@pytest.mark.parametrize("granularity", ["channel", "tensor", "group:64"])
@pytest.mark.parametrize("symmetric", [True, False])
def test_errors_come_back_within_a_thousandth_of_a_decibel(granularity, symmetric):
    cases = CASES | outliers()
    before = sketches_of(cases, granularity, symmetric=symmetric)
    for name, one, other in zip(cases, before, decode(encode(before)), strict=True):
        assert other.size == one.size
        for bits in (2, 3, 5, 7, 8):
            for clipping in CLIPPINGS:
                expected = one.sqnr_db(bits, clipping, narrow_range=symmetric)
                found = other.sqnr_db(bits, clipping, narrow_range=symmetric)
                if max(expected, found) >= NO_ERROR_DB:
                    assert found == expected, (name, bits, clipping)
                else:
                    assert found == pytest.approx(expected, abs=5e-4), (name, bits, clipping)


@pytest.mark.parametrize("symmetric", [True, False])
def test_weights_on_the_grid_stay_without_error(symmetric):
    grid = np.random.default_rng(0).integers(-127, 128, (16, 500)) * 0.01
    grid[:, 0], grid[:, 1] = -1.27, 1.27
    weight = grid.astype(np.float32)
    sketch = WeightSketch.of(weight, 0, "channel", symmetric=symmetric)
    assert sketch.sqnr_db(8, narrow_range=True) > NO_ERROR_DB
    assert decode(encode([sketch]))[0].sqnr_db(8, narrow_range=True) > NO_ERROR_DB


def test_the_bytes_are_laid_out_as_described():
    weight = np.array([[0.5, -1.0, 0.25, 0.0], [3.0, -1.5, 0.0, 1.0]], np.float32)
    raw = zlib.decompress(encode([WeightSketch.of(weight, 0, "channel", symmetric=False)]))
    header = np.frombuffer(raw, "<u4", 4)
    assert header.tolist() == [1, 1, 0, 2]
    largest = np.frombuffer(raw, "<f8", 1, 16)[0]
    assert np.frombuffer(raw, "<u4", 2, 24).tolist() == [8, 2]
    shares = np.frombuffer(raw, "<f8", 6, 32).reshape(2, 3)
    # Ranges of 1.5 and 4.5, with 0 at 2/3 and at 1/3: in the order of the share.
    np.testing.assert_allclose(shares[:, 0], [4.5**2, 1.5**2])
    np.testing.assert_allclose(shares[:, 1] / shares[:, 0], [1 / 3, 2 / 3])
    at = 32 + 48
    counts = np.frombuffer(raw, "<f4", 2048, at)
    means = np.frombuffer(raw, "<u2", 2048, at + 4 * (2048 + 512))
    # 3 / 4.5 lies in bin 1024 + 682, at two thirds of it.
    assert counts[1024 + 682] * largest == pytest.approx(4.5**2, rel=1e-4)
    assert means[1024 + 682] / 65535 == pytest.approx(2 / 3, abs=0.01)
    end_counts = np.frombuffer(raw, "<f4", 512, at + 4 * 2048).reshape(2, 2, 128)
    # Of the first class the block's lowest is -1.5, its highest 3: both in the last bin of their side.
    assert end_counts[0, 0, 127] * largest == pytest.approx(1.5**2, rel=1e-4)
    assert end_counts[0, 1, 127] * largest == pytest.approx(3.0**2, rel=1e-4)
    assert len(raw) == at + 8 * (2048 + 512)


def test_a_layer_takes_a_dozen_kilobytes():
    weight = np.random.default_rng(1).standard_normal((256, 4096)).astype(np.float32)
    assert len(encode([WeightSketch.of(weight, 0, "channel")])) < 13_500
    assert len(encode([WeightSketch.of(weight[:2, :100], 0, "channel")])) < 1_500


def test_no_layers_and_zeros_have_sketches_too():
    assert decode(encode([])) == []
    for symmetric in (True, False):
        zeros = WeightSketch.of(np.zeros((3, 4), np.float32), 0, "channel", symmetric=symmetric)
        (found,) = decode(encode([zeros]))
        assert found.size == 12
        assert found.symmetric == symmetric
        assert found.error_power(2) == 0.0
        assert math.isinf(found.sqnr_db(2))


def test_both_kinds_in_one_block_are_refused():
    kinds = [WeightSketch.of(np.ones((2, 2), np.float32), 0, "channel", symmetric=kind) for kind in (True, False)]
    with pytest.raises(ValueError, match="one block"):
        encode(kinds)


def test_damaged_bytes_are_refused():
    good = encode([WeightSketch.of(CASES["LeNet's first layer"], 0, "channel", symmetric=False)])
    raw = zlib.decompress(good)
    numbers = np.frombuffer(raw, "<u4", 4)
    changed = [
        np.concatenate([numbers[:index], numbers[index : index + 1] + 1, numbers[index + 1 :]]) for index in (0, 1, 3)
    ]
    damaged = [b"", b"nothing", good[:-8], zlib.compress(raw[:-1]), zlib.compress(raw + b"\0"), zlib.compress(raw[:8])]
    damaged += [zlib.compress(header.astype("<u4").tobytes() + raw[16:]) for header in changed]
    for data in damaged:
        with pytest.raises(ParameterError, match="no block of sketches"):
            decode(data)
