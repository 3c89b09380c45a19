"""The panel's long work: one thing at a time in the main thread, with its progress, and stopped by one press.

MindSpore must run in the main thread, while the message that cancels may come in another. It then interrupts the main
thread, as Jupyter's stop button does. That is done only while the work runs and inside `interruptible()`: at any other
time MindSpore's own handler would end the kernel, with all that was in it.
"""

import _thread
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any, Final

from gsjupyter.errors import GsError, UnsupportedError
from gsjupyter.interrupts import interruptible, uninterrupted
from gsjupyter.progress import reported_to
from gsjupyter.widgets.kernel import Kernel
from gsjupyter.widgets.pace import Pace

IDLE: Final[dict[str, Any]] = {
    "kind": "none",
    "state": "idle",
    "step": "",
    "done": 0,
    "total": None,
    "cancelled_by": "interrupt",
    "kernel_id": None,
}
"""The task of a panel that does nothing, as its trait has it."""


@dataclass(eq=False)
class Job:
    """Something to do.

    Parameters
    ----------
    kind : str
        What it is, as ``Task.kind`` in types.ts.
    work : callable
        Does it and returns what was found; changes nothing that is seen, since it may be interrupted anywhere.
    report : callable
        Takes what was found, and changes the panel with it; nothing interrupts that.
    failed : callable
        Takes what ended the work otherwise: an error, or KeyboardInterrupt where it was cancelled.
    begun : callable
        Called when the work begins.
    progress : callable
        Takes the step under way, some times a second at most.
    """

    kind: str
    work: Callable[[], Any]
    report: Callable[[Any], None] = lambda found: None
    failed: Callable[[BaseException], None] = lambda error: None
    begun: Callable[[], None] = lambda: None
    progress: Callable[[str], None] = lambda step: None
    is_waited_for: bool = field(default=False, init=False)
    is_cancelled: bool = field(default=False, init=False)
    is_interruptible: bool = field(default=False, init=False)


