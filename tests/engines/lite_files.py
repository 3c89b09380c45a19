"""Files like those of MindSpore Lite, without operators: put together by the rules of FlatBuffers, field by field."""

from __future__ import annotations

import struct

DTYPES = {"bool": 30, "int8": 32, "int32": 34, "int64": 35, "float16": 42, "float32": 43, "float64": 44, "text": 12}
FRAMEWORKS = ("tf", "caffe", "onnx", "mindspore", "tflite", "pytorch")


class Buffer:
    """A FlatBuffer under way: parents first, since pointers lead forwards only."""

    def __init__(self, mark=b"MSL2"):
        self.data = bytearray(struct.pack("<I4s", 0, mark))

    def point(self, place):
        """Have the pointer at a place lead to what comes next."""
        self.data += bytes(-len(self.data) % 4)
        struct.pack_into("<I", self.data, place, len(self.data) - place)

    def table(self, pointer, fields):
        """Write a table with int32 or what a function writes for each field, by number."""
        count = max(fields) + 1
        self.data += bytes(-len(self.data) % 4)
        offsets = {number: 4 + 4 * index for index, number in enumerate(fields)}
        begin = len(self.data)
        self.data += struct.pack(
            f"<HH{count}H", 4 + 2 * count, 4 + 4 * len(fields), *map(offsets.get, range(count), [0] * count)
        )
        self.point(pointer)
        place = len(self.data)
        self.data += struct.pack("<i", place - begin) + bytes(4 * len(fields))
        for number, value in fields.items():
            if callable(value):
                value(place + offsets[number])
            else:
                struct.pack_into("<i", self.data, place + offsets[number], value)

    def text(self, words):
        def write(pointer):
            self.point(pointer)
            self.data += struct.pack("<I", len(words.encode())) + words.encode() + b"\0"

        return write

    def numbers(self, values):
        def write(pointer):
            self.point(pointer)
            self.data += struct.pack(f"<I{len(values)}i", len(values), *values)

        return write

    def tables(self, tables):
        def write(pointer):
            self.point(pointer)
            begin = len(self.data) + 4
            self.data += struct.pack("<I", len(tables)) + bytes(4 * len(tables))
            for index, fields in enumerate(tables):
                self.table(begin + 4 * index, fields)

        return write


def lite_bytes(inputs, outputs, framework="mindspore", version="MindSpore Lite 2.7.0", mark=b"MSL2"):
    """Return a file's bytes; inputs and outputs are tuples of name, shape, data type and layout."""
    buffer = Buffer(mark)
    tensors = [
        {
            1: DTYPES[dtype],
            2: buffer.numbers(shape),
            3: ("NCHW", "NHWC").index(layout),
            9: buffer.text(name),
        }
        for name, shape, dtype, layout in [*inputs, *outputs]
    ]
    places = range(len(tensors))
    buffer.table(
        0,
        {
            1: buffer.text(version),
            2: FRAMEWORKS.index(framework),
            3: buffer.numbers(list(places[: len(inputs)])),
            4: buffer.numbers(list(places[len(inputs) :])),
            7: buffer.tables(tensors),
        },
    )
    return bytes(buffer.data)


IMAGE = ("x", (1, 8, 6, 3), "float32", "NHWC")
CLASSES = ("Default/head-Dense/BiasAdd-op0", (1, 10), "float32", "NCHW")


def lite_file(path, inputs=(IMAGE,), outputs=(CLASSES,), **options):
    """Write a file without operators, and return its path."""
    path.write_bytes(lite_bytes(inputs, outputs, **options))
    return path
