"""Comparisons, logic, and choices by them as ONNX: masks, thresholds, padding."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.kernels import computed, kernel_type, row_beside
from gsjupyter.formats.onnx.operation import Lowering, Operation


def _compare(operator: str) -> Lowering:
    return lambda operation: _compared(operation, operator)


def _compared(operation: Operation, operator: str) -> ir.Value:
    kernel = kernel_type(operator, operation.common_type(0, 1))
    return operation.add(operator, operation.tensor(0, kernel), operation.tensor(1, kernel))


def _differs(operation: Operation) -> ir.Value:
    return operation.add("Not", _compared(operation, "Equal"))


def _logical(operator: str, inputs: int = 2) -> Lowering:
    """Return the lowering of an operator to which all numbers but 0 are true."""
    return lambda operation: operation.add(operator, *(operation.tensor(index, np.bool_) for index in range(inputs)))


def _is_nan(operation: Operation) -> ir.Value:
    value = operation.tensor(0)
    return operation.add("Not", operation.add("Equal", value, value))


def _is_infinite(operation: Operation) -> ir.Value:
    return operation.add("IsInf", operation.tensor(0, kernel_type("IsInf", operation.input_dtype(0))))


def _is_finite(operation: Operation) -> ir.Value:
    """Lower the question whether x - x is 0; of NaN and infinities it is NaN."""
    dtype = kernel_type("Sub", operation.input_dtype(0))
    value = operation.tensor(0)
    return operation.add("Equal", operation.add("Sub", value, value), operation.number(0, dtype))


def _is_close(operation: Operation) -> ir.Value:
    """Lower |x - y| <= atol + rtol |y|; equal infinities are close, NaNs only if they are to be equal."""
    common = operation.common_type(0, 1)
    dtype = common if common.kind == "f" else np.dtype(np.float32)
    left, right = operation.tensor(0, dtype), operation.tensor(1, dtype)
    relative, absolute = (
        operation.number(operation.setting(name, index), dtype) for name, index in (("rtol", 2), ("atol", 3))
    )
    difference = operation.add("Abs", operation.add("Sub", left, right))
    limit = operation.add("Add", absolute, operation.add("Mul", relative, operation.add("Abs", right)))
    finite = operation.add("Not", operation.add("IsInf", limit))
    near = operation.add("And", operation.add("LessOrEqual", difference, limit), finite)
    close = operation.add("Or", operation.add("Equal", left, right), near)
    if not operation.setting("equal_nan", 4, False):
        return close
    both = operation.add("And", operation.add("IsNaN", left), operation.add("IsNaN", right))
    return operation.add("Or", close, both)


def _is_near(operation: Operation) -> ir.Value:
    (left, right), dtype = operation.operands(0, 1)
    difference = operation.add("Abs", operation.add("Sub", left, right))
    return operation.add("Less", difference, operation.number(operation.setting("tolerance"), dtype))


def _select(operation: Operation) -> ir.Value:
    return computed(operation, "Where", operation.tensor(0, np.bool_), 1, 2)


def _masked_fill(operation: Operation) -> ir.Value:
    kept = row_beside(operation, 0, 1, kernel_type("Where", operation.dtype))
    return computed(operation, "Where", operation.tensor(1, np.bool_), 2, 0 if kept is None else kept)


LOWERINGS: Final[Mapping[str, Lowering]] = {
    **dict.fromkeys(("Equal", "EqScalar"), _compare("Equal")),
    **dict.fromkeys(("NotEqual", "NeScalar"), _differs),
    **dict.fromkeys(("Less", "LessScalar"), _compare("Less")),
    **dict.fromkeys(("LessEqual", "LessEqualScalar"), _compare("LessOrEqual")),
    **dict.fromkeys(("Greater", "GreaterScalar"), _compare("Greater")),
    **dict.fromkeys(("GreaterEqual", "GreaterEqualScalar"), _compare("GreaterOrEqual")),
    "LogicalAnd": _logical("And"),
    "LogicalOr": _logical("Or"),
    "LogicalXor": _logical("Xor"),
    "LogicalNot": _logical("Not", 1),
    "IsNan": _is_nan,
    "IsInf": _is_infinite,
    "IsFinite": _is_finite,
    "IsClose": _is_close,
    "ApproximateEqual": _is_near,
    "Select": _select,
    "Where": _select,
    **dict.fromkeys(("MaskedFill", "MaskedFillScalar"), _masked_fill),
}
