"""A worker's process: started apart from the notebook, waited for, and ended with all that it has started."""

import math
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Final

import psutil

from gsjupyter import errors
from gsjupyter.engines.serving import SCRATCH
from gsjupyter.errors import EngineError

_ROOT: Final = str(Path(errors.__file__).parent.parent)
# With the notebook's own path: a worker must find what the notebook finds.
_START: Final = (
    "import sys; sys.path[:] = sys.argv[3:]; from importlib import import_module; "
    "import_module(sys.argv[1]).main(int(sys.argv[2]))"
)
_TAIL_BYTES: Final = 4000
_LAST_WORDS: Final = 400
_ENDING_S: Final = 10.0
_LOOK_AROUND_S: Final = 1.0


@dataclass
class Tail:
    """The last that a worker has written, to standard output or standard error."""

    data: bytes = b""

    def read(self, stream: IO[bytes]) -> None:
        """Listen until it is silent for good."""
        with stream:
            while chunk := stream.read(1 << 16):
                self.data = (self.data + chunk)[-_TAIL_BYTES:]

    def words(self) -> str:
        """Return the last lines."""
        lines = [line.strip() for line in self.data.decode(errors="replace").splitlines() if line.strip()]
        return " / ".join(lines[-3:])[-_LAST_WORDS:]


@dataclass
class WorkerProcess:
    """A process that was started for a worker.

    Parameters
    ----------
    process : Popen
        The process.
    connection : Connection
        The notebook's end of the pipe; it doesn't block.
    reader : Thread
        What listens to its words.
    tail : Tail
        Its last words.
    scratch : Path
        The folder for its temporary files.
    owner : int
        The process that has started it.
    """

    process: "subprocess.Popen[bytes]"
    connection: Connection
    reader: threading.Thread
    tail: Tail
    scratch: Path
    owner: int = field(default_factory=os.getpid)

    def is_alive(self) -> bool:
        """Say whether it runs, and is this process's own."""
        return self.owner == os.getpid() and not self.has_ended()

    def has_ended(self) -> bool:
        """Say whether it has ended, and leave it to `end` to ask how.

        Until then nobody else gets its number, which is also that of its group of processes.
        """
        if self.process.returncode is not None:
            return True
        try:
            return bool(psutil.Process(self.process.pid).status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    def has_ended_soon(self) -> bool:
        """Wait a little for it to end, and say whether it has."""
        deadline = time.monotonic() + _ENDING_S
        while not self.has_ended():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def end(self) -> None:
        """End the process if it still runs, and all that it has started, and remove what it has left."""
        if self.owner != os.getpid():
            # A fork of the notebook ends. The worker is no child of its own, so there is nothing to wait for either.
            self.process.returncode = 0
            return
        self.connection.close()
        if self.process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_ENDING_S)
        if self.reader is not threading.current_thread():
            self.reader.join(1)
        shutil.rmtree(self.scratch, ignore_errors=True)


def launch(module: str, title: str, environment: Mapping[str, str], tail: Tail) -> WorkerProcess:
    """Start a process for a worker.

    Parameters
    ----------
    module : str
        The module it runs.
    title : str
        What to call it in messages.
    environment : mapping of str to str
        Variables to set there besides this process's own.
    tail : Tail
        Where its last words go.

    Raises
    ------
    EngineError
        If it can't be started.
    """
    ours, theirs = Pipe()
    scratch = Path(tempfile.gettempdir(), f"gsjupyter-{secrets.token_hex(6)}")
    path = [entry for entry in sys.path if isinstance(entry, str) and entry]
    try:
        process = subprocess.Popen(  # noqa: S603 - this very Python
            [sys.executable, "-u", "-c", _START, module, str(theirs.fileno()), *path, _ROOT],
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[theirs.fileno()],
            env={**os.environ, SCRATCH: str(scratch), **environment},
            # The notebook's interrupts go to its whole session.
            start_new_session=True,
        )
    except OSError as error:
        ours.close()
        raise EngineError(f"no process for {title} can be started: {error.strerror or error}.") from error
    finally:
        theirs.close()
    os.set_blocking(ours.fileno(), False)
    reader = threading.Thread(target=tail.read, args=(process.stdout,), daemon=True, name=f"words of {title}")
    reader.start()
    return WorkerProcess(process, ours, reader, tail, scratch)


class Wait:
    """Waits for a process's pipe, as long as that lives and the time lasts.

    Parameters
    ----------
    running : WorkerProcess
        The process.
    title : str
        What to call it in messages.
    limit_s : float, optional
        How long to wait in all, from now on.
    """

    def __init__(self, running: WorkerProcess, title: str, limit_s: float | None) -> None:
        self._running = running
        self._title = title
        self._limit_s = limit_s
        self._deadline = math.inf if limit_s is None else time.monotonic() + limit_s
        self._poll = select.poll()
        self._poll.register(running.connection.fileno(), 0)

    def __call__(self, writes: bool) -> None:
        """Wait until the pipe can be written to, or else read from.

        Raises
        ------
        EOFError
            If the process has ended.
        EngineError
            If the time is over.
        """
        self._poll.modify(self._running.connection.fileno(), select.POLLOUT if writes else select.POLLIN)
        while True:
            left_s = min(self._deadline - time.monotonic(), _LOOK_AROUND_S)
            if self._poll.poll(max(0.0, left_s) * 1000):
                return
            if time.monotonic() >= self._deadline:
                raise EngineError(f"{self._title} took more than {self._limit_s:.3g} s, and was ended.")
            # A process that it has started may hold its end of the pipe.
            if self._running.has_ended() and not self._poll.poll(0):
                raise EOFError
