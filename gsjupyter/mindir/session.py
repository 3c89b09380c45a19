"""MindSpore at work on the user's machine, and everything put back afterwards: context, folders, log files."""

import gc
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import mindspore

from gsjupyter.interrupts import uninterrupted

_LITTER = Path("rank_0", "om", "analyze_fail.ir")

_lock = threading.RLock()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let MindSpore compile, then restore the context's settings that it changes and remove the files it drops.

    One thread at a time: MindSpore's compiler keeps global state. An interrupt takes effect when it is done. What its
    C++ side writes to stderr is passed on only if all went well: of a failure it prints its own stack, and the caller
    is about to say it in words.
    """
    with uninterrupted(), _lock, _few_objects_to_look_through(), _stderr_held_back():
        syntax_level = mindspore.get_context("jit_syntax_level")
        failure = Path.cwd() / _LITTER
        before = _modified(failure)
        folders = [folder for folder in (failure.parent.parent, failure.parent) if not folder.exists()]
        try:
            yield
        finally:
            if mindspore.get_context("jit_syntax_level") != syntax_level:
                mindspore.set_context(jit_syntax_level=syntax_level)
            if _modified(failure) != before:
                failure.unlink()
            for folder in reversed(folders):
                with suppress(OSError):
                    folder.rmdir()


@contextmanager
def _few_objects_to_look_through() -> Iterator[None]:
    # MindSpore collects garbage at each compilation; a notebook's objects make that half of a small network's time.
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _stderr_held_back() -> Iterator[None]:
    sys.stderr.flush()
    try:
        original = os.dup(2)
    except OSError:
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(original, 2)
            os.close(original)
        held.seek(0)
        if text := held.read():
            os.write(2, text)


def _modified(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def first_line(error: BaseException) -> str:
    """Return the first line of MindSpore's message that says something: the rest is rules and its C++ stack."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line.strip("-=# ") and not line.startswith("- ")]
    return said[0] if said else type(error).__name__
