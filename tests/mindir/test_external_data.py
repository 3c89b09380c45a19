from __future__ import annotations

import shutil

import mindspore
import numpy as np
import pytest
from mindspore import nn
from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.errors import ModelFileError
from gsjupyter.mindir import Model, Runner, load_model, save_model


@pytest.fixture
def model(mlp_bytes):
    return Model.from_bytes(mlp_bytes, "MLP")


@pytest.fixture
def split(model, tmp_path):
    """Give a model whose parameters lie beside it, alone in its folder."""
    folder = tmp_path / "models"
    folder.mkdir()
    return save_model(model, folder / "net.mindir", external_data_bytes=100)[0]


def edit(path, change):
    """Change the external data of every parameter of a file."""
    proto = pb.ModelProto.FromString(path.read_bytes())
    for tensor in proto.graph.parameter:
        change(tensor.external_data)
    path.write_bytes(proto.SerializeToString())


def relocated(path, location):
    edit(path, lambda data: setattr(data, "location", str(location)))
    return path


def test_parameters_above_the_limit_lie_beside_the_model(model, tmp_path):
    files = save_model(model, tmp_path / "net.mindir", external_data_bytes=model.parameter_bytes - 1)
    assert files == (tmp_path / "net.mindir", tmp_path / "net_variables" / "data_0")
    assert files[1].stat().st_size >= model.parameter_bytes


def test_parameters_up_to_the_limit_stay_inside(model, tmp_path):
    files = save_model(model, tmp_path / "net.mindir", external_data_bytes=model.parameter_bytes)
    assert files == (tmp_path / "net.mindir",)


def test_what_is_read_back_is_what_was_written(model, split):
    assert load_model(split).to_bytes() == model.to_bytes()


def test_plain_mindspore_loads_it(model, split, rng):
    x = rng.standard_normal((3, 8)).astype(np.float32)
    cell = nn.GraphCell(mindspore.load(str(split)))
    np.testing.assert_array_equal(cell(mindspore.Tensor(x)).asnumpy(), Runner(model)(x))


def test_it_may_be_moved_with_its_folder(model, split, tmp_path):
    moved = shutil.copytree(split.parent, tmp_path / "elsewhere")
    assert load_model(moved / split.name).to_bytes() == model.to_bytes()


def test_saving_again_replaces_both(model, split, rng):
    graph = model.graph()
    old = graph.parameters()[0]
    graph.replace(old, type(old).of(old.name, np.zeros(old.shape, np.float32)))
    edited = model.with_graph(graph)
    save_model(edited, split, external_data_bytes=100)
    assert load_model(split).to_bytes() == edited.to_bytes()
    assert {path.name for path in split.parent.iterdir()} == {"net.mindir", "net_variables"}


def test_data_that_was_not_copied_along_is_named(split):
    shutil.rmtree(split.parent / "net_variables")
    with pytest.raises(ModelFileError, match=r"net_variables/data_0.*not there.*\n.*Copy the \.mindir together"):
        load_model(split)


def test_data_that_is_cut_off_is_refused(split):
    data = split.parent / "net_variables" / "data_0"
    data.write_bytes(data.read_bytes()[:-200])
    with pytest.raises(ModelFileError, match="is cut off"):
        load_model(split)


@pytest.mark.parametrize(("field", "value"), [("offset", 10**9), ("offset", -1), ("length", -4), ("length", 2**62)])
def test_a_place_beyond_the_data_is_refused(split, field, value):
    edit(split, lambda data: setattr(data, field, value))
    with pytest.raises(ModelFileError, match="is cut off"):
        load_model(split)


def test_a_length_that_is_not_the_parameters_is_refused(split):
    edit(split, lambda data: setattr(data, "length", data.length - 4))
    with pytest.raises(ModelFileError, match=r"needs .* bytes"):
        load_model(split).graph()


def test_a_small_file_cannot_fill_the_memory_by_being_read_often(split):
    size = (split.parent / "net_variables" / "data_0").stat().st_size

    def take_all(data):
        data.offset, data.length = 0, size

    edit(split, take_all)
    with pytest.raises(ModelFileError, match="bytes of values from"):
        load_model(split)


@pytest.mark.parametrize("location", ["../secret", "net_variables/../../secret", "/etc/hostname", "/dev/zero"])
def test_a_location_outside_of_the_folder_is_refused(split, tmp_path, location):
    (tmp_path / "secret").write_bytes(bytes(10_000))
    with pytest.raises(ModelFileError, match=r"outside of its own folder\. Not read"):
        load_model(relocated(split, location))


def test_a_link_is_refused(split, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(10_000))
    (split.parent / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelFileError, match=r"outside of its own folder\. Not read"):
        load_model(relocated(split, "link"))


def test_a_folder_that_is_a_link_is_refused(split, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(10_000))
    (split.parent / "folder").symlink_to(tmp_path)
    with pytest.raises(ModelFileError, match=r"outside of its own folder\. Not read"):
        load_model(relocated(split, "folder/secret"))


@pytest.mark.parametrize("location", ["", ".", "a\0b", "x" * 5000, "x/" * 3000, "loop", "net_variables", "nothing"])
def test_a_location_that_is_no_file_is_refused(split, location):
    (split.parent / "loop").symlink_to("loop")
    with pytest.raises(ModelFileError, match="which is not there"):
        load_model(relocated(split, location))
