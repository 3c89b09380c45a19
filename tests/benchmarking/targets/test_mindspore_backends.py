from __future__ import annotations

import pytest

from gsjupyter.benchmarking.targets.mindspore_backends import (
    AscendBackend,
    GpuBackend,
    choose,
    find_ascend_backend,
    find_gpu_backend,
    mindspore_folder,
)
from gsjupyter.benchmarking.targets.probes import ask
from gsjupyter.errors import EngineError


@pytest.fixture
def cuda_home(tmp_path):
    """Return the folder of a CUDA whose compiler tells a version; there is nothing else in it."""

    def home(version):
        compiler = tmp_path / "bin/nvcc"
        compiler.parent.mkdir()
        compiler.write_text(f"#!/bin/sh\necho 'Cuda compilation tools, release {version}, V{version}.124'\n")
        compiler.chmod(0o700)
        return str(tmp_path)

    return home


@pytest.fixture(scope="module")
def folder():
    folder = mindspore_folder()
    if not find_gpu_backend(folder, {}).made_for:
        pytest.skip("this MindSpore has no GPU backend")
    return folder


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ((11, 6), (11, 6)),
        ((11, 8), (11, 6)),
        ((11, 5), (11, 1)),
        ((11, 0), None),
        ((10, 1), None),
        ((13, 0), None),
        (None, None),
    ],
)
def test_the_plugin_of_the_same_major_version_is_taken(found, chosen):
    assert choose(((11, 1), (11, 6)), found) == chosen


def test_without_cuda_home_the_latest_is_looked_at(folder):
    backend = find_gpu_backend(folder, {})
    assert backend.made_for == ("11.1", "11.6")
    assert (backend.chosen, backend.fits, backend.cuda_home, backend.found_cuda) == ("11.6", False, "", "")


@pytest.mark.parametrize(
    ("version", "chosen", "fits"), [("11.1", "11.1", True), ("11.8", "11.6", True), ("13.0", "11.6", False)]
)
def test_cuda_home_says_which_one(folder, cuda_home, version, chosen, fits):
    home = cuda_home(version)
    backend = find_gpu_backend(folder, {"CUDA_HOME": home})
    assert (backend.cuda_home, backend.found_cuda, backend.chosen, backend.fits) == (home, version, chosen, fits)
    if backend.missing:
        runtime = {"11.1": "libnvrtc.so.11.1", "11.6": "libnvrtc.so.11.2"}
        assert runtime[chosen] in backend.missing


def test_cuda_home_without_a_compiler(folder, tmp_path):
    backend = find_gpu_backend(folder, {"CUDA_HOME": str(tmp_path)})
    assert (backend.found_cuda, backend.fits) == ("", False)


def test_other_versions_of_what_is_missing_are_found(folder, tmp_path):
    (tmp_path / "lib64").mkdir()
    (tmp_path / "lib64/libcudnn.so.9.10.2").touch()
    backend = find_gpu_backend(folder, {"CUDA_HOME": str(tmp_path)})
    if "libcudnn.so.8" in backend.missing:
        assert "libcudnn.so.9" in backend.others


def test_mindspore_itself_chooses_as_we_say(folder, cuda_home, monkeypatch):
    home = cuda_home("11.8")
    monkeypatch.setenv("CUDA_HOME", home)
    backend = find_gpu_backend(folder)
    if not backend.missing:
        pytest.skip("CUDA 11 is there")
    with pytest.raises(EngineError) as raised:
        ask("mindspore", "MindSpore", limit_s=120, target="gpu")
    library = raised.value.message.removeprefix("MindSpore doesn't run on the GPU: ").partition(":")[0]
    assert library in backend.missing


def test_the_ascend_backend_lacks_cann():
    backend = find_ascend_backend(mindspore_folder())
    if not backend.missing:
        pytest.skip("CANN is there, or this MindSpore has no backend for it")
    assert "libge_runner.so" in backend.missing


def test_a_package_without_backends(tmp_path):
    assert find_gpu_backend(tmp_path, {}) == find_gpu_backend(None, {}) == GpuBackend()
    assert find_ascend_backend(tmp_path) == find_ascend_backend(None) == AscendBackend(False)
