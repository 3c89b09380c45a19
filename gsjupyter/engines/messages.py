"""Messages between a notebook and its workers: a header in JSON, then the bytes of arrays. Nothing that executes.

The arrays go straight from memory to the socket and back: `multiprocessing`'s own way copies them several times, and is
ten times slower (0.4 GB/s instead of 2 to 4 GB/s at 200 MB). What comes is taken for a message only if it is one: a
worker whose engine has gone wild may write anything.
"""

import json
import math
import os
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.generic]
Message: TypeAlias = tuple[dict[str, Any], list[Array]]
Wait: TypeAlias = Callable[[bool], None]
"""Returns when the pipe can be written to, if given True, or read from; raises if that takes too long."""

_ARRAYS: Final = "arrays"
_LENGTH: Final = struct.Struct("!Q")
_LONGEST_HEADER_BYTES: Final = 1 << 26
_MOST_AXES: Final = 32
_KINDS: Final = "biufc"


class MessageError(Exception):
    """What came through a pipe is no message; or what was to be sent can't be one."""


def send(
    connection: Connection, header: Mapping[str, Any], arrays: Sequence[Array] = (), *, wait: Wait | None = None
) -> None:
    """Send a message.

    Parameters
    ----------
    connection : Connection
        A duplex pipe.
    header : mapping
        What JSON can hold. The key ``arrays`` is taken.
    arrays : sequence of ndarray
        Of numbers or booleans, in any memory layout.
    wait : callable, optional
        What waits for a pipe that doesn't block.

    Raises
    ------
    TypeError, ValueError
        If the header is nothing for JSON, or an array is not of numbers or booleans; then nothing was sent.
    OSError
        If nobody is at the other end.
    """
    contiguous = [np.asarray(array, order="C") for array in arrays]
    for array in contiguous:
        if array.dtype.kind not in _KINDS:
            raise TypeError(f"arrays of {array.dtype} can't be sent")
    described = [{"dtype": array.dtype.str, "shape": array.shape} for array in contiguous]
    text = json.dumps({**header, _ARRAYS: described}).encode()
    for view in (memoryview(_LENGTH.pack(len(text)) + text), *map(_bytes_of, contiguous)):
        _pour(connection, view, wait)


def receive(connection: Connection, *, wait: Wait | None = None) -> Message:
    """Wait for a message and return its header and arrays.

    Raises
    ------
    MessageError
        If something else comes.
    EOFError, OSError
        If the other end is closed.
    """
    length = bytearray(_LENGTH.size)
    _fill(connection, memoryview(length), wait)
    (size,) = _LENGTH.unpack(length)
    if size > _LONGEST_HEADER_BYTES:
        raise MessageError(f"its header is said to have {size:,} bytes")
    text = bytearray(size)
    _fill(connection, memoryview(text), wait)
    header = _header(text)
    described = header.pop(_ARRAYS, None)
    if not isinstance(described, list):
        raise MessageError("its header doesn't say which arrays follow")
    arrays = [_empty(item) for item in described]
    for array in arrays:
        _fill(connection, _bytes_of(array), wait)
    return header, arrays


def _header(text: bytearray) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MessageError("its header is no JSON") from error
    if not isinstance(header, dict):
        raise MessageError("its header is no JSON object")
    return header


def _empty(described: Any) -> Array:
    match described:
        case {"dtype": str(name), "shape": [*axes]} if all(type(size) is int and size >= 0 for size in axes):
            pass
        case _:
            raise MessageError("an array in it has no data type and shape")
    try:
        dtype = np.dtype(name)
        if dtype.kind not in _KINDS or len(axes) > _MOST_AXES:
            raise MessageError("an array in it is not of numbers")
        return np.empty(axes, dtype)
    except (TypeError, ValueError, SyntaxError) as error:
        raise MessageError("an array in it has no sound data type and shape") from error
    except MemoryError as error:
        raise MessageError(f"there is no memory for an array of {math.prod(axes) * dtype.itemsize:,} bytes") from error


def _pour(connection: Connection, view: memoryview, wait: Wait | None) -> None:
    while view:
        if wait is not None:
            wait(True)
        with suppress(BlockingIOError):
            view = view[os.write(connection.fileno(), view) :]


def _fill(connection: Connection, view: memoryview, wait: Wait | None) -> None:
    while view:
        if wait is not None:
            wait(False)
        try:
            count = os.readv(connection.fileno(), [view])
        except BlockingIOError:
            continue
        if not count:
            raise EOFError
        view = view[count:]


def _bytes_of(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
