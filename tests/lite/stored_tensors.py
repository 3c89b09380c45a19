"""What a file of MindSpore Lite's computes with: the data types of operators' tensors, read from its FlatBuffer."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

from flatbuffers.number_types import Int32Flags
from flatbuffers.table import Table

_NODES, _TENSORS = 6, 7
_NODE_NAME, _NODE_INPUTS, _NODE_OUTPUTS = 0, 3, 4
_TENSOR_TYPE = 1
_TYPES = {32: "int8", 34: "int32", 35: "int64", 42: "float16", 43: "float32"}


class Operator(NamedTuple):
    """An operator of a file: its name, and the data types of what it reads and writes."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def operators_of(path: Path) -> list[Operator]:
    """Return the operators of a file, in the order in which they run."""
    data = bytearray(path.read_bytes())
    root = Table(data, struct.unpack_from("<I", data)[0])
    tensors = [_data_type(tensor) for tensor in _tables(root, _TENSORS)]
    return [
        Operator(
            _text(node, _NODE_NAME),
            tuple(tensors[index] for index in _indices(node, _NODE_INPUTS)),
            tuple(tensors[index] for index in _indices(node, _NODE_OUTPUTS)),
        )
        for node in _tables(root, _NODES)
    ]


def _field(table: Table, number: int) -> int:
    return int(table.Offset(4 + 2 * number))


def _tables(table: Table, number: int) -> list[Table]:
    offset = _field(table, number)
    return [Table(table.Bytes, table.Indirect(table.Vector(offset) + 4 * i)) for i in range(table.VectorLen(offset))]


def _indices(table: Table, number: int) -> tuple[int, ...]:
    offset = _field(table, number)
    count = table.VectorLen(offset) if offset else 0
    return struct.unpack_from(f"<{count}I", table.Bytes, table.Vector(offset)) if count else ()


def _text(table: Table, number: int) -> str:
    return str(table.String(_field(table, number) + table.Pos).decode())


def _data_type(tensor: Table) -> str:
    offset = _field(tensor, _TENSOR_TYPE)
    code = tensor.Get(Int32Flags, offset + tensor.Pos) if offset else 0
    return _TYPES.get(code, str(code))
