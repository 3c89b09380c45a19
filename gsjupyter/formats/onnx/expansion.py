"""Broadcast, tile and grids as ONNX: one copy in the network becomes as many as its neighbours need."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.builder import Lowered
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import ints_of
from gsjupyter.formats.onnx.tuples import tensors_of


def for_each_sample(operation: Operation, value: ir.Value, shape: Sequence[int]) -> ir.Value:
    """Return a constant that holds the same for each sample of the batch once for each, as many as there are.

    Anything else, and everything where the batch isn't free, stays as it is.

    Parameters
    ----------
    operation : Operation
        What is being lowered.
    value : ir.Value
        What may be such a constant.
    shape : sequence of int
        Its shape in MindIR.
    """
    builder, tensor = operation.builder, value.const_value
    if builder.batch is None or builder.is_variable(value) or len(shape) < 2 or shape[0] != builder.batch:
        return value
    if shape[0] > 1:
        row = builder.common_row(tensor.numpy()) if tensor is not None else None
        if row is None:
            return value
        value = builder.initializer(row)
    return operation.expand(value, shape)


def _broadcast(operation: Operation) -> ir.Value:
    value, sizes = operation.tensor(0), operation.input_shape(0)
    if not operation.is_constant(1):
        return operation.add("Expand", value, _kept_as_one(operation, 1))
    target = ints_of(operation.constant(1))
    new = len(target) - len(sizes)
    shape = [sizes[axis - new] if size == -1 else size for axis, size in enumerate(target)]
    is_variable = operation.builder.is_variable(value)
    # An axis of 1 takes the size that the other side has: so sizes that are there already are not written down.
    same = [axis >= new and size in (sizes[axis - new], -1) for axis, size in enumerate(shape)]
    if new == 0 and same[0] and is_variable:
        shape[0] = 1
    kept = [1 if axis and same[axis] else size for axis, size in enumerate(shape)]
    return operation.expand(value, kept)


def _kept_as_one(operation: Operation, index: int) -> ir.Value:
    """Return a shape that is computed, with 1 for -1: the sizes that stay."""
    lowered = operation.builder.get(operation.node.inputs[index])
    if isinstance(lowered, tuple):
        return operation.int_vector(tuple(1 if isinstance(item, int) and item == -1 else item for item in lowered))
    return operation.add("Max", operation.ints(index), np.ones(1, np.int64))


def _expand_as(operation: Operation) -> ir.Value:
    return operation.add("Expand", operation.tensor(0), operation.add("Shape", operation.tensor(1)))


def _tile(operation: Operation) -> ir.Value:
    value, sizes = operation.tensor(0), operation.input_shape(0)
    repeats: Lowered = operation.builder.get(operation.node.inputs[1])
    if isinstance(repeats, ir.Value):
        raise operation.unsupported("how often it repeats is computed in a tensor")
    counts = repeats if isinstance(repeats, tuple) else ints_of(repeats)
    counts = (*[1] * (len(sizes) - len(counts)), *counts)
    if new := len(counts) - len(sizes):
        value = operation.add("Unsqueeze", value, np.arange(new, dtype=np.int64))
        sizes = (*[1] * new, *sizes)
    if _is_for_each_sample(operation, value, sizes, counts):
        counts = (operation.builder.batch_value(), *counts[1:])
    return operation.add("Tile", value, operation.int_vector(counts))


def _is_for_each_sample(operation: Operation, value: ir.Value, sizes: Sequence[int], counts: Sequence[Lowered]) -> bool:
    batch = operation.builder.batch
    is_one = len(sizes) > 1 and sizes[0] == 1 and counts[0] == batch
    return batch is not None and is_one and (batch > 1 or not operation.builder.is_variable(value))


def _repeat_each(operation: Operation) -> ir.Value:
    """Repeat each item along an axis: a new axis after it is tiled and merged with it."""
    sizes, value = operation.input_shape(0), operation.tensor(0)
    (repeats,) = ints_of(operation.constant(1))
    axis_setting = operation.setting("dim", 2, None)
    if axis_setting is None:
        value, sizes = operation.add("Reshape", value, np.array([-1], np.int64)), (-1,)
    axis = int(axis_setting or 0) % len(sizes)
    repeated = operation.add("Unsqueeze", value, np.array([axis + 1], np.int64))
    counts = np.ones(len(sizes) + 1, np.int64)
    counts[axis + 1] = repeats
    tiled = operation.add("Tile", repeated, counts)
    rest = operation.add("Shape", value, start=axis + 1) if axis + 1 < len(sizes) else None
    target = np.array([*[0] * axis, -1], np.int64)
    whole = target if rest is None else operation.add("Concat", target, rest, axis=0)
    return operation.add("Reshape", tiled, whole)


def _meshgrid(operation: Operation) -> Lowered:
    values = [value for value, _ in tensors_of(operation)]
    indexing = operation.setting("indexing", 1, 1)
    count = len(values)
    axes = list(range(count))
    if indexing in (1, "xy") and count > 1:
        axes[:2] = [1, 0]
    lengths = [operation.add("Reshape", operation.add("Size", value), np.array([1], np.int64)) for value in values]
    ordered = [lengths[axes[axis]] for axis in range(count)]
    shape = operation.add("Concat", *ordered, axis=0) if count > 1 else ordered[0]
    targets = [np.array([-1 if place == axis else 1 for place in range(count)], np.int64) for axis in axes]
    columns = [operation.add("Reshape", value, target) for value, target in zip(values, targets, strict=True)]
    return tuple(operation.add("Expand", column, shape) for column in columns)


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "BroadcastTo": _broadcast,
    "BroadcastToView": _broadcast,
    "ExpandAs": _expand_as,
    "Tile": _tile,
    "Repeat": _tile,
    "RepeatInterleaveInt": _repeat_each,
    "Meshgrid": _meshgrid,
}
