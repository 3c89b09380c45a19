"""The engine's C functions, with the types of their arguments."""

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, c_bool, c_char_p, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path

_TENSOR = (c_void_p, c_bool, c_size_t)
_FUNCTIONS = {
    "LastError": (c_char_p, ()),
    "EngineVersion": (c_char_p, ()),
    "NewConverter": (c_void_p, ()),
    "DeleteConverter": (None, (c_void_p,)),
    "SetConfigFile": (None, (c_void_p, c_char_p)),
    "SetDevice": (None, (c_void_p, c_char_p)),
    "SetInfer": (None, (c_void_p, c_bool)),
    "SetInputDataType": (None, (c_void_p, c_int)),
    "SetOutputDataType": (None, (c_void_p, c_int)),
    "SetInputFormat": (None, (c_void_p, c_int)),
    "SetInputShapes": (None, (c_void_p, c_size_t, POINTER(c_char_p), POINTER(c_size_t), POINTER(POINTER(c_int64)))),
    "SetNoFusion": (None, (c_void_p, c_bool)),
    "SetSaveType": (None, (c_void_p, c_int)),
    "SetWeightFp16": (None, (c_void_p, c_bool)),
    "Convert": (c_bool, (c_void_p, c_int, c_char_p, c_char_p, c_char_p)),
    "NewSession": (c_void_p, ()),
    "DeleteSession": (None, (c_void_p,)),
    "LoadConfig": (c_bool, (c_void_p, c_char_p)),
    "Build": (c_bool, (c_void_p, c_char_p, c_int, c_int, c_int, c_bool, c_char_p)),
    "Resize": (c_bool, (c_void_p, c_size_t, POINTER(c_size_t), POINTER(POINTER(c_int64)))),
    "Predict": (c_bool, (c_void_p,)),
    "TensorCount": (c_size_t, (c_void_p, c_bool)),
    "TensorType": (c_int, _TENSOR),
    "TensorFormat": (c_int, _TENSOR),
    "TensorBytes": (c_size_t, _TENSOR),
    "TensorName": (c_size_t, (*_TENSOR, c_char_p, c_size_t)),
    "TensorShape": (c_size_t, (*_TENSOR, POINTER(c_int64), c_size_t)),
    "TensorData": (c_void_p, _TENSOR),
}


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(str(Path(__file__).with_name("libmindspore_lite_c.so")))
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


ENGINE = _load()


def version() -> str:
    """Return the engine's version, ``2.0.0``."""
    return ENGINE.EngineVersion().decode().rpartition(" ")[2]


def last_error() -> str:
    """Return what the last function that failed had to say."""
    return ENGINE.LastError().decode(errors="replace").strip()


def shapes_argument(shapes: Sequence[Sequence[int]]) -> tuple[ctypes.Array, ctypes.Array]:
    """Return shapes as the engine's functions take them: the numbers of their axes, and pointers to the axes' sizes."""
    sizes = [(c_int64 * len(shape))(*shape) for shape in shapes]
    pointers = (POINTER(c_int64) * len(shapes))(*(ctypes.cast(item, POINTER(c_int64)) for item in sizes))
    return (c_size_t * len(shapes))(*map(len, shapes)), pointers
