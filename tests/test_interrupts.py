import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from types import ModuleType

import pytest

from gsjupyter.interrupts import interruptible, uninterrupted

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture(autouse=True)
def mindspore(monkeypatch):
    """Have MindSpore count as imported, which makes SIGTERM an interrupt."""
    monkeypatch.setitem(sys.modules, "mindspore", sys.modules.get("mindspore", ModuleType("mindspore")))


@pytest.fixture(autouse=True)
def handlers():
    """Check that a test leaves the handlers of signals as they were."""
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    assert [signal.getsignal(number) for number in SIGNALS] == before


def work(number, done, error=None):
    """Do something, with a signal in the middle."""
    os.kill(os.getpid(), number)
    if error is not None:
        raise error
    done.append("finished")


def test_without_mindspore_a_process_that_is_told_to_end_ends():
    program = (
        "from gsjupyter.interrupts import interruptible\nimport time\n"
        "with interruptible():\n    print('at work', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "at work\n"
        process.terminate()
        assert process.wait(30) == -signal.SIGTERM


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_stops_the_work_at_once(number):
    done = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        work(number, done)
    assert done == []


class Finalized:
    """Sends a signal when it is deleted, where an exception would be printed and forgotten."""

    # Also where the signal comes before it is made.
    number = None

    def __init__(self, number):
        self.number = number

    def __del__(self):
        if self.number is not None:
            os.kill(os.getpid(), self.number)


def busy_with_weak_references(duration_s, number=signal.SIGINT):
    """Let weak references die, a signal being sent after a while."""
    threading.Timer(duration_s / 20, os.kill, (os.getpid(), number)).start()
    deadline = time.monotonic() + duration_s
    while time.monotonic() < deadline:
        things = weakref.WeakSet()
        things.add(Finalized(None))


def after_a_finalizer(duration_s):
    """Let a finalizer get a signal, and work on."""
    Finalized(signal.SIGINT)
    deadline = time.monotonic() + duration_s
    while time.monotonic() < deadline:
        time.sleep(0.001)


@pytest.mark.parametrize("work_on", [busy_with_weak_references, after_a_finalizer])
def test_a_signal_in_a_callback_is_not_lost_and_stops_long_work(work_on):
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interruptible():
        work_on(8)
    assert time.monotonic() - begin < 6


def test_a_signal_in_a_callback_is_not_lost_where_the_work_ends_first():
    with pytest.raises(KeyboardInterrupt), interruptible():
        after_a_finalizer(0)


@pytest.mark.parametrize("number", SIGNALS)
def test_work_that_can_not_be_cut_in_two_is_finished_first(number):
    done = []
    with pytest.raises(KeyboardInterrupt), interruptible(), uninterrupted():
        work(number, done)
    assert done == ["finished"]


def test_an_interrupt_goes_before_an_error_that_came_of_it():
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        work(signal.SIGINT, [], ValueError("half done"))


def test_an_error_without_an_interrupt_stays_that_error():
    with pytest.raises(ValueError, match="half done"), uninterrupted():
        raise ValueError("half done")


def test_other_threads_are_let_work():
    done = []

    def elsewhere():
        with interruptible(), uninterrupted():
            done.append("worked")

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert done == ["worked"]


_AFTER_MINDSPORE_HAS_RUN = """
import os, signal, sys
import numpy as np
import mindspore
from mindspore import nn
import gsjupyter as gs
net, x = nn.SequentialCell(nn.Dense(8, 4)), np.ones((2, 8), np.float32)
net(mindspore.Tensor(x))
if {converts}:
    gs.convert(net, x)
print("ready", flush=True)
try:
    while True:
        pass
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("converts", [True, False], ids=["after-a-conversion", "after-mindspore-alone"])
def test_a_process_survives_an_interrupt(converts):
    with subprocess.Popen(
        [sys.executable, "-c", _AFTER_MINDSPORE_HAS_RUN.format(converts=converts)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    if converts:
        assert (said, process.returncode) == ("interrupted\n", 0)
    else:
        # The reason why gsjupyter does anything about it. If this fails, MindSpore has mended it, and so can we.
        assert process.returncode == -signal.SIGTERM
