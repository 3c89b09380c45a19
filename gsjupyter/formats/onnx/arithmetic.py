"""Arithmetic of two and more tensors as ONNX: sums, products, quotients, remainders, powers, limits.

Where a CPU kernel of MindSpore loses a NaN (the maximum of it and 0 is 0 there), ONNX keeps it.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.bias import with_added_vector
from gsjupyter.formats.onnx.kernels import computed, elementwise, kernel_type, operands, settled
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.tuples import tensors_of
from gsjupyter.mindir import Constant, Node, Value

_TRUNCATED: Final = 1
_FLOORED: Final = 2


def operands_of(operation: Operation, count: int = 2) -> list[ir.Value]:
    """Return the first inputs in the data type of the output."""
    return operands(operation, range(count), operation.dtype)


def truncated(operation: Operation, value: ir.Value) -> ir.Value:
    """Return a value without its fraction; ONNX has no operator for it."""
    return operation.add("Mul", operation.add("Sign", value), operation.add("Floor", operation.add("Abs", value)))


def _add(operation: Operation) -> ir.Value:
    folded = with_added_vector(operation)
    return folded if folded is not None else computed(operation, "Add", 0, 1)


def _scaled(operator: str) -> Lowering:
    """Return the lowering of x + alpha y, or x - alpha y."""

    def lower(operation: Operation) -> ir.Value:
        left, right = operands_of(operation)
        alpha = operation.setting("alpha", 2, 1)
        if alpha != 1:
            right = operation.add("Mul", right, operation.number(alpha, operation.dtype))
        return operation.add(operator, left, right)

    return lower


def _multiply(operation: Operation) -> ir.Value | None:
    if operation.node.readers and all(_is_leaky(reader, operation.node) for reader in operation.node.readers):
        return None
    return operation.add("And" if operation.dtype == np.bool_ else "Mul", *operands_of(operation))


def _floor_divide(operation: Operation) -> ir.Value:
    if operation.dtype.kind == "f":
        # As MindSpore does: 1 // 0.1 is 9 in float64, and 10 if the quotient is rounded to float32 first.
        return settled(operation, _floored_quotient(operation, *_doubles(operation)), np.float64)
    left, right = operands_of(operation)
    return operation.add("Div", operation.add("Sub", left, operation.add("Mod", left, right)), right)


def _floor_modulo(operation: Operation) -> ir.Value:
    if operation.dtype.kind != "f":
        return operation.add("Mod", *operands_of(operation))
    left, right = _doubles(operation)
    whole = operation.add("Mul", _floored_quotient(operation, left, right), right)
    return settled(operation, operation.add("Sub", left, whole), np.float64)


def _doubles(operation: Operation) -> tuple[ir.Value, ir.Value]:
    return operation.tensor(0, np.float64), operation.tensor(1, np.float64)


def _floored_quotient(operation: Operation, left: ir.Value, right: ir.Value) -> ir.Value:
    return operation.add("Floor", operation.add("Div", left, right))


def _truncated_quotient(operation: Operation) -> ir.Value:
    quotient = operation.add("Div", *operands_of(operation))
    return truncated(operation, quotient) if operation.dtype.kind == "f" else quotient


def _truncated_modulo(operation: Operation) -> ir.Value:
    return operation.add("Mod", *operands_of(operation), fmod=1)


def _divide_with_mode(operation: Operation) -> ir.Value:
    mode = operation.setting("rounding_mode", 2, None)
    if mode == _FLOORED:
        return _floor_divide(operation)
    if mode == _TRUNCATED:
        return _truncated_quotient(operation)
    if mode:
        raise operation.unsupported(f"its rounding mode {mode} is unknown")
    return operation.add("Div", *operands_of(operation))


def _maximum(operation: Operation) -> ir.Value:
    product, slope = _leaky_slope(operation.node)
    if product is None:
        return computed(operation, "Max", 0, 1)
    return computed(operation, "LeakyRelu", 1 - operation.node.inputs.index(product), alpha=slope)


def _is_leaky(node: Node, product: Node) -> bool:
    """Say whether a node is a LeakyReLU that needs a product no longer, once it is lowered as one."""
    return _leaky_slope(node)[0] is product


def _leaky_slope(node: Node) -> tuple[Node | None, float]:
    """Return the product and the slope of a LeakyReLU: MindSpore writes one as the maximum of x and slope x."""
    if node.op != "Maximum" or node.dtype is None or node.dtype.kind != "f":
        return None, 0
    for product, tensor in (node.inputs, node.inputs[::-1]):
        if isinstance(product, Node) and product.op in ("Mul", "Muls") and tensor in product.inputs:
            factors = [_number(value) for value in product.inputs if value is not tensor]
            if len(factors) == 1 and factors[0] is not None and 0 <= factors[0] <= 1:
                return product, factors[0]
    return None, 0


def _number(value: Value) -> float | None:
    number = value.value if isinstance(value, Constant) else None
    array = np.asarray(number) if isinstance(number, int | float | np.ndarray) else None
    return float(array.item()) if array is not None and array.size == 1 and array.ndim == 0 else None


def _ignoring_nan(operator: str) -> Lowering:
    def lower(operation: Operation) -> ir.Value:
        left, right = operands_of(operation)
        if operation.dtype.kind == "f":
            left, right = _unless_nan(operation, left, right), _unless_nan(operation, right, left)
        return operation.add(operator, left, right)

    return lower


def _unless_nan(operation: Operation, value: ir.Value, other: ir.Value) -> ir.Value:
    return operation.add("Where", operation.add("IsNaN", value), other, value)


def _clamp_scalar(operation: Operation) -> ir.Value:
    return computed(operation, "Clip", 0, *_limits(operation))


def _clamp_tensor(operation: Operation) -> ir.Value:
    kernel = kernel_type("Max", operation.dtype)
    value = operation.tensor(0, kernel)
    for operator, index in zip(("Max", "Min"), _limits(operation), strict=True):
        if index is not None:
            value = operation.add(operator, value, operation.tensor(index, kernel))
    return settled(operation, value, kernel)


def _limits(operation: Operation) -> list[int | None]:
    """Return which inputs the lower and the upper limit are, None for one that isn't given."""
    return [None if operation.is_none(index) else index for index in (1, 2)]


