"""Sorting and the largest values as ONNX: what detection networks end with."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import axis_of, size_of

_WIDER: Final = {
    np.dtype(np.bool_): ir.DataType.INT32,
    np.dtype(np.uint16): ir.DataType.INT32,
    np.dtype(np.uint32): ir.DataType.INT64,
    np.dtype(np.uint64): ir.DataType.INT64,
}

Sorted = tuple[ir.Value, ir.Value]


def _largest(operation: Operation, count: ir.Value, axis: int, indices: ir.DataType, *, largest: bool = True) -> Sorted:
    """Return the largest or smallest values along an axis in order, the first of equals first, and their places."""
    own = operation.builder.type_of(operation.input_dtype(0))
    value = operation.tensor(0)
    if own in _WIDER:
        value = operation.add("Cast", value, to=_WIDER[own])
    values, places = operation.add_many("TopK", value, count, outputs=2, axis=axis, largest=int(largest), sorted=1)
    if own in _WIDER:
        values = operation.add("Cast", values, to=ir.DataType.from_numpy(own))
    return values, places if indices == ir.DataType.INT64 else operation.add("Cast", places, to=indices)


def _top_k(operation: Operation) -> Sorted:
    return _largest(operation, operation.ints(1), operation.rank(0) - 1, ir.DataType.INT32)


def _top_k_along(operation: Operation) -> Sorted:
    axis = axis_of(operation, "dim", 2, operation.rank(0), -1)
    largest = bool(operation.setting("largest", 3, True))
    return _largest(operation, operation.ints(1), axis, ir.DataType.INT64, largest=largest)


def _sorted(operation: Operation, axis: int, indices: ir.DataType, *, descending: bool) -> Sorted:
    size = operation.input_shape(0)[axis]
    is_free = size < 0 or (axis == 0 and operation.builder.batch is not None)
    count = size_of(operation, operation.tensor(0), axis) if is_free else operation.int_vector(size)
    return _largest(operation, count, axis, indices, largest=descending)


def _sort(operation: Operation) -> Sorted:
    axis = axis_of(operation, "axis", None, operation.rank(0), -1)
    return _sorted(operation, axis, ir.DataType.INT32, descending=bool(operation.setting("descending", default=False)))


def _sort_along(operation: Operation) -> Sorted:
    axis = axis_of(operation, "dim", 1, operation.rank(0), -1)
    return _sorted(operation, axis, ir.DataType.INT64, descending=bool(operation.setting("descending", 2, False)))


def _places(operation: Operation) -> ir.Value:
    return _sort_along(operation)[1]


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "TopK": _top_k,
    "TopkExt": _top_k_along,
    "Sort": _sort,
    "SortExt": _sort_along,
    "ArgSort": _places,
}
