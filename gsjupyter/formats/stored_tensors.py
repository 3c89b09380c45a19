"""The bytes of a checkpoint's tensors as arrays: what both kinds of checkpoint file share.

numpy has no bfloat16, which is float32 without its lower half, and no 4-bit integers, of which MindSpore keeps two in a
byte.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from gsjupyter.errors import ModelFileError
from gsjupyter.mindir import Array
from gsjupyter.quantization.packing import unpacked

BFLOAT16: Final = "bfloat16"
INT4: Final = "int4"

MOST_AXES: Final = 32
"""numpy's limit on the number of axes."""


def array_of_bytes(name: str, kind: str, shape: Sequence[int], data: bytes | memoryview, file: str) -> Array:
    """Return a tensor's values.

    Parameters
    ----------
    name : str
        What the tensor is called, for messages.
    kind : str
        numpy's name of the data type, ``bfloat16`` or ``int4``. The latter come back as float32 and int8.
    shape : sequence of int
        The shape as the file gives it; two 4-bit integers count as one.
    data : bytes or memoryview
        The values, little-endian.
    file : str
        The file's name, for messages.

    Raises
    ------
    ModelFileError
        If the bytes don't fill the shape.
    """
    dtype = np.dtype({BFLOAT16: "uint16", INT4: "int8"}.get(kind, kind)).newbyteorder("<")
    sound = len(shape) <= MOST_AXES and all(size >= 0 for size in shape)
    expected = math.prod(shape) * dtype.itemsize if sound else -1
    if len(data) != expected:
        shown = tuple(shape[:8])
        raise ModelFileError(
            f"{file}: {name[:100]} of shape {shown} and type {kind} has {len(data):,} bytes, which don't fill it.",
            advice="The file is damaged or incomplete: copy or save it again.",
        )
    array = np.frombuffer(data, dtype).reshape(tuple(shape))
    if kind == BFLOAT16:
        return np.left_shift(array.astype(np.uint32), 16).view(np.float32)
    return unpacked(array) if kind == INT4 and array.ndim else array
