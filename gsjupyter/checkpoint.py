"""Checkpoints: values from a file for the parameters of a network, without touching the network.

The network is exported as it is, and the values go into the graph. So what is loaded is what the graph reads, the
user's cell keeps its own values, and a checkpoint of integers (`gsjupyter.goldenstick.ptq`) fits a float network.
"""

import json
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from mindspore import nn

from gsjupyter.errors import ModelFileError, SourceError
from gsjupyter.formats.ckpt import read_ckpt
from gsjupyter.formats.safetensors import read_safetensors
from gsjupyter.goldenstick.ptq import PtqLayer, describe, ptq_layers
from gsjupyter.goldenstick.ptq_weights import fits, store_layer
from gsjupyter.mindir import Array, Graph, Model, Parameter
from gsjupyter.parameter_names import Match, is_for_training, match_names, nearest

_READERS: Final[dict[str, Callable[[bytes, str], dict[str, Array]]]] = {
    ".ckpt": read_ckpt,
    ".safetensors": read_safetensors,
}
_INDEX: Final = "model.safetensors.index.json"
_SHOWN: Final = 3
# What tells the algorithms' checkpoints apart, whose layers are called alike.
_TRAINED_BY: Final = {"w_list": "SLB", "quant_max": "LSQ"}


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a file, or of the files in a folder.

    Parameters
    ----------
    path : Path
        Where they were read from.
    tensors : mapping of str to ndarray
        The values; bfloat16 as float32, and 4-bit integers one an int8.
    """

    path: Path
    tensors: Mapping[str, Array]


@dataclass(frozen=True)
class Loaded:
    """A model with the values of a checkpoint.

    Parameters
    ----------
    model : Model
        The model.
    checkpoint : Checkpoint
        What was read.
    notes : tuple of str
        What the user should know.
    recognised : tuple of str
        Which algorithms have made the checkpoint, ``PTQ, 4 bit, per group of 128, 24 layers`` for example.
    """

    model: Model
    checkpoint: Checkpoint
    notes: tuple[str, ...] = ()
    recognised: tuple[str, ...] = ()


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a ``.ckpt`` or ``.safetensors`` file, or a folder of the latter.

    Raises
    ------
    ModelFileError
        If there is no such file, or it isn't what its name says.
    UnsupportedError
        If it holds something that no array is.
    """
    place = Path(path)
    try:
        if place.is_dir():
            return Checkpoint(place, _of_folder(place))
        return Checkpoint(place, _of_file(place))
    except FileNotFoundError as error:
        raise ModelFileError(f"there is no file {error.filename or place}.", advice=_nearby(place)) from None
    except (OSError, ValueError) as error:
        # A name that no file can have is a ValueError.
        raise ModelFileError(f"can't read {place}: {getattr(error, 'strerror', None) or error}.") from error


def load_into(model: Model, cell: nn.Cell | None, path: str | Path, *, simulate: bool = True) -> Loaded:
    """Return a model with the values of a checkpoint; the model given stays as it is.

    Parameters
    ----------
    model : Model
        The network.
    cell : nn.Cell, optional
        What it was exported from: parameters of the cell that the graph doesn't read may be in the file.
    path : str or Path
        The checkpoint.
    simulate : bool
        Whether inputs that the checkpoint quantizes are computed so, or only noted.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, or of another kind.
    SourceError
        If names or shapes don't match.
    """
    checkpoint = read_checkpoint(path)
    graph = model.graph()
    unread = [parameter.name for parameter in cell.get_parameters()] if cell is not None else []
    notes, recognised = with_checkpoint(graph, checkpoint, unread, simulate=simulate)
    return Loaded(model.with_graph(graph), checkpoint, notes, recognised)


