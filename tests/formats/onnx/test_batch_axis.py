"""Where the batch lies: attention that puts the sequence first gives the same for any number of samples."""

from __future__ import annotations

import mindspore
import numpy as np
import onnx_ir as ir
import pytest
from mindspore import nn, ops

from gsjupyter.formats.onnx.batch_axis import BatchAxes, BatchAxis
from tests.formats.onnx.agreement import assert_agrees_at_other_sizes
from tests.networks import filled
from tests.passes.networks import normal


class Attention(nn.Cell):
    """Attention with a mask of what comes later, and an encoder's layer of which the sequence comes first."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.layer = nn.TransformerEncoderLayer(8, 2, 6, batch_first=False)
        self.head = nn.Dense(8, 3)

    def construct(self, x):
        later = ops.triu(ops.ones((5, 5), mindspore.float32), 1).astype(mindspore.bool_)
        attended, weights = self.attention(x, x, x, attn_mask=later)
        return attended, weights, self.head(self.layer(x.swapaxes(0, 1))).swapaxes(0, 1)


class Padded(nn.Cell):
    """Attention that leaves out what is padding."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def construct(self, x):
        return self.attention(x, x, x, key_padding_mask=x[:, :, 0] > 1, need_weights=False)[0]


@pytest.mark.parametrize("batch", [1, 5])
def test_attention_for_any_number_of_samples(rng, batch):
    network = filled(Attention(), rng).set_train(False)
    assert_agrees_at_other_sizes(network, (normal(rng, batch, 5, 8),), (normal(rng, 3, 5, 8),), free_batch=True)


@pytest.mark.parametrize("batch", [1, 2])
def test_a_mask_of_padding_for_any_number_of_samples(rng, batch):
    network = filled(Padded(), rng).set_train(False)
    other = np.minimum(normal(rng, 3, 5, 8), 0.9)
    other[:, -2:, 0] = 2
    assert_agrees_at_other_sizes(network, (normal(rng, batch, 5, 8),), (other,), free_batch=True)


def test_axes_that_are_merged_and_parted_in_another_order(rng):
    def network(x):
        turned = x.transpose(1, 0, 2)
        inside, outside = turned.reshape(-1, 6), x.reshape(-1, 6)
        pairs = turned.reshape(5, -1, 3).transpose(1, 0, 2)
        return (
            inside.reshape(5, -1, 2, 3).swapaxes(0, 1),
            (inside + 1).reshape(5, x.shape[0], 6).swapaxes(0, 1),
            (outside * 2).reshape(x.shape[0], 5, 6),
            pairs.reshape(x.shape[0], 2, 5, 3),
        )

    # As many samples as steps: no size tells the one from the other.
    assert_agrees_at_other_sizes(network, (normal(rng, 5, 5, 6),), (normal(rng, 3, 5, 6),), free_batch=True)


def test_what_holds_the_batch_in_no_single_axis_has_none():
    x = ir.val("x", ir.DataType.FLOAT, [2, 3])
    turned, squares, sum_of = (ir.Value(name=name) for name in ("turned", "squares", "sum"))
    nodes = [
        ir.node("Transpose", [x], {"perm": [1, 0]}, outputs=[turned]),
        ir.node("MatMul", [x, turned], outputs=[squares]),
        ir.node("MatMul", [turned, x], outputs=[sum_of]),
    ]
    axes = BatchAxes(nodes, 21)
    axes.add_input(x, ir.DataType.FLOAT, (2, 3))
    assert [axes.of(value) for value in (x, turned, squares, sum_of)] == [BatchAxis(0), BatchAxis(1), None, None]


def test_a_reshape_has_one_place_for_the_batch_unless_that_is_a_single_sample():
    x = ir.val("x", ir.DataType.FLOAT, [5, 6])
    axes = BatchAxes([], 21)
    axes.add_input(x, ir.DataType.FLOAT, (5, 6))
    assert axes.of_reshaped(x, (5, 5, 6), 25) == []
    assert axes.of_reshaped(x, (10, 3), 5) == [BatchAxis(0, 1, 2)]
    assert axes.of_reshaped(x, (1, 1, 6), 1) == [BatchAxis(0), BatchAxis(1), BatchAxis(2, 1, 6)]
