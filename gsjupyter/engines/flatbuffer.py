"""A FlatBuffer, read field by field without its schema's compiler: every place is checked, since files are hostile.

.. [1] https://flatbuffers.dev/internals
"""

import mmap
import struct
from dataclasses import dataclass
from typing import TypeAlias

Content: TypeAlias = bytes | mmap.mmap


class FlatBufferError(ValueError):
    """What should be a FlatBuffer leads out of itself, is longer than makes sense, or no text where that must be."""


@dataclass(frozen=True)
class Table:
    """A table: its fields are known by their place in the schema, and zero or empty where they are left out.

    Parameters
    ----------
    content : bytes or mmap
        The whole buffer.
    place : int
        Where the table lies.

    Raises
    ------
    FlatBufferError
        By each of its methods, if something lies outside of the buffer, or is longer than makes sense.
    """

    content: Content
    place: int

    @classmethod
    def at(cls, content: Content, pointer: int = 0) -> "Table":
        """Return the table that a pointer leads to, the root's if it is the first."""
        return cls(content, _followed(content, pointer))

    def number(self, field: int) -> int:
        """Return an int32."""
        place = self._field(field)
        return _read("<i", self.content, place) if place else 0

    def numbers(self, field: int, most: int) -> tuple[int, ...]:
        """Return a vector of int32; more than `most` are none that a sound file has."""
        begin, count = self._bounded(field, 4, most)
        return struct.unpack_from(f"<{count}i", self.content, begin)

    def text(self, field: int, most_bytes: int) -> str:
        """Return a string; more than `most_bytes` are none that a sound file has."""
        begin, count = self._bounded(field, 1, most_bytes)
        try:
            return self.content[begin : begin + count].decode()
        except UnicodeDecodeError as error:
            raise FlatBufferError("a name is no text") from error

    def tables(self, field: int) -> "Tables":
        """Return a vector of tables, which aren't looked at yet."""
        return Tables(self.content, *self.vector(field, 4))

    def vector(self, field: int, item_bytes: int) -> tuple[int, int]:
        """Return where a vector's items begin, and how many there are; all lie in the buffer."""
        place = self._field(field)
        if not place:
            return 0, 0
        vector = _followed(self.content, place)
        begin, count = vector + 4, _read("<I", self.content, vector)
        if begin + count * item_bytes > len(self.content):
            raise FlatBufferError(f"{count} items lead out of the buffer")
        return begin, count

    def _bounded(self, field: int, item_bytes: int, most: int) -> tuple[int, int]:
        """Return what `vector` does, if that is no more than can be meant: reading takes many times its bytes."""
        begin, count = self.vector(field, item_bytes)
        if count > most:
            raise FlatBufferError(f"{count} items are more than the {most} that make sense")
        return begin, count

    def _field(self, field: int) -> int:
        """Return where a field's value lies; 0 if it is left out."""
        places = self.place - _read("<i", self.content, self.place)
        entry = 4 + 2 * field
        if entry >= _read("<H", self.content, places):
            return 0
        offset = _read("<H", self.content, places + entry)
        return self.place + offset if offset else 0


@dataclass(frozen=True)
class Tables:
    """A vector of tables.

    Parameters
    ----------
    content : bytes or mmap
        The whole buffer.
    begin : int
        Where the pointers to them begin.
    count : int
        How many there are.
    """

    content: Content
    begin: int
    count: int

    def __getitem__(self, index: int) -> Table:
        if not 0 <= index < self.count:
            raise FlatBufferError(f"there is no table {index} of {self.count}")
        return Table.at(self.content, self.begin + 4 * index)

    def __len__(self) -> int:
        return self.count


def _followed(content: Content, pointer: int) -> int:
    return pointer + _read("<I", content, pointer)


def _read(kind: str, content: Content, place: int) -> int:
    # A negative place would be taken from the end.
    if place < 0:
        raise FlatBufferError("a place before the beginning")
    try:
        return int(struct.unpack_from(kind, content, place)[0])
    except struct.error as error:
        raise FlatBufferError("a place behind the end") from error
