"""Functions of one number, at zeros, poles, infinities, half integers, and where digits would be lost."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import mint, ops

from tests.formats.onnx.agreement import assert_agrees, lowered, run_onnx
from tests.formats.onnx.twins import assert_same_as

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3, 0.25, 2.75], np.float32)


def test_rounding_is_half_to_even():
    rint = ops.Rint()

    def network(x, i):
        return (
            ops.round(x), rint(x), ops.floor(x), ops.ceil(x), ops.trunc(x), mint.fix(x), x.round(),
            mint.round(i), mint.trunc(i), ops.frac(x[3:]),
        )  # fmt: skip

    assert_agrees(network, SPECIAL, np.array([3, -4], np.int32))
    assert_agrees(network, SPECIAL.astype(np.float64), np.array([3, -4], np.int32))


def test_roots_and_powers():
    def network(x, i, p):
        return (
            ops.sqrt(x), ops.rsqrt(x), ops.square(x), ops.reciprocal(x), ops.inv(x), mint.sqrt(i), ops.square(i),
            ops.square(p), ops.reciprocal(i), ops.abs(p), -p, ops.abs(x), -x, -i, ops.sign(i), ops.sign(x[1:]),
        )  # fmt: skip

    assert_agrees(network, SPECIAL, np.array([3, -4, 0], np.int32), np.array([3, -128, 127], np.int8))


def test_exponentials_and_logarithms():
    def network(x):
        return (
            ops.exp(x), ops.expm1(x), ops.log(x), ops.log1p(x), ops.log2(x), ops.log10(x), ops.exp2(x), ops.tanh(x),
            ops.logit(x * 0.1 + 0.5), ops.logit(x, 0.1), ops.sinc(x[3:]), ops.erf(x), ops.erfc(x),
        )  # fmt: skip

    assert_agrees(network, SPECIAL)
    assert_agrees(network, np.array([-1, -0.999, 0, 1, 4.5, -2, 0.25], np.float64), tolerance=1e-6)


@pytest.mark.parametrize("size", [0.1, 1e-3, 1e-6, 1e-12])
def test_small_numbers_keep_their_digits(size):
    def network(x):
        return ops.expm1(x), ops.log1p(x)

    x = np.array([1, -1, 0.37, 5], np.float32) * np.float32(size)
    results = run_onnx(lowered(network, x), x)
    for actual, function in zip(results.values(), (np.expm1, np.log1p), strict=True):
        np.testing.assert_allclose(actual, function(x.astype(np.float64)), rtol=5e-7)


def test_angles():
    def network(x, y):
        return (
            ops.sin(x), ops.cos(x), ops.tan(x), ops.asin(y), ops.acos(y), ops.atan(x), ops.sinh(x), ops.cosh(x),
            ops.asinh(x), ops.acosh(x), ops.atanh(y), ops.deg2rad(x),
        )  # fmt: skip

    x, y = np.array([-2.5, -1, 0, 0.5, 1, 3], np.float32), np.array([-1, -0.5, 0, 0.3, 1, 1.5], np.float32)
    assert_agrees(network, x, y)
    assert_agrees(network, x.astype(np.float64), y.astype(np.float64), tolerance=1e-6)


def test_what_is_not_finite_is_replaced():
    def network(x):
        return ops.nan_to_num(x[:1]), ops.nan_to_num(x), ops.nan_to_num(x[::2], 1.0), mint.nan_to_num(x, 1.0, 2.0, 3.0)

    for dtype in (np.float32, np.float64, np.float16):
        assert_agrees(network, SPECIAL.astype(dtype))


def test_without_effect_on_results(rng):
    identity = ops.Identity()

    def network(x):
        return identity(x), ops.stop_gradient(x), ops.positive(x) + 1

    assert_agrees(network, rng.standard_normal((2, 3)).astype(np.float32))


def test_operators_that_mindspore_runs_on_other_devices_only():
    def network(x, y):
        return (
            mint.exp2(x), mint.log2(y), mint.log10(y), mint.frac(x), mint.asin(y - 1), mint.acos(y - 1), mint.atan(x),
            mint.asinh(x), mint.acosh(y + 1), mint.round(x, decimals=1),
        )  # fmt: skip

    def twin(x, y):
        return (
            ops.exp2(x), ops.log2(y), ops.log10(y), ops.frac(x), ops.asin(y - 1), ops.acos(y - 1), ops.atan(x),
            ops.asinh(x), ops.acosh(y + 1), ops.round(x * 10) / 10,
        )  # fmt: skip

    assert_same_as(network, twin, np.array([-2.5, 0.25, 3], np.float32), np.array([0.5, 1, 1.5], np.float32))


def test_bits():
    def network(i, j, distance, b):
        short, q, c = ops.cast(i, mindspore.int8), ops.cast(ops.abs(i), mindspore.uint8), i > 3
        return (
            ops.bitwise_and(i, j), ops.bitwise_or(i, j), ops.bitwise_xor(i, j), ops.invert(i), mint.bitwise_and(i, j),
            ops.bitwise_left_shift(i, distance), ops.bitwise_right_shift(i, distance), ops.invert(q),
            ops.bitwise_left_shift(short, ops.cast(distance, mindspore.int8)),
            ops.bitwise_right_shift(short, ops.cast(distance, mindspore.int8)),
            ops.bitwise_right_shift(q, ops.cast(distance, mindspore.uint8)), b & c, b | c, b ^ c, ~b,
        )  # fmt: skip

    numbers, truth = np.array([3, -4, 5, -100, 0], np.int32), np.array([True, False, True, False, True])
    others = np.array([2, 3, -3, 7, 1], np.int32)
    assert_agrees(network, numbers, others, np.arange(5, dtype=np.int32), truth)


def test_bits_beside_a_number():
    def network(i):
        return mint.bitwise_and(i, 3), mint.bitwise_or(i, 3), mint.bitwise_xor(i, 3), mint.bitwise_not(i)

    def twin(i):
        three = ops.ones_like(i) * 3
        return ops.bitwise_and(i, three), ops.bitwise_or(i, three), ops.bitwise_xor(i, three), ops.invert(i)

    assert_same_as(network, twin, np.array([3, -4, 5, 0], np.int32))
