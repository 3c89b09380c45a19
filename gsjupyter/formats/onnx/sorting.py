"""Sorting and the largest values as ONNX: what detection networks end with."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.kernels import kernel_type
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import axis_of, size_of

Sorted = tuple[ir.Value, ir.Value]


def _largest(
    operation: Operation, count: ir.Value, axis: int, indices: type[np.signedinteger[Any]], *, largest: bool = True
) -> Sorted:
    """Return the largest or smallest values along an axis in order, the first of equals first, and their places."""
    own = operation.input_dtype(0)
    kernel = kernel_type("TopK", own)
    value = operation.tensor(0, kernel)
    values, places = operation.add_many("TopK", value, count, outputs=2, axis=axis, largest=int(largest), sorted=1)
    return operation.cast(values, own, kernel), operation.cast(places, indices, np.int64)


def _top_k(operation: Operation) -> Sorted:
    return _largest(operation, operation.ints(1), operation.rank(0) - 1, np.int32)


def _top_k_along(operation: Operation) -> Sorted:
    axis = axis_of(operation, "dim", 2, operation.rank(0), -1)
    largest = bool(operation.setting("largest", 3, True))
    return _largest(operation, operation.ints(1), axis, np.int64, largest=largest)


def _sorted(operation: Operation, axis: int, indices: type[np.signedinteger[Any]], *, descending: bool) -> Sorted:
    size = operation.input_shape(0)[axis]
    is_free = size < 0 or (axis == 0 and operation.builder.batch is not None)
    count = size_of(operation, operation.tensor(0), axis) if is_free else operation.int_vector(size)
    return _largest(operation, count, axis, indices, largest=descending)


def _sort(operation: Operation) -> Sorted:
    axis = axis_of(operation, "axis", None, operation.rank(0), -1)
    return _sorted(operation, axis, np.int32, descending=bool(operation.setting("descending", default=False)))


def _sort_along(operation: Operation) -> Sorted:
    axis = axis_of(operation, "dim", 1, operation.rank(0), -1)
    return _sorted(operation, axis, np.int64, descending=bool(operation.setting("descending", 2, False)))


def _places(operation: Operation) -> ir.Value:
    return _sort_along(operation)[1]


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "TopK": _top_k,
    "TopkExt": _top_k_along,
    "Sort": _sort,
    "SortExt": _sort_along,
    "ArgSort": _places,
}
