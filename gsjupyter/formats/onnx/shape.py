"""Reshape, transpose and their kin as ONNX: how a network looks at the same numbers in other ways.

With a free batch no target shape may hold the size that the batch happened to have. A reshape keeps the order of the
numbers, so where the batch lies in the input tells where it lies in the output. Where nobody knows that, the axes that
lead both shapes with equal sizes are the same axes, and are copied; the first axis that differs takes what the others
leave.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import axis_of, ints_of
from gsjupyter.formats.onnx.tuples import MAKERS
from gsjupyter.mindir import Input, Node, Value


def free_target(source: Sequence[int], target: Sequence[int]) -> tuple[int, ...]:
    """Return a target shape for Reshape that leaves the batch free: 0 to copy an axis, -1 for what is left.

    Parameters
    ----------
    source, target : sequence of int
        The shapes before and after, at the batch size that the network was exported with.
    """
    pairs = zip(source, target, strict=False)
    same = next((axis for axis, (before, after) in enumerate(pairs) if before != after), min(len(source), len(target)))
    return (*[0] * same, *[-1] * (same < len(target)), *target[same + 1 :])


def reshaped(operation: Operation, value: ir.Value, source: Sequence[int], target: Sequence[int]) -> ir.Value:
    """Return a value in another shape, its batch free if that of the model is.

    Parameters
    ----------
    operation : Operation
        What is being lowered.
    value : ir.Value
        What to reshape.
    source, target : sequence of int
        The shapes before and after in MindIR, -1 for dynamic axes; at most one of `target`.
    """
    builder = operation.builder
    if builder.batch is not None and builder.is_variable(value) and min(*source, *target, 1) > 0:
        axis = _batch_axis(operation, value, source, target, builder.batch)
        free = free_target(source, target) if axis is None else (*target[:axis], -1, *target[axis + 1 :])
        return operation.add("Reshape", value, np.array(free, np.int64))
    # Elsewhere in ONNX a size of 0 would mean the size that the axis has.
    return operation.add("Reshape", value, np.array(target, np.int64), allowzero=int(0 in target) or None)


def _batch_axis(
    operation: Operation, value: ir.Value, source: Sequence[int], target: Sequence[int], batch: int
) -> int | None:
    """Return which axis of a target shape holds the batch; None if that isn't certain."""
    axes = operation.builder.batch_axes
    places, own = axes.of_reshaped(value, target, batch), axes.of(value)
    if own is None or len(places) < 2:
        return places[0].axis if places else None
    # With a single sample the batch hides: it may be an axis of 1, or a part of any axis beside where that would be.
    if _is_stack(operation, target):
        return own.axis + 1
    rank, shift = len(target), len(source) - len(target)
    if _meets_weights(operation):
        places = [place for place in places if place.axis < rank - 1]
    kept = [axis for axis in range(rank) if axis < own.axis and tuple(source[: axis + 1]) == tuple(target[: axis + 1])]
    kept += [axis for axis in range(rank) if axis + shift > own.axis and source[axis + shift :] == target[axis:]]
    alone = [place for place in places if place.outer == place.inner == 1]
    for chosen in (places, [place for place in places if place.axis not in kept], alone):
        if len(chosen) == 1:
            return chosen[0].axis
    return None


def _is_stack(operation: Operation, target: Sequence[int]) -> bool:
    """Say whether values that were concatenated get an axis of their own: so recurrent layers give their states."""
    joined = operation.node.inputs[0]
    if not isinstance(joined, Node) or joined.op != "Concat":
        return False
    items, join = joined.inputs[0], Operation(joined, operation.builder)
    if not isinstance(items, Node) or items.op not in MAKERS or axis_of(join, "axis", 1, len(joined.shape or ())) != 0:
        return False
    return all(tuple(target) == (len(items.inputs), *(item.shape or ())) for item in items.inputs)


def _meets_weights(operation: Operation) -> bool:
    """Say whether its last axis is multiplied with a weight, whose sizes are no batch's."""
    return any(
        reader.op in ("MatMul", "MatMulExt", "Dense")
        and reader.inputs[0] is operation.node
        and not _depends_on_inputs(reader.inputs[1])
        for reader in operation.node.readers
    )


def _depends_on_inputs(value: Value) -> bool:
    seen, pending = {value}, [value]
    while pending:
        current = pending.pop()
        if isinstance(current, Input):
            return True
        new = set(current.inputs) - seen if isinstance(current, Node) else set()
        seen |= new
        pending.extend(new)
    return False


