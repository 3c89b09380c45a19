"""Operators on the bits of integers as ONNX: packed flags and numbers of few bits are taken apart with them."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.arithmetic import operands_of
from gsjupyter.formats.onnx.kernels import settled
from gsjupyter.formats.onnx.operation import Lowering, Operation


def _bits(operator: str) -> Lowering:
    """Return the lowering of an operator that is a logical one for bool."""

    def lower(operation: Operation) -> ir.Value:
        prefix = "" if operation.dtype == np.bool_ else "Bitwise"
        return operation.add(f"{prefix}{operator}", *operands_of(operation, 1 if operator == "Not" else 2))

    return lower


def _shift_left(operation: Operation) -> ir.Value:
    unsigned = _unsigned(operation)
    values = [operation.cast(value, unsigned) for value in operands_of(operation)]
    return settled(operation, operation.add("BitShift", *values, direction="LEFT"), unsigned)


def _shift_right(operation: Operation) -> ir.Value:
    """Lower the shift that keeps the sign: ONNX shifts unsigned integers only, and so negative ones inverted."""
    unsigned = _unsigned(operation)
    value, distance = operands_of(operation)
    is_negative = operation.add("Less", value, operation.number(0, operation.dtype))
    mask = operation.add("Neg", operation.cast(is_negative, np.int64))
    sign = operation.cast(mask, operation.dtype)
    bits = operation.cast(operation.add("BitwiseXor", value, sign), unsigned)
    shifted = operation.add("BitShift", bits, operation.cast(distance, unsigned), direction="RIGHT")
    return operation.add("BitwiseXor", settled(operation, shifted, unsigned), sign)


def _unsigned(operation: Operation) -> np.dtype[np.generic]:
    return np.dtype(f"u{operation.dtype.itemsize}")


LOWERINGS: Final[Mapping[str, Lowering]] = {
    **{
        f"Bitwise{operator}{kind}": _bits(operator)
        for operator in ("And", "Or", "Xor")
        for kind in ("", "Tensor", "Scalar")
    },
    **dict.fromkeys(("Invert", "BitwiseNot"), _bits("Not")),
    "LeftShift": _shift_left,
    "RightShift": _shift_right,
}
