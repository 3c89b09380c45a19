"""MindIR files, the parameters inside or, above 1 GiB, beside them: read with distrust, written whole or not at all."""

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.atomic import staging
from gsjupyter.errors import ModelFileError
from gsjupyter.mindir.model import Model, output_keys_of
from gsjupyter.mindir.read import parse_model, plain_name
from gsjupyter.mindir.write import merge_without

EXTERNAL_DATA_BYTES: Final = 1 << 30
"""Parameters of more than this lie in a file of their own, as MindSpore's exporter does it."""

_ALIGNMENT: Final = 64
_SUFFIX: Final = ".mindir"


def load_model(path: Path) -> Model:
    """Read a MindIR file, with the data that lies beside it.

    Raises
    ------
    ModelFileError
        If there is no such file, or it is no sound MindIR.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModelFileError(f"{path} is no file.")
        data = path.read_bytes()
    except (FileNotFoundError, ValueError):
        raise ModelFileError(f"there is no file {path}.", advice=_nearby(path)) from None
    except OSError as error:
        raise ModelFileError(f"can't read {path}: {error.strerror or error}.") from error
    proto = parse_model(data, path.name)
    _read_external([tensor for tensor in proto.graph.parameter if tensor.HasField("external_data")], path)
    return Model(proto, path.name.removesuffix(_SUFFIX).removesuffix("_graph"), output_keys_of(proto))


def _nearby(path: Path) -> str:
    split = path.with_name(f"{path.stem}_graph{_SUFFIX}")
    return f"Its parameters were split off when it was exported: give {split.name}." if split.is_file() else ""


def _read_external(tensors: Sequence[pb.TensorProto], path: Path) -> None:
    """Read the values that lie beside the model, all checked before the first is read."""
    files = {location: _contained(location, path) for location in {item.external_data.location for item in tensors}}
    sizes = {file: file.stat().st_size for file in files.values()}
    for tensor in tensors:
        _check_place(tensor, sizes[files[tensor.external_data.location]], path)
    wanted = sum(tensor.external_data.length for tensor in tensors)
    if wanted > sum(sizes.values()):
        # Values that share bytes would let a small file fill the memory.
        raise ModelFileError(f"{path.name} reads {wanted:,} bytes of values from {sum(sizes.values()):,} beside it.")
    for tensor in tensors:
        with files[tensor.external_data.location].open("rb") as stream:
            stream.seek(tensor.external_data.offset)
            tensor.raw_data = stream.read(tensor.external_data.length)
        tensor.ClearField("external_data")


def _check_place(tensor: pb.TensorProto, size: int, path: Path) -> None:
    place = tensor.external_data
    if place.offset < 0 or place.length < 0 or place.offset + place.length > size:
        raise ModelFileError(
            f"{path.name} looks for {plain_name(tensor.name)} at bytes {place.offset:,} to "
            f"{place.offset + place.length:,} of {place.location}, which has {size:,}: the file is cut off.",
            advice="Copy the .mindir together with its _variables folder.",
        )


def _contained(location: str, path: Path) -> Path:
    """Return the data file's path; refuse what leads out of the model's folder, by dots, root or link."""
    folder = path.parent.resolve()
    file = folder / location
    try:
        inside = file.resolve().is_relative_to(folder) and not file.is_symlink()
        regular = inside and stat.S_ISREG(file.stat().st_mode)
    except (OSError, RuntimeError, ValueError):
        # Not there, links in a circle, or a name that no file can have.
        inside, regular = True, False
    if not inside:
        raise ModelFileError(f"{path.name} keeps its parameters at {location!r}, outside of its own folder. Not read.")
    if not regular:
        raise ModelFileError(
            f"{path.name} keeps its parameters in {location[:100]!r}, which is not there.",
            advice="Copy the .mindir together with its _variables folder.",
        )
    return file.resolve()


def save_model(model: Model, path: Path, *, external_data_bytes: int = EXTERNAL_DATA_BYTES) -> tuple[Path, ...]:
    """Write a model, atomically; parameters of more than `external_data_bytes` go to a folder beside it.

    Returns
    -------
    tuple of Path
        The files written, the model's own first.

    Raises
    ------
    WriteError
        If it can't be written. Then nothing is changed.
    """
    external = model.parameter_bytes > external_data_bytes
    folder = f"{path.name.removesuffix(_SUFFIX)}_variables"
    with staging(path.parent) as stage:
        if external:
            (stage / folder).mkdir()
            data = _write_external(model.proto, folder, stage / folder / "data_0")
        else:
            data = model.to_bytes()
        with _new_file(stage / path.name) as stream:
            stream.write(data)
    return (path, path.with_name(folder) / "data_0") if external else (path,)


def _new_file(path: Path) -> BinaryIO:
    return path.open("xb")


def _write_external(proto: pb.ModelProto, folder: str, file: Path) -> bytes:
    """Write the parameters' values to a file; return the bytes of the model that refers to them there."""
    light = pb.ModelProto()
    merge_without(light, proto, "graph")
    merge_without(light.graph, proto.graph, "parameter")
    with _new_file(file) as stream:
        # MindSpore's loader checks the byte order here and takes the values from the next multiple of 64 on.
        stream.write(bytes([sys.byteorder == "little"]).ljust(_ALIGNMENT, b"\0"))
        for tensor in proto.graph.parameter:
            copy = light.graph.parameter.add()
            merge_without(copy, tensor, "raw_data")
            copy.external_data.location = f"{folder}/{file.name}"
            copy.external_data.offset = stream.tell()
            copy.external_data.length = len(tensor.raw_data)
            stream.write(tensor.raw_data)
            stream.seek(-stream.tell() % _ALIGNMENT, os.SEEK_CUR)
        stream.truncate(stream.tell())
    return bytes(light.SerializeToString(deterministic=True))
