"""What a benchmark ran on: figures without it belong to no machine, and can't be set beside another's."""

import os
import platform
import socket
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import psutil

from gsjupyter.benchmarking.records import Machine
from gsjupyter.benchmarking.targets.control_groups import Limits, group_limits
from gsjupyter.benchmarking.targets.probes import find_npus, find_nvidia
from gsjupyter.engines.execution_providers import onnxruntime_version
from gsjupyter.report import format_bytes

_PACKAGES: Final = ("gsjupyter", "mindspore", "mindspore_lite", "numpy")
_FEATURES: Final = (
    *(
        "avx2",
        "avx512f",
        "avx512_vnni",
        "avx512_bf16",
        "avx512_fp16",
        "avx_vnni",
        "avx_vnni_int8",
        "amx_int8",
        "amx_bf16",
        "amx_fp16",
    ),
    *("neon", "asimd", "asimdhp", "dotprod", "i8mm", "bf16", "sve", "sve2"),
)
# Linux names Arm's dot products after the vector unit, and the processor's own list has no underscore.
_OTHER_NAMES: Final = {"asimddp": "dotprod", "avx512vnni": "avx512_vnni"}


@dataclass(frozen=True)
class Share:
    """What a process may use of a machine.

    Parameters
    ----------
    threads : int
        How many threads can run at once.
    memory_bytes : int
        How much memory.
    notes : tuple of str
        Why that is less than the machine has, if it is.
    """

    threads: int
    memory_bytes: int
    notes: tuple[str, ...] = ()


def share_of(threads: int, memory_bytes: int, *, affinity: int, limits: Limits) -> Share:
    """Return what a process may use of a machine.

    Parameters
    ----------
    threads : int
        How many threads the machine can run at once.
    memory_bytes : int
        The machine's memory.
    affinity : int
        How many of them the process may run on.
    limits : Limits
        What its control groups allow.
    """
    notes = []
    usable = min(threads, affinity)
    if usable < threads:
        notes.append(f"This process may run on {usable} of the machine's {threads} processors (its affinity).")
    quota = limits.processors
    if quota is not None and quota < usable:
        # A thread more than the quota has would have all of them wait in turn.
        usable = max(1, int(quota))
        notes.append(
            f"This process gets the time of {quota:g} of the machine's {threads} processors (its control group's "
            f"quota): benchmarks take {usable} thread{'s' * (usable != 1)}."
        )
    memory = memory_bytes
    if limits.memory_bytes is not None and limits.memory_bytes < memory:
        memory = limits.memory_bytes
        notes.append(
            f"This process may hold {format_bytes(memory)} of the machine's {format_bytes(memory_bytes)} of memory "
            "(its control group's limit)."
        )
    return Share(usable, memory, tuple(notes))


def this_share() -> Share:
    """Return what this process may use of this machine."""
    threads = os.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads
    return share_of(threads, psutil.virtual_memory().total, affinity=affinity, limits=group_limits())


def this_machine() -> Machine:
    """Return this machine, as far as this process may use it; MindSpore isn't imported for it.

    Drivers are asked in processes of their own, and once: `gsjupyter.targets` asks them again.
    """
    share, (processor, features) = this_share(), _processor()
    nvidia, npus = find_nvidia(), find_npus()
    return Machine(
        host=socket.gethostname(),
        system=_system(),
        processor=processor,
        threads=share.threads,
        memory_bytes=share.memory_bytes,
        features=features,
        devices=(*nvidia.devices, *npus.devices),
        versions={
            **_package_versions(),
            **{
                name: number
                for name, number in (("NVIDIA driver", nvidia.driver), ("CUDA", nvidia.cuda), ("CANN", npus.cann))
                if number
            },
        },
    )


def features_of(flags: Collection[str]) -> tuple[str, ...]:
    """Return those of a processor's features that matter for inference, under their usual names."""
    named = {_OTHER_NAMES.get(flag, flag) for flag in flags}
    return tuple(feature for feature in _FEATURES if feature in named)


@lru_cache(maxsize=1)
def _processor() -> tuple[str, tuple[str, ...]]:
    import cpuinfo

    found: dict[str, Any] = {}
    # It reads files and asks programs, and has no error of its own for those it can't make sense of.
    with suppress(Exception):
        found = cpuinfo.get_cpu_info()
    name = found.get("brand_raw") or found.get("hardware_raw") or platform.processor() or platform.machine()
    return " ".join(str(name).split()), features_of(found.get("flags", ()))


def _system() -> str:
    kernel = f"{platform.system()} {platform.release()}, {platform.machine()}"
    with suppress(OSError):
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']} ({kernel})"
    return kernel


def _package_versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    if number := onnxruntime_version():
        found["onnxruntime"] = number
    return found
