import os
import re
import signal
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from gsjupyter.benchmarking.cluster import remote
from gsjupyter.benchmarking.cluster.remote import benchmark_on
from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.protocol.subjects import Expected, of_file
from gsjupyter.benchmarking.records import Machine
from gsjupyter.benchmarking.results.storage import to_json
from gsjupyter.benchmarking.run import benchmark, measure
from gsjupyter.cluster import Cluster, Host, InterruptedCallError, LostEngineError, Outcome, connected, engine_folder
from gsjupyter.errors import OptionError, ResultFileError
from gsjupyter.progress import Steps
from tests.benchmarking.watching import Saying
from tests.engines.onnx_files import OnnxFile, affine, with_values_elsewhere
from tests.local_cluster import local_cluster, wait_until

pytestmark = pytest.mark.slow
X = np.arange(6, dtype=np.float32).reshape(2, 3)
ONCE = BenchmarkOptions(duration_s=0.02, runs=4, launches=1)
LONG = BenchmarkOptions(duration_s=5.0, runs=4, launches=1)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with local_cluster(tmp_path_factory.mktemp("ipython")) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def nothing_left(lab):
    """Check that no engine has a worker any more, and that no files are left."""
    yield
    assert [child for child in psutil.process_iter() if is_worker(child)] == []
    assert list(Path(tempfile.gettempdir()).glob("*gsjupyter*")) == []


@pytest.fixture
def subject(tmp_path):
    """A file, with what it should give."""
    found = of_file(affine(tmp_path / "affine.onnx"))
    return replace(found, expected=Expected((X,), (2 * X + 1,)), promised_db={"onnxruntime": 60.0})


@contextmanager
def two_hosts(lab):
    """Take two engines for two machines."""
    one, other = lab.engines(2)
    with connected(lab.client) as found:
        hosts = (Host("left", "left", (one,)), Host("right", "right", (other,)))
        yield Cluster(lab.client, hosts, ("a note",), found.watched)


def is_worker(process):
    try:
        return str(tempfile.gettempdir()) in process.environ().get("GSJUPYTER_SCRATCH", "")
    except psutil.Error:
        return False


class Watching(Saying, Steps):
    """A progress line that is read here."""

    def __init__(self, words="", action=lambda: None):
        Steps.__init__(self)
        Saying.__init__(self, words, action)


def watch(monkeypatch, words, action):
    watching = Watching(words, action)
    monkeypatch.setattr(remote, "Steps", lambda: watching)
    return watching


def test_a_cluster_gives_what_this_machine_gives(lab, subject):
    lab.engines(2)
    there = benchmark_on(lab.client, [subject], (X,), threads=(1,), options=ONCE)
    here = measure([subject], (X,), threads=(1,), options=ONCE)
    assert [row.setting for row in there.rows] == [row.setting for row in here.rows]
    assert there.machines == here.machines
    assert (there.options, there.notes, there.is_complete) == (here.options, here.notes, here.is_complete)
    (far,), (near,) = there.rows, here.rows
    assert far.check == near.check
    assert far.check.sqnr_db == np.inf
    assert far.size_bytes == near.size_bytes
    assert len(far.blocks) == len(near.blocks)
    assert len((there + here).rows) == 1, "it is the same machine"


def test_a_profile_and_a_file_are_enough(lab, tmp_path):
    """With values in a file beside it, and an input that doesn't fit another file: that is told in its row."""
    np.arange(4, dtype=np.float32).tofile(tmp_path / "w.bin")
    wide = OnnxFile(x=["batch", 5])
    wide.node("Neg", ["x"], "y")
    files = [with_values_elsewhere(tmp_path / "net.onnx", "w.bin"), wide.save(tmp_path / "wide.onnx", "y")]
    result = benchmark(files, np.ones(4, np.float32), threads=1, options=ONCE, cluster=lab.profile)
    assert result[0].obstacle == ""
    assert result[0].size_bytes == sum((tmp_path / name).stat().st_size for name in ("net.onnx", "w.bin"))
    assert "input x of wide.onnx has" in result[1].obstacle