def with_checkpoint(
    graph: Graph, checkpoint: Checkpoint, unread: Iterable[str] = (), *, simulate: bool = True
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Replace the parameters of a graph by the tensors of their names; return notes, and what was recognised.

    Raises
    ------
    SourceError
        If names, shapes or kinds of numbers don't match. Then nothing is changed.
    """
    parameters = {parameter.name: parameter for parameter in graph.parameters()}
    layers, tensors = ptq_layers(checkpoint.tensors, parameters)
    given: dict[str, Array | PtqLayer] = {**tensors, **layers}
    match = match_names(parameters, given, unread, lambda mine, theirs: _suits(given[theirs], parameters[mine]))
    wrong = [(mine, theirs) for mine, theirs in match.pairs if not _suits(given[theirs], parameters[mine])]
    if wrong or not match.is_complete:
        raise _mismatch(checkpoint, match, [_conflict(parameters[mine], given[theirs]) for mine, theirs in wrong])
    for mine, theirs in match.pairs:
        parameter, value = parameters[mine], given[theirs]
        if isinstance(value, PtqLayer):
            store_layer(graph, value, parameter, simulate=simulate)
        else:
            graph.replace(parameter, Parameter.of(mine, value.astype(parameter.dtype)))
    notes = (f"{checkpoint.path.name}: {match.note}",) if match.note else ()
    return notes, (describe(layers.values()),) if layers else ()


def instance_of(network: type[Any]) -> Any:
    """Return an instance of a network's class, for its structure: the values come from a checkpoint.

    Raises
    ------
    SourceError
        If the class needs arguments, or fails.
    """
    try:
        return network()
    except Exception as error:
        raise SourceError(
            f"can't make an instance of {network.__name__} without arguments: {error}",
            advice=f"Make it yourself, as it was when it was trained: net = {network.__name__}(...), and give net.",
        ) from error


def _of_file(path: Path) -> dict[str, Array]:
    read = _READERS.get(path.suffix.lower())
    if not stat.S_ISREG(path.stat().st_mode):
        raise ModelFileError(f"{path} is no file.")
    if read is None:
        raise ModelFileError(
            f"{path.name} is no checkpoint: its name should end in .ckpt or .safetensors.",
            advice="A network that is stored with its values, a .mindir file, is given in place of the network.",
        )
    return read(path.read_bytes(), path.name)


def _of_folder(folder: Path) -> dict[str, Array]:
    """Return the tensors of all files that a folder's index names; of all files, if there is none."""
    index = folder / _INDEX
    names = _indexed(index) if index.is_file() else sorted(path.name for path in folder.glob("*.safetensors"))
    if not names:
        raise ModelFileError(f"the folder {folder} holds no .safetensors files.", advice="Give the checkpoint itself.")
    tensors: dict[str, Array] = {}
    for name in names:
        tensors.update(_of_file(folder / name))
    return tensors


def _indexed(index: Path) -> list[str]:
    try:
        content = json.loads(index.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{index} is damaged: it is no JSON.") from error
    files = content.get("weight_map") if isinstance(content, dict) else None
    names = list(files.values()) if isinstance(files, dict) else []
    if not all(isinstance(name, str) and Path(name).name == name for name in names):
        raise ModelFileError(f"{index} names files outside of its own folder. Not read.")
    return sorted(set(names))


def _ends(names: Iterable[str], *lasts: str) -> bool:
    return any(name.rpartition(".")[2] in lasts for name in names)


def _nearby(path: Path) -> str:
    try:
        near = nearest(path.name, [item.name for item in path.parent.iterdir() if item.suffix in _READERS])
    except OSError:
        return ""
    return f"Did you mean {near}?" if near else ""


def _suits(value: Array | PtqLayer, parameter: Parameter) -> bool:
    if isinstance(value, PtqLayer):
        return parameter.dtype == np.float32 and fits(value, parameter)
    return value.shape == parameter.shape and parameter.dtype is not None and value.dtype.kind == parameter.dtype.kind


def _conflict(parameter: Parameter, value: Array | PtqLayer) -> str:
    has = value.integers if isinstance(value, PtqLayer) else value
    return f"{parameter.name}: {parameter.dtype} {parameter.shape} here, {has.dtype} {has.shape} there"


def _mismatch(checkpoint: Checkpoint, match: Match, conflicts: list[str]) -> SourceError:
    parts = []
    if match.missing:
        parts.append(f"{len(match.missing)} parameters are not in it ({_listed(match.missing, match.unexpected)})")
    if match.unexpected:
        parts.append(f"{len(match.unexpected)} of its tensors are not in the network ({_listed(match.unexpected)})")
    if conflicts:
        more = ", ..." if len(conflicts) > _SHOWN else ""
        parts.append(f"{len(conflicts)} don't fit ({'; '.join(conflicts[:_SHOWN])}{more})")
    return SourceError(
        f"{checkpoint.path.name} doesn't match the network: {', '.join(parts)}.", advice=_advice(checkpoint, match)
    )


def _listed(names: tuple[str, ...], others: tuple[str, ...] = ()) -> str:
    shown = []
    for name in names[:_SHOWN]:
        near = nearest(name, others) if others else ""
        shown.append(f"{name[:100]}, perhaps {near[:100]}" if near else name[:100])
    return "; ".join(shown) + ("; ..." if len(names) > _SHOWN else "")


def _advice(checkpoint: Checkpoint, match: Match) -> str:
    names = match.unexpected
    if any("_weight_quantizer" in name for name in names):
        algorithm = next((found for last, found in _TRAINED_BY.items() if _ends(names, last)), "SimQAT")
        return (
            f"This is a checkpoint of a network compressed by {algorithm}: apply the algorithm to the network first, "
            "with the configuration that it was trained with, and give the network that it returns."
        )
    if _ends(names, "weight_scale", "weight_offset", "deq_scale"):
        return (
            "This is a checkpoint of a quantized network. Integers are taken for layers whose weight has two axes and "
            "stands in the file beside its weight_scale."
        )
    if _ends(names, "in_mask", "out_mask") or _ends(checkpoint.tensors, "out_index", "kfscale"):
        return "This is a checkpoint of a pruned network: apply the algorithm's phases to the network first."
    if match.missing and all("_quantizer." in name for name in match.missing):
        return (
            "It has the weights, and none of the ranges that were trained: it is of the network before the algorithm "
            "was applied, or after its convert. Save the checkpoint between the two."
        )
    if all(is_for_training(name) for name in checkpoint.tensors):
        return "It holds the state of an optimizer only: give the checkpoint of the network."
    return "Give the network that the checkpoint was saved from, made with the same arguments."
