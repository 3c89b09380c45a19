from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.quantization import ACTIVATION_UINT8, Scheme, quantize, quantize_weight, scale_and_zero_point
from gsjupyter.quantization.smoothing import STRENGTHS, expected_error, smoothing_factors


@given(st.integers(0, 99), st.sampled_from([0.0, 0.5, 1.0]))
def test_factors_are_those_of_the_formula(seed, strength):
    inputs, weights = np.exp(np.random.default_rng(seed).standard_normal((2, 6)))
    expected = [x**strength / w ** (1 - strength) for x, w in zip(inputs.tolist(), weights.tolist(), strict=True)]
    np.testing.assert_allclose(smoothing_factors(inputs, weights, strength), expected)


def test_half_of_an_outlier_makes_inputs_and_weights_equally_large():
    inputs, weights = np.array([100.0, 1.0, 0.1]), np.array([1.0, 2.0, 3.0])
    factors = smoothing_factors(inputs, weights, 0.5)
    np.testing.assert_allclose(inputs / factors, weights * factors)


def test_channels_without_values_or_weights_stay_as_they_are():
    factors = smoothing_factors(np.array([0.0, 2.0, 0.0, 4.0]), np.array([1.0, 0.0, 0.0, 1.0]), 0.5)
    assert factors.tolist() == [1.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize("granularity", ["tensor", "channel", "group:16"])
@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("symmetric", [True, False])
def test_the_expected_error_is_about_the_true_one(granularity, bits, symmetric, rng):
    scheme = Scheme(bits, symmetric, symmetric, granularity)
    x, weight = rng.standard_normal((4000, 64)), rng.standard_normal((16, 64)).astype(np.float32)
    x *= np.exp(rng.standard_normal(64))
    scale, zero_point = scale_and_zero_point(x.min(), x.max(), ACTIVATION_UINT8)
    rounded = (quantize(x, scale, zero_point, ACTIVATION_UINT8).astype(float) - int(zero_point)) * float(scale)
    noise = rounded @ quantize_weight(weight, 0, scheme).dequantize().T - x @ weight.T
    maxima = np.abs(x).max(axis=0)
    expected = expected_error(weight, 0, scheme, maxima, maxima.max())
    # A channel's largest value is more than the three deviations that it is taken to be, of 4,000 normal ones.
    assert np.square(noise).sum(axis=1).mean() == pytest.approx(expected, rel=0.45)


def test_weights_in_floating_point_add_no_error(rng):
    weight = rng.standard_normal((4, 8)).astype(np.float32)
    inputs = np.ones(8)
    expected = (2 / 255) ** 2 / 12 * np.square(weight).sum()
    assert expected_error(weight, 0, None, inputs, 1.0) == pytest.approx(expected)


def test_moving_an_outlier_lowers_the_expected_error(rng):
    weight, inputs = rng.standard_normal((8, 32)).astype(np.float32), np.ones(32)
    inputs[3] = 200.0
    errors = {0.0: expected_error(weight, 0, Scheme(), inputs, inputs.max())}
    for strength in STRENGTHS:
        factors = smoothing_factors(inputs, np.abs(weight).max(axis=0), strength)
        smooth = inputs / factors
        errors[strength] = expected_error(weight * factors, 0, Scheme(), smooth, smooth.max())
    assert min(errors.values()) < 0.1 * errors[0.0]
