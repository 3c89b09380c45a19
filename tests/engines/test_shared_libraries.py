from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import pytest

from gsjupyter.benchmarking.targets.mindspore_backends import mindspore_folder
from gsjupyter.engines.shared_libraries import loader_folders, missing_libraries, other_versions


@pytest.mark.parametrize("plugin", ["libmindspore_gpu.so.11.6", "libmindspore_ascend.so.2"])
def test_what_is_missing_cannot_be_loaded(plugin):
    file = mindspore_folder() / "lib/plugin" / plugin
    if not file.exists():
        pytest.skip("this MindSpore has none")
    missing = missing_libraries(file)
    if not missing:
        pytest.skip("everything is there")
    with pytest.raises(OSError, match="|".join(missing).replace(".", r"\.")):
        ctypes.CDLL(str(file))
    for name in missing:
        with pytest.raises(OSError, match="cannot open shared object file"):
            ctypes.CDLL(name)


def test_nothing_is_missing_of_what_runs():
    assert missing_libraries(Path(sys.executable)) == ()


def test_a_file_that_is_no_library(tmp_path):
    (tmp_path / "x.so").write_text("nothing")
    assert missing_libraries(tmp_path / "x.so") == missing_libraries(tmp_path / "y.so") == ()


def test_another_version_that_the_loader_finds():
    found = other_versions("libc.so.5")
    assert Path(found["libc.so.6"]).exists()
    assert all(name.startswith("libc.so.") for name in found)


def test_another_version_in_a_folder_where_the_loader_does_not_look(tmp_path):
    for name in ("libgsjupyter.so.9.10.2", "libgsjupyter.so", "libgsjupyter_ops.so.9"):
        (tmp_path / name).touch()
    assert other_versions("libgsjupyter.so.8", [tmp_path]) == {"libgsjupyter.so.9": tmp_path / "libgsjupyter.so.9.10.2"}


def test_the_folders_that_the_environment_names(tmp_path):
    assert loader_folders({"LD_LIBRARY_PATH": f"{tmp_path}::/opt/lib"}) == [tmp_path, Path("/opt/lib")]
    assert loader_folders({}) == []
