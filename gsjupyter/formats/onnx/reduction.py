"""What makes one number of many as ONNX: sums, means, extremes and where they are, norms, variances."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.kernels import computed, kernel_type, settled
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import ints_of
from gsjupyter.mindir import Array


def _axes_of(operation: Operation, index: int = 1, name: str = "axis") -> tuple[int, ...]:
    """Return the axes to reduce, counted from the first; all of them where none is given."""
    given = operation.setting(name, index, None)
    axes = () if given is None else ints_of(given)
    rank = operation.rank(0)
    return tuple(sorted(axis % rank for axis in axes)) if axes and rank else tuple(range(rank))


def _vector(axes: Sequence[int]) -> Array:
    return np.array(axes, np.int64)


def _keeps(operation: Operation, index: int = 2) -> int:
    return int(operation.setting("keep_dims", index, False))


def _reduce(operator: str) -> Lowering:
    return lambda operation: _reduced(operation, operator)


def _reduced(operation: Operation, operator: str) -> ir.Value:
    return computed(operation, operator, 0, _vector(_axes_of(operation)), keepdims=_keeps(operation))


def _sum(operation: Operation) -> ir.Value:
    axes = operation.setting("axis", 1, None)
    if operation.setting("skip_mode", 3, False) and isinstance(axes, tuple) and not axes:
        return operation.tensor(0)
    return _reduced(operation, "ReduceSum")


def _whole(operator: str) -> Lowering:
    """Return the lowering of a reduction over all axes."""
    return lambda operation: computed(operation, operator, 0, keepdims=0)


def _truth(operator: str) -> Lowering:
    def lower(operation: Operation) -> ir.Value:
        numbers = operation.cast(operation.tensor(0, np.bool_), np.int32)
        reduced = operation.add(operator, numbers, _vector(_axes_of(operation)), keepdims=_keeps(operation))
        return settled(operation, reduced, np.int32)

    return lower


def _position(operator: str) -> Lowering:
    """Return the lowering of where the extreme is: the first, if there are several; of no axis, in all the tensor."""

    def lower(operation: Operation) -> ir.Value:
        value = operation.tensor(0, kernel_type(operator, operation.input_dtype(0)))
        axis = operation.setting("axis", 1, None)
        if axis is None:
            return settled(operation, operation.add(operator, _flat(operation, value), axis=0, keepdims=0), np.int64)
        keeps = int(operation.setting("keep_dims", 2, False)) if operation.node.op.endswith("Ext") else 0
        return settled(operation, operation.add(operator, value, axis=axis, keepdims=keeps), np.int64)

    return lower


def _flat(operation: Operation, value: ir.Value) -> ir.Value:
    return operation.add("Reshape", value, np.array([-1], np.int64))


def _extreme_with_position(kind: str, *, value_first: bool) -> Lowering:
    """Return the lowering of an operator that gives the extremes along an axis, and where they are."""

    def lower(operation: Operation) -> tuple[ir.Value, ...]:
        dtype = operation.input_dtype(0)
        axis, keeps = operation.setting("axis", 1), _keeps(operation)
        kernel = kernel_type(f"Arg{kind}", dtype)
        given = operation.tensor(0, kernel)
        extreme = operation.add(f"Reduce{kind}", given, _vector((axis,)), keepdims=keeps)
        value = operation.cast(extreme, dtype, kernel)
        position = operation.add(f"Arg{kind}", given, axis=axis, keepdims=keeps)
        return (value, position) if value_first else (_in_own_type(operation, position), value)

    return lower


def _in_own_type(operation: Operation, position: ir.Value) -> ir.Value:
    """Return positions in the data type that MindIR declares: older versions of MindSpore count in int32."""
    declared = operation.node.dtypes
    return operation.cast(position, np.int32) if declared and declared[0] == np.int32 else position


def _norm(operation: Operation) -> ir.Value:
    norm = _power_norm(operation, operation.setting("p"), _axes_of(operation), _keeps(operation))
    return operation.add("Max", norm, operation.number(operation.setting("epsilon"), operation.dtype))


def _vector_norm(operation: Operation) -> ir.Value:
    axes, keeps = _axes_of(operation, 2, "dim"), int(operation.setting("keepdim", 3, False))
    return _power_norm(operation, operation.setting("ord", 1), axes, keeps)


def _bounded_vector_norm(operation: Operation) -> ir.Value:
    norm, epsilon = _vector_norm(operation), operation.setting("epsilon", 4, 0.0)
    return norm if epsilon <= 0 else operation.add("Max", norm, operation.number(epsilon, operation.dtype))


def _power_norm(operation: Operation, power: float, axes: tuple[int, ...], keepdims: int) -> ir.Value:
    """Return (sum |x|^power)^(1/power) over axes; of an infinite power the extreme, of 0 how many aren't 0."""
    if power in (1, 2):
        return computed(operation, f"ReduceL{int(power)}", 0, _vector(axes), keepdims=keepdims)
    value = operation.add("Abs", operation.tensor(0, operation.dtype))
    if math.isinf(power):
        return operation.add("ReduceMax" if power > 0 else "ReduceMin", value, _vector(axes), keepdims=keepdims)
    if power == 0:
        terms = operation.add("Sign", value)
        return operation.add("ReduceSum", terms, _vector(axes), keepdims=keepdims)
    terms = operation.add("Pow", value, operation.number(power, operation.dtype))
    total = operation.add("ReduceSum", terms, _vector(axes), keepdims=keepdims)
    return operation.add("Pow", total, operation.number(1 / power, operation.dtype))


