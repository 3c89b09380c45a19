"""Concatenate, stack and split as ONNX: where branches of a network meet and part."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.expansion import for_each_sample
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import axis_of, ints_of
from gsjupyter.formats.onnx.tuples import tensors_of
from gsjupyter.mindir import Value

Sections = tuple[ir.Value, ...]


def _rank(operation: Operation) -> int:
    if operation.shape is None:
        raise operation.unsupported("its number of axes is unknown")
    return len(operation.shape)


def _concat(operation: Operation) -> ir.Value:
    rank = _rank(operation)
    axis = axis_of(operation, "axis", 1, rank)
    values = _items(operation, axis)
    return operation.add("Concat", *values, axis=axis) if len(values) > 1 else values[0]


def _items(operation: Operation, axis: int) -> list[ir.Value]:
    """Return what is joined along an axis, what is the same for each sample once for each of a free batch."""
    items = tensors_of(operation, operation.dtype)
    if axis and any(operation.builder.is_variable(value) for value, _ in items):
        return [for_each_sample(operation, item, _shape_of(item, value)) for item, value in items]
    return [value for value, _ in items]


def _shape_of(item: ir.Value, value: Value | None) -> Sequence[int]:
    if value is not None and value.shape is not None:
        return value.shape
    return item.const_value.shape.numpy() if item.const_value is not None else ()


def _stack(operation: Operation) -> ir.Value:
    axis = axis_of(operation, "axis", 1, _rank(operation))
    place = np.array([axis], np.int64)
    values = [operation.add("Unsqueeze", value, place) for value in _items(operation, axis)]
    return operation.add("Concat", *values, axis=axis) if len(values) > 1 else values[0]


def _equal_parts(operation: Operation) -> Sections:
    axis = axis_of(operation, "axis", 1, operation.rank(0))
    (count,) = ints_of(operation.setting("output_num", 2))
    if count == 1:
        return (operation.tensor(0),)
    return operation.add_many("Split", operation.tensor(0), outputs=count, axis=axis, num_outputs=count)


def _parts(operation: Operation, axis: int, sizes: Sequence[int]) -> Sections:
    if len(sizes) == 1:
        return (operation.tensor(0),)
    lengths = np.array(sizes, np.int64)
    return operation.add_many("Split", operation.tensor(0), lengths, outputs=len(sizes), axis=axis)


def _length(operation: Operation, axis: int) -> int:
    length = operation.input_shape(0)[axis]
    if length < 0:
        raise operation.unsupported("the number of parts is known only when the model runs")
    return length


def _parts_of_size(operation: Operation) -> Sections:
    axis = axis_of(operation, "dim", 2, operation.rank(0))
    (size,), length = ints_of(operation.setting("split_size", 1)), _length(operation, axis)
    return _parts(operation, axis, [min(size, length - start) for start in range(0, max(length, 1), size)])


def _parts_of_sizes(operation: Operation) -> Sections:
    axis = axis_of(operation, "dim", 2, operation.rank(0))
    return _parts(operation, axis, ints_of(operation.setting("split_size", 1)))


def _parts_of_known_sizes(operation: Operation) -> Sections:
    axis = axis_of(operation, "split_dim", None, operation.rank(0))
    sizes = list(ints_of(operation.setting("size_splits")))
    if -1 in sizes:
        sizes[sizes.index(-1)] = _length(operation, axis) - sum(size for size in sizes if size >= 0)
    return _parts(operation, axis, sizes)


def _chunks(operation: Operation) -> Sections:
    axis = axis_of(operation, "dim", 2, operation.rank(0))
    (count,), length = ints_of(operation.setting("chunks", 1)), _length(operation, axis)
    size = max(-(-length // count), 1)
    return _parts(operation, axis, [min(size, length - start) for start in range(0, max(length, 1), size)])


def _unstack(operation: Operation) -> Sections:
    axis = axis_of(operation, "axis", 1, operation.rank(0))
    value, count = operation.tensor(0), _length(operation, axis)
    return tuple(operation.add("Gather", value, operation.number(item, np.int64), axis=axis) for item in range(count))


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "Concat": _concat,
    "Stack": _stack,
    "StackExt": _stack,
    "Split": _equal_parts,
    "SplitTensor": _parts_of_size,
    "SplitTensorView": _parts_of_size,
    "SplitWithSize": _parts_of_sizes,
    "SplitWithSizeView": _parts_of_sizes,
    "SplitV": _parts_of_known_sizes,
    "Chunk": _chunks,
    "ChunkView": _chunks,
    "Unstack": _unstack,
    "UnstackExtView": _unstack,
}
