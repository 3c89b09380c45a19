"""What a process takes besides time: memory of the host and the device, and energy, where the machine tells it.

The peak of the host's memory is VmHWM in /proc/self/status. `resource.getrusage` gives another one, ru_maxrss, which
Linux carries over from the process that started this one: a small worker of a large notebook would seem large.

Each reader takes the folder that it reads from, so that it can be tried on any machine.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

_PROCESS: Final = Path("/proc/self")
_POWER: Final = Path("/sys/class/powercap")
_RESET_PEAK: Final = "5"


@dataclass(frozen=True)
class Resources:
    """What a process has taken so far.

    Parameters
    ----------
    host_memory_bytes : int
        The most memory that it held, less what it held before the model was loaded.
    device_memory_bytes : int, optional
        What it holds on the device; None on the CPU, or if the device doesn't tell.
    energy_j : float, optional
        A counter, of the processor or the device: differences between two readings count. None if there is none.
    """

    host_memory_bytes: int
    device_memory_bytes: int | None = None
    energy_j: float | None = None


class HostMemory:
    """The most memory that this process has held since this object was made, beyond what it held then.

    Parameters
    ----------
    process : Path
        The process in /proc.
    """

    def __init__(self, process: Path = _PROCESS) -> None:
        self._process = process
        # What importing an engine took for a moment is no part of a model. Some systems don't let the peak be reset.
        with suppress(OSError):
            (process / "clear_refs").write_text(_RESET_PEAK)
        self._before = self._held("VmRSS")

    def peak_bytes(self) -> int:
        """Return it."""
        return max(0, self._held("VmHWM") - self._before)

    def _held(self, key: str) -> int:
        try:
            lines = (self._process / "status").read_text().splitlines()
        except OSError:
            lines = []
        for line in lines:
            name, _, value = line.partition(":")
            if name == key:
                return int(value.split()[0]) * 1024
        memory = psutil.Process().memory_info()
        return int(getattr(memory, "peak_wset", memory.rss) if key == "VmHWM" else memory.rss)


class ProcessorEnergy:
    """The energy that the processor's packages have taken, by the counters of Linux's powercap.

    They are for the root user only on many systems.

    Parameters
    ----------
    folder : Path
        Where they are.
    """

    def __init__(self, folder: Path = _POWER) -> None:
        self._packages = [package for package in sorted(folder.glob("intel-rapl:*")) if _is_package(package)]
        self._last = [self._reading(package) for package in self._packages]
        self._sum_uj = 0

    def joules(self) -> float | None:
        """Return what they have taken since this object was made; None if they don't tell."""
        if not self._packages:
            return None
        for index, package in enumerate(self._packages):
            now, before = self._reading(package), self._last[index]
            if now is None or before is None:
                return None
            self._last[index] = now
            # It starts again from zero after a while.
            around = self._reading(package, "max_energy_range_uj") if now < before else 0
            if around is None:
                return None
            self._sum_uj += now - before + around
        return self._sum_uj / 1e6

    def _reading(self, package: Path, name: str = "energy_uj") -> int | None:
        try:
            return int((package / name).read_text())
        except (OSError, ValueError):
            return None


def _is_package(folder: Path) -> bool:
    """Say whether it is a package: no part of one, which has a second number, and not the platform with all of them."""
    try:
        return folder.name.count(":") == 1 and (folder / "name").read_text().startswith("package")
    except OSError:
        return False


class NvidiaDevice:
    """The graphics card that this process uses, as NVIDIA's management library tells of it.

    Parameters
    ----------
    library : module
        ``pynvml``, initialized.
    visible : str
        What CUDA_VISIBLE_DEVICES says.
    """

    def __init__(self, library: Any, visible: str = "") -> None:
        self._library = library
        self._handle = _device(library, visible.partition(",")[0].strip())
        self._used_before = self._asked(lambda: int(library.nvmlDeviceGetMemoryInfo(self._handle).used))

    def memory_bytes(self) -> int | None:
        """Return what this process holds there; what the device holds more than before where it doesn't tell that."""
        own = self._asked(self._own_memory)
        if own is not None:
            return own
        used = self._asked(lambda: int(self._library.nvmlDeviceGetMemoryInfo(self._handle).used))
        return None if used is None or self._used_before is None else max(0, used - self._used_before)

    def joules(self) -> float | None:
        """Return what the device has taken since its driver was loaded; None if it doesn't count."""
        millijoules = self._asked(lambda: int(self._library.nvmlDeviceGetTotalEnergyConsumption(self._handle)))
        return None if millijoules is None else millijoules / 1e3

    def _own_memory(self) -> int | None:
        running = self._library.nvmlDeviceGetComputeRunningProcesses(self._handle)
        return next((item.usedGpuMemory for item in running if item.pid == os.getpid()), None)

    def _asked(self, question: Callable[[], int | None]) -> int | None:
        try:
            return question()
        except self._library.NVMLError:
            return None


def _device(library: Any, visible: str) -> Any:
    if visible and not visible.isdigit():
        return library.nvmlDeviceGetHandleByUUID(visible)
    return library.nvmlDeviceGetHandleByIndex(int(visible or 0))


def nvidia_device() -> NvidiaDevice | None:
    """Return the graphics card that this process uses, None if there is none or nothing tells of it."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        return NvidiaDevice(pynvml, os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    except pynvml.NVMLError:
        return None


class Meter:
    """What this process takes from now on, for a model on a target.

    Parameters
    ----------
    target : {"cpu", "gpu", "ascend"}
        Whose memory and energy.
    """

    def __init__(self, target: str) -> None:
        self._processor = ProcessorEnergy() if target == "cpu" else None
        self._nvidia = nvidia_device() if target == "gpu" else None
        self._host = HostMemory()

    def read(self) -> Resources:
        """Return what it has taken so far."""
        if self._nvidia is not None:
            return Resources(self._host.peak_bytes(), self._nvidia.memory_bytes(), self._nvidia.joules())
        return Resources(self._host.peak_bytes(), None, self._processor.joules() if self._processor else None)
