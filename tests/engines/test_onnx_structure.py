from __future__ import annotations

import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gsjupyter.engines.onnx_structure import check_data_files, read_structure
from gsjupyter.errors import ModelFileError
from tests.engines.onnx_files import FLOAT, OnnxFile, affine, with_values_elsewhere


def elsewhere(name):
    tensor = TensorProto(name=name, data_type=FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="offset", value="0")
    tensor.external_data.add(key="location", value=f"{name}.bin")
    return tensor


def a_branch(name):
    node = helper.make_node("Constant", [], [name], value=elsewhere(name))
    return helper.make_graph([node], name, [], [helper.make_tensor_value_info(name, FLOAT, [1])])


@pytest.fixture
def with_values_everywhere(tmp_path):
    """Write a model that keeps values in other files wherever ONNX allows tensors."""
    file = OnnxFile(x=[1])
    file.tensors.append(elsewhere("of_graph"))
    file.node("If", ["x"], "y", then_branch=a_branch("of_then"), else_branch=a_branch("of_else"))
    model = file.model("y")
    model.graph.node[0].attribute.append(helper.make_attribute("list", [elsewhere("of_list"), elsewhere("of_list2")]))
    model.graph.sparse_initializer.add(values=elsewhere("of_sparse"), indices=elsewhere("of_indices"))
    node = helper.make_node("Constant", [], ["z"], value=elsewhere("of_function"))
    model.functions.append(helper.make_function("mine", "F", [], ["z"], [node], [helper.make_opsetid("", 21)]))
    model.training_info.add().initialization.CopyFrom(a_branch("of_training"))
    path = tmp_path / "everywhere.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_values_elsewhere_are_found_wherever_they_may_be(with_values_everywhere):
    places = ("graph", "then", "else", "list", "list2", "sparse", "indices", "function", "training")
    found = read_structure(with_values_everywhere)
    assert found.data_files == {f"of_{place}.bin" for place in places}
    assert found.operators == {"If", "Constant"}


def test_operators_are_those_that_onnx_finds(tmp_path, rng):
    file = OnnxFile(x=["batch", 64])
    weight, _ = file.weight("w", rng, (64, 64), axis=1)
    file.node("MatMul", [file.rounded("a", "x", 0.1), weight], "y")
    path = file.save(tmp_path / "network.onnx", "y")
    assert read_structure(path).operators == {node.op_type for node in onnx.load(path).graph.node}
    assert read_structure(path).data_files == frozenset()


def test_a_location_is_found_behind_what_a_reader_of_protobuf_passes_over(tmp_path):
    path = with_values_elsewhere(tmp_path / "x.onnx", "hidden.bin")
    model = path.read_bytes()
    # The field of the key once more, as a number.
    hidden = model.replace(b"\x0a\x08location\x12\x0ahidden.bin", b"\x0a\x08location\x08\x00\x12\x08hidden.b")
    path.write_bytes(hidden)
    place = onnx.load(path, load_external_data=False).graph.initializer[0].external_data[0]
    assert (place.key, place.value) == ("location", "hidden.b")
    assert read_structure(path).data_files == {"hidden.b"}


def test_a_file_cut_anywhere_is_refused(tmp_path):
    whole = affine(tmp_path / "whole.onnx").read_bytes()
    end_of_graph = whole.rindex(b"\x42\x04")
    path = tmp_path / "cut.onnx"
    for size in range(end_of_graph):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelFileError, match=r"cut\.onnx is"):
            read_structure(path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it holds no graph"),
        (b"\x08\x08", "it holds no graph"),
        *(
            (data, "is no ONNX file, or a damaged one: its bytes don't parse")
            for data in (b"Not a network at all, just words.\n", bytes(100), b"\x3a\xff\xff\xff\xff\x0f", b"\x3b")
        ),
    ],
)
def test_what_is_no_onnx_is_refused(tmp_path, data, reason):
    path = tmp_path / "x.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=reason):
        read_structure(path)


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(ModelFileError, match="there is no file"):
        read_structure(tmp_path / "none.onnx")
    with pytest.raises(ModelFileError, match="is no file"):
        read_structure(tmp_path)


@pytest.fixture
def folder(tmp_path):
    """Make a folder with a data file in it, one outside, and links."""
    inside = tmp_path / "inside"
    (inside / "deeper").mkdir(parents=True)
    for place in (inside / "values.bin", inside / "deeper" / "values.bin", tmp_path / "secret.bin"):
        place.write_bytes(np.ones(4, np.float32).tobytes())
    (inside / "link.bin").symlink_to("../secret.bin")
    (inside / "near.bin").symlink_to("values.bin")
    (inside / "circle.bin").symlink_to("circle.bin")
    os.mkfifo(inside / "pipe.bin")
    return inside


@pytest.mark.parametrize("name", ["values.bin", "deeper/values.bin", "./values.bin", "near.bin"])
def test_files_in_the_folder_are_let_pass(folder, name):
    check_data_files(folder / "x.onnx", frozenset([name]))


@pytest.mark.parametrize("name", ["../secret.bin", "deeper/../../secret.bin", "link.bin", "/etc/passwd", "../inside2"])
def test_files_outside_of_it_are_refused(folder, name):
    with pytest.raises(ModelFileError, match=r"outside of its own folder\. Not read"):
        check_data_files(folder / "x.onnx", frozenset(["values.bin", name]))


@pytest.mark.parametrize("name", ["none.bin", "deeper", "pipe.bin", "", "a\0b", "x" * 5000, "circle.bin"])
def test_what_is_no_file_is_refused(folder, name):
    with pytest.raises(ModelFileError, match="which is not there"):
        check_data_files(folder / "x.onnx", frozenset([name]))


def test_an_absolute_name_is_refused_even_inside_of_the_folder(folder):
    with pytest.raises(ModelFileError, match="outside of its own folder"):
        check_data_files(folder / "x.onnx", frozenset([str(folder / "values.bin")]))


def test_stored_values_are_stepped_over(tmp_path):
    file = OnnxFile(x=[1])
    # Bytes that would be a graph with a data file, were they read as one.
    decoy = with_values_elsewhere(tmp_path / "decoy.onnx", "decoy.bin").read_bytes()
    file.tensors.append(numpy_helper.from_array(np.frombuffer(decoy, np.uint8), "decoy"))
    file.node("Identity", ["x"], "y")
    assert read_structure(file.save(tmp_path / "x.onnx", "y")).data_files == frozenset()
