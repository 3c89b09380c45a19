"""Sizes that are computed while the model runs: MindIR counts with scalars and tuples, and ONNX has tensors only."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.builder import Lowered
from gsjupyter.formats.onnx.kernels import settled
from gsjupyter.formats.onnx.operation import Lowering, Operation


def ints_of(value: Lowered) -> tuple[int, ...]:
    """Return integers that are known at conversion, one or a tuple or an array of them, as a tuple."""
    items: Any = value if isinstance(value, np.ndarray) else np.asarray(value, np.int64)
    return tuple(int(item) for item in np.atleast_1d(items))


def axis_of(operation: Operation, name: str, index: int | None, rank: int, default: int = 0) -> int:
    """Return an axis that is one of an operator's settings, counted from the first."""
    (axis,) = ints_of(operation.setting(name, index, default))
    return axis % rank if rank else 0


def size_of(operation: Operation, value: ir.Value, axis: int) -> ir.Value:
    """Return the size that an axis has when the model runs, a vector of one integer."""
    return operation.add("Shape", value, start=axis, end=axis + 1)


def _shape(operation: Operation) -> Lowered:
    sizes, value = operation.input_shape(0), operation.tensor(0)
    if operation.builder.batch is None and -1 not in sizes:
        return sizes
    whole = operation.add("Shape", value)
    is_free = [size < 0 or (axis == 0 and operation.builder.batch is not None) for axis, size in enumerate(sizes)]
    return tuple(
        operation.add("Gather", whole, operation.number(axis, np.int64)) if free else size
        for axis, (size, free) in enumerate(zip(sizes, is_free, strict=True))
    )


def _tensor_shape(operation: Operation) -> ir.Value:
    return settled(operation, operation.add("Shape", operation.tensor(0)), np.int64)


def _size(operation: Operation) -> ir.Value:
    return settled(operation, operation.add("Size", operation.tensor(0)), np.int64)


def _is_fraction(operation: Operation, index: int) -> bool:
    lowered = operation.builder.get(operation.node.inputs[index])
    if isinstance(lowered, ir.Value):
        return operation.input_dtype(index).kind == "f"
    return isinstance(lowered, float)


def _scalars(operation: Operation) -> tuple[list[ir.Value], np.dtype[np.generic]]:
    """Return the inputs as tensors without axes, as fractions if any is one, and their data type."""
    count = len(operation.node.inputs)
    dtype = np.dtype(np.float32 if any(_is_fraction(operation, index) for index in range(count)) else np.int64)
    return [operation.tensor(index, dtype) for index in range(count)], dtype


def _arithmetic(operator: str) -> Lowering:
    def lower(operation: Operation) -> ir.Value:
        values, dtype = _scalars(operation)
        return settled(operation, operation.add(operator, *values), dtype)

    return lower


def _comparison(operator: str) -> Lowering:
    return lambda operation: operation.add(operator, *_scalars(operation)[0])


def _quotient(operation: Operation) -> ir.Value:
    return operation.add("Div", *(operation.tensor(index, np.float32) for index in (0, 1)))


def _remainder(operation: Operation) -> ir.Value:
    (x, y), dtype = _scalars(operation)
    if dtype.kind == "i":
        return operation.add("Mod", x, y)
    whole = operation.add("Floor", operation.add("Div", x, y))
    return operation.add("Sub", x, operation.add("Mul", whole, y))


def _floor_quotient(operation: Operation) -> ir.Value:
    (x, y), dtype = _scalars(operation)
    if dtype.kind == "f":
        return operation.add("Floor", operation.add("Div", x, y))
    # ONNX rounds quotients of integers towards zero, and Python down.
    return operation.add("Div", operation.add("Sub", x, operation.add("Mod", x, y)), y)


def _converted(operation: Operation) -> Lowered:
    """Return a number as a tensor without axes, of the output's data type."""
    lowered = operation.builder.get(operation.node.inputs[0])
    if not isinstance(lowered, ir.Value):
        return operation.number(lowered, operation.dtype)  # type: ignore[arg-type]  # a number
    return operation.tensor(0, operation.dtype)


def _tensor_to_scalar(operation: Operation) -> ir.Value:
    value = operation.tensor(0)
    return value if operation.input_shape(0) == () else operation.add("Reshape", value, np.zeros(0, np.int64))


def _tuple_to_tensor(operation: Operation) -> Lowered:
    if operation.is_constant(0):
        return np.asarray(operation.constant(0), operation.dtype)
    return settled(operation, operation.ints(0), np.int64)


def _tensor_to_tuple(operation: Operation) -> Lowered:
    (length,) = operation.input_shape(0)
    if length < 0:
        raise operation.unsupported("the length of the tuple is known only when the model runs")
    value = operation.tensor(0)
    return tuple(operation.add("Gather", value, operation.number(item, np.int64)) for item in range(length))


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "Shape": _shape,
    "TensorShape": _tensor_shape,
    "DynamicShape": _tensor_shape,
    "Size": _size,
    "ScalarAdd": _arithmetic("Add"),
    "ScalarSub": _arithmetic("Sub"),
    "ScalarMul": _arithmetic("Mul"),
    "ScalarMax": _arithmetic("Max"),
    "ScalarMin": _arithmetic("Min"),
    "ScalarDiv": _quotient,
    "ScalarFloorDiv": _floor_quotient,
    "ScalarMod": _remainder,
    "ScalarPow": _arithmetic("Pow"),
    "ScalarUsub": _arithmetic("Neg"),
    "ScalarUadd": _converted,
    "ScalarEq": _comparison("Equal"),
    "ScalarGt": _comparison("Greater"),
    "ScalarGe": _comparison("GreaterOrEqual"),
    "ScalarLt": _comparison("Less"),
    "ScalarLe": _comparison("LessOrEqual"),
    "ScalarCast": _converted,
    "ScalarBool": _converted,
    "ScalarToTensor": _converted,
    "TensorToScalar": _tensor_to_scalar,
    "TupleToTensor": _tuple_to_tensor,
    "ListToTensor": _tuple_to_tensor,
    "TensorToTuple": _tensor_to_tuple,
    "TensorToList": _tensor_to_tuple,
}
