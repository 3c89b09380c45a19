"""From a graph to the protobuf, under names that depend on the network alone: the same network gives the same bytes.

MindSpore's own names carry counters of the process that exported them.
"""

from collections import Counter

from google.protobuf.message import Message
from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.errors import UnsupportedError
from gsjupyter.mindir.graph import Graph
from gsjupyter.mindir.values import Constant, Input, Node, Parameter, Value


def proto_of(graph: Graph, source: pb.ModelProto, name: str) -> pb.ModelProto:
    """Return the protobuf of a graph.

    Parameters
    ----------
    graph : Graph
        What to write.
    source : ModelProto
        Where it came from: its version fields and preprocessing are kept.
    name : str
        The graph's name.

    Raises
    ------
    UnsupportedError
        If two parameters have one name.
    """
    model = pb.ModelProto()
    merge_without(model, source, "graph", "primitives", "functions")
    _GraphWriter(model, _identifier(name)).write(graph)
    return model


def merge_without(target: Message, source: Message, *names: str) -> None:
    """Copy the fields of one message into another of its kind, but for the named ones, which may be large."""
    for field, content in source.ListFields():
        if field.name not in names:
            target.MergeFrom(type(target)(**{field.name: content}))


def _identifier(name: str) -> str:
    # MindSpore splits names at ":" and resolves graph names as identifiers.
    return "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name) or "network"


class _GraphWriter:
    def __init__(self, model: pb.ModelProto, prefix: str) -> None:
        self.model = model
        self.prefix = prefix
        self.names: dict[Value, str] = {}
        self.primitives: dict[bytes, str] = {}
        self.domains: Counter[tuple[str, str]] = Counter()
        self.constants: dict[bytes, str] = {}

    def write(self, graph: Graph) -> None:
        proto = self.model.graph
        proto.name = self.prefix
        values = graph.values()
        self._write_inputs(graph)
        self._write_parameters([value for value in values if isinstance(value, Parameter)])
        for value in values:
            if isinstance(value, Constant):
                self._write_constant(value)
            elif isinstance(value, Node):
                self._write_node(value)
        self._write_output(graph.output)

    def _write_inputs(self, graph: Graph) -> None:
        for item in graph.inputs:
            copy = self.model.graph.input.add()
            copy.CopyFrom(item.proto)
            copy.name = self.names[item] = f"{self.prefix}:{item.name}"

    def _write_parameters(self, parameters: list[Parameter]) -> None:
        doubled = [name for name, count in Counter(item.name for item in parameters).items() if count > 1]
        if doubled:
            raise UnsupportedError(f"two parameters are called {doubled[0]!r}; a file can hold only one.")
        for item in parameters:
            copy = self.model.graph.parameter.add()
            copy.CopyFrom(item.proto)
            copy.name = self.names[item] = f"{self.prefix}:{item.name}"
            copy.ref_key = item.name

    def _write_constant(self, constant: Constant) -> None:
        attribute = pb.AttributeProto()
        attribute.CopyFrom(constant.proto)
        attribute.name = "value"
        key = attribute.SerializeToString(deterministic=True)
        if key not in self.constants:
            name = self.constants[key] = f"ValueNode_{len(self.constants)}"
            self.model.graph.node.add(name=name, output=[name], op_type="Constant", attribute=[attribute])
        self.names[constant] = self.constants[key]

    def _write_node(self, node: Node) -> None:
        proto = self.model.graph.node.add()
        proto.CopyFrom(node.proto)
        index = self.domains[node.scope.path, node.op]
        self.domains[node.scope.path, node.op] += 1
        stem = f"{node.layer}/{node.op}" if node.layer else node.op
        proto.name = self.names[node] = f"{self.prefix}:{stem}_{index}:{len(self.names)}"
        proto.output.append(proto.name)
        proto.input.extend(self.names[value] for value in node.inputs)
        proto.domain = node.scope.domain(node.op, index)
        proto.op_type = f"REF::{self._primitive(node)}"
        if node.abstract is not None:
            abstract = proto.attribute.add()
            abstract.CopyFrom(node.abstract)
            abstract.name = "shape"

    def _primitive(self, node: Node) -> str:
        primitive = pb.PrimitiveProto()
        primitive.CopyFrom(node.primitive)
        primitive.ClearField("name")
        attributes = sorted(primitive.attribute, key=lambda item: item.name)
        del primitive.attribute[:]
        primitive.attribute.extend(attributes)
        key = primitive.SerializeToString(deterministic=True)
        if key not in self.primitives:
            primitive.name = self.primitives[key] = f"{node.op}:{len(self.primitives)}"
            self.model.primitives.append(primitive)
        return self.primitives[key]

    def _write_output(self, output: Value) -> None:
        proto = self.model.graph.output.add(name=self.names[output])
        abstract = output.proto.tensor if isinstance(output, Input) else output.abstract
        if isinstance(output, Input):
            proto.tensor.extend(output.proto.tensor)
        elif abstract is not None and abstract.tensors:
            proto.tensor.extend(abstract.tensors)
        elif abstract is not None:
            proto.denotation = "Tuple"
            proto.attr_info.CopyFrom(abstract)
            proto.attr_info.ClearField("name")
