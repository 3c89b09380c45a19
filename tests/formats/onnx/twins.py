"""What the tests of the heavy operators share.

Operators that MindSpore has no kernel for on CPUs are held against others that compute the same.
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn

from gsjupyter.formats.onnx import to_onnx
from gsjupyter.mindir import Runner, flat_output, model_from_cell
from tests.formats.onnx.agreement import Function, run_onnx


class Several(nn.Cell):
    """Several cells, each applied to the same data."""

    def __init__(self, *cells):
        super().__init__()
        self.several = nn.CellList(list(cells))

    def construct(self, x):
        results = ()
        for cell in self.several:
            results += (cell(x),)
        return results


def random(rng, *shape):
    """Return random float32 numbers."""
    return rng.standard_normal(shape).astype(np.float32)


def assert_same_as(network, twin, *arrays):
    """Check that a function's ONNX form computes what MindSpore computes by another function."""
    tensors = tuple(Tensor(array) for array in arrays)
    actual = run_onnx(to_onnx(model_from_cell(Function(network), tensors)), *arrays)
    expected = flat_output(Runner(model_from_cell(Function(twin), tensors))(*arrays))
    assert list(actual) == list(expected)
    for name, wanted in expected.items():
        assert (actual[name].dtype, actual[name].shape) == (wanted.dtype, wanted.shape), name
        np.testing.assert_allclose(actual[name], wanted, rtol=0, atol=1e-5 * np.abs(wanted).max(), err_msg=name)


def operators(network, *arrays):
    """Return the names of the operators that a network's ONNX form has, but for those of its output."""
    model = to_onnx(model_from_cell(Function(network), tuple(Tensor(array) for array in arrays)))
    return [node.op_type for node in model.graph if node.op_type != "Identity"]
