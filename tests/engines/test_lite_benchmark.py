from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import psutil
import pytest

from gsjupyter.engines import LiteProgram
from gsjupyter.errors import EngineError, InputError, ModelFileError, OptionError, UnsupportedError
from tests.engines.lite_files import CLASSES, lite_file

TIMES = "Model = net.ms, NumThreads = 2, MinRunTime = 1.0 ms, MaxRuntime = 3.0 ms, AvgRunTime = 2.0 ms"
NEAR = "Mean bias of all nodes/tensors: 0.5%"
X = np.arange(144, dtype=np.float32).reshape(1, 3, 8, 6)
Y = np.arange(10, dtype=np.float32).reshape(1, 10)


@pytest.fixture
def file(tmp_path):
    return lite_file(tmp_path / "net.ms")


@pytest.fixture
def program(tmp_path):
    """Give what makes a program of a few lines, in a release's folder."""
    place = tmp_path / "release" / "tools" / "benchmark" / "benchmark"
    place.parent.mkdir(parents=True)
    (tmp_path / "release" / "runtime" / "lib").mkdir(parents=True)

    def make(*lines, **options):
        place.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
        place.chmod(0o755)
        return LiteProgram(place.parents[2], **options)

    return make


def test_the_command_is_the_programs_own(program, file, tmp_path):
    told = tmp_path / "told"
    found = program(f'for word; do echo "$word"; done >> {told}; echo "{TIMES}"', threads=3)
    times = found.run(file, runs=7, warm_up_runs=1).times
    assert (times.least_s, times.mean_s, times.most_s, times.runs, times.threads) == (0.001, 0.002, 0.003, 7, 3)
    assert told.read_text().splitlines() == [
        *(f"--modelFile={file}", "--modelType=MindIR_Lite", "--device=CPU", "--numThreads=3"),
        *("--loopCount=7", "--warmUpLoopCount=1"),
    ]


@pytest.mark.parametrize(("batch", "shapes"), [(1, []), (4, ["--inputShapes=4,8,6,3"])])
def test_inputs_and_outputs_reach_it_as_it_reads_them(program, file, tmp_path, batch, shapes):
    found = program(
        f'echo "$@" >> {tmp_path}/told; cp input0.bin {tmp_path}; cp expected.txt {tmp_path} 2> /dev/null',
        f'echo "{TIMES}"; echo "{NEAR}"',
    )
    x, y = np.repeat(X, batch, axis=0), np.repeat(Y, batch, axis=0)
    comparison = found.run(file, [x], [y]).comparison
    assert (comparison.mean_bias, comparison.cosine) == (0.005, None)
    given = np.fromfile(tmp_path / "input0.bin", np.float32)
    np.testing.assert_array_equal(given.reshape(batch, 8, 6, 3), x.transpose(0, 2, 3, 1))
    name, *shape = (tmp_path / "expected.txt").read_text().splitlines()[0].split()
    assert (name, shape) == (CLASSES[0], ["2", str(batch), "10"])
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "expected.txt", skiprows=1), y.ravel())
    timed, compared = [line.split() for line in (tmp_path / "told").read_text().splitlines()]
    assert timed[4:] == ["--loopCount=10", "--warmUpLoopCount=3", "--inDataFile=input0.bin", *shapes]
    assert compared[4:] == [
        *("--inDataFile=input0.bin", *shapes, "--benchmarkDataFile=expected.txt"),
        *("--accuracyThreshold=1e9", "--cosineDistanceThreshold=-1"),
    ]


def test_float32_survives_being_written_as_text(program, tmp_path):
    rng = np.random.default_rng(0)
    y = (rng.standard_normal((1, 10)) * 10.0 ** rng.integers(-30, 30, (1, 10))).astype(np.float32)
    found = program(f'cp expected.txt {tmp_path} 2> /dev/null; echo "{TIMES}"; echo "{NEAR}"')
    found.run(lite_file(tmp_path / "net.ms"), [X], [y])
    lines = (tmp_path / "expected.txt").read_text().splitlines()
    np.testing.assert_array_equal(np.array(lines[1].split(), np.float32), y.ravel())


def test_outputs_are_expected_in_the_files_layout(program, tmp_path):
    outputs = [("mask", (1, 8, 6, 2), "float32", "NHWC"), ("n", (), "int32", "NHWC")]
    found = program(f'cp expected.txt {tmp_path} 2> /dev/null; echo "{TIMES}"; echo "{NEAR}"')
    mask = np.arange(96, dtype=np.float32).reshape(1, 2, 8, 6)
    found.run(lite_file(tmp_path / "net.ms", outputs=outputs), [X], [mask, np.int64(7)])
    first, values, second, number = (tmp_path / "expected.txt").read_text().splitlines()
    assert (first, second, number) == ("mask 4 1 8 6 2", "n 0", "7")
    np.testing.assert_array_equal(np.array(values.split(), np.float32), mask.transpose(0, 2, 3, 1).ravel())


