"""From the protobuf to a graph, with everything checked that a cut, foreign or hostile file could have wrong."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from google.protobuf.message import DecodeError
from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.errors import ModelFileError, UnsupportedError
from gsjupyter.mindir.graph import Graph
from gsjupyter.mindir.scope import Scope
from gsjupyter.mindir.types import array_of, numpy_dtype
from gsjupyter.mindir.values import Constant, Input, Node, Parameter, Value

_REFERENCE = "REF::"
_Define: TypeAlias = Callable[[str, Value], None]


def parse_model(data: bytes, name: str) -> pb.ModelProto:
    """Return the protobuf of a MindIR file's bytes.

    Raises
    ------
    ModelFileError
        If they are no MindIR: empty, cut off, or of another kind.
    """
    proto = pb.ModelProto()
    try:
        proto.ParseFromString(data)
    except (DecodeError, UnicodeDecodeError) as error:
        raise ModelFileError(
            f"{name} is no MindIR model, or is cut off: its {len(data):,} bytes don't parse.",
            advice="Export it again with mindspore.export(..., file_format='MINDIR').",
        ) from error
    if not all(isinstance(text, str) for text in _texts(proto)):
        # One implementation of protobuf refuses bytes that are no text, the other gives them as they are.
        raise ModelFileError(f"{name} is damaged: a name in it is no text.", advice="Copy or export it again.")
    if not proto.graph.output or not (proto.primitives or proto.graph.parameter):
        raise ModelFileError(
            f"{name} is no MindIR model: it parses, but holds no graph.",
            advice="If it is the graph of a split model, its name ends in _graph.mindir and its data lies beside it.",
        )
    return proto


def _texts(proto: pb.ModelProto) -> Iterator[object]:
    """Yield all names in a file."""
    for node in proto.graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
    for item in (*proto.graph.input, *proto.graph.output, *proto.graph.parameter, *proto.functions):
        yield item.name
    for primitive in proto.primitives:
        yield from (primitive.name, primitive.op_type)


def plain_name(name: str) -> str:
    """Strip the graph's name, which MindSpore puts before every name in a file."""
    return name.partition(":")[2] or name


def input_of(proto: pb.ValueInfoProto) -> Input:
    """Return the graph input that a protobuf describes."""
    return Input(plain_name(proto.name), proto)


def check_parameter(proto: pb.TensorProto) -> None:
    """Check that a stored tensor's bytes fill its shape.

    Raises
    ------
    ModelFileError
        If they don't.
    """
    if numpy_dtype(proto.data_type) is not None:
        array_of(proto)


def graph_of(model: pb.ModelProto) -> Graph:
    """Return the graph of a model.

    Raises
    ------
    ModelFileError
        If names are doubled or missing, or nodes read each other in a circle.
    UnsupportedError
        If a node calls a function.
    """
    values: dict[str, Value] = {}

    def define(name: str, value: Value) -> None:
        if name in values:
            raise ModelFileError(f"the graph is inconsistent: two values are called {plain_name(name)!r}.")
        values[name] = value

    inputs = []
    for item in model.graph.input:
        inputs.append(input_of(item))
        define(item.name, inputs[-1])
    for tensor in model.graph.parameter:
        check_parameter(tensor)
        define(tensor.name, Parameter(plain_name(tensor.name), tensor))
    _read_nodes(model, values, define)
    if len(model.graph.output) != 1:
        raise UnsupportedError(f"the graph has {len(model.graph.output)} outputs; MindSpore writes one, a tuple.")
    graph = Graph(inputs, _lookup(values, model.graph.output[0].name, "the graph's output"))
    graph.values()
    return graph


def _read_nodes(model: pb.ModelProto, values: dict[str, Value], define: _Define) -> None:
    primitives = {primitive.name: primitive for primitive in model.primitives}
    for proto in model.graph.node:
        if len(proto.output) != 1:
            raise ModelFileError(f"node {plain_name(proto.name)!r} has {len(proto.output)} outputs instead of one.")
        if proto.op_type == "Constant":
            if len(proto.attribute) != 1:
                raise ModelFileError(f"constant {plain_name(proto.name)!r} has no value.")
            define(proto.output[0], Constant(proto.attribute[0]))
            continue
        primitive = primitives.get(proto.op_type.removeprefix(_REFERENCE))
        if primitive is None:
            raise UnsupportedError(f"{proto.op_type!r} is neither an operator of the file nor one of MindIR's.")
        inputs = [_lookup(values, name, f"node {plain_name(proto.name)!r}") for name in proto.input]
        abstract = next((item for item in proto.attribute if item.name == "shape"), None)
        define(proto.output[0], Node(primitive, inputs, Scope.parse(proto.domain), abstract, _annotations(proto)))


def _annotations(proto: pb.NodeProto) -> pb.NodeProto:
    # Not the doc string: MindSpore writes where in the source text the node comes from, a path of somebody's machine.
    kept = pb.NodeProto()
    kept.attribute.extend(item for item in proto.attribute if item.name != "shape")
    kept.node_attr.extend(proto.node_attr)
    kept.primal_attr.extend(proto.primal_attr)
    return kept


def _lookup(values: dict[str, Value], name: str, reader: str) -> Value:
    try:
        return values[name]
    except KeyError:
        raise ModelFileError(f"{reader} reads {plain_name(name)!r}, which the file doesn't define before it.") from None
