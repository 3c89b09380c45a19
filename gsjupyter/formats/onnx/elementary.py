"""Functions of one number as ONNX: roots, exponentials, angles, rounding, bits."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.arithmetic import truncated
from gsjupyter.formats.onnx.kernels import computed, elementwise, kernel_type, settled
from gsjupyter.formats.onnx.operation import Lowering, Operation

_SAME_NAME: Final = "Abs Acosh Asin Asinh Atan Atanh Cos Cosh Erf Exp Neg Sign Sin Sinh Sqrt Tan Tanh"
_NAN_SETTINGS: Final = (("nan", 1), ("posinf", 2), ("neginf", 3))


def _inverse_root(operation: Operation) -> ir.Value:
    return operation.add("Reciprocal", operation.add("Sqrt", operation.tensor(0, operation.dtype)))


def _square(operation: Operation) -> ir.Value:
    value = operation.tensor(0, operation.dtype)
    return operation.add("Mul", value, value)


def _exp_minus_one(operation: Operation) -> ir.Value:
    """Lower exp(x) - 1 as tanh(x/2) (exp(x) + 1), which keeps the digits of a small x."""
    value = operation.tensor(0, operation.dtype)
    half, one = (operation.number(number, operation.dtype) for number in (0.5, 1))
    tangent = operation.add("Tanh", operation.add("Mul", value, half))
    return operation.add("Mul", tangent, operation.add("Add", operation.add("Exp", value), one))


def _log_of_one_plus(operation: Operation) -> ir.Value:
    """Lower log(1 + x) with what the sum has lost of a small x added again."""
    value = operation.tensor(0, operation.dtype)
    zero, one, two = (operation.number(number, operation.dtype) for number in (0, 1, 2))
    total = operation.add("Add", value, one)
    lost = operation.add("Sub", value, operation.add("Sub", total, one))
    correction = operation.add("Where", operation.add("Less", total, two), lost, zero)
    return operation.add("Add", operation.add("Log", total), correction)


def _log(operation: Operation) -> ir.Value:
    given = tuple(operation.setting(name, default=usual) for name, usual in (("base", -1), ("scale", 1), ("shift", 0)))
    if given != (-1, 1, 0):
        raise operation.unsupported(f"it has base, scale and shift {given}")
    return computed(operation, "Log", 0)


def _log_to(base: float) -> Lowering:
    def lower(operation: Operation) -> ir.Value:
        logarithm = operation.add("Log", operation.tensor(0, operation.dtype))
        return operation.add("Div", logarithm, operation.number(math.log(base), operation.dtype))

    return lower


def _two_to_the(operation: Operation) -> ir.Value:
    return operation.add("Pow", operation.number(2, operation.dtype), operation.tensor(0, operation.dtype))


def _complementary_error(operation: Operation) -> ir.Value:
    kernel = kernel_type("Erf", operation.dtype)
    error = operation.add("Erf", operation.tensor(0, kernel))
    return settled(operation, operation.add("Sub", operation.number(1, kernel), error), kernel)


def _rounded(operation: Operation) -> ir.Value:
    decimals = operation.setting("decimals", 1, 0)
    if decimals == 0 or (decimals > 0 and operation.dtype.kind != "f"):
        return _rounded_by(operation, "Round")
    if operation.dtype.kind != "f":
        raise operation.unsupported(f"it rounds integers to {decimals} decimals")
    scale = operation.number(10.0**decimals, operation.dtype)
    scaled = operation.add("Mul", operation.tensor(0, operation.dtype), scale)
    return operation.add("Div", operation.add("Round", scaled), scale)


def _whole(operator: str) -> Lowering:
    return lambda operation: _rounded_by(operation, operator)


def _rounded_by(operation: Operation, operator: str) -> ir.Value:
    return computed(operation, operator if operation.dtype.kind == "f" else "Identity", 0)


def _truncate(operation: Operation) -> ir.Value:
    value = operation.tensor(0, operation.dtype)
    return truncated(operation, value) if operation.dtype.kind == "f" else value


def _fraction(operation: Operation) -> ir.Value:
    value = operation.tensor(0, operation.dtype)
    return operation.add("Sub", value, truncated(operation, value))


def _without_nan(operation: Operation) -> ir.Value:
    """Lower the replacement of NaN and infinities; without a number for them these become the largest float32."""
    dtype = operation.dtype
    value = operation.tensor(0)
    if dtype.kind != "f":
        return value
    largest = float(np.finfo(np.float16 if dtype == np.float16 else np.float32).max)
    nan, above, below = (
        operation.number(usual if given is None else given, dtype)
        for given, usual in zip(
            (operation.setting(name, index) for name, index in _NAN_SETTINGS), (0, largest, -largest), strict=True
        )
    )
    is_above = operation.add("IsInf", value, detect_negative=0)
    is_below = operation.add("IsInf", value, detect_positive=0)
    finite = operation.add("Where", is_above, above, operation.add("Where", is_below, below, value))
    return operation.add("Where", operation.add("IsNaN", value), nan, finite)


def _logit(operation: Operation) -> ir.Value:
    """Lower log(x / (1 - x)), with x between eps and 1 - eps if eps isn't negative."""
    value, eps = operation.tensor(0, operation.dtype), operation.setting("eps", 1, -1.0)
    if eps >= 0:
        low, high = (operation.number(number, operation.dtype) for number in (eps, 1 - eps))
        value = operation.add("Clip", value, low, high)
    rest = operation.add("Sub", operation.number(1, operation.dtype), value)
    return operation.add("Log", operation.add("Div", value, rest))


def _cardinal_sine(operation: Operation) -> ir.Value:
    """Lower sin(pi x) / (pi x), which is 1 at 0."""
    value = operation.tensor(0, operation.dtype)
    angle = operation.add("Mul", value, operation.number(np.pi, operation.dtype))
    is_zero = operation.add("Equal", angle, operation.number(0, operation.dtype))
    quotient = operation.add("Div", operation.add("Sin", angle), angle)
    return operation.add("Where", is_zero, operation.number(1, operation.dtype), quotient)


LOWERINGS: Final[Mapping[str, Lowering]] = {
    **{name: elementwise(name) for name in _SAME_NAME.split()},
    "ACos": elementwise("Acos"),
    **{f"{name}Ext": elementwise(name) for name in ("Acos", "Acosh", "Asin", "Asinh", "Atan")},
    **dict.fromkeys(("Inv", "Reciprocal"), elementwise("Reciprocal")),
    "Rsqrt": _inverse_root,
    "Square": _square,
    "Expm1": _exp_minus_one,
    "Exp2": _two_to_the,
    "Log": _log,
    "Log1p": _log_of_one_plus,
    "Log2": _log_to(2),
    "Log10": _log_to(10),
    "Erfc": _complementary_error,
    "Floor": _whole("Floor"),
    "Ceil": _whole("Ceil"),
    "Rint": _whole("Round"),
    "Round": _rounded,
    "Trunc": _truncate,
    "Frac": _fraction,
    "NanToNum": _without_nan,
    "Logit": _logit,
    "Sinc": _cardinal_sine,
}