def test_the_rows_of_all_hosts_are_in_one_table(lab, subject, monkeypatch):
    told = watch(monkeypatch, "", None)
    monkeypatch.setattr(remote, "connected", two_hosts)
    result = benchmark_on(lab, [subject], (X,), targets=("cpu", "ascend"), threads=(1,), options=ONCE)
    assert [(row.setting.host, row.setting.target, row.has_figures) for row in result.rows] == [
        ("left", "cpu", True),
        ("left", "ascend", False),
        ("right", "cpu", True),
        ("right", "ascend", False),
    ]
    assert {name: machine.host for name, machine in result.machines.items()} == {"left": "left", "right": "right"}
    assert result.notes == ("a note",)
    assert any(re.match("left: benchmark.*; right: ", text) for text in told.said)
    assert any("; right: benchmark" in text for text in told.said)
    assert "left" in str(result)


def test_an_interrupt_keeps_what_engines_have_measured(lab, subject, monkeypatch):
    lab.engines(1)
    watch(monkeypatch, "round 2 of 10", lambda: signal.raise_signal(signal.SIGINT))
    result = benchmark_on(lab.client, [subject], (X,), threads=(1,), options=LONG)
    assert not result.is_complete
    assert result.rows[0].has_figures
    assert result.rows[0].obstacle == ""


def test_an_interrupt_before_anything_was_measured_is_raised(lab, subject, monkeypatch):
    lab.engines(1)
    watch(monkeypatch, "look at the machine", lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        benchmark_on(lab.client, [subject], (X,), threads=(1,), options=LONG)


def test_a_lost_engines_work_is_done_again(lab, subject, monkeypatch):
    engine, heir = lab.engines(2)
    process, seen = lab.process_of(engine), []

    def kill():
        seen.extend(child for child in psutil.Process(process).children(recursive=True) if is_worker(child))
        os.kill(process, signal.SIGKILL)

    watch(monkeypatch, "round", kill)
    result = benchmark_on(lab.client, [subject], (X,), threads=(1,), options=replace(ONCE, duration_s=2.0))
    assert len(seen) == 1, "it had a worker"
    assert not any(child.is_running() for child in seen)
    assert result.is_complete
    assert result.rows[0].has_figures
    assert result.rows[0].obstacle == ""
    host = os.uname().nodename
    assert result.notes == (f"Engine {engine} on host {host} was lost; its work was done again.",)
    assert heir in lab.client.ids


def test_without_any_engine_rows_are_marked(lab, subject, monkeypatch):
    lab.engines(1)
    processes = [lab.process_of(engine) for engine in lab.client.ids]
    watch(monkeypatch, "launch 1 of 1", lambda: [os.kill(process, signal.SIGKILL) for process in processes])
    result = benchmark_on(lab.client, [subject], (X,), options=LONG)
    (row,) = result.rows
    host = os.uname().nodename
    assert row.obstacle.startswith(f"no engine is left on host {host}")
    assert "start it again" in row.advice
    assert (row.setting.host, row.setting.subject, row.has_figures) == (host, "affine.onnx", False)
    assert result.notes[0].endswith("was lost; its work was not done.")
    # Its worker sees by itself that it is alone. Its files are left to the next engine on that machine.
    wait_until(lambda: not any(is_worker(child) for child in psutil.process_iter()))
    engine_folder.remove_folder(engine_folder.make_folder())


def failed(error):
    return Outcome(Host("far", "far", (0,)), error=error)


def test_an_error_that_all_hosts_have_is_raised_and_others_are_not():
    wrong, lost = OptionError("threads must be 1."), LostEngineError("gone.")
    with pytest.raises(OptionError):
        remote._raise_common([failed(wrong)] * 2)
    remote._raise_common([failed(wrong), failed(lost)])
    remote._raise_common([failed(InterruptedCallError("interrupted."))])


def test_what_an_engine_answers_is_read_like_a_file_from_elsewhere(subject):
    steps = remote._steps({}, "{}")
    next(steps)
    steps.send("0" * 16)
    cleared = steps.send('{"format": "gsjupyter benchmark", "version": 1, "rows": "none"}')
    assert cleared.function == "remove_folder"
    with pytest.raises(ResultFileError, match="what an engine answered is damaged"):
        steps.send("")


def test_a_result_is_kept_even_if_its_folder_can_not_be_removed(subject):
    result = remote.Benchmark((), {"vm": Machine("vm", "", "", 1, 1)}, "2026-01-01T00:00:00+00:00", ONCE.as_mapping())
    steps = remote._steps({}, "{}")
    next(steps)
    steps.send("0" * 16)
    steps.send(to_json(result))
    with pytest.raises(StopIteration) as end:
        steps.throw(LostEngineError("gone."))
    assert end.value.value == result
