"""Is a file for MindSpore Lite whole? A converter that runs into a full disk may leave half of one, and say nothing.

Tensors lie behind the table that points to them, so a file that is cut off lacks what it points to.
"""

import mmap
from pathlib import Path

from gsjupyter.engines.flatbuffer import FlatBufferError, Table
from gsjupyter.engines.lite_structure import LONGEST_NAME, TENSOR_DATA, TENSORS, VERSION, is_lite_file
from gsjupyter.errors import ModelFileError


def check_file(path: Path) -> str:
    """Check that a file is a whole model for MindSpore Lite, and return what has written it.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        ``"MindSpore Lite 2.3.0"`` for example; empty if the file doesn't say.

    Raises
    ------
    ModelFileError
        If it is none, or cut off.
    """
    size = f"{path.stat().st_size:,} bytes"
    if not is_lite_file(path):
        raise ModelFileError(f"{path.name} ({size}) is no model for MindSpore Lite.")
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _writer_of_whole(Table.at(content))
    except FlatBufferError as error:
        raise ModelFileError(f"{path.name} ({size}) is cut off or damaged.") from error


def _writer_of_whole(graph: Table) -> str:
    tensors = graph.tables(TENSORS)
    if not len(tensors):
        raise FlatBufferError("no network is without tensors")
    for index in range(len(tensors)):
        tensors[index].vector(TENSOR_DATA, 1)
    return graph.text(VERSION, LONGEST_NAME)
