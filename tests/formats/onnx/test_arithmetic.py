"""Arithmetic: broadcasting, data types, rounding of quotients, and what happens at 0, infinity and NaN."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, mint, nn, ops

from tests.formats.onnx.agreement import assert_agrees
from tests.formats.onnx.twins import assert_same_as, operators
from tests.passes.networks import normal


def test_sums_products_and_quotients_of_shapes_that_broadcast(rng):
    def network(x, y, scalar):
        return x + y, x - scalar, x * y, scalar / (y + 5), x + 2, 2 - x, x * 2.5, x / 3, 2 / (x + 5), scalar * 3

    assert_agrees(network, normal(rng, 2, 1, 3), normal(rng, 4, 1), np.array(1.5, np.float32))


def test_the_second_operand_scaled(rng):
    def network(x, y, i):
        return (
            mint.add(x, y, alpha=2),
            mint.add(x, 3, alpha=0.5),
            mint.add(i, i),
            mint.sub(x, y, alpha=-1.5),
            mint.sub(i, 3, alpha=2),
            mint.sub(x, 1),
        )

    assert_agrees(network, normal(rng, 2, 3), normal(rng, 3), np.arange(6, dtype=np.int32))


def test_data_types_are_brought_together(rng):
    def network(f, i, p):
        h, d, q, b = f.half(), ops.cast(f, mindspore.float64), ops.cast(ops.abs(p), mindspore.uint8), p > 3
        return (
            f + h, h + i, h * d, f * i, i * 1.5, i / 2, i / i, q + p, q * 200, p * 100, q - 7, b + i, b * f, b * b,
            i + q, ops.ldexp(i, i), ops.div(f, 2), i**2, mint.pow(i, 0.5), mint.mul(i, 2.5), ops.div(i, i),
        )  # fmt: skip

    integers, small = np.array([3, 4, 5, 1, 2, 7], np.int32), np.array([3, -4, 5, 100, 2, -7], np.int8)
    assert_agrees(network, normal(rng, 6), integers, small, tolerance=1e-3)


def test_integer_quotients_and_remainders_of_both_signs():
    modulo, remainder = ops.Mod(), ops.TruncateMod()

    def network(i, j, long, q):
        return (
            i // j, i % j, i // 3, i % 3, i // -3, long // 4, long % -4, q // 3, q % 3,
            ops.floor_mod(i, j), ops.truncate_div(i, j), remainder(i, j), modulo(i, j), ops.fmod(i, j),
            ops.div(i, j, rounding_mode="floor"), ops.div(i, j, rounding_mode="trunc"),
            mint.div(i, 3, rounding_mode="floor"), mint.div(i, 3, rounding_mode="trunc"), mint.remainder(i, -4),
        )  # fmt: skip

    dividends = np.array([7, -7, 7, -7, 0, 8, -8, 1, -1, 1000], np.int32)
    divisors = np.array([2, 2, -2, -2, 5, 4, 4, 3, 3, -7], np.int32)
    assert_agrees(network, dividends, divisors, dividends.astype(np.int64), np.abs(dividends).astype(np.uint8))


def test_quotients_and_remainders_of_fractions_round_as_mindspore_does():
    remainder = ops.TruncateMod()

    def network(x, y):
        return (
            x // y, x % y, x // 0.1, x % 0.3, ops.floor_mod(x, y), ops.remainder(x, y), ops.fmod(x, y),
            ops.div(x, y, rounding_mode="floor"), ops.div(x, y, rounding_mode="trunc"), ops.truncate_div(x, y),
            mint.div(x, 2, rounding_mode="floor"), mint.div(x, 2, rounding_mode="trunc"), remainder(x, y), ops.frac(x),
            mint.remainder(2.5, y),
        )  # fmt: skip

    dividends = np.array([1, 0.3, -0.3, -7.5, 0, -1, 2.5, 0.7, 5.25, -0.25], np.float32)
    divisors = np.array([0.1, 0.1, 0.1, 2.5, 3, -0.3, -0.5, 0.7, -2, 0.5], np.float32)

    def floored(x, y):
        return x // y, x % y, ops.floor_mod(x, y), ops.div(x, y, rounding_mode="floor"), remainder(x, y)

    assert_agrees(network, dividends, divisors)
    assert_agrees(floored, dividends.astype(np.float64), divisors.astype(np.float64))
    assert_agrees(floored, np.array([5, -7.5, 2.25], np.float16), np.array([2, -2, 0.5], np.float16))


def test_quotients_at_zero_and_infinity():
    def network(x, y):
        return x / y, x // y, x % y, ops.truncate_div(x, y), ops.div(x, y, rounding_mode="floor")

    dividends = np.array([np.nan, np.inf, -np.inf, 2, 0, -1, -6, 6], np.float32)
    assert_agrees(network, dividends, np.array([1, 2, 3, -np.inf, 0, 0, 0, np.nan], np.float32))


def test_powers():
    def network(x, y, i, k):
        return (
            x**2, x**3, ops.abs(x) ** 0.5, 2**x, ops.pow(y, x), mint.pow(x, 2), mint.pow(x, 3.0), mint.pow(2, x),
            i**k, i**2, ops.pow(i, -1), mint.pow(2.5, i), mint.pow(2, k),
        )  # fmt: skip

    base = np.array([np.nan, np.inf, -np.inf, 0, -0.5, 3], np.float32)
    small = np.array([3, -4, 5, 1, -1, 0], np.int32)[:5]
    assert_agrees(network, base, np.array([1, 2, 0.5, 0, 2, 9], np.float32), small, np.array([2, 3, 0, 5, 3], np.int32))


def test_the_larger_and_the_smaller():
    def network(x, y, i, h):
        short = ops.cast(i, mindspore.int16)
        return (
            ops.maximum(x, y), ops.minimum(x, y), ops.maximum(x, 0.3), ops.minimum(y, -1), ops.fmax(x, y),
            ops.maximum(i, 2), ops.minimum(short, short * 2), ops.maximum(h, h * -1),
        )  # fmt: skip

    left, right = np.array([1, np.inf, -np.inf, 0.5], np.float32), np.array([-1, 2, 3, -4], np.float32)
    assert_agrees(network, left, right, np.array([3, -4, 5], np.int32), right.astype(np.float16))


def test_what_leaves_no_nan():
    without_nan, divide = ops.MulNoNan(), ops.DivNoNan()

    def network(x, y):
        return without_nan(x, y), divide(x, y), ops.xdivy(x, y), ops.xlogy(x, y), ops.fmax(x, y)

    left = np.array([np.nan, 1, np.inf, 2, 0, 0, 3], np.float32)
    assert_agrees(network, left, np.array([0, np.nan, 0, -np.inf, 0, 2, 0.5], np.float32))


def test_limits(rng):
    def network(x, y, i, h):
        short = ops.cast(i, mindspore.int16)
        return (
            ops.clamp(x, -0.3, 0.4), ops.clamp(x, min=0.1), ops.clamp(x, max=0.1), ops.clamp(x, 2, -1),
            ops.clip_by_value(x, -0.3, 0.4), ops.clip_by_value(x, Tensor(-0.3), y), ops.clamp(x, x - 1, y),
            mint.clamp(x, y, y + 0.5), mint.clamp(i, -1, 3), mint.clamp(i, -1.5, 3.5), mint.clamp(short, -3, 2),
            ops.hardtanh(x, -0.5, 0.6), mint.clamp(h, -0.5, 0.5),
        )  # fmt: skip

    x = normal(rng, 3, 4)
    assert_agrees(network, x, normal(rng, 4), np.array([3, -4, 5, 0], np.int32), x.astype(np.float16))


def test_combinations_of_several_tensors(rng):
    difference, total = ops.SquaredDifference(), ops.AddN()

    def network(x, y, z, i):
        return (
            ops.lerp(x, y, 0.3), ops.lerp(x, y, z), ops.addcmul(x, y, z, 2.0), ops.addcdiv(x, y, z + 5, -0.5),
            difference(x, y), difference(i, i * 3), total((x, y, z)), total((i, i)), ops.hypot(x, y),
            ops.heaviside(x, y), ops.heaviside(i, i * 7), ops.logaddexp(x, y), ops.copysign(x, y),
        )  # fmt: skip

    x, y, z = (normal(rng, 2, 3) for _ in range(3))
    x[0] = 0, 1, -1
    assert_agrees(network, x, y, z, np.array([3, 0, -5], np.int32))


def test_angles_of_points_in_all_quadrants():
    sides = np.array([-np.inf, -2, 0, 0.5, np.inf, np.nan], np.float32)
    y, x = (axis.ravel() for axis in np.meshgrid(sides, sides))
    assert_agrees(ops.atan2, y, x)
    assert_agrees(ops.atan2, y.astype(np.float64), x.astype(np.float64), tolerance=1e-6)


def test_operators_that_mindspore_runs_on_other_devices_only(rng):
    def network(x, y, i):
        return mint.fmod(x, y), mint.fmod(x, 0.3), mint.floor_divide(i, 3), mint.atan2(x, y), ops.fmin(x, y)

    def twin(x, y, i):
        return ops.fmod(x, y), ops.fmod(x, 0.3), i // 3, ops.atan2(x, y), -ops.fmax(-x, -y)

    assert_same_as(network, twin, normal(rng, 8), normal(rng, 8) + 4, np.array([7, -7, 3], np.int32))


def leaky_relu(x):
    return ops.leaky_relu(x, 0.3)


def slope_above_1(x):
    return ops.leaky_relu(x, 1.5)


def larger_product(x):
    return ops.maximum(x * 1.5, x)


def negative_factor(x):
    return ops.maximum(x * -0.5, x)


def another_tensor(x):
    return ops.maximum(x * 0.5, x + 1)


def test_a_leaky_relu_is_one_operator_again(rng):
    x = normal(rng, 2, 3)
    assert operators(leaky_relu, x) == ["LeakyRelu"]
    assert_agrees(leaky_relu, x)
    assert_agrees(nn.LeakyReLU(0.0), x)


@pytest.mark.parametrize("network", [slope_above_1, larger_product, negative_factor, another_tensor])
def test_what_is_no_leaky_relu_stays(network, rng):
    x = normal(rng, 2, 3)
    assert "LeakyRelu" not in operators(network, x)
    assert_agrees(network, x)


def test_a_product_that_something_else_reads_stays(rng):
    def network(x):
        scaled = x * 0.1
        return ops.maximum(scaled, x), scaled

    assert_agrees(network, normal(rng, 2, 3))
