"""Wait until processes are at rest: an engine's threads spin for a while after a run, and slow down what runs next."""

import time
from collections.abc import Iterable
from typing import Final

import psutil

# A clock tick of the system is 10 ms, and CPU times are told in these.
_AT_REST_S: Final = 0.02


def wait_until_idle(processes: Iterable[int], limit_s: float = 1.0) -> bool:
    """Wait until some processes use no CPU.

    Parameters
    ----------
    processes : iterable of int
        Their ids; those that have ended count as idle.
    limit_s : float
        How long to wait.

    Returns
    -------
    bool
        Whether they are idle.
    """
    ids = tuple(processes)
    deadline = time.monotonic() + limit_s
    before = _cpu_times(ids)
    while True:
        time.sleep(_AT_REST_S)
        now = _cpu_times(ids)
        if now == before:
            return True
        if time.monotonic() >= deadline:
            return False
        before = now


def _cpu_times(ids: Iterable[int]) -> list[float]:
    times = []
    for number in ids:
        try:
            used = psutil.Process(number).cpu_times()
        except psutil.Error:
            continue
        times.append(used.user + used.system)
    return times
