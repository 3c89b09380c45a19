"""The data types that ONNX Runtime computes in: a maximum of int16 is sound ONNX, and no CPU would load it.

ONNX allows more types than ONNX Runtime has kernels for on CPU [1]_. Around a gap values are cast to the next type that
has one, and the result back.

.. [1] https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md, tried with version 1.32.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from gsjupyter.formats.onnx.builder import Operand
from gsjupyter.formats.onnx.constant_values import known_value
from gsjupyter.formats.onnx.operation import Lowering, Operation

_SINGLE: Final = "f2 f4"
_FLOATS: Final = "f2 f4 f8"
_WIDE: Final = f"i4 i8 {_FLOATS}"
_COMMON: Final = f"u1 i1 i4 i8 {_FLOATS}"
_ORDERED: Final = f"u1 i1 u2 i2 u4 i4 u8 i8 {_FLOATS}"

_GROUPS: Final[Mapping[str, str]] = {
    "Acos Acosh Asin Asinh Atan Atanh AveragePool Celu Cosh Elu Erf Gelu HardSigmoid HardSwish InstanceNormalization "
    "LeakyRelu Mish PRelu Selu Sinh Softplus Softsign Tan": _SINGLE,
    "Ceil Cos Exp Floor IsInf IsNaN Log LogSoftmax Reciprocal Round Sigmoid Sin Softmax Sqrt Tanh": _FLOATS,
    "CumSum Pow ReduceL1 ReduceL2 ReduceLogSumExp ReduceMean ReduceProd ReduceSum ReduceSumSquare": _WIDE,
    "ArgMax ArgMin ReduceMax ReduceMin": _COMMON,
    "Relu": f"i1 i4 {_FLOATS}",
    "Neg": f"i1 i2 i4 i8 {_FLOATS}",
    "Where": f"u4 {_COMMON}",
    "Clip Max Min": f"u4 u8 {_COMMON}",
    "Greater GreaterOrEqual Less LessOrEqual": _ORDERED,
    "MatMul": f"u4 u8 {_WIDE}",
    "NonZero": f"b1 u1 i4 i8 {_SINGLE}",
    "Pad": f"b1 u4 u8 {_COMMON}",
    "Range": "i2 i4 i8 f4 f8",
    "Resize": f"u1 i1 i4 {_SINGLE}",
    # Where updates are to be combined with what is there.
    "ScatterElements ScatterND": "u1 i1 u2 i2 u4 i4 u8 i8 f4 f8",
    "DepthToSpace SpaceToDepth": f"u1 i1 {_FLOATS}",
    "TopK": f"u1 i1 i2 i4 i8 {_FLOATS}",
    "Trilu": f"b1 {_WIDE}",
}
_KERNELS: Final[Mapping[str, frozenset[np.dtype[np.generic]]]] = {
    operator: frozenset(np.dtype(code) for code in codes.split())
    for operators, codes in _GROUPS.items()
    for operator in operators.split()
}


def kernel_type(operator: str, dtype: npt.DTypeLike) -> np.dtype[np.generic]:
    """Return the data type to compute in: the given one, or the next that ONNX Runtime has a kernel for."""
    wanted: np.dtype[np.generic] = np.dtype(dtype)
    if has_kernel(operator, wanted):
        return wanted
    wider = () if wanted.kind == "f" else (np.int64,) if wanted.itemsize > 2 else (np.int32, np.int64)
    return next((np.dtype(item) for item in wider if has_kernel(operator, item)), np.dtype(np.float32))


def has_kernel(operator: str, dtype: npt.DTypeLike) -> bool:
    """Say whether ONNX Runtime has a kernel for an operator in a data type; of operators that lack none it has."""
    return operator not in _KERNELS or np.dtype(dtype) in _KERNELS[operator]


def computed(operation: Operation, operator: str, *inputs: int | Operand, **attributes: object) -> ir.Value:
    """Add an ONNX node that computes the operation's output, in a data type that has a kernel.

    Parameters
    ----------
    operation : Operation
        What is lowered.
    operator : str
        ONNX's name of the operator.
    *inputs : int, Value, ndarray or None
        What it reads: inputs of the operation by number, brought to that type, and values that stay as they are.
    **attributes
        Its attributes.
    """
    kernel = kernel_type(operator, operation.dtype)
    given = iter(operands(operation, [item for item in inputs if isinstance(item, int)], kernel))
    values = [next(given) if isinstance(item, int) else item for item in inputs]
    return settled(operation, operation.add(operator, *values, **attributes), kernel)


def computed_around(
    operation: Operation, operator: str, dtype: npt.DTypeLike, compute: Callable[..., ir.Value], *values: ir.Value
) -> ir.Value:
    """Compute with an ONNX operator in a data type that has a kernel, and return the result in its own.

    For operators that have no kernel for float16: that is what float32 becomes in a network for GPUs.

    Parameters
    ----------
    operation : Operation
        What is lowered.
    operator : str
        ONNX's name of the operator.
    dtype : numpy data type
        That of the values in MindIR.
    compute : callable
        Makes the result of the values, which it gets in a type that has a kernel.
    *values : Value
        What it reads.
    """
    own = operation.builder.type_of(dtype)
    kernel = kernel_type(operator, own)
    if kernel == own:
        return compute(*values)
    wide = [operation.add("Cast", value, to=ir.DataType.from_numpy(kernel)) for value in values]
    return operation.add("Cast", compute(*wide), to=ir.DataType.from_numpy(own))


def operands(operation: Operation, indices: Sequence[int], dtype: npt.DTypeLike) -> list[ir.Value]:
    """Return inputs that are broadcast against each other, in a data type.

    Where the batch is free, an input that is stored with equal rows for all samples, as a first state is, becomes one
    row for however many there are.
    """
    others = [index for index in indices if not operation.is_constant(index)]
    return [_one_row(operation, index, others, dtype) or operation.tensor(index, dtype) for index in indices]


def _one_row(operation: Operation, index: int, others: Sequence[int], dtype: npt.DTypeLike) -> ir.Value | None:
    batch = operation.builder.batch
    if batch is None:
        return None
    row = operation.builder.common_row(np.asarray(operation.constant(index))) if operation.is_constant(index) else None
    shapes = [operation.node.inputs[other].shape for other in others]
    if row is not None and any(shape and len(shape) == row.ndim and shape[0] == batch for shape in shapes):
        return operation.builder.initializer(row.astype(dtype))
    found = (row_beside(operation, index, other, dtype) for other in others if other != index)
    return next((value for value in found if value is not None), None)


def row_beside(operation: Operation, index: int, other: int, dtype: npt.DTypeLike) -> ir.Value | None:
    """Return a stored input that is broadcast against another one, once for all of the free batch that this has.

    Parameters
    ----------
    operation : Operation
        What is lowered.
    index : int
        The stored input.
    other : int
        The other one, in which the batch may be any axis, or a part of it.
    dtype : numpy data type
        What to store it in.

    Returns
    -------
    Value or None
        None if it stays as it is.
    """
    builder = operation.builder
    place = None if builder.batch is None else builder.batch_axes.of(operation.tensor(other))
    if builder.batch is None or place is None:
        return None
    shape, size = operation.input_shape(index), place.outer * builder.batch * place.inner
    axis = place.axis + len(shape) - operation.rank(other)
    if axis < 0 or not shape[axis] == size > 1:
        return None
    array = known_value(builder, operation.tensor(index))
    if array is None:
        return None
    row = array.take([0], axis)
    return builder.initializer(row.astype(dtype)) if (array == row).all() else None


def settled(operation: Operation, value: ir.Value, dtype: npt.DTypeLike) -> ir.Value:
    """Return a value that was computed in some data type in the one of the operation's output."""
    return operation.cast(value, operation.dtype, dtype)


def widened(operation: Operation, value: ir.Value) -> ir.Value:
    """Return a value of MindIR's float32 in float32, whatever the network is computed in."""
    return operation.add("Cast", value, to=ir.DataType.FLOAT) if is_narrow(operation) else value


def narrowed(operation: Operation, value: ir.Value) -> ir.Value:
    """Return a value in float32 in what stands for MindIR's float32."""
    return operation.add("Cast", value, to=ir.DataType.FLOAT16) if is_narrow(operation) else value


def is_narrow(operation: Operation) -> bool:
    """Say whether a network of float32 is computed in float16."""
    return operation.builder.type_of(np.float32) != np.float32


def elementwise(operator: str, inputs: int = 1) -> Lowering:
    """Return the lowering to an ONNX operator that takes the first inputs and needs no settings."""
    return lambda operation: computed(operation, operator, *range(inputs))
