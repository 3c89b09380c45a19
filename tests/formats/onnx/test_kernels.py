"""Stored tensors with a row for each sample that there was at export."""

from __future__ import annotations

import numpy as np
from mindspore import Tensor

from gsjupyter.formats.onnx import to_onnx
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
