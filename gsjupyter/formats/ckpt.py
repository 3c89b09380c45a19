"""MindSpore's checkpoint files, read with distrust.

Not by `mindspore.load_checkpoint`: where a tensor's bytes are fewer than its shape needs, that fills up with what is in
memory, says nothing, and the network computes with it.
"""

import binascii
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from google.protobuf.message import DecodeError
from mindspore.train.checkpoint_pb2 import Checkpoint

from gsjupyter.errors import ModelFileError, UnsupportedError
from gsjupyter.formats.stored_tensors import BFLOAT16, INT4, array_of_bytes
from gsjupyter.mindir import Array

_KINDS: Final = {
    "Bool": "bool",
    "Int4": INT4,
    "Int8": "int8",
    "UInt8": "uint8",
    "Int16": "int16",
    "UInt16": "uint16",
    "Int32": "int32",
    "UInt32": "uint32",
    "Int64": "int64",
    "UInt64": "uint64",
    "Float16": "float16",
    "BFloat16": BFLOAT16,
    "Float32": "float32",
    "Float64": "float64",
}
# What save_checkpoint(crc_check=True) adds behind the protobuf: this mark and the checksum in ten bytes.
_CHECKSUM_MARK: Final = b"crc_num"
_CHECKSUM_BYTES: Final = 10


def read_ckpt(data: bytes, file: str) -> dict[str, Array]:
    """Return the tensors of a ``.ckpt`` file by name; text in it is left out.

    Parameters
    ----------
    data : bytes
        The file's content.
    file : str
        Its name, for messages.

    Raises
    ------
    ModelFileError
        If it is no checkpoint, or a damaged one.
    UnsupportedError
        If it holds hash maps, or a data type that isn't known.
    """
    proto = Checkpoint()
    try:
        proto.ParseFromString(_checked(data, file))
    except (DecodeError, UnicodeDecodeError) as error:
        raise ModelFileError(
            f"{file} is no MindSpore checkpoint, is encrypted, or is cut off: its {len(data):,} bytes don't parse.",
            advice="Save it again with mindspore.save_checkpoint(net, 'name.ckpt').",
        ) from error
    if not proto.value:
        raise ModelFileError(f"{file} is no MindSpore checkpoint: it holds no parameters.")
    return dict(_tensors(proto, file))


def _checked(data: bytes, file: str) -> bytes:
    start = len(data) - len(_CHECKSUM_MARK) - _CHECKSUM_BYTES
    if start < 0 or data[start : start + len(_CHECKSUM_MARK)] != _CHECKSUM_MARK:
        return data
    if binascii.crc32(data[:start]) != int.from_bytes(data[-_CHECKSUM_BYTES:], "big"):
        raise ModelFileError(f"{file} is damaged: its checksum differs.", advice="Copy or save it again.")
    return data[:start]


def _tensors(proto: Any, file: str) -> Iterator[tuple[str, Array]]:
    # A large tensor is written in slices, one after the other under the same name.
    for name, slices in groupby(proto.value, key=lambda item: str(item.tag)):
        parts = list(slices)
        if any(part.HasField("maptensor") for part in parts):
            raise UnsupportedError(f"{file} holds the MapParameter {name!r}, which can't be converted.")
        tensor = parts[-1].tensor
        if tensor.tensor_type == "str":
            continue
        kind = _KINDS.get(tensor.tensor_type)
        if kind is None:
            raise UnsupportedError(f"{file}: {name!r} is of type {tensor.tensor_type[:40]!r}, which isn't known.")
        # Scalars were written as a dimension of 0 by older versions.
        shape = [] if list(tensor.dims) == [0] else list(tensor.dims)
        content = parts[0].tensor.tensor_content if len(parts) == 1 else b"".join(_contents(parts))
        yield name, array_of_bytes(name, kind, shape, content, file)


def _contents(parts: list[Any]) -> Iterator[bytes]:
    return (part.tensor.tensor_content for part in parts)
