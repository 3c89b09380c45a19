"""Sizes that are computed while the model runs, as Python would compute them."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, mint, ops

from gsjupyter.errors import UnsupportedError
from tests.formats.onnx.agreement import assert_agrees_at_other_sizes, lowered


def example(*shape, dtype=mindspore.float32):
    return (Tensor(shape=list(shape), dtype=dtype),)


def others(rng):
    return [(rng.standard_normal((count, 3, 4)).astype(np.float32),) for count in (1, 5, 8)]


def test_whole_numbers(rng):
    def network(x):
        count = x.shape[0]
        sizes = count + 2, count * 3 - 1, 20 - count, count // 3 + 1, (0 - count) // 3 + 5, count % 3 + 1, -count + 9
        return *(ops.zeros((size, 2), mindspore.float32) for size in sizes), ops.ones((count**2,), mindspore.int32)

    assert_agrees_at_other_sizes(network, example(None, 3, 4), *others(rng))


def test_fractions(rng):
    def network(x):
        count = x.shape[0]
        return x * count, x / count**0.5, x * (count / 4), ops.zeros((int(count / 2), 3), mindspore.float32)

    assert_agrees_at_other_sizes(network, example(None, 3, 4), *others(rng))


def test_sizes_as_tensors(rng):
    def network(x):
        count = x.shape[0]
        single = ops.scalar_to_tensor(count), ops.scalar_to_tensor(count, mindspore.int32) * 2
        return *single, ops.TensorShape()(x), x.reshape(ops.TensorShape()(x)), ops.full((count, 2), count)

    assert_agrees_at_other_sizes(network, example(None, 3, 4), *others(rng))


def test_slices_up_to_a_computed_size(rng):
    def network(x):
        half = x.shape[0] // 2
        return x[:half], x[half:], x[x.shape[0] - 1], x[:, : x.shape[2] - 2], mint.narrow(x, 0, half, x.shape[0] - half)

    assert_agrees_at_other_sizes(network, example(None, 3, None), *others(rng))


def test_the_layer_is_named_that_needs_a_size_which_nobody_knows():
    def network(x):
        return ops.squeeze(x)

    with pytest.raises(UnsupportedError, match=r"Squeeze in the network itself .* known only when the model runs"):
        lowered(network, *example(None, 1, 4))
