"""Running sums and products as ONNX: positions that are counted, probabilities that are added up."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.kernels import computed
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.slicing import LAST

_DIRECTIONS: Final = (("exclusive", 2), ("reverse", 3))


def _sum(operation: Operation) -> ir.Value:
    axis = np.array(operation.setting("axis", 1), np.int64)
    exclusive, reverse = (int(operation.setting(name, index, False)) for name, index in _DIRECTIONS)
    return computed(operation, "CumSum", 0, axis, exclusive=exclusive, reverse=reverse)


def _sum_in_type(operation: Operation) -> ir.Value:
    return computed(operation, "CumSum", 0, np.array(operation.setting("dim", 1), np.int64))


def _product(operation: Operation) -> ir.Value:
    """Lower the running product, for which ONNX has no operator, by doubling: products of 1, 2, 4 ... neighbours."""
    axis = operation.setting("axis", 1) % operation.rank(0)
    exclusive, reverse = (operation.setting(name, index, False) for name, index in _DIRECTIONS)
    size = operation.input_shape(0)[axis]
    if size < 0 or (operation.builder.batch is not None and axis == 0):
        raise operation.unsupported("the size of the axis is free")
    value = operation.tensor(0, operation.dtype)
    if exclusive:
        value = _shifted(operation, value, axis, -1 if reverse else 1)
    step = 1
    while step < size:
        value = operation.add("Mul", value, _shifted(operation, value, axis, -step if reverse else step))
        step *= 2
    return value


def _shifted(operation: Operation, value: ir.Value, axis: int, distance: int) -> ir.Value:
    """Return a tensor moved along an axis, with ones where it has left."""
    start, end = (0, -distance) if distance > 0 else (-distance, LAST)
    kept = operation.add("Slice", value, *(np.array([number], np.int64) for number in (start, end, axis)))
    padding = np.array([max(distance, 0), max(-distance, 0)], np.int64)
    return operation.add("Pad", kept, padding, operation.number(1, operation.dtype), np.array([axis], np.int64))


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "CumSum": _sum,
    "CumsumExt": _sum_in_type,
    "CumProd": _product,
}
