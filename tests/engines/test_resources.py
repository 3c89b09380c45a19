from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gsjupyter.engines import resources
from gsjupyter.engines.resources import HostMemory, Meter, NvidiaDevice, ProcessorEnergy, nvidia_device

ROOT = Path(__file__).parent.parent.parent
HAS_PROC = Path("/proc/self/status").exists()
STATUS = "Name:\tpython\nVmPeak:\t  999 kB\nVmHWM:\t  {peak} kB\nVmRSS:\t  {held} kB\nThreads:\t3\n"


@pytest.fixture
def process(tmp_path):
    def write(**sizes):
        (tmp_path / "status").write_text(STATUS.format(**sizes))
        return tmp_path

    return write


def test_memory_is_the_peak_less_what_was_held_before(process):
    memory = HostMemory(process(held=1000, peak=5000))
    process(held=2000, peak=7000)
    assert memory.peak_bytes() == 6000 * 1024
    process(held=100, peak=500)
    assert memory.peak_bytes() == 0


def test_the_peak_until_now_is_forgotten(process):
    folder = process(held=1000, peak=5000)
    HostMemory(folder)
    assert (folder / "clear_refs").read_text() == "5"


def test_where_the_system_tells_less_memory_is_what_is_held(tmp_path):
    memory = HostMemory(tmp_path / "nowhere")
    held = bytearray(os.urandom(1 << 20)) * 50
    assert 25e6 < memory.peak_bytes() < 500e6
    del held


_ALLOCATES = """
import sys
from gsjupyter.engines.resources import HostMemory
bytearray(b"x") * 100_000_000
memory = HostMemory()
after_forgetting = memory.peak_bytes()
held = bytearray(b"x") * 50_000_000
del held
print(after_forgetting, memory.peak_bytes())
"""


@pytest.mark.skipif(not HAS_PROC, reason="the system has no /proc")
def test_what_was_freed_counts_and_what_was_before_does_not():
    # As in a large notebook: ru_maxrss would be its 200 MB.
    held = bytearray(b"x") * 200_000_000
    done = subprocess.run(
        [sys.executable, "-c", _ALLOCATES],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    before, after = map(int, done.stdout.split())
    assert before < 10e6
    # The kernel's counts are off by a few pages.
    assert 49e6 < after < 60e6
    del held


class Powercap:
    """A folder like /sys/class/powercap."""

    def __init__(self, folder):
        self.folder = folder

    def add(self, number, name, energy_uj, range_uj=10_000):
        domain = self.folder / f"intel-rapl:{number}"
        domain.mkdir(exist_ok=True)
        (domain / "name").write_text(f"{name}\n")
        (domain / "max_energy_range_uj").write_text(f"{range_uj}\n")
        (domain / "energy_uj").write_text(f"{energy_uj}\n")
        return domain


@pytest.fixture
def powercap(tmp_path):
    (tmp_path / "intel-rapl").mkdir()
    return Powercap(tmp_path)


def test_energy_is_that_of_all_packages_and_counts_nothing_twice(powercap):
    domains = [("0", "package-0"), ("1", "package-1"), ("0:0", "core"), ("0:1", "dram"), ("2", "psys")]
    for number, name in domains:
        powercap.add(number, name, 1000)
    energy = ProcessorEnergy(powercap.folder)
    assert energy.joules() == 0
    for number, name in domains:
        powercap.add(number, name, 3000)
    assert energy.joules() == pytest.approx(4000e-6)
    powercap.add("1", "package-1", 3500)
    assert energy.joules() == pytest.approx(4500e-6)


def test_a_counter_that_starts_again_goes_on(powercap):
    powercap.add("0", "package-0", 9_000, range_uj=10_000)
    energy = ProcessorEnergy(powercap.folder)
    for reading, expected in ((9_500, 500), (200, 1_200), (9_900, 10_900), (100, 11_100)):
        powercap.add("0", "package-0", reading, range_uj=10_000)
        assert energy.joules() == pytest.approx(expected * 1e-6)


def test_a_counter_that_can_not_be_read_tells_nothing(powercap):
    assert ProcessorEnergy(powercap.folder).joules() is None
    assert ProcessorEnergy(powercap.folder / "nowhere").joules() is None
    package = powercap.add("0", "package-0", 1000)
    energy = ProcessorEnergy(powercap.folder)
    (package / "energy_uj").write_text("")
    assert energy.joules() is None
    # One that is for the root user only.
    (package / "energy_uj").unlink()
    (package / "energy_uj").mkdir()
    assert energy.joules() is None
    assert ProcessorEnergy(powercap.folder).joules() is None


def test_a_counter_whose_range_is_not_told_ends_where_it_starts_again(powercap):
    package = powercap.add("0", "package-0", 1000)
    energy = ProcessorEnergy(powercap.folder)
    (package / "max_energy_range_uj").unlink()
    (package / "energy_uj").write_text("2000")
    assert energy.joules() == pytest.approx(1000e-6)
    (package / "energy_uj").write_text("500")
    assert energy.joules() is None


class Nvml:
    """NVIDIA's library as far as it is asked, for two cards; this machine has none."""

    class NVMLError(Exception):
        pass

    def __init__(self, *, processes=(), used=(1000, 2000), millijoules=5000):
        self.processes, self.used, self.millijoules = list(processes), list(used), millijoules

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802 - as it is called there
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid):  # noqa: N802
        return {"GPU-b": 1}[uuid]

    def nvmlDeviceGetMemoryInfo(self, handle):  # noqa: N802
        return SimpleNamespace(used=self.told(self.used[handle]))

    def nvmlDeviceGetComputeRunningProcesses(self, handle):  # noqa: N802
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in self.processes]

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):  # noqa: N802
        return self.told(self.millijoules)

    def told(self, value):
        if value is None:
            raise self.NVMLError
        return value


