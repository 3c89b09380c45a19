"""Updates at indices: which wins, and what adds up where they meet."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Parameter, Tensor, mint, nn, ops

from gsjupyter.errors import UnsupportedError
from tests.formats.onnx.agreement import (
    assert_agrees,
    assert_agrees_at_other_sizes,
    assert_same,
    lowered,
    run_onnx,
)
from tests.passes.networks import normal

PLACES = np.array([[0, 1], [1, 0], [0, 1]], np.int32)


def reduced(x, places, updates):
    both = ops.tensor_scatter_add(x, places, updates), ops.tensor_scatter_sub(x, places, updates)
    ends = ops.tensor_scatter_max(x, places, updates), ops.tensor_scatter_min(x, places, updates)
    scaled = ops.tensor_scatter_mul(x, places, updates), ops.tensor_scatter_div(x, places, updates)
    return *both, *ends, *scaled, ops.scatter_nd(places, updates, (2, 3, 4))


def test_reduced_at_places(rng):
    assert_agrees(reduced, normal(rng, 2, 3, 4), PLACES, normal(rng, 3, 4))


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int32, np.int64])
def test_other_data_types(rng, dtype):
    x, updates = ((rng.integers(1, 4, shape)).astype(dtype) for shape in ((2, 3, 4), (3, 4)))
    assert_agrees(reduced, x, PLACES, updates, tolerance=1e-3 if dtype == np.float16 else 1e-6)


def test_replaced(rng):
    def network(x, places, updates):
        y = x * 1
        y[:, 1] = y[:, 0]
        z = x * 2
        z[0] = 1.0
        return ops.tensor_scatter_update(x, places[:2], updates[:2]), y, z

    assert_agrees(network, normal(rng, 2, 3, 4), PLACES, normal(rng, 3, 4))


def test_along_an_axis(rng):
    def network(x, i, updates):
        replaced = (
            ops.tensor_scatter_elements(x, i, updates, 1),
            ops.scatter(x, -1, i, updates),
            mint.scatter(x, 1, i, 2.0),
        )
        added = (
            ops.tensor_scatter_elements(x, i, updates, 2, "add"),
            ops.tensor_scatter_elements(x, i[:1] % 2, updates[:1], 0, "add"),
        )
        return (
            *replaced,
            *added,
            mint.scatter(x, 1, i[:, :2], updates[:, :2]),
            ops.index_fill(x, 1, Tensor([2, 0], mindspore.int32), 2.0),
        )

    places = np.argsort(rng.standard_normal((2, 3, 3)), axis=1).astype(np.int64)
    assert_agrees(network, normal(rng, 2, 3, 3), np.sort(places, -1) * 0 + np.arange(3), normal(rng, 2, 3, 3))


def test_added_along_an_axis(rng):
    def network(x, i, updates):
        return ops.index_add(x * 1, i, updates, 1), ops.index_add(x * 2, i, updates, -2)

    assert_agrees(network, normal(rng, 2, 3, 4), np.array([2, 0, 2], np.int32), normal(rng, 2, 3, 4))


def test_dynamic_axes(rng):
    def network(x, places, updates):
        return ops.tensor_scatter_add(x, places, updates), ops.scatter_nd(places, updates, (x.shape[0], 3, 4))

    example = Tensor(shape=[None, 3, 4], dtype=mindspore.float32)
    others = [(normal(rng, count, 3, 4), PLACES, normal(rng, 3, 4)) for count in (2, 5)]
    assert_agrees_at_other_sizes(network, (example, PLACES, normal(rng, 3, 4)), *others)


def test_what_mindspore_exports_and_has_no_kernel_for(rng):
    def network(x, i, updates):
        return mint.index_add(x, 1, i, updates, alpha=2), mint.scatter_add(x, 0, i.reshape(1, 3), updates[:1])

    x, updates, i = normal(rng, 2, 3), normal(rng, 2, 3), np.array([1, 0, 1])
    actual = run_onnx(lowered(network, x, i, updates), x, i, updates)
    columns, rows = x.copy(), x.copy()
    np.add.at(columns, (slice(None), i), 2 * updates)
    np.add.at(rows, (i, np.arange(3)), updates[0])
    assert_same(actual, {"0": columns, "1": rows}, 1e-6)


def test_a_tensor_that_changes_and_is_read_elsewhere_is_refused(rng):
    def network(x, i, updates):
        y = x * 1
        return ops.index_add(y, i, updates, 1), y + 1

    inputs = normal(rng, 2, 3, 4), np.array([2, 0, 2], np.int32), normal(rng, 2, 3, 4)
    with pytest.raises(UnsupportedError, match=r"IndexAdd .* others read what it changes"):
        lowered(network, *inputs)


class Counter(nn.Cell):
    """Adds to a parameter whenever it runs."""

    def __init__(self):
        super().__init__()
        self.counts = Parameter(Tensor(np.zeros((3, 2), np.float32)), name="counts")

    def construct(self, x):
        return ops.index_add(self.counts, Tensor([0, 2], mindspore.int32), x, 0)


def test_a_parameter_that_changes_is_refused(rng):
    with pytest.raises(UnsupportedError, match=r"IndexAdd in the network itself .* changes a parameter"):
        lowered(Counter(), normal(rng, 2, 2))
