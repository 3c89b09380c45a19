"""Pooling: windows that don't fit, padding of every kind, what is divided by, and where maxima lie."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mindspore import Tensor, mint, nn, ops

from gsjupyter.formats.onnx import to_onnx
from gsjupyter.formats.onnx.pooling_windows import Windows
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import assert_agrees, run_onnx
from tests.formats.onnx.twins import Several, assert_same_as, operators
from tests.passes.networks import normal


def test_maxima_of_two_axes(rng):
    network = Several(
        nn.MaxPool2d(3, 2, "same"),
        nn.MaxPool2d((2, 4), (3, 1), "same"),
        nn.MaxPool2d((1, 2), (2, 5), "same"),
        nn.MaxPool2d((3, 2), 2, "valid"),
        nn.MaxPool2d(3, 2, "pad", 1, ceil_mode=True),
        nn.MaxPool2d(2, 3, "pad", 1, ceil_mode=True),
        nn.MaxPool2d(3, 2, "pad", 1, 2, return_indices=True),
    )
    assert_agrees(network, normal(rng, 2, 4, 9, 8))


def test_maxima_of_one_axis_and_three(rng):
    one = Several(nn.MaxPool1d(3, 2, "same"), nn.MaxPool1d(4, 3, "valid"), nn.MaxPool1d(3, 2, "pad", 1, ceil_mode=True))
    assert_agrees(one, normal(rng, 2, 4, 10))
    three = Several(
        nn.MaxPool3d(3, 2, "same"),
        nn.MaxPool3d((1, 2, 4), (2, 3, 2), "same"),
        nn.MaxPool3d(2, 2, "valid"),
        nn.MaxPool3d(3, 2, "pad", 1, ceil_mode=True),
        nn.MaxPool3d(2, 1, "pad", 1, 2, return_indices=True),
    )
    assert_agrees(three, normal(rng, 2, 4, 5, 6, 7))


def test_where_equal_maxima_lie(rng):
    def network(x, volume):
        return (
            ops.max_pool2d(x, 3, 2, 1, ceil_mode=True, return_indices=True),
            ops.MaxPoolWithArgmaxV2(3, 2, (0, 1), (2, 1), True)(x)[1],
            ops.MaxPoolWithArgmax(3, 2, "same")(x),
            ops.MaxPoolWithArgmax(2, 3, "valid")(x)[1],
            ops.max_pool3d(volume, 2, 2, 1, return_indices=True),
        )

    assert_agrees(network, *(np.round(normal(rng, *shape)) for shape in ((2, 3, 9, 8), (2, 3, 4, 5, 6))))


def test_means_of_two_axes(rng):
    network = Several(
        nn.AvgPool2d(3, 2, "same"),
        nn.AvgPool2d((2, 4), (3, 1), "same"),
        nn.AvgPool2d((3, 2), 2, "valid"),
        nn.AvgPool2d(3, 2, "pad", 1, ceil_mode=True),
        nn.AvgPool2d(3, 2, "pad", 1, ceil_mode=True, count_include_pad=False),
        nn.AvgPool2d((4, 3), (3, 2), "pad", (2, 1), ceil_mode=True, divisor_override=5),
        nn.AvgPool2d(3, 2, "pad", 1, count_include_pad=False, divisor_override=2),
        nn.AvgPool2d((9, 8), 1, "valid"),
    )
    assert_agrees(network, normal(rng, 2, 4, 9, 8))


def test_means_of_one_axis_and_three(rng):
    one = Several(nn.AvgPool1d(3, 2, "same"), nn.AvgPool1d(4, 3), nn.AvgPool1d(3, 2, "pad", 1, ceil_mode=True))
    assert_agrees(one, normal(rng, 2, 4, 10))
    three = Several(
        nn.AvgPool3d(3, 2, "same"),
        nn.AvgPool3d(3, 2, "same", count_include_pad=False),
        nn.AvgPool3d(2, 2, "valid"),
        nn.AvgPool3d(3, 2, "pad", 1, ceil_mode=True),
        nn.AvgPool3d(3, 2, "pad", 1, ceil_mode=True, count_include_pad=False, divisor_override=7),
    )
    assert_agrees(three, normal(rng, 2, 4, 5, 6, 7))


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_data_types(rng, dtype):
    network = Several(
        nn.MaxPool2d(3, 2, "same"), nn.AvgPool2d(3, 2, "same"), nn.AdaptiveAvgPool2d(3), nn.AdaptiveMaxPool2d(3)
    )
    assert_agrees(network, normal(rng, 2, 3, 7, 5).astype(dtype), tolerance=2e-3 if dtype == np.float16 else 1e-5)


def test_those_of_mint(rng):
    def network(x, line, volume):
        functional = mint.nn.functional
        return (
            functional.avg_pool2d(x, 3, 2, 1, True),
            functional.avg_pool2d(x, (2, 3), None, (1, 0), False, False, 4),
            functional.avg_pool1d(line, 3, 2, 1),
            functional.avg_pool3d(volume, 3, 2, 1, False, False),
            functional.max_pool2d(x, 3, 2, 1, ceil_mode=True),
            functional.max_pool2d(x, 2, 2, 1, 2, return_indices=True),
        )

    def twin(x, line, volume):
        return (
            ops.avg_pool2d(x, 3, 2, 1, True),
            ops.avg_pool2d(x, (2, 3), (2, 3), (1, 1, 0, 0), False, False, 4),
            ops.avg_pool1d(line, 3, 2, 1),
            ops.avg_pool3d(volume, 3, 2, 1, False, False),
            ops.max_pool2d(x, 3, 2, 1, ceil_mode=True),
            ops.max_pool2d(x, 2, 2, 1, 2, return_indices=True),
        )

    assert_same_as(network, twin, normal(rng, 2, 4, 9, 8), normal(rng, 2, 4, 10), normal(rng, 2, 4, 5, 6, 7))


def test_axes_of_free_size(rng):
    network = Several(
        nn.MaxPool2d(3, 2, "same"),
        nn.AvgPool2d((2, 3), 2, "same"),
        nn.AvgPool2d(3, 2, "pad", 1, count_include_pad=False),
        nn.MaxPool2d(3, 2, "pad", 1, return_indices=True),
        nn.AdaptiveAvgPool2d(1),
    )
    model = model_from_cell(network, (Tensor(shape=[None, 4, None, None], dtype=mindspore.float32),))
    x = normal(rng, 3, 4, 9, 8)
    expected = network(Tensor(x))
    flat = [*expected[:3], *expected[3], expected[4]]
    for actual, wanted in zip(run_onnx(to_onnx(model), x).values(), flat, strict=True):
        np.testing.assert_allclose(actual, wanted.asnumpy(), rtol=0, atol=1e-5)


def test_a_window_that_is_everything_is_a_global_mean(rng):
    assert operators(nn.AvgPool2d(7), normal(rng, 1, 3, 7, 7)) == ["GlobalAveragePool"]
    assert operators(nn.AdaptiveAvgPool2d(1), normal(rng, 1, 3, 7, 7)) == ["GlobalAveragePool"]


@given(
    size=st.integers(1, 12),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 5),
    padding=st.integers(0, 2),
    is_ceiled=st.booleans(),
)
def test_windows_are_those_that_onnx_counts(size, kernel, stride, padding, is_ceiled):
    if padding > kernel // 2 or size + 2 * padding < kernel:
        return
    windows = Windows((size,), (kernel,), (stride,), (1,), [padding, padding], is_ceiled)
    begin, end = windows.attributes()["pads"]
    shares = windows.shares()
    assert (size + begin + end - kernel) // stride + 1 == len(shares)
    assert begin == padding
    assert end < kernel
    # The last window begins within the data or in the padding before them, and only it may reach over the end.
    assert (len(shares) - 1) * stride < size + padding or not is_ceiled
    assert (shares[:-1] == 1).all()
