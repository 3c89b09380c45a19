from __future__ import annotations

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.errors import ModelFileError, UnsupportedError
from gsjupyter.mindir import Model


@pytest.fixture
def proto(mlp_bytes):
    """Give the protobuf of a sound model, to be damaged."""
    return pb.ModelProto.FromString(mlp_bytes)


def first(proto, *, constant):
    return next(node for node in proto.graph.node if (node.op_type == "Constant") == constant)


def refusal(proto, kind=ModelFileError):
    with pytest.raises(kind) as caught:
        Model.from_bytes(proto.SerializeToString(), "net").graph()
    return str(caught.value)


def test_a_sound_model_is_read(proto):
    assert len(Model.from_bytes(proto.SerializeToString()).graph().nodes("MatMul")) == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\xff" * 100,
        b"hello",
        b"# text\n" * 100,
        b"PK\x03\x04" + bytes(60),
        FileDescriptorProto(name="a.proto", dependency=["b.proto"]).SerializeToString(),
        pb.ModelProto(ir_version="3").SerializeToString(),
        pb.TensorProto(name="weight", dims=[1], raw_data=b"\0" * 4).SerializeToString(),
    ],
    ids=["empty", "zero", "ones", "word", "text", "zip", "foreign protobuf", "no graph", "tensor"],
)
def test_what_is_no_model_is_refused(data):
    with pytest.raises(ModelFileError, match="net is no MindIR model"):
        Model.from_bytes(data, "net").graph()


@pytest.mark.parametrize("share", [0.001, 0.1, 0.3, 0.5, 0.9, 0.999])
def test_a_cut_model_is_refused(mlp_bytes, share):
    with pytest.raises(ModelFileError):
        Model.from_bytes(mlp_bytes[: int(len(mlp_bytes) * share)], "net").graph()


def test_a_parameter_with_bytes_missing_is_named(proto):
    tensor = proto.graph.parameter[0]
    tensor.raw_data = tensor.raw_data[:-1]
    assert "fc1.weight of shape (16, 8) and type float32 needs 512 bytes, the file has 511" in refusal(proto)


def test_an_input_that_nobody_defines_is_named(proto):
    node = first(proto, constant=False)
    node.input[0] = "graph:nobody"
    assert "reads 'nobody', which the file doesn't define" in refusal(proto)


def test_an_output_that_nobody_defines_is_named(proto):
    proto.graph.output[0].name = "graph:nobody"
    assert "the graph's output reads 'nobody'" in refusal(proto)


@pytest.mark.parametrize("part", ["node", "parameter", "input"])
def test_two_values_of_one_name_are_refused(proto, part):
    items = getattr(proto.graph, part)
    items.add().CopyFrom(items[0])
    assert "two values are called" in refusal(proto)


def test_nodes_that_read_each_other_are_refused(proto):
    node = first(proto, constant=False)
    node.input[0] = proto.graph.node[-1].output[0]
    assert "doesn't define before it" in refusal(proto)


def test_a_node_that_reads_itself_is_refused(proto):
    node = first(proto, constant=False)
    node.input[0] = node.output[0]
    assert "doesn't define before it" in refusal(proto)


def test_a_constant_without_a_value_is_refused(proto):
    del first(proto, constant=True).attribute[:]
    assert "has no value" in refusal(proto)


@pytest.mark.parametrize("outputs", [0, 2])
def test_a_node_without_one_output_is_refused(proto, outputs):
    node = first(proto, constant=False)
    node.output[:] = [f"graph:{index}" for index in range(outputs)]
    assert f"has {outputs} outputs instead of one" in refusal(proto)


def test_an_operator_that_the_file_does_not_list_is_refused(proto):
    first(proto, constant=False).op_type = "REF::Magic:1"
    assert "'REF::Magic:1' is neither an operator" in refusal(proto, UnsupportedError)


def test_a_graph_with_two_outputs_is_refused(proto):
    proto.graph.output.add().CopyFrom(proto.graph.output[0])
    assert "the graph has 2 outputs" in refusal(proto, UnsupportedError)


def test_attributes_nested_to_exhaust_the_stack_are_refused():
    nested = b""
    number = pb.AttributeProto.DESCRIPTOR.fields_by_name["values"].number
    for _ in range(5000):
        nested = _field(number, nested)
    for message, name in ((pb.NodeProto, "attribute"), (pb.GraphProto, "node"), (pb.ModelProto, "graph")):
        nested = _field(message.DESCRIPTOR.fields_by_name[name].number, nested)
    with pytest.raises(ModelFileError, match="don't parse"):
        Model.from_bytes(nested)


def _field(number, content):
    """Return a field of a protobuf message: its key, its length, its content."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value):
    text = bytearray()
    while value > 0x7F:
        text.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*text, value])
