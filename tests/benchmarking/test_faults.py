"""Real faults: each is a row that says so, the others finish, and nothing is left."""

import re
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.protocol.plan import Limits
from gsjupyter.benchmarking.protocol.subjects import of_file
from gsjupyter.benchmarking.run import measure
from tests.benchmarking.watching import Saying, watched
from tests.engines.onnx_files import OnnxFile, affine

X = np.ones((1, 3), np.float32)
OPTIONS = BenchmarkOptions(duration_s=0.02, runs=4, launches=1)


@pytest.fixture(autouse=True)
def workers(tmp_path_factory, monkeypatch):
    """Give the worker processes of a test; none of them may be left, nor a temporary file."""
    yield from watched(tmp_path_factory.mktemp("temporary"), monkeypatch)


@pytest.fixture
def sound(tmp_path):
    return of_file(affine(tmp_path / "sound.onnx"))


def without_kernel(path):
    """Write a network with an operator that doesn't exist."""
    file = OnnxFile(x=["batch", 3])
    file.node("NoSuchOperator", ["x"], "y")
    return file.save(path, "y")


def cut_off(path):
    """Write the first half of a network."""
    data = affine(path).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def endless(path):
    """Write a network that asks for four petabytes when it runs."""
    file = OnnxFile(x=["batch", 3])
    first = file.node("ReduceMax", ["x"], "largest", keepdims=0)
    file.node("Expand", [first, file.stored("shape", np.array([1 << 50], np.int64))], "wide")
    file.node("ReduceMax", ["wide"], "y", keepdims=0)
    return file.save(path, "y")


def test_files_that_can_not_run_are_rows_that_say_why_and_are_left_out_from_there_on(tmp_path, sound):
    writers = [without_kernel, cut_off, endless]
    faulty = [of_file(write(tmp_path / f"{write.__name__}.onnx")) for write in writers]
    says = Saying()
    options = replace(OPTIONS, launches=2)
    *bad, good = measure([*faulty, sound], (X,), threads=(1,), options=options, steps=says).rows
    words = [
        "ONNX Runtime can't run without_kernel.onnx",
        "cut_off.onnx is no ONNX file, or a damaged one",
        "memory|alloc",
    ]
    for row, expected, file in zip(bad, words, faulty, strict=True):
        assert re.search(expected, row.obstacle)
        assert (row.blocks, row.launches) == ((), ())
        assert sum(f"load {file.label}" in text for text in says.said) == 1
    assert (good.obstacle, good.check, len(good.blocks)) == ("", None, 20)
    assert [launch.number for launch in good.launches] == [0, 1]


@pytest.mark.parametrize(
    ("number", "words"), [(signal.SIGKILL, "was killed (SIGKILL)"), (signal.SIGSEGV, "crashed (SIGSEGV)")]
)
def test_a_process_that_is_ended_in_the_middle_keeps_what_it_has(tmp_path, sound, workers, number, words):
    other = of_file(affine(tmp_path / "other.onnx"))
    killed = Saying("round 4 of 10", lambda: workers()[0].send_signal(number))
    result = measure([sound, other], (X,), threads=(1,), options=OPTIONS, steps=killed)
    bad, good = sorted(result.rows, key=lambda row: len(row.blocks))
    assert words in bad.obstacle
    assert 3 <= len(bad.blocks) <= 4
    assert len(bad.launches) == 1
    assert (good.obstacle, len(good.blocks)) == ("", 10)
    assert result.is_complete


def test_a_process_that_is_ended_while_it_loads_has_no_figures(tmp_path, sound, workers):
    other = of_file(affine(tmp_path / "other.onnx"))

    def kill():
        for process in workers():
            process.kill()

    result = measure([sound, other], (X,), threads=(1,), options=OPTIONS, steps=Saying("round 1 of 10", kill))
    assert [row.has_figures for row in result.rows] == [False, False]
    assert all("was killed (SIGKILL)" in row.obstacle for row in result.rows)


def test_a_process_that_hangs_is_ended(tmp_path, sound, workers):
    other = of_file(affine(tmp_path / "other.onnx"))

    def stop():
        workers()[0].suspend()

    stopped = Saying("round 4 of 10", stop)
    result = measure([sound, other], (X,), threads=(1,), options=OPTIONS, limits=Limits(run_s=1.0), steps=stopped)
    bad, good = sorted(result.rows, key=lambda row: len(row.blocks))
    assert "took more than" in bad.obstacle
    assert (good.obstacle, len(good.blocks)) == ("", 10)


def test_a_file_that_is_gone_when_its_turn_comes_is_told(tmp_path, sound):
    file = Path(sound.files["onnxruntime"].path)
    assert sound.files["onnxruntime"].digest
    assert sound.files["onnxruntime"].size_bytes
    file.unlink()
    (row,) = measure([sound], (X,), threads=(1,), options=OPTIONS).rows
    assert "sound.onnx" in row.obstacle


def test_a_file_that_is_replaced_while_it_is_measured_is_told(tmp_path, sound):
    other = of_file(affine(tmp_path / "other.onnx"))
    path = sound.files["onnxruntime"].path

    def replace_it():
        path.write_bytes(endless(tmp_path / "endless.onnx").read_bytes())

    twice = BenchmarkOptions(duration_s=0.02, runs=4, launches=2)
    says = Saying("launch 1 of 2, round 3 of 10", replace_it)
    changed, unchanged = measure([sound, other], (X,), threads=(1,), options=twice, steps=says).rows
    assert changed.obstacle == "sound.onnx was changed while it was measured."
    assert [len(row.launches) for row in (changed, unchanged)] == [1, 2]


def test_outputs_that_differ_from_process_to_process_are_told(tmp_path):
    drawn = OnnxFile(x=["batch", 3])
    drawn.node("RandomNormalLike", ["x"], "y")
    twice = BenchmarkOptions(duration_s=0.02, runs=4, launches=2)
    (row,) = measure([of_file(drawn.save(tmp_path / "drawn.onnx", "y"))], (X,), threads=(1,), options=twice).rows
    assert row.findings[0].symptom.startswith("Its outputs differ from process to process")
