"""What indices and masks pick."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, mint, nn, ops

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx import to_onnx
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import (
    as_cell,
    assert_agrees,
    assert_agrees_at_other_sizes,
    assert_same,
    lowered,
    run_onnx,
)
from tests.passes.networks import normal


def indices(rng, limit, *shape, dtype=np.int32):
    return rng.integers(0, limit, shape).astype(dtype)


def test_gathered_along_an_axis(rng):
    def network(x, i, j):
        plain = (
            ops.gather(x, i, 1),
            ops.gather(x, j, -1),
            ops.gather(x, i[0], 2),
            ops.index_select(x, 1, i),
            x.take(j, 2),
        )
        return *plain, x[:, i], x[0, i, i], x[i - 1], x[[1, 0]], x[:, [0, 2]], x[:, [0, 2], 1:3]

    assert_agrees(
        network, normal(rng, 3, 3, 4, 5), np.array([1, 2, 2], np.int32), indices(rng, 4, 2, 3, dtype=np.int64)
    )


def test_negative_indices(rng):
    def network(x, i):
        return ops.gather(x, i, 1), ops.gather_d(x, 1, ops.tile(i.reshape(1, 2, 1), (2, 1, 4)))

    assert_agrees(network, normal(rng, 2, 3, 4), np.array([-1, -3], np.int32))


@pytest.mark.parametrize(("axis", "batch_dims"), [(1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (-1, -1)])
def test_gathered_by_sample(rng, axis, batch_dims):
    def network(x, i):
        return ops.gather(x, i, axis, batch_dims)

    assert_agrees(network, normal(rng, 2, 3, 4, 5), indices(rng, 3, 2, 3, 2))


def test_gathered_item_by_item(rng):
    def network(x, i, j):
        single = ops.gather_d(x, 1, i), ops.gather_elements(x, -1, i), mint.gather(x, 0, i[:1])
        return *single, ops.gather_nd(x, j), ops.gather_nd(x, j[:, :1])

    assert_agrees(network, normal(rng, 2, 3, 4), indices(rng, 2, 2, 3, 4), indices(rng, 2, 5, 3))


def test_one_hot(rng):
    on, off = Tensor(5.0), Tensor(-1.0)
    layer = nn.OneHot(depth=4)

    def network(i):
        codes = (
            ops.one_hot(i, 4, on, off),
            ops.one_hot(i, 4, on, off, 0),
            ops.one_hot(i, 3, on, off, 1),
            ops.one_hot(i, 5),
        )
        return *codes, layer(i), mint.nn.functional.one_hot(i, 4)

    # What is no class has no code.
    assert_agrees(network, np.array([[0, 1, 3], [2, -1, 7]], np.int32))


def test_one_hot_in_other_data_types():
    def network(i):
        half = ops.one_hot(i, 3, Tensor(1, mindspore.float16), Tensor(0, mindspore.float16))
        return half, ops.one_hot(i, 3, Tensor(7, mindspore.int32), Tensor(-7, mindspore.int32))

    assert_agrees(network, np.array([0, 2, 1], np.int64))


def test_masks(rng):
    def network(x, mask):
        return ops.masked_select(x, mask), ops.masked_select(x, mask[0, 0]), ops.nonzero(mask), ops.nonzero(x), x[mask]

    x = normal(rng, 2, 3, 4)
    assert_agrees(network, np.where(x > 0.5, 0, x).astype(np.float32), normal(rng, 2, 3, 4) > 0)


class Embeddings(nn.Cell):
    """Embeddings by index and by code."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 5)
        self.codes = nn.Embedding(7, 3, use_one_hot=True)

    def construct(self, i):
        return self.table(i), self.codes(i)


@pytest.mark.parametrize("batch", [1, 2])
def test_embeddings_of_a_free_batch(rng, batch):
    example, other = (indices(rng, 7, count, 4) for count in (batch, 3))
    assert_agrees_at_other_sizes(Embeddings(), (example,), (other,), free_batch=True)


def test_dynamic_axes(rng):
    def network(x, i):
        return (
            ops.gather(x, i, 1),
            ops.gather_d(x, 1, i),
            ops.one_hot(i, 3),
            ops.gather(x, i, 1, 1),
            ops.masked_select(x, x > 0),
        )

    tensors = [Tensor(shape=[None, None], dtype=dtype) for dtype in (mindspore.float32, mindspore.int32)]
    others = [(normal(rng, count, 3), indices(rng, 3, count, 2)) for count in (2, 4)]
    assert_agrees_at_other_sizes(network, tensors, *others)


def test_the_other_embedding(rng):
    assert_agrees(mint.nn.Embedding(7, 4), indices(rng, 7, 2, 3))


def test_an_embedding_that_changes_its_weights_is_refused(rng):
    def network(i, weights):
        return mint.nn.functional.embedding(i, weights, max_norm=1.0)

    model = model_from_cell(as_cell(network), (Tensor(indices(rng, 3, 4)), Tensor(normal(rng, 3, 2))))
    with pytest.raises(UnsupportedError, match="max_norm changes its weights while the model runs"):
        to_onnx(model)


def test_what_mindspore_exports_and_has_no_kernel_for(rng):
    def network(x, i):
        return mint.index_select(x, 1, i), ops.take(x, i)

    x, i = normal(rng, 2, 3), indices(rng, 3, 4)
    actual = run_onnx(lowered(network, x, i), x, i)
    assert_same(actual, {"0": x[:, i], "1": x.reshape(-1)[i]}, 0)


@pytest.mark.parametrize("batch", [1, 2])
def test_a_list_picks_the_same_of_any_number_of_samples(rng, batch):
    def network(x):
        return x[:, [1, 3]], x[:, :, [2, 0, -1]]

    others = [(normal(rng, count, 4, 3),) for count in (1, 3)]
    assert_agrees_at_other_sizes(network, (normal(rng, batch, 4, 3),), *others, free_batch=True)


def test_a_list_that_picks_of_each_sample_another_item_stays(rng):
    def network(x):
        return x[[0, 1], [2, 0]], x[[1, 0], [1, 1]], x.swapaxes(0, 1)[:, [1, 0]]

    assert_agrees(network, normal(rng, 2, 4, 3), free_batch=True)