class Jobs:
    """What a panel has to do, one at a time.

    Parameters
    ----------
    kernel : Kernel
        Where the work runs.
    tell : callable
        Takes the task, as JSON, each time that it changes.
    output : callable, optional
        Returns a context in which the work runs: where its output goes.
    lock : RLock, optional
        Held while the task changes, which may be in any thread; one of its own by default.
    clock : callable, optional
        What tells the time in seconds.
    """

    def __init__(
        self,
        kernel: Kernel,
        tell: Callable[[dict[str, Any]], None],
        output: Callable[[], AbstractContextManager[None]] = nullcontext,
        lock: AbstractContextManager[Any] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._kernel = kernel
        self._tell = tell
        self._output = output
        self._pace = Pace(clock)
        # Held by who cancels and by the end of the work, so that no interrupt comes after it.
        self._lock = threading.Lock()
        self._waiting: list[Job] = []
        self._running: Job | None = None
        self._task_lock = lock if lock is not None else threading.RLock()
        self._task: dict[str, Any] = {**IDLE, "kernel_id": kernel.id}

    @property
    def task(self) -> dict[str, Any]:
        """What is being done, as the panel's trait has it."""
        return dict(self._task)

    def submit(self, job: Job) -> None:
        """Have a job done: at once in the main thread, or as soon as that has nothing else to do.

        Parameters
        ----------
        job : Job
            What to do. Its error goes to its `failed`.
        """
        with self._lock:
            self._waiting.append(job)
            is_first = self._running is None and len(self._waiting) == 1
        if is_first and not self._kernel.is_main_thread:
            self._show(job, "waiting")
        self._kernel.in_main_thread(partial(self._do, job))

    def run(self, job: Job) -> Any:
        """Do a job at once, for somebody who waits for it, and return what was found.

        Parameters
        ----------
        job : Job
            What to do. Its error is raised after its `failed` was called.

        Raises
        ------
        UnsupportedError
            If something else is being done.
        KeyboardInterrupt
            If it was cancelled.
        """
        with self._lock:
            if self._running is not None:
                raise UnsupportedError(
                    f"the panel is busy ({self._running.kind}), and does one thing at a time.",
                    advice="Wait until it is done, or cancel it.",
                )
            job.is_waited_for = True
            self._waiting.append(job)
        outcome = self._do(job)
        if isinstance(outcome, _Stopped):
            raise outcome.error
        return outcome

    def cancel(self) -> None:
        """Stop what is being done, and forget what waits to be; when nothing is under way nothing happens."""
        with self._lock:
            running, forgotten = self._running, self._waiting[:]
            self._waiting.clear()
            if running is not None:
                running.is_cancelled = True
                if running.is_interruptible and not self._kernel.is_main_thread:
                    _interrupt_main_thread()
        if running is None and forgotten:
            self._change(kind=forgotten[-1].kind, state="cancelled", step="")

    def _do(self, job: Job) -> Any:
        """Do a job and return what was found, or why nothing was; raises nothing: the kernel's loop would end."""
        outcome: Any = _Stopped(KeyboardInterrupt())
        try:
            # Apart from the work itself, which can be: half a report would be worse than a late interrupt.
            with uninterrupted():
                if self._begins(job):
                    outcome = self._outcome(job)
                    outcome = self._ended(job, outcome)
        except KeyboardInterrupt:
            # It came before the work began, or after its end.
            with self._lock:
                self._waiting = [other for other in self._waiting if other is not job]
        return outcome

    def _begins(self, job: Job) -> bool:
        with self._lock:
            if job not in self._waiting:
                return False
            self._waiting.remove(job)
            self._running = job
        self._show(job, "running")
        job.begun()
        return True

    def _outcome(self, job: Job) -> Any:
        try:
            return self._worked(job)
        except KeyboardInterrupt as error:
            job.is_cancelled = True
            return _Stopped(error)
        except Exception as error:  # noqa: BLE001 - whatever the user's own code raises is told in the panel
            return _Stopped(error)
        finally:
            job.is_interruptible = False

    def _worked(self, job: Job) -> Any:
        with interruptible(), self._surroundings(job):
            try:
                job.is_interruptible = self._kernel.is_main_thread
                if job.is_cancelled:
                    raise KeyboardInterrupt
                return job.work()
            finally:
                self._close(job)

    @contextmanager
    def _surroundings(self, job: Job) -> Iterator[None]:
        if job.is_waited_for:
            # A cell that calls for it shows progress and output itself.
            yield
            return
        with reported_to(partial(self._listen, job)), self._output():
            yield

    def _close(self, job: Job) -> None:
        """Let nothing interrupt a job any more; an interrupt that is under way is waited for, and raised."""
        interrupt: KeyboardInterrupt | None = None
        while job.is_interruptible:
            try:
                with self._lock:
                    job.is_interruptible = False
            except KeyboardInterrupt as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def _ended(self, job: Job, outcome: Any) -> Any:
        """Tell how a job has ended and return what is left to tell: a report may fail too."""
        error: BaseException | None = outcome.error if isinstance(outcome, _Stopped) else None
        if error is None:
            try:
                job.report(outcome)
            except Exception as wrong:  # noqa: BLE001 - as with the work
                error = wrong
                outcome = _Stopped(wrong)
        state = "cancelled" if job.is_cancelled else "done" if error is None else "failed"
        if error is not None:
            job.failed(error)
        with self._lock:
            self._running = None
            following = self._waiting[0] if self._waiting else None
        self._change(kind=job.kind, state=state, step="")
        if following is not None:
            self._show(following, "waiting")
        return outcome

    def _listen(self, job: Job, step: str, done: int, total: int | None) -> None:
        if self._pace.allows():
            # Half a message would be worse than a late interrupt.
            with uninterrupted():
                self._change(step=step, done=done, total=total)
                job.progress(step)

    def _show(self, job: Job, state: str) -> None:
        way = "message" if self._kernel.hears_while_it_works else "interrupt"
        self._change(kind=job.kind, state=state, step="", done=0, total=None, cancelled_by=way)

    def _change(self, **changes: Any) -> None:
        with self._task_lock:
            self._task = {**self._task, **changes}
            self._tell(dict(self._task))


@dataclass(frozen=True)
class _Stopped:
    """Why a job has found nothing."""

    error: BaseException


def in_words(error: BaseException) -> tuple[str, str]:
    """Return what an error says and what to do about it; of one that isn't ours its kind too."""
    if isinstance(error, GsError):
        return error.message, error.advice
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return text[:2000], "The panel keeps it as panel.error, with its traceback."


def _interrupt_main_thread() -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        # A signal also ends what waits for a device or a file, which the interpreter's own flag doesn't.
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()
