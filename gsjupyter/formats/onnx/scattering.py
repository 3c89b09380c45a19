"""Scattering as ONNX: how ``x[i] = y`` is written in a graph where no tensor changes."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.indexing import indices_of
from gsjupyter.formats.onnx.kernels import computed_around
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import axis_of, ints_of
from gsjupyter.mindir import Parameter

_REDUCTIONS: Final = {0: "none", 1: "add", "none": "none", "add": "add"}


def _scattered(
    operation: Operation,
    operator: str,
    values: tuple[ir.Value, ir.Value, ir.Value],
    reduction: str,
    axis: int | None = None,
) -> ir.Value:
    """Return data with updates at indices; `values` holds the data, the indices and the updates."""
    data, indices, updates = values

    def compute(data: ir.Value, updates: ir.Value) -> ir.Value:
        return operation.add(operator, data, indices, updates, axis=axis, reduction=reduction)

    if reduction == "none":
        return compute(data, updates)
    return computed_around(operation, operator, operation.dtype, compute, data, updates)


def _scatter_nd(operation: Operation) -> ir.Value:
    zero = operation.builder.initializer(np.zeros((), operation.dtype))
    data = operation.add("Expand", zero, operation.ints(2))
    return _scattered(operation, "ScatterND", (data, operation.tensor(0, np.int64), operation.tensor(1)), "add")


def _inputs(operation: Operation) -> tuple[ir.Value, ir.Value, ir.Value]:
    return operation.tensor(0), operation.tensor(1, np.int64), operation.tensor(2, operation.dtype)


def _update(reduction: str) -> Lowering:
    return lambda operation: _scattered(operation, "ScatterND", _inputs(operation), reduction)


def _subtract(operation: Operation) -> ir.Value:
    data, indices, updates = _inputs(operation)
    taken = _scattered(operation, "ScatterND", (_filled(operation, data, 0), indices, updates), "add")
    return operation.add("Sub", data, taken)


def _divide(operation: Operation) -> ir.Value:
    data, indices, updates = _inputs(operation)
    divisors = _scattered(operation, "ScatterND", (_filled(operation, data, 1), indices, updates), "mul")
    return operation.add("Div", data, divisors)


def _filled(operation: Operation, like: ir.Value, number: int) -> ir.Value:
    return operation.add("Expand", np.asarray(number, operation.dtype), operation.add("Shape", like))


def _elements(data: int, axis: int, indices: int, updates: int, reduction: int | None) -> Lowering:
    """Lower an operator that scatters along one axis, its settings and inputs at these places."""

    def lower(operation: Operation) -> ir.Value:
        along = axis_of(operation, "axis" if axis > 1 else "dim", axis, operation.rank(data))
        setting = operation.setting("reduction" if axis > 1 else "reduce", reduction, 0) if reduction else 1
        if setting not in _REDUCTIONS:
            raise operation.unsupported(f"its reduction is {setting!r}")
        places = indices_of(operation, indices)
        values = (operation.tensor(data), places, _updates(operation, indices, updates, places))
        return _scattered(operation, "ScatterElements", values, _REDUCTIONS[setting], along)

    return lower


def _updates(operation: Operation, indices: int, updates: int, places: ir.Value) -> ir.Value:
    """Return the updates in the shape of the indices, which may leave some of them out."""
    value = operation.tensor(updates, operation.dtype)
    if operation.is_constant(updates) and np.ndim(operation.constant(updates)) == 0:  # type: ignore[arg-type]
        return operation.add("Expand", value, operation.add("Shape", places))
    if operation.input_shape(indices) == operation.input_shape(updates):
        return value
    rank = operation.rank(indices)
    return operation.add("Slice", value, np.zeros(rank, np.int64), operation.add("Shape", places))


def _index_add(operation: Operation) -> ir.Value:
    changed = operation.node.inputs[0]
    if isinstance(changed, Parameter):
        raise operation.unsupported("it changes a parameter while the model runs")
    others = [reader for reader in changed.readers if reader is not operation.node and reader.op != "UpdateState"]
    if others:
        raise operation.unsupported("others read what it changes")
    axis = axis_of(operation, "axis", None, operation.rank(0))
    return _added_along(operation, axis, operation.tensor(1), operation.tensor(2, operation.dtype))


def _index_add_scaled(operation: Operation) -> ir.Value:
    axis = axis_of(operation, "dim", 1, operation.rank(0))
    scale, updates = operation.setting("alpha", 4, 1), operation.tensor(3, operation.dtype)
    if scale != 1:
        updates = operation.add("Mul", updates, operation.number(scale, operation.dtype))
    return _added_along(operation, axis, operation.tensor(2), updates)


def _added_along(operation: Operation, axis: int, indices: ir.Value, updates: ir.Value) -> ir.Value:
    places = _along(operation, axis, indices, operation.add("Shape", updates))
    return _scattered(operation, "ScatterElements", (operation.tensor(0), places, updates), "add", axis)


def _along(operation: Operation, axis: int, indices: ir.Value, shape: ir.Value) -> ir.Value:
    """Return indices along an axis, the same at each place of the others."""
    column = np.array([-1 if place == axis else 1 for place in range(operation.rank(0))], np.int64)
    return operation.add("Expand", operation.add("Reshape", indices, column), shape)


def _index_fill(operation: Operation) -> ir.Value:
    (axis,) = ints_of(operation.constant(1))
    axis %= operation.rank(0)
    data, count = operation.tensor(0), operation.add("Size", operation.tensor(2))
    sizes = operation.add("Shape", data)
    shape = operation.add("ScatterElements", sizes, np.array([axis], np.int64), operation.int_vector(count))
    places = _along(operation, axis, operation.tensor(2), shape)
    number = operation.add("Reshape", operation.tensor(3, operation.dtype), np.zeros(0, np.int64))
    updates = operation.add("Expand", number, shape)
    return _scattered(operation, "ScatterElements", (data, places, updates), "none", axis)


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "ScatterNd": _scatter_nd,
    "TensorScatterUpdate": _update("none"),
    "TensorScatterAdd": _update("add"),
    "TensorScatterMax": _update("max"),
    "TensorScatterMin": _update("min"),
    "TensorScatterMul": _update("mul"),
    "TensorScatterSub": _subtract,
    "TensorScatterDiv": _divide,
    "TensorScatterElements": _elements(0, 3, 1, 2, 4),
    "Scatter": _elements(0, 1, 2, 3, 4),
    "ScatterValue": _elements(0, 1, 2, 3, 4),
    "ScatterAddExt": _elements(0, 1, 2, 3, None),
    "IndexAdd": _index_add,
    "IndexAddExt": _index_add_scaled,
    "IndexFill": _index_fill,
}
