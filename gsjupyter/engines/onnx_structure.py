"""What an ONNX file is made of: which operators it has, and which other files it reads.

ONNX Runtime before 1.24 reads values from wherever a file says, so that is looked up before it sees the file.
"""

import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from gsjupyter.errors import ModelFileError


@dataclass(frozen=True)
class OnnxStructure:
    """What an ONNX file is made of.

    Parameters
    ----------
    operators : frozenset of str
        The operators that occur in it.
    data_files : frozenset of str
        The names of the files that it keeps values in, as it gives them.
    """

    operators: frozenset[str]
    data_files: frozenset[str]


def read_structure(path: Path) -> OnnxStructure:
    """Read what a file is made of; values that lie beside it are not read.

    Raises
    ------
    ModelFileError
        If there is no such file, or it is cut off, damaged, or no ONNX.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModelFileError(f"{path} is no file.")
        model = onnx.load_model(path, load_external_data=False)
    except (FileNotFoundError, NotADirectoryError):
        raise ModelFileError(f"there is no file {path}.") from None
    except (DecodeError, UnicodeDecodeError) as error:
        raise ModelFileError(
            f"{path.name} is no ONNX file, or a damaged one: its bytes don't parse.", advice="Export or copy it again."
        ) from error
    except OSError as error:
        raise ModelFileError(f"can't read {path}: {error.strerror or error}.") from error
    if not model.graph.output:
        raise ModelFileError(f"{path.name} is no ONNX file: it holds no graph.")
    graphs = list(_graphs(model))
    tensors = [tensor for graph in graphs for tensor in _stored(graph)]
    nodes = [*(node for graph in graphs for node in graph.node), *_function_nodes(model)]
    tensors += [tensor for node in nodes for tensor in _in_attributes(node.attribute)]
    places = (entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "location")
    return OnnxStructure(frozenset(node.op_type for node in nodes), frozenset(places))


def check_data_files(path: Path, names: frozenset[str]) -> None:
    """Check that all files which a model reads lie in its own folder.

    Raises
    ------
    ModelFileError
        If one leads out of it, by dots, root or link, or is no file.
    """
    folder = path.parent.resolve()
    for name in sorted(names):
        file = folder / name
        try:
            inside = not Path(name).is_absolute() and file.resolve().is_relative_to(folder)
            regular = inside and stat.S_ISREG(file.stat().st_mode)
        except (OSError, RuntimeError, ValueError):
            # Not there, links in a circle, or a name that no file can have.
            inside, regular = True, False
        if not inside:
            raise ModelFileError(f"{path.name} keeps values at {name[:100]!r}, outside of its own folder. Not read.")
        if not regular:
            raise ModelFileError(
                f"{path.name} keeps values in {name[:100]!r}, which is not there.",
                advice=f"Copy it together with {path.name}.",
            )


def _graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """Yield all graphs: that of the network, those of its training, and the branches and loops inside."""
    pending = [model.graph]
    for training in model.training_info:
        pending += [training.initialization, training.algorithm]
    for node in _function_nodes(model):
        pending += _inside(node)
    while pending:
        graph = pending.pop()
        yield graph
        for node in graph.node:
            pending += _inside(node)


def _function_nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    for function in model.functions:
        yield from function.node


def _inside(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    single = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
    return single + [graph for attribute in node.attribute for graph in attribute.graphs]


def _stored(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)


def _in_attributes(attributes: Iterable[onnx.AttributeProto]) -> Iterator[onnx.TensorProto]:
    for attribute in attributes:
        yield attribute.t
        yield from attribute.tensors
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