def _reshape(operation: Operation) -> ir.Value:
    value = operation.tensor(0)
    if not operation.is_constant(1):
        return operation.add("Reshape", value, operation.ints(1))
    target, shape = ints_of(operation.constant(1)), operation.shape
    known = shape is not None and -1 not in shape
    return reshaped(operation, value, operation.input_shape(0), shape if known and shape is not None else target)


def _flatten(operation: Operation) -> ir.Value:
    rest = operation.input_shape(0)[1:]
    if min(rest, default=1) < 1:
        return operation.add("Flatten", operation.tensor(0), axis=1)
    # ONNX Runtime moves QuantizeLinear across Reshape and not across Flatten, which leaves what is before it in float.
    return operation.add("Reshape", operation.tensor(0), np.array([0, math.prod(rest)], np.int64))


def _flatten_axes(operation: Operation) -> ir.Value:
    sizes, value = operation.input_shape(0), operation.tensor(0)
    first = axis_of(operation, "start_dim", 1, len(sizes), 0)
    last = axis_of(operation, "end_dim", 2, len(sizes), -1)
    rest = sizes[last + 1 :]
    if -1 not in rest:
        return operation.add("Reshape", value, np.array([*[0] * first, -1, *rest], np.int64))
    start = np.array([*[0] * first, -1], np.int64)
    target = operation.add("Concat", start, operation.add("Shape", value, start=last + 1), axis=0)
    return operation.add("Reshape", value, target)


def _transpose(operation: Operation) -> ir.Value:
    rank = operation.rank(0)
    axes = [axis % rank for axis in ints_of(operation.setting("perm", 1))]
    return operation.add("Transpose", operation.tensor(0), perm=axes)


def _swap(operation: Operation) -> ir.Value:
    rank = operation.rank(0)
    axes = list(range(rank))
    first, second = (axis_of(operation, name, index, rank) for name, index in (("dim0", 1), ("dim1", 2)))
    axes[first], axes[second] = second, first
    return operation.add("Transpose", operation.tensor(0), perm=axes)


def _expand_dims(operation: Operation) -> ir.Value:
    axis = axis_of(operation, "axis", 1, operation.rank(0) + 1)
    return operation.add("Unsqueeze", operation.tensor(0), np.array([axis], np.int64))


def _squeeze(operation: Operation) -> ir.Value:
    sizes = operation.input_shape(0)
    axes = [axis % len(sizes) for axis in ints_of(operation.setting("axis", 1, ()))]
    if not axes:
        if -1 in sizes:
            raise operation.unsupported("which axes it drops is known only when the model runs")
        axes = [axis for axis, size in enumerate(sizes) if size == 1]
    # Named axes of another size stay, as in PyTorch.
    dropped = [axis for axis in axes if sizes[axis] in (1, -1)]
    return (
        operation.add("Squeeze", operation.tensor(0), np.array(dropped, np.int64)) if dropped else operation.tensor(0)
    )


def _diagonal(operation: Operation) -> ir.Value:
    sizes, value = operation.input_shape(0), operation.tensor(0)
    rank = len(sizes)
    (offset,) = ints_of(operation.setting("offset", 1, 0))
    first = axis_of(operation, "dim1", 2, rank, 0)
    second = axis_of(operation, "dim2", 3, rank, 1)
    rows, columns = sizes[first], sizes[second]
    if -1 in (rows, columns):
        raise operation.unsupported("its axes have sizes that are known only when the model runs")
    others = [axis for axis in range(rank) if axis not in (first, second)]
    last = operation.add("Transpose", value, perm=[*others, first, second])
    flat = operation.add("Reshape", last, np.array([*[0] * len(others), -1], np.int64))
    length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    start = max(-offset, 0) * columns + max(offset, 0)
    places = start + np.arange(length, dtype=np.int64) * (columns + 1)
    return operation.add("Gather", flat, places, axis=len(others))


def _same(operation: Operation) -> ir.Value:
    return operation.tensor(0)


def _both(name: str, lowering: Lowering) -> dict[str, Lowering]:
    """Return an operator and the view that MindSpore makes of it, which nobody writes into where it can be lowered."""
    return {name: lowering, f"{name}View": lowering}


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "Reshape": _reshape,
    "View": _reshape,
    "Flatten": _flatten,
    "FlattenExt": _flatten_axes,
    **_both("Transpose", _transpose),
    **_both("TransposeExt", _swap),
    **_both("ExpandDims", _expand_dims),
    **_both("Squeeze", _squeeze),
    **_both("Diagonal", _diagonal),
    "TensorMove": _same,
    "Contiguous": _same,
    "Identity": _same,
    "StopGradient": _same,
}
