"""The notebook's side of questions to drivers and engines: whatever they do, the answer comes, in time and in words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from gsjupyter.benchmarking.records import Device
from gsjupyter.benchmarking.targets.ascend import Ascend, find_ascend
from gsjupyter.benchmarking.targets.nvidia import Nvidia
from gsjupyter.engines.worker import Worker
from gsjupyter.errors import EngineError

WORKER: Final = "gsjupyter.benchmarking.targets.probe_worker"

_DRIVER_LIMIT_S: Final = 30.0
_ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1"}


def ask(command: str, title: str, *, limit_s: float, **settings: Any) -> dict[str, Any]:
    """Have a question answered by a fresh process.

    Parameters
    ----------
    command : str
        One that `probe_worker` knows.
    title : str
        Who is asked, for messages.
    limit_s : float
        How long it may take.
    **settings
        What JSON can hold.

    Raises
    ------
    GsError
        As `Worker.call`.
    """
    with started(title) as worker:
        answer, _ = worker.call(command, limit_s=limit_s, **settings)
    return answer


@contextmanager
def started(title: str, environment: Mapping[str, str] = _ENVIRONMENT) -> Iterator[Worker]:
    """Give a worker that has been asked nothing yet, and end it.

    Parameters
    ----------
    title : str
        Who is asked, for messages.
    environment : mapping of str to str
        Variables to set there.
    """
    worker = Worker(WORKER, title, environment=environment)
    try:
        yield worker
    finally:
        worker.close()


@lru_cache(maxsize=1)
def find_nvidia() -> Nvidia:
    """Return what NVIDIA's driver tells; it is asked once."""
    try:
        return Nvidia.from_answer(ask("nvidia", "NVIDIA's driver", limit_s=_DRIVER_LIMIT_S))
    except EngineError as error:
        return Nvidia(obstacle=error.message.rstrip("."))


@lru_cache(maxsize=1)
def find_npus() -> Ascend:
    """Return what Huawei's driver and CANN tell; they are asked once."""
    found = find_ascend()
    if not found.devices:
        return found
    try:
        told = ask("ascend", "npu-smi", limit_s=_DRIVER_LIMIT_S)["devices"]
    except EngineError:
        return found
    driver = found.devices[0].driver
    devices = tuple(Device("ascend", driver=driver, **device) for device in told)
    # A container sees the tools of the whole machine, and only some of its devices.
    return replace(found, devices=devices[: len(found.devices)]) if devices else found


def forget_devices() -> None:
    """Have the drivers asked again: one may have been installed since, or mended."""
    find_nvidia.cache_clear()
    find_npus.cache_clear()
