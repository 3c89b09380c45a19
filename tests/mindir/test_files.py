from __future__ import annotations

import os

import numpy as np
import pytest

from gsjupyter.errors import ModelFileError, WriteError
from gsjupyter.mindir import Model, load_model, save_model


@pytest.fixture
def model(mlp_bytes):
    return Model.from_bytes(mlp_bytes, "MLP")


def test_a_saved_model_is_loaded_as_it_was(model, tmp_path):
    files = save_model(model, tmp_path / "net.mindir")
    assert files == (tmp_path / "net.mindir",)
    loaded = load_model(files[0])
    assert loaded.to_bytes() == model.to_bytes()
    assert loaded.name == "net"


def test_a_saved_file_can_be_read_by_whom_the_user_lets(model, tmp_path):
    # MindSpore itself writes with mode 0400.
    before = os.umask(0o022)
    try:
        (file,) = save_model(model, tmp_path / "net.mindir")
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o644


def test_only_the_model_is_left_in_the_folder(model, tmp_path):
    save_model(model, tmp_path / "net.mindir")
    save_model(model, tmp_path / "net.mindir")
    assert [path.name for path in tmp_path.iterdir()] == ["net.mindir"]


def test_a_folder_that_is_not_there_is_named(model, tmp_path):
    with pytest.raises(WriteError, match=r"there is no folder .*nowhere"):
        save_model(model, tmp_path / "nowhere" / "net.mindir")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"there is no file .*net\.mindir"):
        load_model(tmp_path / "net.mindir")


def test_the_graph_of_a_split_model_is_suggested(tmp_path):
    (tmp_path / "net_graph.mindir").write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"give net_graph\.mindir"):
        load_model(tmp_path / "net.mindir")


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 300, "loop", "pipe"])
def test_what_is_no_file_is_refused_at_once(name, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError):
        load_model(tmp_path / name)


def test_a_write_that_fails_leaves_the_older_model(model, tmp_path, monkeypatch):
    target = tmp_path / "net.mindir"
    save_model(model, target)
    before = target.read_bytes()

    def fail(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Model, "to_bytes", fail)
    with pytest.raises(KeyboardInterrupt):
        save_model(model, target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_the_same_model_gives_the_same_file(model, tmp_path):
    first = save_model(model, tmp_path / "a.mindir")[0].read_bytes()
    assert save_model(model, tmp_path / "b.mindir")[0].read_bytes() == first


def test_the_values_of_a_loaded_model_are_those_saved(model, tmp_path):
    loaded = load_model(save_model(model, tmp_path / "net.mindir")[0]).graph()
    for before, after in zip(model.graph().parameters(), loaded.parameters(), strict=True):
        np.testing.assert_array_equal(before.array, after.array)
