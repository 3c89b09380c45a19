"""Changes of data type: fractions lose theirs towards 0, and what is too large for an integer wraps around."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, ops

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx import to_onnx
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import Function, assert_agrees

TYPES = [mindspore.bool_, mindspore.int8, mindspore.int16, mindspore.int32, mindspore.int64, mindspore.uint8,
         mindspore.uint32, mindspore.float16, mindspore.float32, mindspore.float64]  # fmt: skip


def to_all_types(x):
    return [ops.cast(x, dtype) for dtype in TYPES]


def complex_numbers(x):
    return ops.cast(x, mindspore.complex64)


def bfloat16(x):
    return ops.cast(ops.cast(x, mindspore.bfloat16), mindspore.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_fractions(dtype):
    assert_agrees(to_all_types, np.array([0, -0.0, 0.3, -0.7, 2.5, -2.5, 300, -250, 70.9, -129], dtype))


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.int8, np.uint8, np.bool_])
def test_integers(dtype):
    assert_agrees(to_all_types, np.array([0, 1, -1, 100, -128, 127], np.int64).astype(dtype))


def test_what_is_not_finite():
    def network(x):
        return (
            ops.cast(x, mindspore.bool_),
            ops.cast(x, mindspore.float16),
            x.half().float(),
            x.astype(mindspore.float64),
        )

    assert_agrees(network, np.array([np.nan, np.inf, -np.inf, 1e9, -1e-9], np.float32))


@pytest.mark.parametrize("network", [complex_numbers, bfloat16])
def test_data_types_that_onnx_runtime_or_numpy_lack_are_refused(network):
    model = model_from_cell(Function(network), (Tensor(np.ones(3, np.float32)),))
    with pytest.raises(UnsupportedError, match="Cast in the network itself can't be written as ONNX"):
        to_onnx(model)
