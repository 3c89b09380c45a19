"""Recurrent layers as ONNX: MindSpore's LSTM keeps all weights in one vector, its gates in another order.

``nn.GRU``, ``nn.RNN`` and an LSTM with `seq_length` come as one cell after the other, of ordinary operators.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.constant_values import known_value
from gsjupyter.formats.onnx.kernels import narrowed, widened
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import axis_of, size_of
from gsjupyter.mindir import Array

_GATES: Final = (0, 3, 1, 2)
"""ONNX's order of the gates (input, output, forget, cell) in MindSpore's (input, forget, cell, output)."""


def _lstm(operation: Operation) -> tuple[ir.Value, ...]:
    if operation.setting("num_layers", default=1) != 1:
        raise operation.unsupported("it is several layers in one operator")
    if operation.setting("proj_size", default=0):
        raise operation.unsupported("it projects its state")
    directions = 2 if operation.setting("bidirectional", default=False) else 1
    hidden = int(operation.setting("hidden_size"))
    weights = [_in_float32(operation, array) for array in _weights(operation, directions, hidden)]
    # ONNX Runtime has no LSTM in float16 on the CPU.
    x = widened(operation, operation.tensor(0))
    states = [_state(operation, x, index) for index in (1, 2)]
    biases = weights[2] if len(weights) > 2 else None
    outputs = operation.add_many(
        "LSTM",
        *(x, weights[0], weights[1], biases, None, *states),
        outputs=3,
        hidden_size=hidden,
        direction="bidirectional" if directions == 2 else "forward",
    )
    return tuple(narrowed(operation, value) for value in (_joined(operation, outputs[0], directions), *outputs[1:]))


def _joined(operation: Operation, value: ir.Value, directions: int) -> ir.Value:
    """Return ONNX's output, with an axis for the direction after that for time, with both ways' features joined."""
    if directions == 1:
        return operation.add("Squeeze", value, np.array([1], np.int64))
    ordered = operation.add("Transpose", value, perm=[0, 2, 1, 3])
    return operation.add("Reshape", ordered, np.array([0, 0, -1], np.int64))


def _weights(operation: Operation, directions: int, hidden: int) -> list[Array]:
    """Return ONNX's W, R and, if there are biases, B, from MindSpore's vector of all of them."""
    flat = known_value(operation.builder, operation.tensor(3))
    if flat is None:
        raise operation.unsupported("its weights are computed while the model runs")
    flat, size, rows = flat.reshape(-1), int(operation.setting("input_size")), directions * 4 * hidden
    counts = [rows * size, rows * hidden, *([rows] if operation.setting("has_bias", default=True) else [])]
    if len(flat) != sum(counts):
        raise operation.unsupported(f"its weights are {len(flat):,} numbers, not {sum(counts):,}")
    parts = np.split(flat, np.cumsum(counts)[:-1])
    gates = [part.reshape(directions, 4, hidden, -1)[:, _GATES].reshape(directions, 4 * hidden, -1) for part in parts]
    if len(gates) == 3:
        # MindSpore has added both biases up, and ONNX wants two.
        gates[2] = np.concatenate([gates[2][..., 0], np.zeros_like(gates[2][..., 0])], axis=1)
    return gates


def _state(operation: Operation, x: ir.Value, index: int) -> ir.Value | None:
    """Return an initial state, one for each sample; None for zeros, which is what ONNX begins with."""
    value = operation.tensor(index)
    known = known_value(operation.builder, value)
    if known is None:
        return widened(operation, value)
    if not known.any():
        return None
    if operation.builder.batch is None or not (known == known[:, :1]).all():
        return _in_float32(operation, known)
    layers, _, hidden = known.shape
    single = _in_float32(operation, known[:, :1])
    ends = [np.array([number], np.int64) for number in (layers, hidden)]
    shape = operation.add("Concat", ends[0], size_of(operation, x, 1), ends[1], axis=0)
    return operation.add("Expand", single, shape)


def _in_float32(operation: Operation, array: Array) -> ir.Value:
    return widened(operation, operation.builder.initializer(array.astype(np.float32)))


def _reverse_sequence(operation: Operation) -> ir.Value:
    rank = operation.rank(0)
    time = axis_of(operation, "seq_dim", None, rank)
    batch = axis_of(operation, "batch_dim", None, rank, 0)
    lengths, value = operation.tensor(1, np.int64), operation.tensor(0)
    order = [batch, time, *(axis for axis in range(rank) if axis not in (batch, time))]
    is_ordered = order == list(range(rank))
    first = value if is_ordered else operation.add("Transpose", value, perm=order)
    turned = operation.add("ReverseSequence", first, lengths, batch_axis=0, time_axis=1)
    return turned if is_ordered else operation.add("Transpose", turned, perm=np.argsort(order).tolist())


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "LSTM": _lstm,
    "ReverseSequence": _reverse_sequence,
}
