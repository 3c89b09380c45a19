"""What the tests of the heavy operators share.

Operators that MindSpore has no kernel for on CPUs are held against others that compute the same.
"""

from __future__ import annotations

from mindspore import nn

from gsjupyter.mindir import Runner, flat_output
from tests.formats.onnx.agreement import assert_same, exported, lowered, run_onnx


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


def assert_same_as(network, twin, *arrays):
    """Check that a function's ONNX form computes what MindSpore computes by another function."""
    actual = run_onnx(lowered(network, *arrays), *arrays)
    expected = flat_output(Runner(exported(twin, *arrays))(*arrays))
    assert_same(actual, expected, tolerance=1e-5)


def operators(network, *arrays):
    """Return the names of the operators that a network's ONNX form has, but for those of its output."""
    return [node.op_type for node in lowered(network, *arrays).graph if node.op_type != "Identity"]
