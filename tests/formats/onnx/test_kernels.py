"""Data types that are computed in, and stored tensors with a row for each sample that there was at export."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, ops

from gsjupyter.formats.onnx import to_onnx
from gsjupyter.formats.onnx.kernels import has_kernel, kernel_type
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import Function, assert_agrees, run_onnx

EQUAL = Tensor(np.repeat(np.arange(5, dtype=np.float32)[None], 2, axis=0))
DIFFERENT = Tensor(np.arange(10, dtype=np.float32).reshape(2, 5))


def test_equal_rows_serve_any_number_of_samples(rng):
    def network(x):
        return (x + EQUAL) * EQUAL

    x = rng.standard_normal((3, 5)).astype(np.float32)
    model = model_from_cell(Function(network), (Tensor(x[:2]),))
    (actual,) = run_onnx(to_onnx(model, free_batch=True), x).values()
    np.testing.assert_allclose(actual, (x + np.arange(5)) * np.arange(5), rtol=1e-6)


def test_rows_stay_that_differ_or_that_the_other_operand_lacks(rng):
    def network(x):
        return x + DIFFERENT, x.sum(0, keepdims=True) + EQUAL

    assert_agrees(network, rng.standard_normal((2, 5)).astype(np.float32), free_batch=True)


@pytest.mark.parametrize(
    ("operator", "dtype", "kernel"),
    [
        ("Max", "int16", "int32"),
        ("Max", "int64", "int64"),
        ("Trilu", "uint64", "int64"),
        ("Where", "bool", "int32"),
        ("Erf", "float64", "float32"),
        ("Erf", "int64", "float32"),
        ("Range", "float16", "float32"),
        ("Resize", "int64", "float32"),
        ("Add", "uint16", "uint16"),
    ],
)
def test_what_has_no_kernel_is_computed_in_the_next_type_that_has(operator, dtype, kernel):
    assert kernel_type(operator, dtype) == kernel
    assert has_kernel(operator, dtype) == (dtype == kernel)


def test_values_without_a_kernel_in_half_precision_are_computed_in_single(rng):
    places = Tensor([[0], [2], [0]])

    def network(x, size):
        added = ops.tensor_scatter_add(x, places, x), ops.scatter_nd(places, x, (4, 5))
        return *added, ops.arange(0, size, 2).astype(mindspore.float32)[:, None] + x

    x = rng.standard_normal((3, 5)).astype(np.float32)
    assert_agrees(network, x, np.array(6, np.float32), float_type=np.float16, tolerance=2e-3)
