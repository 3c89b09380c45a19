"""What NVIDIA's driver tells of its GPUs: without it nobody could say which of them a benchmark ran on, or why on none.

`look` asks the driver, which may hang: it is for a process of its own.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from gsjupyter.benchmarking.records import Device

_HIDING: Final = ("", "-1", "none", "void")


@dataclass(frozen=True)
class Nvidia:
    """The machine's NVIDIA GPUs.

    Parameters
    ----------
    devices : tuple of Device
        The GPUs.
    driver : str
        The driver's version; empty without one.
    cuda : str
        The latest version of CUDA that the driver knows, ``13.0`` for example; empty without a driver.
    obstacle : str
        Why there is no GPU, in words; empty if there is one.
    """

    devices: tuple[Device, ...] = ()
    driver: str = ""
    cuda: str = ""
    obstacle: str = ""

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> "Nvidia":
        """Return what `look` has found."""
        found = tuple(Device("gpu", driver=answer["driver"], **device) for device in answer["devices"])
        return cls(found, answer["driver"], answer["cuda"], answer["obstacle"])


def look() -> dict[str, Any]:
    """Ask the driver, and return what JSON can hold: ``devices``, ``driver``, ``cuda``, ``obstacle``."""
    import pynvml

    found: dict[str, Any] = {"devices": [], "driver": "", "cuda": "", "obstacle": ""}
    try:
        pynvml.nvmlInit()
        found["driver"] = _text(pynvml.nvmlSystemGetDriverVersion())
        found["cuda"] = _cuda(pynvml.nvmlSystemGetCudaDriverVersion_v2)
        for number in range(pynvml.nvmlDeviceGetCount()):
            found["devices"].append(_described(pynvml, pynvml.nvmlDeviceGetHandleByIndex(number)))
    except pynvml.NVMLError_LibraryNotFound:
        found["obstacle"] = "there is no NVIDIA GPU: no driver (libnvidia-ml.so.1) was found"
    except pynvml.NVMLError_DriverNotLoaded:
        found["obstacle"] = "NVIDIA's driver is installed, but isn't loaded"
    except pynvml.NVMLError as error:
        found["obstacle"] = f"NVIDIA's driver doesn't answer: {error}"
    if not found["devices"] and not found["obstacle"]:
        found["obstacle"] = f"NVIDIA's driver {found['driver']} sees no GPU"
    return found


def hiding(environment: Mapping[str, str] = os.environ) -> str:
    """Return the setting that hides every GPU from CUDA, as it stands in the environment; empty if none does."""
    value = environment.get("CUDA_VISIBLE_DEVICES")
    return f"CUDA_VISIBLE_DEVICES={value!r}" if value is not None and value.strip().lower() in _HIDING else ""


def _described(pynvml: Any, handle: Any) -> dict[str, Any]:
    memory_bytes = None
    # Cards that share the processor's memory don't tell.
    with suppress(pynvml.NVMLError):
        memory_bytes = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    return {"name": _text(pynvml.nvmlDeviceGetName(handle)), "memory_bytes": memory_bytes}


def _cuda(ask: Callable[[], int]) -> str:
    number = ask()
    return f"{number // 1000}.{number % 1000 // 10}"


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
