"""The safetensors format, read with distrust: a length, a header in JSON, and the values behind it [1]_.

.. [1] https://github.com/huggingface/safetensors#format
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from gsjupyter.errors import ModelFileError, UnsupportedError
from gsjupyter.formats.stored_tensors import BFLOAT16, INT4, array_of_bytes
from gsjupyter.mindir import Array

_KINDS: Final = {
    "BOOL": "bool",
    "I8": "int8",
    "U8": "uint8",
    "I16": "int16",
    "U16": "uint16",
    "I32": "int32",
    "U32": "uint32",
    "I64": "int64",
    "U64": "uint64",
    "F16": "float16",
    "BF16": BFLOAT16,
    "F32": "float32",
    "F64": "float64",
}
_METADATA: Final = "__metadata__"
_LENGTH_BYTES: Final = 8
_LONGEST_HEADER: Final = 100_000_000
"""The format's own limit."""


def read_safetensors(data: bytes, file: str) -> dict[str, Array]:
    """Return the tensors of a ``.safetensors`` file by name.

    Parameters
    ----------
    data : bytes
        The file's content.
    file : str
        Its name, for messages.

    Raises
    ------
    ModelFileError
        If it is none, or a damaged one.
    UnsupportedError
        If it holds a data type that isn't known.
    """
    header, values = _split(data, file)
    metadata = header.pop(_METADATA, {})
    # MindSpore notes there which bytes are pairs of 4-bit integers.
    packed = {name for name, kind in metadata.items() if kind == "Int4"} if isinstance(metadata, dict) else set()
    if sum(_span(name, entry, len(values), file) for name, entry in header.items()) > len(values):
        # Values that share bytes would let a small file fill the memory.
        raise ModelFileError(f"{file} is damaged: its tensors overlap.")
    return {name: _tensor(name, entry, values, file, is_packed=name in packed) for name, entry in header.items()}


def _split(data: bytes, file: str) -> tuple[dict[str, Any], memoryview]:
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    end = _LENGTH_BYTES + length
    if len(data) < _LENGTH_BYTES or length > _LONGEST_HEADER or end > len(data):
        raise ModelFileError(
            f"{file} is no safetensors file, or is cut off: {len(data):,} bytes, and its header should have "
            f"{length:,}.",
            advice="Save it again with mindspore.save_checkpoint(net, 'name.safetensors', format='safetensors').",
        )
    try:
        header = json.loads(data[_LENGTH_BYTES:end])
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{file} is no safetensors file: its header is no JSON.") from error
    if not isinstance(header, dict):
        raise ModelFileError(f"{file} is no safetensors file: its header is a {type(header).__name__}.")
    return header, memoryview(data)[end:]


def _span(name: str, entry: object, size: int, file: str) -> int:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    shape = entry.get("shape") if isinstance(entry, dict) else None
    if not (_are_sizes(offsets) and _are_sizes(shape) and isinstance(offsets, list) and len(offsets) == 2):
        raise ModelFileError(f"{file} is damaged: its header describes {name[:100]!r} wrongly.")
    begin, end = offsets
    if not begin <= end <= size:
        raise ModelFileError(
            f"{file} looks for {name[:100]} at bytes {begin:,} to {end:,} of its values, which are {size:,}: "
            "it is cut off.",
            advice="Copy or save it again.",
        )
    return int(end - begin)


def _are_sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _tensor(name: str, entry: Mapping[str, Any], values: memoryview, file: str, *, is_packed: bool) -> Array:
    kind = _KINDS.get(str(entry.get("dtype")))
    if kind is None:
        raise UnsupportedError(f"{file}: {name[:100]!r} is of type {entry.get('dtype')!r}, which isn't known.")
    begin, end = entry["data_offsets"]
    kind = INT4 if is_packed and kind == "int8" else kind
    return array_of_bytes(name, kind, entry["shape"], values[begin:end], file)
