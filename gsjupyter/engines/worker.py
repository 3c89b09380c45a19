"""The notebook's side of a worker process: an engine that crashes or fills the memory takes no notebook with it."""

import signal
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gsjupyter import errors
from gsjupyter.engines.messages import Array, Message, MessageError, receive, send
from gsjupyter.engines.worker_process import Tail, Wait, WorkerProcess, launch
from gsjupyter.errors import EngineError, GsError
from gsjupyter.interrupts import interruptible, uninterrupted

_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_NO_MEMORY: Final = ("bad_alloc", "MemoryError", "Cannot allocate memory", "out of memory")


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
    starts_again : bool
        Whether a call starts the process again after it has ended. If not, it is an error then.
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
        starts_again: bool = True,
    ) -> None:
        self._module = module
        self._title = title
        self._environment = {**dict.fromkeys(_THREADS if threads else (), str(threads)), **(environment or {})}
        self._opening = opening
        self._opening_limit_s = opening_limit_s
        self._starts_again = starts_again
        self._has_started = False
        self._opened: dict[str, Any] = {}
        self._running: WorkerProcess | None = None
        self._tail = Tail()
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
            How long it may take, from sending to receiving; any time by default.
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
            If it raised anything else, ended, took too long, or answered nonsense.
        """
        with self._lock, interruptible():
            return self._exchange(self._started(), command, arrays, settings, limit_s)

    def close(self) -> None:
        """End the process. A later call starts it again, unless it is not to."""
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

    def _started(self) -> WorkerProcess:
        if self._running is not None and self._running.is_alive():
            return self._running
        if self._has_started and not self._starts_again:
            if self._running is not None:
                raise self._ended(self._running)
            raise EngineError(f"the process of {self._title} has ended.")
        self.close()
        self._has_started = True
        with uninterrupted():
            self._tail = Tail()
            running = launch(self._module, self._title, self._environment, self._tail)
            self._end = weakref.finalize(self, running.end)
        try:
            self._open(running)
        except BaseException:
            self.close()
            raise
        # Not before: one that was interrupted has no model.
        self._running = running
        return running

    def _open(self, running: WorkerProcess) -> None:
        if self._opening is not None:
            command, settings = self._opening
            self._opened, _ = self._exchange(running, command, (), settings, self._opening_limit_s)

    def _exchange(
        self,
        running: WorkerProcess,
        command: str,
        arrays: Sequence[Array],
        settings: Mapping[str, Any],
        limit_s: float | None,
    ) -> Message:
        wait = Wait(running, self._title, limit_s)
        try:
            send(running.connection, {"command": command, "settings": settings}, arrays, wait=wait)
            header, results = receive(running.connection, wait=wait)
            answer, refusal = _told(self._title, header)
        except (EOFError, OSError) as error:
            raise self._ended(running) from error
        except MessageError as error:
            self.close()
            words = _last_words(running)
            raise EngineError(f"{self._title} gave no sound answer, and was ended: {error}.{words}") from error
        except BaseException:
            self.close()
            raise
        if refusal is not None:
            raise refusal
        return answer, results

    def _ended(self, running: WorkerProcess) -> WorkerEndedError:
        # Its end of the pipe is closed before the system knows how it ended.
        ended_itself = running.has_ended_soon()
        self.close()
        code = running.process.returncode or 0
        words = _last_words(running)
        if not ended_itself:
            how = "didn't listen any more, and was ended"
        elif code == -signal.SIGKILL:
            how = "was killed (SIGKILL), most likely because memory ran out"
        elif code < 0:
            crashed = "ran out of memory" if any(sign in words for sign in _NO_MEMORY) else "crashed"
            how = f"{crashed} ({signal_name(-code)})"
        else:
            how = f"ended with exit code {code}"
        return WorkerEndedError(f"the process of {self._title} {how}.{words}", exit_code=code)


def _last_words(running: WorkerProcess) -> str:
    words = running.tail.words()
    return f" It said last: {words}" if words else ""


def signal_name(number: int) -> str:
    """Return what a signal is called, ``"SIGABRT"`` for example."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _told(title: str, header: Mapping[str, Any]) -> tuple[dict[str, Any], GsError | None]:
    """Return a worker's answer, or the error that it tells of.

    Raises
    ------
    MessageError
        If it is neither.
    """
    match header:
        case {"answer": dict(answer)}:
            return answer, None
        case {"error": {"kind": str(name), "message": str(message), "advice": str(advice)}}:
            kind = getattr(errors, name, None)
            if isinstance(kind, type) and issubclass(kind, GsError):
                return {}, kind(message, advice=advice)
            return {}, EngineError(f"{title} failed: {message}")
    raise MessageError("it holds neither an answer nor an error")
