"""Data types that ONNX Runtime has no kernel for, computed in wider ones: else a small integer stops a network."""

from collections.abc import Callable, Collection
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from gsjupyter.formats.onnx.operation import Operation

_WIDER: Final = {
    np.dtype(np.bool_): ir.DataType.INT32,
    np.dtype(np.int8): ir.DataType.INT32,
    np.dtype(np.uint8): ir.DataType.INT32,
    np.dtype(np.int16): ir.DataType.INT32,
    np.dtype(np.uint16): ir.DataType.INT32,
    np.dtype(np.uint32): ir.DataType.INT64,
    np.dtype(np.uint64): ir.DataType.INT64,
    np.dtype(np.float16): ir.DataType.FLOAT,
    np.dtype(np.float64): ir.DataType.FLOAT,
}


def in_kernel_type(
    operation: Operation,
    dtype: npt.DTypeLike,
    lacking: Collection[npt.DTypeLike],
    compute: Callable[..., ir.Value],
    *values: ir.Value,
) -> ir.Value:
    """Compute in a data type that the kernel takes, and return the result in its own.

    Parameters
    ----------
    operation : Operation
        What is being lowered.
    dtype : numpy data type
        That of the values in MindIR.
    lacking : collection of numpy data types
        Those that ONNX Runtime has no kernel for on the CPU.
    compute : callable
        Makes the result of the values, which it gets in a type that there is a kernel for.
    *values : ir.Value
        What it reads.
    """
    own = operation.builder.type_of(dtype)
    if own not in map(np.dtype, lacking):
        return compute(*values)
    wide = [operation.add("Cast", value, to=_WIDER[own]) for value in values]
    return operation.add("Cast", compute(*wide), to=ir.DataType.from_numpy(own))
