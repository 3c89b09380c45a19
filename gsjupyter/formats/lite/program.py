"""A program that runs for a while: watched, bounded in time and words, and ended with all that it has started."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import psutil

from gsjupyter.engines.worker import signal_name
from gsjupyter.errors import EngineError
from gsjupyter.interrupts import uninterrupted

_HEAD_BYTES: Final = 64_000
_TAIL_BYTES: Final = 256_000
_LOOK_AROUND_S: Final = 0.05
_TELL_EVERY_S: Final = 1.0
_ENDING_S: Final = 10.0


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Parameters
    ----------
    exit_code : int
        What it ended with; minus the signal's number if a signal ended it.
    log : str
        What it has written, to standard output and standard error; the middle is missing if that was much.
    duration_s : float
        How long it ran.
    """

    exit_code: int
    log: str
    duration_s: float

    @property
    def signal_name(self) -> str:
        """The signal that has ended it, ``"SIGABRT"`` for example; empty if none has."""
        return signal_name(-self.exit_code) if self.exit_code < 0 else ""


class ProgramLimitError(EngineError):
    """A program took longer than was allowed, and was ended.

    Parameters
    ----------
    message, advice : str
        As in every error.
    log : str
        What it had written until then.
    """

    def __init__(self, message: str, *, advice: str = "", log: str = "") -> None:
        super().__init__(message, advice=advice)
        self.log = log


@dataclass
class _Words:
    """What a program writes: its beginning and its end."""

    head: bytes = b""
    tail: bytes = b""
    lost: int = 0

    def read(self, stream: IO[bytes]) -> None:
        with stream:
            while chunk := os.read(stream.fileno(), 1 << 16):
                self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        room = max(0, _HEAD_BYTES - len(self.head))
        self.head += chunk[:room]
        tail = self.tail + chunk[room:]
        self.lost += max(0, len(tail) - _TAIL_BYTES)
        self.tail = tail[-_TAIL_BYTES:]

    def text(self) -> str:
        gap = f"\n[... {self.lost:,} bytes left out ...]\n".encode() if self.lost else b""
        return (self.head + gap + self.tail).decode(errors="replace")

    def last_line(self) -> str:
        lines = (self.tail or self.head)[-4000:].decode(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def run_program(
    command: Sequence[str],
    *,
    title: str,
    environment: Mapping[str, str],
    folder: Path,
    limit_s: float,
    tell: Callable[[float, str], None] = lambda _elapsed_s, _words: None,
) -> Ended:
    """Run a program to its end; an interrupt, an error or the time limit ends it, and what it has started, at once.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments. No shell reads them.
    title : str
        What to call it in messages.
    environment : mapping of str to str
        Its whole environment.
    folder : Path
        Where it runs.
    limit_s : float
        How long it may take.
    tell : callable
        Called about every second with how long it has run, in seconds, and the last line that it has written.

    Raises
    ------
    EngineError
        If it can't be started.
    ProgramLimitError
        If it takes too long.
    """
    begin = time.monotonic()
    words = _Words()
    told_s = 0.0
    # An interrupt between the start and the watching would leave it running.
    process: subprocess.Popen[bytes] | None = None
    reader: threading.Thread | None = None
    try:
        with uninterrupted():
            process = _started(command, title, environment, folder)
            reader = threading.Thread(target=words.read, args=(process.stdout,), daemon=True, name=f"words of {title}")
            reader.start()
        for elapsed_s in _while_it_runs(process):
            if elapsed_s > limit_s:
                raise ProgramLimitError(f"{title} took more than {limit_s:.3g} s, and was ended.", log=words.text())
            if elapsed_s - told_s >= _TELL_EVERY_S:
                told_s = elapsed_s
                tell(elapsed_s, words.last_line())
    finally:
        if process is not None:
            with uninterrupted():
                _end(process)
                if reader is not None and reader.ident is not None:
                    # Somebody it has started may have left its group, and still hold the pipe.
                    reader.join(1.0)
    return Ended(process.returncode, words.text(), time.monotonic() - begin)


def _started(
    command: Sequence[str], title: str, environment: Mapping[str, str], folder: Path
) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(  # noqa: S603 - a program that the user has installed
            list(command),
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(environment),
            # A group of its own, so that it can be ended with all that it starts.
            start_new_session=True,
        )
    except OSError as error:
        raise EngineError(f"{title} can't be started: {error.strerror or error} ({command[0]}).") from error


def _while_it_runs(process: "subprocess.Popen[bytes]") -> Iterator[float]:
    """Yield again and again how long it has run, in seconds, until it ends."""
    begin = time.monotonic()
    while not _has_ended(process):
        yield time.monotonic() - begin
        time.sleep(_LOOK_AROUND_S)


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Say whether it has ended, and leave it to `_end` to ask how: until then nobody else gets its number."""
    try:
        return bool(psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_ENDING_S)
