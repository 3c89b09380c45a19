from __future__ import annotations

import os
import signal
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest

from gsjupyter.engines import measured, worker_process
from gsjupyter.engines.measured import MeasuredModel
from gsjupyter.errors import EngineError, GsError
from tests.engines.faulty_worker import NONSENSE
from tests.engines.onnx_files import FLOAT, OnnxFile

X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Give a folder that all temporary files go to, and that must be empty in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def faulty(folder, monkeypatch):
    """Give what makes a model that goes wrong; afterwards no process and no file of it may be left."""
    monkeypatch.setitem(
        measured._ENGINES,
        "onnxruntime",
        replace(measured._ENGINES["onnxruntime"], module="tests.engines.faulty_worker"),
    )
    before = set(psutil.Process().children(recursive=True))
    models = []

    def make(fault, at="timed"):
        environment = {"FAULT": f"{at}:{fault}"}
        models.append(MeasuredModel("onnxruntime", Path("any.onnx"), threads=1, environment=environment))
        return models[-1]

    yield make
    assert [model.process_id for model in models] == [None] * len(models)
    assert set(psutil.Process().children(recursive=True)) <= before
    assert list(folder.iterdir()) == []


def started(model):
    model.start()
    model.first_run([X])
    return model


def all_of(model):
    started(model).timed(duration_s=0)
    return model.resources()


@pytest.mark.parametrize("at", ["ready", "load", "first_run", "timed", "resources"])
def test_a_crash_is_told_wherever_it_happens(faulty, at):
    with pytest.raises(EngineError, match=r"^the process of ONNX Runtime crashed \(SIGSEGV\)"):
        all_of(faulty("dereferences nothing", at))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("is signalled", r"the process of ONNX Runtime crashed \(SIGSEGV\)"),
        ("is killed", r"was killed \(SIGKILL\), most likely because memory ran out"),
        ("exits", "ended with exit code 3. It said last: no license"),
        ("throws bad_alloc", "It said last: .*bad_alloc"),
        ("leaves a child", r"crashed \(SIGSEGV\)"),
        ("leaves a fork", r"crashed \(SIGSEGV\)"),
        ("closes the pipe", "didn't listen any more, and was ended"),
    ],
)
def test_a_process_that_ends_says_how(faulty, fault, message, monkeypatch):
    monkeypatch.setattr(worker_process, "_ENDING_S", 5 if fault != "closes the pipe" else 0.3)
    model = started(faulty(fault))
    with pytest.raises(EngineError, match=message):
        model.timed(duration_s=0)


def test_memory_that_runs_out_is_told_and_the_process_may_live_on(faulty):
    with started(faulty("fills the memory")) as model, pytest.raises(EngineError, match="memory ran out"):
        model.timed(duration_s=0)


@pytest.mark.parametrize("fault", ["hangs", "is stopped", "half a message", "half an array"])
def test_one_that_hangs_is_ended_after_its_time(faulty, fault):
    model = started(faulty(fault))
    with pytest.raises(EngineError, match=r"ONNX Runtime took more than 0\.3 s, and was ended"):
        model.timed(duration_s=0, limit_s=0.3)


def test_inputs_that_nobody_takes_are_given_up_after_their_time(faulty):
    model = faulty("")
    model.start()
    os.kill(model.process_id, signal.SIGSTOP)
    with pytest.raises(EngineError, match=r"took more than 0\.3 s"):
        model.first_run([np.zeros(5_000_000, np.float32)], limit_s=0.3)


def test_loading_has_one_limit_for_all(faulty):
    with pytest.raises(EngineError, match=r"took more than \S+ s, and was ended"):
        faulty("hangs", at="load").start(limit_s=1)


@pytest.mark.parametrize("fault", NONSENSE)
def test_nonsense_is_told_as_such(faulty, fault):
    model = started(faulty(fault))
    with pytest.raises(EngineError, match=r"^ONNX Runtime gave no sound answer, and was ended: "):
        model.timed(duration_s=0, limit_s=30)


@pytest.mark.parametrize(
    "ask",
    [
        lambda model: model.start(),
        lambda model: model.timed(duration_s=0),
        lambda model: model.resources(),
        lambda model: model.operators(1),
    ],
    ids=["start", "timed", "resources", "operators"],
)
def test_another_answer_than_agreed_on_is_told(faulty, ask):
    with pytest.raises(EngineError, match="gave another answer than it was asked for, and was ended"):
        ask(faulty("forgets", at="nowhere"))


def test_chatter_is_no_answer_and_does_no_harm(faulty):
    with started(faulty("chatters")) as model:
        assert model.timed(duration_s=0) == [0.1]


def test_an_interrupt_ends_the_process(faulty):
    model = started(faulty("hangs"))
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.timed(duration_s=0)
    timer.join()


def huge(path):
    """Write a network that gives as many zeros as its input says."""
    shape = onnx.helper.make_tensor_value_info("shape", onnx.TensorProto.INT64, [1])
    file = OnnxFile()
    file.inputs = [shape]
    file.node("ConstantOfShape", ["shape"], "y")
    return file.save(path, "y", kind=FLOAT)


def test_a_network_that_asks_for_petabytes_is_told(tmp_path):
    with MeasuredModel("onnxruntime", huge(tmp_path / "huge.onnx"), threads=1) as model:
        model.start()
        assert model.first_run([np.array([7])]).outputs[0].shape == (7,)
        with pytest.raises(EngineError, match=r"there isn't enough memory to run huge\.onnx"):
            model.first_run([np.array([1 << 50])])
        # It was refused, and nothing broke.
        assert model.first_run([np.array([7])]).outputs[0].shape == (7,)


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="the system has no limits of this kind")
def test_an_engine_without_memory_is_told(tmp_path):
    with MeasuredModel("onnxruntime", huge(tmp_path / "huge.onnx"), threads=1) as model:
        model.start()
        process = psutil.Process(model.process_id)
        held = process.memory_info().vms
        process.rlimit(psutil.RLIMIT_AS, (held + (64 << 20),) * 2)
        with pytest.raises(GsError, match="memory"):
            model.first_run([np.array([1 << 26])])
