"""A MindIR model in memory: the network everything else works on, whatever it came from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.errors import UnsupportedError
from gsjupyter.mindir import read, write
from gsjupyter.mindir.graph import Graph
from gsjupyter.signature import InputSpec

_KEYS = "output_keys"


def output_keys_of(proto: pb.ModelProto) -> tuple[str, ...]:
    """Return the keys of a dictionary output that a file notes for us; MindIR itself has only tuples."""
    try:
        keys = json.loads(_notes_of(proto).get(_KEYS, "[]"))
    except (ValueError, RecursionError):
        return ()
    items = len(proto.graph.output[0].attr_info.values) if proto.graph.output else 0
    is_sound = isinstance(keys, list) and len(keys) == items and all(isinstance(key, str) for key in keys)
    return tuple(keys) if is_sound else ()


def _notes_of(proto: pb.ModelProto) -> dict[str, str]:
    """Return the file's notes; MindSpore 2.7's generated class gives the map as a list of its entries."""
    notes = proto.user_info
    return dict(notes) if hasattr(notes, "keys") else {entry.key: entry.value for entry in notes}


def _note(proto: pb.ModelProto, notes: dict[str, str]) -> None:
    proto.ClearField("user_info")
    if hasattr(proto.user_info, "keys"):
        proto.user_info.update(notes)
        return
    for key, value in notes.items():
        proto.user_info.add(key=key, value=value)


@dataclass
class Model:
    """A MindIR model.

    Parameters
    ----------
    proto : ModelProto
        The protobuf it was read from, with parameter values in it.
    name : str
        What to call the network, a class name or a file's stem.
    output_keys : tuple of str
        The keys, if the network's output is a dictionary (MindIR itself has only tuples).
    """

    proto: pb.ModelProto
    name: str = "network"
    output_keys: tuple[str, ...] = field(default=())

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "network") -> "Model":
        """Read a model that keeps its parameters in the same file.

        Raises
        ------
        ModelFileError
            If the bytes are no MindIR, or a damaged one.
        """
        proto = read.parse_model(data, name)
        return cls(proto, name, output_keys_of(proto))

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of its sub-functions: control flow that couldn't be flattened."""
        return tuple(function.name for function in self.proto.functions)

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """What it takes, in order."""
        specs = (read.input_of(item) for item in self.proto.graph.input)
        return tuple(
            InputSpec(value.name, value.shape, value.dtype.name if value.dtype is not None else "") for value in specs
        )

    @property
    def is_editable(self) -> bool:
        """Whether it is one flat graph."""
        return not self.proto.functions and not self.proto.graph.map_parameter

    def graph(self) -> Graph:
        """Return the network as a graph of its own: editing it doesn't change this model.

        Raises
        ------
        UnsupportedError
            If it has control flow or hash-map parameters.
        ModelFileError
            If the graph is inconsistent.
        """
        if self.proto.functions:
            raise UnsupportedError(
                f"{self.name} has control flow that depends on data ({len(self.functions)} sub-functions, "
                f"{self.functions[0]!r} among them), and a pass can't rewrite it safely.",
                advice="Write the branch with ops.select or ops.where, or export the parts around it one by one.",
            )
        if self.proto.graph.map_parameter:
            raise UnsupportedError(f"{self.name} holds a MapParameter, which can't be converted.")
        return read.graph_of(self.proto)

    def with_graph(self, graph: Graph, output_keys: Sequence[str] | None = None) -> "Model":
        """Return the model of an edited graph; this one stays as it is."""
        keys = self.output_keys if output_keys is None else tuple(output_keys)
        proto = write.proto_of(graph, self.proto, self.name)
        notes = {name: text for name, text in _notes_of(proto).items() if name != _KEYS}
        _note(proto, {**notes, _KEYS: json.dumps(keys)} if keys else notes)
        return Model(proto, self.name, keys)

    def to_bytes(self) -> bytes:
        """Return the file's bytes: the same for the same network, whenever and wherever it is written."""
        return bytes(self.proto.SerializeToString(deterministic=True))

    @property
    def parameter_bytes(self) -> int:
        """The bytes that the parameters' values take."""
        return sum(len(parameter.raw_data) for parameter in self.proto.graph.parameter)

    @property
    def size_bytes(self) -> int:
        """The bytes of the whole model in one file."""
        return int(self.proto.ByteSize())
