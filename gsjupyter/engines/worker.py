"""The notebook's side of a worker process: an engine that crashes or fills the memory takes no notebook with it."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, Final

from gsjupyter import errors
from gsjupyter.engines.messages import Array, Message, receive, send
from gsjupyter.engines.serving import SCRATCH
from gsjupyter.errors import EngineError, GsError
from gsjupyter.interrupts import interruptible, uninterrupted

_ROOT: Final = str(Path(errors.__file__).parent.parent)
# With the notebook's own path: a worker must find what the notebook finds.
_START: Final = (
    "import sys; sys.path[:] = sys.argv[3:]; from importlib import import_module; "
    "import_module(sys.argv[1]).main(int(sys.argv[2]))"
)
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_TAIL_BYTES: Final = 4000
_LAST_WORDS: Final = 400
_ENDING_S: Final = 10.0


class WorkerEndedError(EngineError):
    """A worker ended before it answered.

    Parameters
    ----------
    message, advice : str
        As in every error.
    exit_code : int
        What it ended with; minus the signal's number if a signal ended it.
    """

    def __init__(self, message: str, *, advice: str = "", exit_code: int = 0) -> None:
        super().__init__(message, advice=advice)
        self.exit_code = exit_code


@dataclass
class _Tail:
    """The last that a worker has written, to standard output or standard error."""

    data: bytes = b""

    def read(self, stream: IO[bytes]) -> None:
        with stream:
            while chunk := stream.read(1 << 16):
                self.data = (self.data + chunk)[-_TAIL_BYTES:]

    def words(self) -> str:
        lines = [line.strip() for line in self.data.decode(errors="replace").splitlines() if line.strip()]
        return " / ".join(lines[-3:])[-_LAST_WORDS:]


@dataclass
class _Running:
    process: "subprocess.Popen[bytes]"
    connection: Connection
    reader: threading.Thread
    tail: _Tail
    scratch: Path
    owner: int = field(default_factory=os.getpid)

    def is_alive(self) -> bool:
        return self.owner == os.getpid() and self.process.poll() is None

    def end(self) -> None:
        """End the process if it still runs, and remove what it has left."""
        if self.owner != os.getpid():
            # A fork of the notebook ends. The worker is no child of its own, so there is nothing to wait for either.
            self.process.returncode = 0
            return
        self.connection.close()
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_ENDING_S)
        if self.reader is not threading.current_thread():
            self.reader.join(1)
        shutil.rmtree(self.scratch, ignore_errors=True)


class Worker:
    """A process that runs an engine, started when it is first called, and again after it has ended.

    It has no MindSpore in it unless its module imports that, gets none of the notebook's interrupts, and ends with
    this object, with the notebook, or by `close`; so do its temporary files.

    Parameters
    ----------
    module : str
        The module it runs: its ``main`` is called with a file descriptor and passes it to `serving.serve`.
    title : str
        What to call it in messages.
    threads : int, optional
        How many threads OpenMP and BLAS may use there; by default their own choice.
    environment : mapping of str to str, optional
        Variables to set there besides the notebook's own.
    opening : tuple of str and mapping, optional
        A command and its settings, called whenever the process has started: what loads a model.
    opening_limit_s : float, optional
        How long that may take.
    """

    def __init__(
        self,
        module: str,
        title: str,
        *,
        threads: int | None = None,
        environment: Mapping[str, str] | None = None,
        opening: tuple[str, Mapping[str, Any]] | None = None,
        opening_limit_s: float | None = None,
    ) -> None:
        self._module = module
        self._title = title
        self._environment = {**dict.fromkeys(_THREADS if threads else (), str(threads)), **(environment or {})}
        self._opening = opening
        self._opening_limit_s = opening_limit_s
        self._opened: dict[str, Any] = {}
        self._running: _Running | None = None
        self._tail = _Tail()
        self._end: weakref.finalize[..., Any] | None = None
        self._lock = threading.RLock()

    def start(self) -> dict[str, Any]:
        """Start the process, if it doesn't run, and return what the opening command has answered.

        Raises
        ------
        EngineError
            If it can't be started, or as `call` does.
        """
        with self._lock, interruptible():
            self._started()
            return self._opened

    def call(
        self, command: str, arrays: Sequence[Array] = (), /, *, limit_s: float | None = None, **settings: Any
    ) -> Message:
        """Have a command carried out, and wait for it; an interrupt ends the process.

        Parameters
        ----------
        command : str
            One that the worker knows.
        arrays : sequence of ndarray
            What it is to work on.
        limit_s : float, optional
            How long it may take; any time by default.
        **settings
            What JSON can hold.

        Returns
        -------
        dict
            The answer.
        list of ndarray
            The resulting arrays.

        Raises
        ------
        GsError
            What the worker raised, if that was one of gsjupyter's own errors.
        EngineError
            If it raised anything else, ended, or took too long.
        """
        with self._lock, interruptible():
            return self._exchange(self._started(), command, arrays, settings, limit_s)

    def close(self) -> None:
        """End the process. A later call starts it again."""
        with self._lock, uninterrupted():
            if self._end is not None:
                self._end()
            self._running = self._end = None

    @property
    def process_id(self) -> int | None:
        """The process, if it runs."""
        return self._running.process.pid if self._running is not None and self._running.is_alive() else None

    @property
    def last_words(self) -> str:
        """The last lines that the process has written, or the one before it if it hasn't been started again."""
        return self._tail.words()

    def _started(self) -> _Running:
        if self._running is not None and self._running.is_alive():
            return self._running
        self.close()
        with uninterrupted():
            running = self._launched()
            self._end = weakref.finalize(self, running.end)
        try:
            self._open(running)
        except BaseException:
            self.close()
            raise
        # Not before: one that was interrupted has no model.
        self._running = running
        return running

    def _open(self, running: _Running) -> None:
        if self._opening is not None:
            command, settings = self._opening
            self._opened, _ = self._exchange(running, command, (), settings, self._opening_limit_s)

    def _launched(self) -> _Running:
        ours, theirs = Pipe()
        scratch = Path(tempfile.gettempdir(), f"gsjupyter-{secrets.token_hex(6)}")
        path = [entry for entry in sys.path if isinstance(entry, str) and entry]
        try:
            process = subprocess.Popen(  # noqa: S603 - this very Python
                [sys.executable, "-u", "-c", _START, self._module, str(theirs.fileno()), *path, _ROOT],
                bufsize=0,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                env={**os.environ, SCRATCH: str(scratch), **self._environment},
                # The notebook's interrupts go to its whole session.
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise EngineError(f"no process for {self._title} can be started: {error.strerror or error}.") from error
        finally:
            theirs.close()
        tail = self._tail = _Tail()
        reader = threading.Thread(target=tail.read, args=(process.stdout,), daemon=True, name=f"words of {self._title}")
        reader.start()
        return _Running(process, ours, reader, tail, scratch)

    def _exchange(
        self,
        running: _Running,
        command: str,
        arrays: Sequence[Array],
        settings: Mapping[str, Any],
        limit_s: float | None,
    ) -> Message:
        try:
            send(running.connection, {"command": command, "settings": settings}, arrays)
            self._wait(running, limit_s)
            header, results = receive(running.connection)
        except (EOFError, OSError) as error:
            raise self._ended(running) from error
        except BaseException:
            self.close()
            raise
        if "error" in header:
            raise _told(self._title, header["error"])
        return header["answer"], results

    def _wait(self, running: _Running, limit_s: float | None) -> None:
        if not running.connection.poll(limit_s):
            raise EngineError(f"{self._title} took more than {limit_s:g} s, and was ended.")

    def _ended(self, running: _Running) -> WorkerEndedError:
        # Its end of the pipe is closed before the system knows how it ended.
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(_ENDING_S)
        self.close()
        code = running.process.returncode or 0
        if code == -signal.SIGKILL:
            how = "was killed (SIGKILL), most likely because memory ran out"
        elif code < 0:
            how = f"crashed ({signal.Signals(-code).name})"
        else:
            how = f"ended with exit code {code}"
        words = running.tail.words()
        said = f" It said last: {words}" if words else ""
        return WorkerEndedError(f"the process of {self._title} {how}.{said}", exit_code=code)


def _told(title: str, error: Mapping[str, str]) -> GsError:
    kind = getattr(errors, error["kind"], None)
    if isinstance(kind, type) and issubclass(kind, GsError):
        return kind(error["message"], advice=error["advice"])
    return EngineError(f"{title} failed: {error['message']}")
