"""The data types that ONNX Runtime computes in: a maximum of int16 is sound ONNX, and no CPU would load it.

ONNX allows more types than ONNX Runtime has kernels for on CPU [1]_. Around a gap values are cast to the next type that
has one, and the result back.

.. [1] https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md, tried with version 1.32.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from gsjupyter.formats.onnx.builder import Operand
from gsjupyter.formats.onnx.operation import Lowering, Operation

_SINGLE: Final = "f2 f4"
_FLOATS: Final = "f2 f4 f8"
_WIDE: Final = f"i4 i8 {_FLOATS}"
_COMMON: Final = f"u1 i1 i4 i8 {_FLOATS}"
_ORDERED: Final = f"u1 i1 u2 i2 u4 i4 u8 i8 {_FLOATS}"

_GROUPS: Final[Mapping[str, str]] = {
    "Acos Acosh Asin Asinh Atan Atanh Celu Cosh Elu Erf Gelu HardSigmoid HardSwish LeakyRelu Mish PRelu Selu Sinh "
    "Softplus Softsign Tan": _SINGLE,
    "Ceil Cos Exp Floor IsInf IsNaN Log LogSoftmax Reciprocal Round Sigmoid Sin Softmax Sqrt Tanh": _FLOATS,
    "CumSum Pow ReduceL1 ReduceL2 ReduceLogSumExp ReduceMean ReduceProd ReduceSum ReduceSumSquare": _WIDE,
    "ArgMax ArgMin ReduceMax ReduceMin": _COMMON,
    "Relu": f"i1 i4 {_FLOATS}",
    "Neg": f"i1 i2 i4 i8 {_FLOATS}",
    "Where": f"u4 {_COMMON}",
    "Clip Max Min": f"u4 u8 {_COMMON}",
    "Greater GreaterOrEqual Less LessOrEqual": _ORDERED,
}
_KERNELS: Final[Mapping[str, frozenset[np.dtype[np.generic]]]] = {
    operator: frozenset(np.dtype(code) for code in codes.split())
    for operators, codes in _GROUPS.items()
    for operator in operators.split()
}


def kernel_type(operator: str, dtype: npt.DTypeLike) -> np.dtype[np.generic]:
    """Return the data type to compute in: the given one, or the next that ONNX Runtime has a kernel for."""
    wanted: np.dtype[np.generic] = np.dtype(dtype)
    known = _KERNELS.get(operator)
    if known is None or wanted in known:
        return wanted
    wider = () if wanted.kind == "f" else (np.int64,) if wanted.itemsize > 2 else (np.int32, np.int64)
    return next((np.dtype(item) for item in wider if np.dtype(item) in known), np.dtype(np.float32))


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


def operands(operation: Operation, indices: Sequence[int], dtype: npt.DTypeLike) -> list[ir.Value]:
    """Return inputs that are broadcast against each other, in a data type.

    Where the batch is free, an input that is stored with equal rows for all samples, as a first state is, becomes one
    row for however many there are.
    """
    shapes = [operation.node.inputs[index].shape for index in indices if not operation.is_constant(index)]
    beside = [shape for shape in shapes if shape]
    return [_one_row(operation, index, beside, dtype) or operation.tensor(index, dtype) for index in indices]


def _one_row(
    operation: Operation, index: int, beside: Sequence[Sequence[int]], dtype: npt.DTypeLike
) -> ir.Value | None:
    batch = operation.builder.batch
    if batch is None or batch == 1 or not operation.is_constant(index):
        return None
    array = np.asarray(operation.constant(index))
    has_row_each = array.ndim > 1 and len(array) == batch and (array == array[:1]).all()
    if not has_row_each or not any(len(shape) == array.ndim and shape[0] == batch for shape in beside):
        return None
    return operation.builder.initializer(array[:1].astype(dtype))


def settled(operation: Operation, value: ir.Value, dtype: npt.DTypeLike) -> ir.Value:
    """Return a value that was computed in some data type in the one of the operation's output."""
    return value if operation.dtype == np.dtype(dtype) else operation.cast(value, operation.dtype)


def elementwise(operator: str, inputs: int = 1) -> Lowering:
    """Return the lowering to an ONNX operator that takes the first inputs and needs no settings."""
    return lambda operation: computed(operation, operator, *range(inputs))
