from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.quantization import cosine_similarity, error_power, max_abs_error, sqnr_db
from gsjupyter.quantization.error import ratio_db

NUMBERS = st.floats(-1e3, 1e3).map(lambda number: round(number, 3))
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20).map(
    lambda pairs: tuple(zip(*pairs, strict=True))
)


@given(PAIRS)
def test_error_power_is_the_mean_squared_difference(pair):
    expected = sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) / len(pair[0])
    assert error_power(*pair) == pytest.approx(expected, rel=1e-9)


@given(PAIRS)
def test_sqnr_is_ten_times_the_logarithm_of_signal_over_noise(pair):
    signal = sum(a * a for a in pair[0])
    noise = sum((a - b) ** 2 for a, b in zip(*pair, strict=True))
    if signal and noise:
        assert sqnr_db(*pair) == pytest.approx(10 * math.log10(signal / noise), abs=1e-6)


@given(PAIRS)
def test_cosine_is_the_product_over_the_norms(pair):
    product = sum(a * b for a, b in zip(*pair, strict=True))
    norms = math.sqrt(sum(a * a for a in pair[0])) * math.sqrt(sum(b * b for b in pair[1]))
    if norms:
        assert cosine_similarity(*pair) == pytest.approx(product / norms, abs=1e-9)


@given(PAIRS)
def test_max_abs_error_is_the_largest_difference(pair):
    assert max_abs_error(*pair) == max(abs(a - b) for a, b in zip(*pair, strict=True))


@pytest.mark.parametrize(
    ("reference", "actual", "expected"),
    [
        ([1, 2], [1, 2], math.inf),
        ([0, 0], [0, 0], math.inf),
        ([], [], math.inf),
        ([0, 0], [1, 0], -math.inf),
        ([1, 2], [1, math.inf], -math.inf),
        ([1, 2], [1, math.nan], math.nan),
        ([math.nan, 2], [1, 2], math.nan),
        ([10, 0], [9, 0], 20.0),
    ],
)
def test_sqnr_at_its_ends(reference, actual, expected):
    assert sqnr_db(reference, actual) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [([0, 0], [0, 0], 1.0), ([], [], 1.0), ([1, 0], [0, 0], math.nan), ([1, 0], [0, 2], 0.0), ([1, 1], [-2, -2], -1.0)],
)
def test_cosine_at_its_ends(left, right, expected):
    assert cosine_similarity(left, right) == pytest.approx(expected, nan_ok=True)


def test_nothing_has_no_error():
    assert (error_power([], []), max_abs_error([], [])) == (0.0, 0.0)


def test_half_precision_is_measured_in_double():
    big = np.full(4, 60_000, np.float16)
    assert error_power(big, np.zeros(4, np.float16)) == pytest.approx(3.6e9, rel=1e-3)
    assert cosine_similarity(big, big) == pytest.approx(1.0)


def test_unsigned_integers_are_not_wrapped():
    assert max_abs_error(np.array([1], np.uint8), np.array([2], np.uint8)) == 1.0


@pytest.mark.parametrize(
    ("signal", "noise", "wanted"),
    [
        (100, 1, 20),
        (1, 0, math.inf),
        (0, 0, math.inf),
        (0, 1, -math.inf),
        (1, math.inf, -math.inf),
        (1, math.nan, math.nan),
    ],
)
def test_a_ratio_of_powers_is_in_decibel(signal, noise, wanted):
    assert ratio_db(signal, noise) == pytest.approx(wanted, nan_ok=True)
