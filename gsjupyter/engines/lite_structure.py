"""What a ``.ms`` file says of itself: read here, so that a damaged one never reaches the engine, nor needs one.

It is a FlatBuffer of the schema that MindSpore Lite publishes [1]_; only the ends of the network are read.

.. [1] https://gitee.com/mindspore/mindspore-lite/blob/master/mindspore-lite/schema/model.fbs
"""

import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gsjupyter.engines.flatbuffer import Content, Table
from gsjupyter.errors import ModelFileError

_MARKS: Final = (b"MSL1", b"MSL2")
"""The identifiers of the schema since release 1.0; before that there was another one."""
VERSION: Final = 1
FRAMEWORK: Final = 2
INPUTS: Final = 3
OUTPUTS: Final = 4
TENSORS: Final = 7
"""The fields of the schema's network that are read here."""
TENSOR_DTYPE: Final = 1
TENSOR_SHAPE: Final = 2
TENSOR_LAYOUT: Final = 3
TENSOR_DATA: Final = 6
TENSOR_NAME: Final = 9
"""The fields of a tensor."""
_FRAMEWORKS: Final = ("tf", "caffe", "onnx", "mindspore", "tflite", "pytorch")
_LAYOUTS: Final[Mapping[int, str]] = {0: "NCHW", 1: "NHWC"}
DTYPES: Final[Mapping[int, str]] = {
    30: "bool",
    32: "int8",
    33: "int16",
    34: "int32",
    35: "int64",
    37: "uint8",
    38: "uint16",
    39: "uint32",
    40: "uint64",
    41: "float32",
    42: "float16",
    43: "float32",
    44: "float64",
}
"""numpy's names of MindSpore's data types, by number."""
_MOST_ENDS: Final = 4096
_MOST_AXES: Final = 32
LONGEST_NAME: Final = 4096
"""In bytes: no release writes longer ones, and a damaged file may claim to."""


@dataclass(frozen=True)
class LiteTensor:
    """An input or output as a file for MindSpore Lite has it.

    Parameters
    ----------
    name : str
        What the file calls it.
    shape : tuple of int
        -1 for a dynamic axis; empty also where the file doesn't tell.
    dtype : str
        numpy's name of the data type; empty if it has none.
    layout : str
        ``NCHW``, ``NHWC``, or empty for another. Of inputs with four axes it tells where the channels are; of others it
        tells nothing.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    layout: str = ""


@dataclass(frozen=True)
class LiteStructure:
    """What a ``.ms`` file says of itself.

    Parameters
    ----------
    version : str
        What wrote it, ``MindSpore Lite 2.0.0`` for example.
    framework : str
        What the network was made in: ``tf``, ``caffe``, ``onnx``, ``mindspore``, ``tflite``, ``pytorch``, or empty.
    inputs, outputs : tuple of LiteTensor
        The network's ends.
    """

    version: str
    framework: str
    inputs: tuple[LiteTensor, ...]
    outputs: tuple[LiteTensor, ...]


def is_lite_file(path: Path) -> bool:
    """Say whether a file begins like one of MindSpore Lite's own format; one that can't be read doesn't."""
    try:
        with path.open("rb") as stream:
            return stream.read(8)[4:] in _MARKS
    except OSError:
        return False


def read_lite_structure(path: Path) -> LiteStructure:
    """Read what a ``.ms`` file says of itself.

    Raises
    ------
    ModelFileError
        If there is no such file, or it is cut off, damaged, or none of MindSpore Lite's.
    """
    if not path.is_file():
        raise ModelFileError(f"there is no file {path}.")
    if not is_lite_file(path):
        raise ModelFileError(
            f"{path.name} is no file of MindSpore Lite's: it doesn't begin like one.",
            advice="A .ms file is written by MindSpore Lite's converter: export the network as .ms.",
        )
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _structure(content)
    except OSError as error:
        raise ModelFileError(f"can't read {path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise ModelFileError(
            f"{path.name} is damaged: what it says of its inputs and outputs can't be read.",
            advice="Export or copy it again.",
        ) from error


def _structure(content: Content) -> LiteStructure:
    graph = Table.at(content)
    tensors = graph.tables(TENSORS)
    framework = graph.number(FRAMEWORK)
    return LiteStructure(
        graph.text(VERSION, LONGEST_NAME),
        _FRAMEWORKS[framework] if 0 <= framework < len(_FRAMEWORKS) else "",
        tuple(_tensor(tensors[place]) for place in graph.numbers(INPUTS, _MOST_ENDS)),
        tuple(_tensor(tensors[place]) for place in graph.numbers(OUTPUTS, _MOST_ENDS)),
    )


def _tensor(table: Table) -> LiteTensor:
    name, shape = table.text(TENSOR_NAME, LONGEST_NAME), table.numbers(TENSOR_SHAPE, _MOST_AXES)
    if any(size < -1 for size in shape):
        raise ValueError("no tensor has such a shape")
    dtype, layout = table.number(TENSOR_DTYPE), table.number(TENSOR_LAYOUT)
    return LiteTensor(name, shape, DTYPES.get(dtype, ""), _LAYOUTS.get(layout, ""))