def _normalized(operation: Operation) -> ir.Value:
    """Lower x / sqrt(max(sum x^2, epsilon))."""
    value = operation.tensor(0, operation.dtype)
    total = operation.add("ReduceSumSquare", value, _vector(_axes_of(operation)), keepdims=1)
    power = operation.add("Max", total, operation.number(operation.setting("epsilon"), operation.dtype))
    return operation.add("Div", value, operation.add("Sqrt", power))


def mean_and_variance(
    operation: Operation, value: ir.Value, axes: Sequence[int], keepdims: int = 1
) -> tuple[ir.Value, ir.Value]:
    """Return the mean over axes, which stay with size 1, and the variance, where they stay if they are to be kept."""
    mean = operation.add("ReduceMean", value, _vector(axes), keepdims=1)
    deviation = operation.add("Sub", value, mean)
    square = operation.add("Mul", deviation, deviation)
    return mean, operation.add("ReduceMean", square, _vector(axes), keepdims=keepdims)


def _variance_and_mean(
    operation: Operation, axes: tuple[int, ...], correction: float, keepdims: int
) -> tuple[ir.Value, ir.Value]:
    """Return the variance over axes, sum (x - mean)^2 / (count - correction), and the mean."""
    value = operation.tensor(0)
    mean, variance = mean_and_variance(operation, value, axes, keepdims)
    if correction:
        variance = operation.add("Mul", variance, _corrected(operation, value, axes, correction))
    return variance, mean if keepdims else operation.add("Squeeze", mean, _vector(axes))


def _corrected(operation: Operation, value: ir.Value, axes: tuple[int, ...], correction: float) -> ir.Value | Array:
    """Return count / (count - correction), with the count of the numbers that are reduced to one."""
    dtype = operation.input_dtype(0)
    sizes = [operation.input_shape(0)[axis] for axis in axes]
    if min(sizes, default=1) >= 0 and (operation.builder.batch is None or 0 not in axes):
        count = math.prod(sizes)
        return operation.number(count / (count - correction) if count != correction else np.inf, dtype)
    shape = operation.add("Gather", operation.add("Shape", value), _vector(axes))
    # In float64: a float16 counts to 65504.
    size = operation.add("Cast", operation.add("ReduceProd", shape, keepdims=0), to=ir.DataType.DOUBLE)
    rest = operation.add("Sub", size, np.array(correction, np.float64))
    return operation.cast(operation.add("Div", size, rest), dtype)


def _moments(*outputs: str, unbiased: bool = False) -> Lowering:
    """Return the lowering of an operator that gives some of variance, standard deviation and mean.

    The third input is by how much the divisor is corrected, or whether it is by 1.
    """

    def lower(operation: Operation) -> ir.Value | tuple[ir.Value, ...]:
        name = "unbiased" if unbiased else "correction"
        correction = float(operation.setting(name, 2, 1))
        variance, mean = _variance_and_mean(operation, _axes_of(operation), correction, _keeps(operation, 3))
        found = {"variance": variance, "mean": mean}
        if "deviation" in outputs:
            found["deviation"] = operation.add("Sqrt", variance)
        values = tuple(found[output] for output in outputs)
        return values if len(values) > 1 else values[0]

    return lower


LOWERINGS: Final[Mapping[str, Lowering]] = {
    **dict.fromkeys(("ReduceMean", "MeanExt"), _reduce("ReduceMean")),
    **dict.fromkeys(("ReduceSum", "SumExt"), _sum),
    **dict.fromkeys(("ReduceProd", "ProdExt"), _reduce("ReduceProd")),
    "ReduceMax": _reduce("ReduceMax"),
    "ReduceMin": _reduce("ReduceMin"),
    "LogSumExp": _reduce("ReduceLogSumExp"),
    "Max": _whole("ReduceMax"),
    "Min": _whole("ReduceMin"),
    "ReduceAll": _truth("ReduceMin"),
    "ReduceAny": _truth("ReduceMax"),
    **dict.fromkeys(("Argmax", "ArgMaxExt"), _position("ArgMax")),
    **dict.fromkeys(("Argmin", "ArgMinExt"), _position("ArgMin")),
    "ArgMaxWithValue": _extreme_with_position("Max", value_first=False),
    "ArgMinWithValue": _extreme_with_position("Min", value_first=False),
    "MaxDim": _extreme_with_position("Max", value_first=True),
    "MinDim": _extreme_with_position("Min", value_first=True),
    "LpNorm": _norm,
    "LinalgVectorNorm": _vector_norm,
    "LpNormV2": _bounded_vector_norm,
    "L2Normalize": _normalized,
    "Std": _moments("deviation"),
    "Var": _moments("variance"),
    "VarMean": _moments("variance", "mean"),
    "StdMean": _moments("deviation", "mean"),
    "ReduceStd": _moments("deviation", "mean", unbiased=True),
}
