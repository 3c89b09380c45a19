"""Tensors: those of a model, whose values lie in the engine, and those that a caller makes for it."""

from __future__ import annotations

import ctypes
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mindspore_lite._checks import check_items, check_type
from mindspore_lite._engine import ENGINE

if TYPE_CHECKING:
    from mindspore_lite.model import Model

_MOST_AXES = 16


class DataType(Enum):
    """What a tensor's elements are."""

    UNKNOWN = 0
    BOOL = 30
    INT8 = 32
    INT16 = 33
    INT32 = 34
    INT64 = 35
    UINT8 = 37
    UINT16 = 38
    UINT32 = 39
    UINT64 = 40
    FLOAT16 = 42
    FLOAT32 = 43
    FLOAT64 = 44
    INVALID = 2147483647


class Format(Enum):
    """What a tensor's axes are."""

    DEFAULT = -1
    NCHW = 0
    NHWC = 1
    NHWC4 = 2
    HWKC = 3
    HWCK = 4
    KCHW = 5
    CKHW = 6
    KHWC = 7
    CHWK = 8
    HW = 9
    HW4 = 10
    NC = 11
    NC4 = 12
    NC4HW4 = 13
    NCDHW = 15
    NWC = 16
    NCW = 17
    NDHWC = 18
    NC8HW8 = 19


_NUMPY = {item: np.dtype(item.name.lower()) for item in DataType if item.name not in {"UNKNOWN", "BOOL", "INVALID"}}
_NUMPY[DataType.BOOL] = np.dtype(np.bool_)


class Tensor:
    """A named array with a layout."""

    def __init__(self, tensor: object = None) -> None:
        if tensor is not None:
            raise TypeError(f"tensor must be MindSpore Lite's Tensor._tensor, but got {type(tensor)}.")
        self._name = ""
        self._dtype = DataType.FLOAT32
        self._format = Format.NCHW
        self._shape: list[int] = []
        self._array: npt.NDArray[np.generic] | None = None

    def __str__(self) -> str:
        return (
            f"name: {self.name},\ndtype: {self.dtype},\nshape: {self.shape},\nformat: {self.format},\n"
            f"element_num: {self.element_num},\ndata_size: {self.data_size}."
        )

    @property
    def name(self) -> str:
        """What the model calls it."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        check_type("name", name, str)
        self._name = name

    @property
    def dtype(self) -> DataType:
        """What its elements are."""
        return self._dtype

    @dtype.setter
    def dtype(self, dtype: DataType) -> None:
        check_type("dtype", dtype, DataType)
        self._dtype = dtype

    @property
    def format(self) -> Format:
        """What its axes are."""
        return self._format

    @format.setter
    def format(self, tensor_format: Format) -> None:
        check_type("format", tensor_format, Format)
        self._format = tensor_format

    @property
    def shape(self) -> list[int]:
        """The sizes of its axes; -1 where that is not known yet."""
        return list(self._shape)

    @shape.setter
    def shape(self, shape: list[int]) -> None:
        check_items("shape", shape, int)
        self._shape = list(shape)

    @property
    def element_num(self) -> int:
        """How many elements it has."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def data_size(self) -> int:
        """How many bytes its elements take."""
        return self.element_num * _NUMPY[self.dtype].itemsize

    def get_data_to_numpy(self) -> npt.NDArray[np.generic]:
        """Return a copy of its values."""
        if self._array is None:
            return np.zeros(self.shape, _NUMPY[self.dtype])
        return self._array.copy()

    def set_data_from_numpy(self, numpy_obj: npt.NDArray[np.generic]) -> None:
        """Give it values: an array of its data type and size, whatever its shape."""
        check_type("numpy_obj", numpy_obj, np.ndarray)
        if numpy_obj.dtype != _NUMPY.get(self.dtype):
            raise RuntimeError(f"data type not equal! Numpy type: {numpy_obj.dtype.type}, Tensor type: {self.dtype}")
        if numpy_obj.nbytes != self.data_size:
            raise RuntimeError(f"data size not equal! Numpy size: {numpy_obj.nbytes}, Tensor size: {self.data_size}")
        self._store(np.ascontiguousarray(numpy_obj))

    def _store(self, array: npt.NDArray[np.generic]) -> None:
        self._array = array.reshape(self.shape)


class ModelTensor(Tensor):
    """A tensor whose name, layout and values are the engine's own."""

    def __init__(self, model: Model, index: int, *, is_output: bool) -> None:
        super().__init__()
        # The tensor keeps the model alive, whose memory it shows.
        self._model = model
        self._place = (model.session, is_output, index)
        text = ctypes.create_string_buffer(ENGINE.TensorName(*self._place, None, 0))
        ENGINE.TensorName(*self._place, text, len(text))
        self._name = text.raw.decode(errors="replace")
        self._dtype = DataType(ENGINE.TensorType(*self._place))
        self._format = Format(ENGINE.TensorFormat(*self._place))
        sizes = (ctypes.c_int64 * _MOST_AXES)()
        self._shape = sizes[: ENGINE.TensorShape(*self._place, sizes, _MOST_AXES)]

    def get_data_to_numpy(self) -> npt.NDArray[np.generic]:
        """Return a copy of its values."""
        data = ctypes.string_at(self._data(), ENGINE.TensorBytes(*self._place))
        return np.frombuffer(data, _NUMPY[self.dtype]).reshape(self.shape).copy()

    def _store(self, array: npt.NDArray[np.generic]) -> None:
        ctypes.memmove(self._data(), array.tobytes(), array.nbytes)

    def _data(self) -> int:
        address = ENGINE.TensorData(*self._place)
        if not address:
            raise RuntimeError(f"tensor {self.name} of shape {self.shape} has no data.")
        return int(address)
