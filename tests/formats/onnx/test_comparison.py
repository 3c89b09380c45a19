"""Comparisons and choices: data types that differ, NaN, infinities, masks that broadcast."""

from __future__ import annotations

import mindspore
import numpy as np
from mindspore import Tensor, mint, ops

from tests.formats.onnx.agreement import assert_agrees

LEFT = np.array([np.nan, np.inf, -np.inf, -0.0, 2.5, -1.5, np.nan], np.float32)
RIGHT = np.array([np.nan, 1, -np.inf, 0, 2.0, -1.5, 0], np.float32)


def test_order_and_equality():
    def network(x, y):
        return (
            x == y, x != y, x < y, x <= y, x > y, x >= y, x == 2.5, x != 2.5, x < 0, x <= 0.5, x > 0.1, y >= x,
            mint.lt(x, 0.5), mint.ge(x, 0.5), mint.isnan(x),
        )  # fmt: skip

    for dtype in (np.float32, np.float64, np.float16):
        assert_agrees(network, LEFT.astype(dtype), RIGHT.astype(dtype))


def test_data_types_are_brought_together():
    def network(x, i, p, q):
        short, long, b = ops.cast(p, mindspore.int16), ops.cast(3 - i, mindspore.int64), i > 0
        return (
            i == long, i > x, i > 2.5, q > p, short < 3, short == p, b == (i > 2), b != (p > 1), b < (p > 2), q == 5,
            i == 3, long >= 3, b == i,
        )  # fmt: skip

    integers = np.array([3, -4, 5, 0], np.int32)
    x = np.array([2.5, -4, 9, 0], np.float32)
    assert_agrees(network, x, integers, integers.astype(np.int8), np.abs(integers).astype(np.uint8))


def test_logic_of_numbers():
    def network(x, y, i, b):
        return (
            ops.logical_and(x, y), ops.logical_or(i, b), ops.logical_xor(b, i > 0), ops.logical_not(x),
            ops.logical_not(b), ~b, mint.logical_and(x, y), ops.logical_not(i),
        )  # fmt: skip

    integers = np.array([3, 0, 5, 0, -1, 2, 7], np.int32)
    assert_agrees(network, LEFT, RIGHT, integers, integers > 4)


def test_what_is_not_finite():
    near, loose = ops.ApproximateEqual(0.75), ops.IsClose(rtol=0.5, atol=2.0)

    def network(x, y, i):
        return (
            ops.isnan(x), ops.isinf(x), ops.isfinite(x), ops.isnan(i), ops.isfinite(i), near(x[3:6], y[3:6]),
            ops.isclose(x, y), ops.isclose(x, y, equal_nan=True), loose(x, y), ops.isclose(i, i + 1),
        )  # fmt: skip

    assert_agrees(network, LEFT, RIGHT, np.array([3, 200000], np.int32))
    assert_agrees(network, LEFT.astype(np.float64), RIGHT.astype(np.float64), np.array([3, 200000], np.int32))


def test_choices(rng):
    def network(x, y, b, i, p):
        short = ops.cast(p, mindspore.int16)
        return (
            ops.select(b, x, y), ops.where(b, x, 2.0), ops.where(b, 1, x), ops.where(b, i, x), ops.select(b, p, p * 2),
            ops.where(b[0], x, y), ops.where(x > 0.1, y[0], y), ops.where(b, short, short * 3), ops.select(b, b, ~b),
            mint.where(b, 1.5, 2.5), ops.where(b[:, :1], x, 0.0), x.where(b, y),
        )  # fmt: skip

    x, y = (rng.standard_normal((2, 3)).astype(np.float32) for _ in range(2))
    assert_agrees(network, x, y, x > 0, np.arange(6, dtype=np.int32).reshape(2, 3), np.ones((2, 3), np.int8))


def test_masks(rng):
    def network(x, b, scalar, i):
        return (
            ops.masked_fill(x, b, -1e9), ops.masked_fill(x, b, Tensor(2.0)), ops.masked_fill(x, b, scalar),
            x.masked_fill(b, 3), x.masked_fill(b[0], float("-inf")), ops.masked_fill(i, b, 7),
        )  # fmt: skip

    x = rng.standard_normal((2, 3)).astype(np.float32)
    assert_agrees(network, x, x > 0, np.array(1.5, np.float32), np.arange(6, dtype=np.int32).reshape(2, 3))