def test_a_device_tells_what_this_process_holds():
    device = NvidiaDevice(Nvml(processes=[(1, 77), (os.getpid(), 300)]))
    assert device.memory_bytes() == 300
    assert device.joules() == 5.0


@pytest.mark.parametrize("processes", [[], [(1, 77)], [(os.getpid(), None)]])
def test_one_that_does_not_tells_what_it_holds_more_than_before(processes):
    library = Nvml(processes=processes)
    device = NvidiaDevice(library)
    library.used = [1700, 9000]
    assert device.memory_bytes() == 700
    library.used = [500, 9000]
    assert device.memory_bytes() == 0


@pytest.mark.parametrize(("visible", "memory"), [("", 1), ("0", 1), ("1", 2), ("1,0", 2), ("GPU-b", 2), ("GPU-b,0", 2)])
def test_the_first_visible_card_is_asked(visible, memory):
    library = Nvml(used=(0, 0))
    device = NvidiaDevice(library, visible)
    library.used = [1, 2]
    assert device.memory_bytes() == memory


def test_a_device_may_tell_nothing():
    device = NvidiaDevice(Nvml(used=(None, None), millijoules=None))
    assert (device.memory_bytes(), device.joules()) == (None, None)


def test_without_a_card_there_is_none():
    if nvidia_device() is not None:
        pytest.skip("there is a card")
    found = Meter("gpu").read()
    assert (found.device_memory_bytes, found.energy_j) == (None, None)


def test_each_target_has_its_own_counters(monkeypatch, powercap):
    powercap.add("0", "package-0", 1000)
    monkeypatch.setattr(resources, "ProcessorEnergy", lambda: ProcessorEnergy(powercap.folder))
    monkeypatch.setattr(resources, "nvidia_device", lambda: NvidiaDevice(Nvml()))
    found = {target: Meter(target).read() for target in ("cpu", "gpu", "ascend")}
    assert [(item.device_memory_bytes, item.energy_j) for item in found.values()] == [
        (None, 0.0),
        (0, 5.0),
        (None, None),
    ]
    assert all(item.host_memory_bytes >= 0 for item in found.values())
