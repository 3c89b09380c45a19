"""Gathering as ONNX: embeddings, what an index or a mask picks, and one-hot codes."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.batch_axis import BatchAxis
from gsjupyter.formats.onnx.constant_values import known_value
from gsjupyter.formats.onnx.kernels import computed, has_kernel, settled
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import axis_of, ints_of
from gsjupyter.mindir import Array

_INDEX_TYPES: Final = (np.dtype(np.int32), np.dtype(np.int64))


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
    row = _row_of_indices(operation)
    if row is None:
        return operation.add("GatherND", operation.tensor(0), operation.tensor(1, np.int64))
    indices = operation.expand(operation.builder.initializer(row), (operation.builder.batch or 1, *row.shape[1:]))
    return operation.add("GatherND", operation.tensor(0), indices, batch_dims=1)


def _row_of_indices(operation: Operation) -> Array | None:
    """Return what is picked of each sample of a free batch, one row; None if it isn't the same of each.

    ``x[:, [1, 3]]`` comes with the number of each sample in front of 1 and 3, in a table of them for each sample. Fewer
    axes than that has ``x[[0, 1], [3, 3]]``, which may mean these samples and no others.
    """
    builder, shape = operation.builder, operation.input_shape(1)
    if builder.batch is None or len(shape) < 3 or shape[0] != builder.batch or shape[-1] < 2:
        return None
    known = known_value(builder, operation.tensor(1, np.int64))
    if known is None or builder.batch_axes.of(operation.tensor(0)) != BatchAxis(0):
        return None
    samples = np.arange(len(known)).reshape(-1, *[1] * (known.ndim - 2))
    is_same = (known[..., 0] == samples).all() and (known[..., 1:] == known[:1, ..., 1:]).all()
    return known[:1, ..., 1:] if is_same else None


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
    return computed(operation, "Where", is_class, 2, 3)


def _masked_select(operation: Operation) -> ir.Value:
    value, mask = operation.tensor(0), operation.tensor(1)
    if operation.input_shape(0) != operation.input_shape(1) or -1 in operation.input_shape(0):
        value = operation.add("Expand", value, operation.add("Shape", mask))
        mask = operation.add("Expand", mask, operation.add("Shape", value))
    return operation.add("Compress", value, operation.add("Reshape", mask, np.array([-1], np.int64)))


def _non_zero(operation: Operation) -> ir.Value:
    value = operation.tensor(0, None if has_kernel("NonZero", operation.input_dtype(0)) else np.bool_)
    places = operation.add("Transpose", operation.add("NonZero", value), perm=[1, 0])
    return settled(operation, places, np.int64)


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