@pytest.mark.parametrize(
    ("lines", "error", "message"),
    [
        ("kill -ABRT $$", ModelFileError, r"net\.ms makes Lite's benchmark program crash \(SIGABRT\)\.\nConvert it"),
        ("echo terminate called; kill -SEGV $$", ModelFileError, r"crash \(SIGSEGV\)\. It said last: terminate called"),
        ("kill -KILL $$", EngineError, r"was killed \(SIGKILL\), most likely because memory ran out"),
        ("echo hello", EngineError, "ended without figures that make sense. It said last: hello"),
        ("head -c 300000 /dev/urandom", EngineError, "ended without figures that make sense"),
        ("echo ms_model_.Build failed while running x; exit 1", ModelFileError, r"MindSpore Lite can't load net\.ms"),
        ("exit 5", EngineError, r"failed on net\.ms \(exit code 5\): nothing"),
    ],
)
def test_whatever_it_does_is_told_in_words(program, file, lines, error, message):
    with pytest.raises(error, match=message):
        program(lines).run(file)


def test_a_comparison_without_figures_is_nonsense(program, file):
    with pytest.raises(EngineError, match="without figures that make sense"):
        program(f'echo "{TIMES}"').run(file, [X], [Y])


def test_a_library_that_lacks_is_named(program, file):
    made = program(
        "echo error while loading shared libraries: libglog.so.0: cannot open shared object file >&2; exit 127"
    )
    with pytest.raises(EngineError, match=r"the loader doesn't find libglog\.so\.0\.") as raised:
        made.run(file)
    assert "LITE_HOME" in raised.value.advice


def test_its_release_says_where_libraries_are(program, file, tmp_path):
    program(f'echo "$LD_LIBRARY_PATH" > {tmp_path}/path; echo "{TIMES}"').run(file)
    assert str(tmp_path / "release" / "runtime" / "lib") in (tmp_path / "path").read_text()


def children():
    return {process.pid for process in psutil.Process().children(recursive=True)}


def test_one_that_hangs_is_ended_with_what_it_has_started(program, file):
    before = children()
    with pytest.raises(EngineError, match=r"Lite's benchmark program took more than 0\.3 s, and was ended"):
        program("sleep 60 & sleep 60", limit_s=0.3).run(file)
    assert children() <= before


def test_an_interrupt_ends_it(program, file):
    before, begin = children(), time.monotonic()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        program("sleep 60").run(file)
    timer.join()
    assert time.monotonic() - begin < 10
    assert children() <= before


def test_a_file_that_is_no_program_is_told(tmp_path, file):
    place = tmp_path / "benchmark"
    place.write_bytes(b"\x7fELF, but nothing else")
    place.chmod(0o755)
    with pytest.raises(EngineError, match="Lite's benchmark program can't be started: Exec format error"):
        LiteProgram(place).run(file)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([X[:, :2]],), InputError, r"input x of net has shape \(1, 3, 8, 6\), \(1, 2, 8, 6\) given"),
        (([X, X],), InputError, r"net takes 1 input \(x\), 2 given"),
        (([X.astype(np.int32)],), InputError, "input x of net is float32, int32 given"),
        ((None, [Y]), InputError, "outputs are expected, and the inputs aren't given that they belong to"),
        (([X], [Y, Y]), InputError, r"net\.ms gives 1 output, 2 are expected"),
        (([X], [np.full_like(Y, np.nan)]), InputError, "holds NaN or infinity"),
    ],
)
def test_what_does_not_fit_is_refused_before(program, file, arguments, error, message):
    with pytest.raises(error, match=message):
        program(f'echo "{TIMES}"').run(file, *arguments)


def test_a_name_of_two_words_can_not_be_told_to_it(program, tmp_path):
    file = lite_file(tmp_path / "net.ms", outputs=[("two words", (1, 10), "float32", "NCHW")])
    with pytest.raises(UnsupportedError, match="its name isn't one word"):
        program(f'echo "{TIMES}"').run(file, [X], [Y])


def test_a_damaged_file_never_reaches_it(program, tmp_path):
    (tmp_path / "net.ms").write_bytes(b"no model")
    with pytest.raises(ModelFileError, match="is no file of MindSpore Lite's"):
        program("exit 1").run(tmp_path / "net.ms")


@pytest.mark.parametrize(
    ("options", "error"),
    [({"device": "tpu"}, OptionError), ({"threads": 0}, OptionError)],
)
def test_what_there_is_not_is_refused(program, options, error):
    with pytest.raises(error):
        program("exit 0", **options)


def test_without_a_release_it_says_what_to_get(tmp_path, monkeypatch):
    monkeypatch.delenv("LITE_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="MindSpore Lite's benchmark program isn't here") as raised:
        LiteProgram()
    assert "LITE_HOME" in raised.value.advice
