"""What the tests of whole benchmarks share."""

from __future__ import annotations

import pytest

from gsjupyter.benchmarking.protocol.subjects import of_file
from tests.benchmarking.watching import watched
from tests.engines.onnx_files import OnnxFile, affine


@pytest.fixture
def workers(tmp_path_factory, monkeypatch):
    """Give the worker processes of a test; none of them may be left, nor a temporary file."""
    yield from watched(tmp_path_factory.mktemp("temporary"), monkeypatch)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Give the same function twice, and another one."""
    folder = tmp_path_factory.mktemp("files")
    other = OnnxFile(x=["batch", 3])
    other.node("Neg", ["x"], "y")
    paths = [affine(folder / "a.onnx"), affine(folder / "b.onnx"), other.save(folder / "other.onnx", "y")]
    return [of_file(path) for path in paths]
