from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from gsjupyter.engines import idleness
from gsjupyter.engines.idleness import wait_until_idle


@pytest.fixture
def script(monkeypatch):
    """Let time pass only while it is waited for, and processes use CPU as they are told to, in seconds at each look."""
    state = SimpleNamespace(now=0.0, looks=0, used={})

    def sleep(duration_s):
        state.now += duration_s
        state.looks += 1

    def process(number):
        if number not in state.used:
            raise psutil.NoSuchProcess(number)
        times = state.used[number]
        return SimpleNamespace(
            cpu_times=lambda: SimpleNamespace(user=times[min(state.looks, len(times) - 1)], system=1.0)
        )

    monkeypatch.setattr(idleness.time, "sleep", sleep)
    monkeypatch.setattr(idleness.time, "monotonic", lambda: state.now)
    monkeypatch.setattr(idleness.psutil, "Process", process)
    return state


def test_it_waits_until_all_are_at_rest(script):
    script.used = {1: [0.0, 0.01, 0.02, 0.02, 0.02], 2: [5.0, 5.01, 5.01, 5.02, 5.02]}
    assert wait_until_idle([1, 2])
    # Both stood still from the third look to the fourth.
    assert script.looks == 4


def test_it_waits_no_longer_than_asked_for(script):
    script.used = {1: [0.01 * look for look in range(1000)]}
    assert not wait_until_idle([1], limit_s=0.5)
    assert script.now == pytest.approx(0.5, abs=0.03)


def test_those_that_end_are_idle(script):
    script.used = {1: [3.0]}
    assert wait_until_idle([1, 2])
    assert wait_until_idle([])


def test_a_process_that_sleeps_is_idle():
    program = "import time; print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-S", "-c", program], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert wait_until_idle([process.pid], limit_s=20)
        process.kill()
