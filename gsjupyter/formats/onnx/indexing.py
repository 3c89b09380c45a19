"""Gathering as ONNX: embeddings, what an index or a mask picks, and one-hot codes."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.kernel_types import in_kernel_type
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import axis_of, ints_of

_INDEX_TYPES: Final = (np.dtype(np.int32), np.dtype(np.int64))
_WITHOUT_CHOICE: Final = (np.int16, np.uint16, np.uint64, np.bool_)
_WITH_NON_ZERO: Final = frozenset(map(np.dtype, (np.float32, np.int32, np.int64, np.uint8, np.bool_)))


def indices_of(operation: Operation, index: int) -> ir.Value:
    """Return an input that holds indices in a data type that ONNX takes for them."""
    is_fit = operation.is_constant(index) or operation.input_dtype(index) in _INDEX_TYPES
    return operation.tensor(index) if is_fit else operation.tensor(index, np.int64)


def _gather(operation: Operation) -> ir.Value:
    rank = operation.rank(0)
    axis = axis_of(operation, "axis", 2, rank)
    (shared,) = ints_of(operation.setting("batch_dims", 3, 0))
    indices = indices_of(operation, 1)
    if not shared:
        return operation.add("Gather", operation.tensor(0), indices, axis=axis)
    return _gather_by_sample(operation, axis, shared % max(operation.rank(1), 1))


def _gather_by_sample(operation: Operation, axis: int, shared: int) -> ir.Value:
    """Gather with own indices for each item of the first `shared` axes."""
    rank, value = operation.rank(0), operation.tensor(0)
    between = axis - shared
    if between:
        order = [*range(shared), axis, *range(shared, axis), *range(axis + 1, rank)]
        value = operation.add("Transpose", value, perm=order)
    indices = operation.add("Unsqueeze", operation.tensor(1, np.int64), np.array([-1], np.int64))
    found = operation.add("GatherND", value, indices, batch_dims=shared)
    picked = operation.rank(1) - shared
    if not between:
        return found
    first = shared + picked
    order = [
        *range(shared),
        *range(first, first + between),
        *range(shared, first),
        *range(first + between, rank - 1 + picked),
    ]
    return operation.add("Transpose", found, perm=order)


def _gather_elements(operation: Operation) -> ir.Value:
    axis = axis_of(operation, "dim", 1, operation.rank(0))
    return operation.add("GatherElements", operation.tensor(0), indices_of(operation, 2), axis=axis)


def _gather_nd(operation: Operation) -> ir.Value:
    return operation.add("GatherND", operation.tensor(0), operation.tensor(1, np.int64))


def _index_select(operation: Operation) -> ir.Value:
    axis = axis_of(operation, "dim", 1, operation.rank(0))
    return operation.add("Gather", operation.tensor(0), indices_of(operation, 2), axis=axis)


def _take(operation: Operation) -> ir.Value:
    flat = operation.add("Reshape", operation.tensor(0), np.array([-1], np.int64))
    return operation.add("Gather", flat, indices_of(operation, 1))


def _embedding(operation: Operation) -> ir.Value:
    if operation.setting("max_norm", 3, None) is not None:
        raise operation.unsupported("max_norm changes its weights while the model runs")
    return operation.add("Gather", operation.tensor(1), indices_of(operation, 0))


def _one_hot(operation: Operation) -> ir.Value:
    """Compare with each class: ONNX's own operator counts negative indices from the end, MindSpore leaves them out."""
    axis = axis_of(operation, "axis", 4, operation.rank(0) + 1, -1)
    indices = operation.add("Unsqueeze", operation.tensor(0, np.int64), np.array([axis], np.int64))
    after = operation.rank(0) - axis
    if operation.is_constant(1):
        (depth,) = ints_of(operation.constant(1))
        if depth < 0:
            raise operation.unsupported("the number of classes is known only when the model runs")
        classes = operation.builder.initializer(np.arange(depth, dtype=np.int64).reshape(-1, *[1] * after))
    else:
        ends = [operation.number(number, np.int64) for number in (0, 1)]
        depths = operation.add("Reshape", operation.tensor(1, np.int64), np.zeros(0, np.int64))
        numbers = operation.add("Range", ends[0], depths, ends[1])
        classes = operation.add("Reshape", numbers, np.array([-1, *[1] * after], np.int64))
    is_class = operation.add("Equal", indices, classes)
    choices = [operation.tensor(index, operation.dtype) for index in (2, 3)]
    return in_kernel_type(
        operation, operation.dtype, _WITHOUT_CHOICE, lambda on, off: operation.add("Where", is_class, on, off), *choices
    )


def _masked_select(operation: Operation) -> ir.Value:
    value, mask = operation.tensor(0), operation.tensor(1)
    if operation.input_shape(0) != operation.input_shape(1) or -1 in operation.input_shape(0):
        value = operation.add("Expand", value, operation.add("Shape", mask))
        mask = operation.add("Expand", mask, operation.add("Shape", value))
    return operation.add("Compress", value, operation.add("Reshape", mask, np.array([-1], np.int64)))


def _non_zero(operation: Operation) -> ir.Value:
    has_kernel = operation.builder.type_of(operation.input_dtype(0)) in _WITH_NON_ZERO
    value = operation.tensor(0) if has_kernel else operation.tensor(0, np.bool_)
    places = operation.add("Transpose", operation.add("NonZero", value), perm=[1, 0])
    return places if operation.dtype == np.int64 else operation.cast(places, operation.dtype)


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "Gather": _gather,
    "GatherD": _gather_elements,
    "GatherNd": _gather_nd,
    "IndexSelect": _index_select,
    "Take": _take,
    "Embedding": _embedding,
    "OneHot": _one_hot,
    "OneHotExt": _one_hot,
    "MaskedSelect": _masked_select,
    "NonZero": _non_zero,
}
