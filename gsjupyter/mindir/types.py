"""Data types and tensors of MindIR as numpy knows them: without it every reader of a file keeps its own table."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.errors import ModelFileError, UnsupportedError

Array = npt.NDArray[np.generic]

_TENSOR: Final = pb.TensorProto
_CODES: Final[dict[np.dtype[np.generic], int]] = {
    np.dtype(np.float32): _TENSOR.FLOAT,
    np.dtype(np.uint8): _TENSOR.UINT8,
    np.dtype(np.int8): _TENSOR.INT8,
    np.dtype(np.uint16): _TENSOR.UINT16,
    np.dtype(np.int16): _TENSOR.INT16,
    np.dtype(np.int32): _TENSOR.INT32,
    np.dtype(np.int64): _TENSOR.INT64,
    np.dtype(np.bool_): _TENSOR.BOOL,
    np.dtype(np.float16): _TENSOR.FLOAT16,
    np.dtype(np.float64): _TENSOR.DOUBLE,
    np.dtype(np.uint32): _TENSOR.UINT32,
    np.dtype(np.uint64): _TENSOR.UINT64,
    np.dtype(np.complex64): _TENSOR.COMPLEX64,
    np.dtype(np.complex128): _TENSOR.COMPLEX128,
}
_DTYPES: Final[dict[int, np.dtype[np.generic]]] = {
    **{code: dtype for dtype, code in _CODES.items()},
    _TENSOR.FLOAT64: np.dtype(np.float64),
}

# What Cast takes as its second input: MindSpore's TypeId (mindspore/core/ir/dtype/type_id.h), not the protobuf's codes.
TYPE_IDS: Final = {
    np.dtype(np.int8): 32,
    np.dtype(np.int32): 34,
    np.dtype(np.int64): 35,
    np.dtype(np.uint8): 37,
    np.dtype(np.float16): 42,
    np.dtype(np.float32): 43,
}


def type_code(dtype: npt.DTypeLike) -> int:
    """Return the protobuf's code of a numpy data type.

    Raises
    ------
    UnsupportedError
        If MindIR has no such type.
    """
    code = _CODES.get(np.dtype(dtype))
    if code is None:
        raise UnsupportedError(f"MindIR has no data type for numpy's {np.dtype(dtype)}.")
    return int(code)


def numpy_dtype(code: int) -> np.dtype[np.generic] | None:
    """Return the numpy data type of a protobuf code, None for those that numpy lacks (bfloat16, strings)."""
    return _DTYPES.get(code)


def array_of(tensor: pb.TensorProto) -> Array:
    """Return the values of a tensor, without copying them (read-only).

    Raises
    ------
    UnsupportedError
        If numpy lacks the data type.
    ModelFileError
        If the bytes don't fill the shape.
    """
    dtype = numpy_dtype(tensor.data_type)
    if dtype is None:
        name = _TENSOR.DataType.Name(tensor.data_type)
        raise UnsupportedError(f"{tensor.name or 'a tensor'} holds {name} values, which numpy can't represent.")
    shape = tuple(tensor.dims)
    expected = math.prod(shape) * dtype.itemsize
    if any(size < 0 for size in shape) or len(tensor.raw_data) != expected:
        raise ModelFileError(
            f"tensor {tensor.name or '(unnamed)'} of shape {shape} and type {dtype} needs {expected:,} bytes, "
            f"the file has {len(tensor.raw_data):,}."
        )
    try:
        return np.frombuffer(tensor.raw_data, dtype).reshape(shape)
    except ValueError as error:
        raise ModelFileError(f"tensor {tensor.name or '(unnamed)'} has shape {shape}, which no array has.") from error


def tensor_of(array: Array, name: str = "") -> pb.TensorProto:
    """Return a tensor that holds the values of an array."""
    return pb.TensorProto(
        name=name, dims=array.shape, data_type=type_code(array.dtype), raw_data=np.ascontiguousarray(array).tobytes()
    )
