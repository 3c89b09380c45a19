from __future__ import annotations

import os
import re
import signal
import tempfile
import threading
from pathlib import Path

import mindspore
import numpy as np
import psutil
import pytest
from mindspore import Tensor, nn

from gsjupyter.engines.measured import MeasuredModel
from gsjupyter.engines.mindspore_runner import BoundRunner
from gsjupyter.engines.mindspore_worker import apart, bind_to_cores
from gsjupyter.errors import EngineError, ModelFileError, UnsupportedError
from gsjupyter.mindir import Scope, model_from_cell, save_model
from tests.networks import MLP, NestedOutput, TwoInputs, filled

HAS_AFFINITY = hasattr(os, "sched_getaffinity")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mindir")


def saved(network, inputs, path):
    save_model(model_from_cell(network, inputs), path)
    return path


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Give a folder that all temporary files go to, and that must be empty in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def test_a_model_is_loaded_run_timed_and_interrupted(folder, temporary, rng, capfd):
    network = filled(TwoInputs(), rng)
    image, text = (rng.standard_normal((3, size)).astype(np.float32) for size in (8, 4))
    path = saved(network, [image, text], folder / "two.mindir")
    with MeasuredModel("mindspore", path, threads=1) as model:
        loaded = model.start()
        assert [(spec.name, spec.shape, spec.dtype) for spec in loaded.inputs] == [
            ("image", (3, 8), "float32"),
            ("text", (3, 4), "float32"),
        ]
        assert loaded.providers == ()
        assert loaded.load_s > 0
        first = model.first_run([image, text])
        expected = network(Tensor(image), Tensor(text)).asnumpy()
        np.testing.assert_allclose(first.outputs[0], expected, rtol=1e-5, atol=1e-6)
        durations = model.timed(duration_s=0.01, least_runs=5)
        assert len(durations) >= 5
        # Compiling is in the first run, and in no other.
        assert first.duration_s > np.median(durations)
        assert 0 < model.resources().host_memory_bytes < 500e6
        process = psutil.Process(model.process_id)
        assert Path(process.cwd()).is_relative_to(temporary)
        if HAS_AFFINITY:
            assert len(process.cpu_affinity()) == 1
        assert {record["operator"] for record in model.operators(2)} >= {"MatMul", "Mul"}
        assert model.wait_until_idle(5)
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            model.timed(duration_s=60)
        timer.join()
        assert not psutil.pid_exists(process.pid)
    assert capfd.readouterr() == ("", "")


def test_outputs_are_flat_and_in_order(folder, temporary, rng):
    network, x = filled(NestedOutput(), rng), rng.standard_normal((3, 8)).astype(np.float32)
    with MeasuredModel("mindspore", saved(network, [x], folder / "nested.mindir"), threads=psutil.cpu_count()) as model:
        model.start()
        hidden, positive, bounded, given = model.first_run([x]).outputs
        if HAS_AFFINITY:
            assert psutil.Process(model.process_id).cpu_affinity() == psutil.Process().cpu_affinity()
    np.testing.assert_allclose(hidden, network(Tensor(x))[0].asnumpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(positive, np.maximum(hidden, 0))
    np.testing.assert_allclose(bounded, np.tanh(hidden), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(given, x)


def test_what_fails_is_told_and_leaves_nothing(folder, temporary, rng):
    x = np.zeros((3, 8), np.float32)
    network = model_from_cell(filled(MLP(), rng), [x])
    graph = network.graph()
    graph.output = graph.add("NoSuchOperator", [graph.output], scope=Scope.parse(""))
    save_model(network.with_graph(graph), folder / "broken.mindir")
    with MeasuredModel("mindspore", folder / "gone.mindir", threads=1) as model:
        with pytest.raises(ModelFileError, match="there is no file"):
            model.start()
        # The process is none the worse for that.
        model.path = folder / "broken.mindir"
        model.start()
        with pytest.raises(UnsupportedError, match=r"CPU has no kernel for NoSuchOperator, in layer \(network\)"):
            model.first_run([x])


class Overwriting(nn.Cell):
    def construct(self, x):
        x += 1.5
        return x * 2


def test_a_network_that_overwrites_its_input_gets_the_same_one_each_time(folder):
    x = np.zeros((2, 3), np.float32)
    run = BoundRunner.of_file(saved(Overwriting(), [x], folder / "overwriting.mindir")).bound([x])
    for _ in range(3):
        np.testing.assert_array_equal(run()[0], np.full((2, 3), 3.0))
    assert not x.any()


@pytest.mark.parametrize(
    ("target", "message", "advice"),
    [
        ("gpu", r"GPU: its plug-in libmindspore_gpu\.so\.\S+ doesn't find libcu\S+, .* more\.", "CUDA 11.1 or 11.6"),
        ("ascend", r"Ascend: its plug-in libmindspore_ascend\.so\.2 doesn't find lib\S+, .* more\.", "CANN"),
    ],
    ids=["gpu", "ascend"],
)
def test_a_device_that_is_not_there_is_told_with_what_lacks(folder, target, message, advice):
    with MeasuredModel("mindspore", folder / "any.mindir", target=target, threads=1) as model:
        try:
            model.start()
        except ModelFileError:
            pytest.skip("there is such a device")
        except EngineError as error:
            told = error
    assert re.fullmatch(f"MindSpore {mindspore.__version__} can't use {message}", told.message)
    assert advice in told.advice


def test_cores_that_share_no_silicon_come_first(tmp_path):
    for core, siblings in enumerate(["0-1", "0-1", "2-3", "2-3"]):
        topology = tmp_path / f"cpu{core}" / "topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(f"{siblings}\n")
    assert apart([0, 1, 2, 3], tmp_path) == [0, 2, 1, 3]
    assert apart([1, 3], tmp_path) == [1, 3]
    assert apart([4, 6, 5], tmp_path) == [4, 5, 6]


@pytest.mark.skipif(not HAS_AFFINITY, reason="the system knows of no such thing")
def test_a_process_is_bound_to_no_more_cores_than_it_has(monkeypatch):
    given = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {5, 7, 9})
    monkeypatch.setattr(os, "sched_setaffinity", lambda process, cores: given.append(set(cores)))
    for count in (4, 3, 2):
        bind_to_cores(count)
    assert [len(cores) for cores in given] == [2]
    assert given[0] <= {5, 7, 9}
