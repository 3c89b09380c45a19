"""What a device with little memory would do, by models that follow a script: there is no such device here."""

import signal
from pathlib import Path

import numpy as np
import pytest

from gsjupyter.benchmarking.protocol.batches import Inputs
from gsjupyter.benchmarking.protocol.launches import Launches
from gsjupyter.benchmarking.protocol.live import Live, Silence
from gsjupyter.benchmarking.protocol.model_files import ModelFile
from gsjupyter.benchmarking.protocol.plan import Limits, Planned, Schedule
from gsjupyter.benchmarking.protocol.processes import Procedure
from gsjupyter.benchmarking.protocol.rows import rows_of
from gsjupyter.benchmarking.protocol.subjects import Subject
from gsjupyter.engines.measured import FirstRun, Loaded
from gsjupyter.engines.resources import Resources
from gsjupyter.errors import EngineError
from gsjupyter.interrupts import uninterrupted
from gsjupyter.signature import InputSpec


class Device:
    """A device that holds so many models, and counts energy: a joule for each run.

    It doesn't tell what each process holds, but only how much is held in all.
    """

    def __init__(self, room, timings=10**6):
        self.room = room
        self.timings = timings
        self.held = []
        self.joules = 0.0
        self.most = 0

    def model(self, planned):
        return ScriptedModel(self, planned.subject.label)


class ScriptedModel:
    def __init__(self, device, name):
        self._device = device
        self._name = name
        self._held_before = 0

    def start(self, limit_s):
        self._held_before = len(self._device.held)
        if self._name == "broken" or len(self._device.held) >= self._device.room:
            raise EngineError("out of memory")
        self._device.held.append(self)
        self._device.most = max(self._device.most, len(self._device.held))
        return Loaded(0.5, (InputSpec("x", (-1, 3), "float32"),))

    def first_run(self, arrays, *, limit_s):
        return FirstRun(90.0, arrays)

    def timed(self, *, duration_s, least_runs, limit_s):
        self._device.timings -= 1
        if self._device.timings < 0:
            raise EngineError("it crashed")
        runs = max(least_runs, int(np.ceil(duration_s / 0.1)))
        self._device.joules += runs
        return [0.1] * runs

    def resources(self):
        return Resources(100, 1000 * (len(self._device.held) - self._held_before), self._device.joules)

    def wait_until_idle(self):
        return True

    def close(self):
        if self in self._device.held:
            self._device.held.remove(self)


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"net")

    def measured(device, *labels, target="gpu", runs=10):
        planned = [
            Planned(Subject(label, {"onnxruntime": ModelFile(Path(path))}), target, "onnxruntime", "", 1, 1)
            for label in labels
        ]
        rows = rows_of(planned)
        procedure = Procedure("session", Inputs(), Schedule(0.4, runs, 2), Limits(), device.model)
        live = Live(Silence(), len(rows), 2)
        Launches(rows, procedure, np.random.default_rng(0), live, lambda: 1 << 40).run()
        assert device.held == []
        return rows

    return measured


def test_rows_that_fit_on_a_device_are_there_at_the_same_time(run):
    device = Device(room=3)
    assert all(row.is_open for row in run(device, "a", "b", "c"))
    assert device.most == 3


def test_rows_that_do_not_fit_on_a_device_together_take_turns(run):
    device = Device(room=1)
    rows = run(device, "a", "b")
    assert [row.obstacle for row in rows] == ["", ""]
    assert [sum(len(block.durations_s) for block in row.blocks) for row in rows] == [10, 10]
    assert [[launch.number for launch in row.launches] for row in rows] == [[0, 1], [0, 1]]


def test_a_row_that_fails_alone_too_leaves_the_others_in_peace(run):
    good, bad = run(Device(room=2), "good", "broken")
    assert bad.obstacle == "out of memory"
    assert good.is_open
    assert len(good.launches) == 2


def test_on_the_cpu_a_failure_is_one(run):
    obstacles = [row.obstacle for row in run(Device(room=1), "a", "b", target="cpu")]
    assert sorted(obstacles) == ["", "out of memory"]


@pytest.mark.parametrize("room", [1, 2])
def test_energy_is_that_of_the_counted_runs_alone(run, room):
    for row in run(Device(room), "a", "b"):
        for launch in row.launches:
            counted = sum(len(block.durations_s) for block in row.blocks if block.launch == launch.number)
            assert launch.energy_j == counted == 5


@pytest.mark.parametrize("room", [1, 3])
def test_memory_of_the_device_is_what_a_model_holds_and_not_what_others_do(run, room):
    for row in run(Device(room), "a", "b", "c"):
        assert [launch.device_memory_bytes for launch in row.launches] == [1000, 1000]


def test_runs_before_a_crash_have_their_energy(run):
    (row,) = run(Device(1, timings=8), "a")
    assert row.obstacle == "it crashed"
    (launch,) = row.launches
    assert launch.energy_j == sum(len(block.durations_s) for block in row.blocks) > 0


def test_impatient_interrupts_leave_no_process(run):
    device = Device(3)
    close = ScriptedModel.close

    def interrupted_again(model):
        close(model)
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptedModel, "close", interrupted_again)
        with pytest.raises(KeyboardInterrupt):
            run(device, "a", "b", "c")
    assert device.held == []


def test_a_first_run_that_compiles_for_long_makes_no_row_slow(run):
    (row,) = run(Device(1), "a")
    assert row.cost.run_s == pytest.approx(0.1)
    for launch in row.launches:
        assert (launch.load_s, launch.first_run_s, launch.is_stable) == (0.5, 90.0, True)
        assert launch.warm_up_runs >= 5