def _add_all(operation: Operation) -> ir.Value:
    total, *others = (value for value, _ in tensors_of(operation, operation.dtype))
    for value in others:
        total = operation.add("Add", total, value)
    return total


def _interpolate(operation: Operation) -> ir.Value:
    start, end, weight = operands_of(operation, 3)
    return operation.add("Add", start, operation.add("Mul", weight, operation.add("Sub", end, start)))


def _squared_difference(operation: Operation) -> ir.Value:
    difference = operation.add("Sub", *operands_of(operation))
    return operation.add("Mul", difference, difference)


def _add_scaled(operator: str) -> Lowering:
    """Return the lowering of x + value * y operator z."""

    def lower(operation: Operation) -> ir.Value:
        total, left, right, factor = operands_of(operation, 4)
        return operation.add("Add", total, operation.add("Mul", factor, operation.add(operator, left, right)))

    return lower


def _zero_where(zero_index: int, operator: str) -> Lowering:
    """Return the lowering of an operator whose result is 0 where one of its inputs is."""

    def lower(operation: Operation) -> ir.Value:
        values = operands_of(operation)
        zero = operation.number(0, operation.dtype)
        is_zero = operation.add("Equal", values[zero_index], zero)
        return operation.add("Where", is_zero, zero, operation.add(operator, *values))

    return lower


def _x_log_y(operation: Operation) -> ir.Value:
    left, right = operands_of(operation)
    return operation.add("Mul", left, operation.add("Log", right))


def _hypotenuse(operation: Operation) -> ir.Value:
    left, right = operands_of(operation)
    squares = operation.add("Add", operation.add("Mul", left, left), operation.add("Mul", right, right))
    return operation.add("Sqrt", squares)


def _heaviside(operation: Operation) -> ir.Value:
    kernel = kernel_type("Where", operation.dtype)
    value, zero = operation.tensor(0, kernel), operation.number(0, kernel)
    step = operation.cast(operation.add("Greater", value, zero), kernel)
    at_zero = operation.tensor(1, kernel)
    return settled(operation, operation.add("Where", operation.add("Equal", value, zero), at_zero, step), kernel)


def _angle(operation: Operation) -> ir.Value:
    """Lower the angle of the point (x, y) = (second, first), by quadrants; -0 counts as 0."""
    kernel = kernel_type("Atan", operation.dtype)
    limit, zero, pi = (operation.number(number, kernel) for number in (float(np.finfo(np.float32).max), 0, np.pi))
    # As large as a number can be, infinities have a quotient.
    y, x = (operation.add("Clip", operation.tensor(index, kernel), -limit, limit) for index in (0, 1))
    is_origin = operation.add("And", operation.add("Equal", y, zero), operation.add("Equal", x, zero))
    slope = operation.add("Where", is_origin, y, operation.add("Div", y, x))
    angle = operation.add("Atan", slope)
    turned = operation.add("Add", angle, operation.add("Where", operation.add("Less", y, zero), -pi, pi))
    return settled(operation, operation.add("Where", operation.add("Less", x, zero), turned, angle), kernel)


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "Add": _add,
    "Sub": elementwise("Sub", 2),
    **dict.fromkeys(("AddExt", "AddScalar"), _scaled("Add")),
    **dict.fromkeys(("SubExt", "SubScalar"), _scaled("Sub")),
    **dict.fromkeys(("Mul", "Muls"), _multiply),
    **dict.fromkeys(("Div", "Divs", "RealDiv"), elementwise("Div", 2)),
    **dict.fromkeys(("DivMod", "DivMods"), _divide_with_mode),
    **dict.fromkeys(("FloorDiv", "FloorDivScalar"), _floor_divide),
    **dict.fromkeys(
        ("FloorMod", "RemainderTensorTensor", "RemainderTensorScalar", "RemainderScalarTensor"), _floor_modulo
    ),
    "TruncateDiv": _truncated_quotient,
    **dict.fromkeys(("Mod", "TruncateMod", "FmodTensor", "FmodScalar"), _truncated_modulo),
    **dict.fromkeys(("Pow", "PowTensorScalar", "PowScalarTensor"), elementwise("Pow", 2)),
    "Maximum": _maximum,
    "Minimum": elementwise("Min", 2),
    "Fmax": _ignoring_nan("Max"),
    "Fmin": _ignoring_nan("Min"),
    "ClampScalar": _clamp_scalar,
    "ClampTensor": _clamp_tensor,
    **dict.fromkeys(("AddN", "AccumulateNV2"), _add_all),
    **dict.fromkeys(("Lerp", "LerpScalar"), _interpolate),
    "SquaredDifference": _squared_difference,
    "Addcmul": _add_scaled("Mul"),
    "Addcdiv": _add_scaled("Div"),
    "MulNoNan": _zero_where(1, "Mul"),
    "DivNoNan": _zero_where(1, "Div"),
    "Xdivy": _zero_where(0, "Div"),
    "Xlogy": _x_log_y,
    "Hypot": _hypotenuse,
    "Heaviside": _heaviside,
    "Atan2": _angle,
    "Atan2Ext": _angle,
}
