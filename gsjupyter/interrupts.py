"""Interrupts that stop the work and not the kernel: MindSpore answers SIGINT by ending the whole process.

From its first operator on, MindSpore puts a handler of its own in Python's place, which sends SIGTERM to its process:
a notebook that is interrupted loses its kernel, and all that was in it. So while we work SIGTERM counts as an
interrupt too, and afterwards Python has its handler back. A process without MindSpore is ended by SIGTERM, as ever: a
job scheduler means what it says.

An exception in a callback of the garbage collector is printed and forgotten, KeyboardInterrupt too, and reading a file
runs thousands of these: one interrupt in a few would be lost. So one that arrives there is put off until they are done,
and one that was lost all the same counts at the end.
"""

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, TypeAlias

_Handler: TypeAlias = Callable[[int, FrameType | None], object]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PUT_OFF_S: Final = 0.005
_CALLBACK_FILES: Final = ("_weakrefset.py", "weakref.py")


@contextmanager
def interruptible() -> Iterator[None]:
    """Let an interrupt raise KeyboardInterrupt, also where MindSpore has run before."""
    received: list[int] = []
    ended = threading.Event()

    def again() -> None:
        # To the interpreter and not to the process, where MindSpore's own handler may be in place.
        if not ended.wait(_PUT_OFF_S):
            _thread.interrupt_main()

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if not _is_callback(frame):
            raise KeyboardInterrupt
        threading.Thread(target=again, daemon=True).start()

    with _answered_by(interrupt):
        try:
            yield
        finally:
            ended.set()
        if received:
            raise KeyboardInterrupt


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


def _is_callback(frame: FrameType | None) -> bool:
    """Say whether an exception raised in a frame would be lost: in a finalizer, or when a weak reference dies."""
    while frame is not None:
        if frame.f_code.co_name == "__del__" or frame.f_code.co_filename.endswith(_CALLBACK_FILES):
            return True
        frame = frame.f_back
    return False


@contextmanager
def _answered_by(handler: _Handler) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        # Python answers signals in the main thread, and lets no other change how.
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore(number: int) -> None:
        answer = before[signal.Signals(number)]
        signal.signal(number, signal.SIG_DFL if answer is None else answer)

    def answer(number: int, frame: FrameType | None) -> None:
        # Looked up now, since the work may import it.
        if number != signal.SIGTERM or "mindspore" in sys.modules:
            handler(number, frame)
            return
        restore(number)
        os.kill(os.getpid(), number)

    try:
        for number in _SIGNALS:
            signal.signal(number, answer)
        yield
    finally:
        for number in _SIGNALS:
            restore(number)
