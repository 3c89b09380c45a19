"""Interrupts that stop the work and not the kernel: MindSpore answers SIGINT by ending the whole process.

From its first operator on, MindSpore puts a handler of its own in Python's place, which sends SIGTERM to its process:
a notebook that is interrupted loses its kernel, and all that was in it. So while we work SIGTERM counts as an
interrupt too, and afterwards Python has its handler back.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeAlias

_Handler: TypeAlias = Callable[[int, FrameType | None], object]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let an interrupt raise KeyboardInterrupt, also where MindSpore has run before."""
    with _answered_by(signal.default_int_handler):
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Keep interrupts back until the end, and raise KeyboardInterrupt then: for work that can't be cut in two."""
    received: list[int] = []
    try:
        with _answered_by(lambda number, frame: received.append(number)):
            yield
    finally:
        if received:
            raise KeyboardInterrupt


@contextmanager
def _answered_by(handler: _Handler) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        # Python answers signals in the main thread, and lets no other change how.
        yield
        return
    before = [(number, signal.getsignal(number)) for number in _SIGNALS]
    try:
        for number in _SIGNALS:
            signal.signal(number, handler)
        yield
    finally:
        for number, answer in before:
            signal.signal(number, signal.SIG_DFL if answer is None else answer)
