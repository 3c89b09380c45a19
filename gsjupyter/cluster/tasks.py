"""Tasks for the machines of a cluster, and one of them under way on an engine."""

import signal
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gsjupyter.cluster.calls import NOTHING, Call, InterruptedCallError, LostEngineError, answer_of, loss, progress_of
from gsjupyter.cluster.connection import Cluster, Host
from gsjupyter.cluster.watch import Watch, send_signal
from gsjupyter.errors import GsError

Result = TypeVar("Result")


@dataclass(frozen=True)
class Task(Generic[Result]):
    """What is to be done on a host, on any one of its engines.

    Parameters
    ----------
    host : Host
        Where.
    steps : callable
        Starts a generator of calls, which is sent their answers and returns the result; their errors are raised where
        it waits. It is called again, for another engine of the host, if one is lost.
    """

    host: Host
    steps: Callable[[], Generator[Call, str, Result]]


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What came of a task.

    Parameters
    ----------
    host : Host
        Where it was to be done.
    result : object, optional
        What its steps have returned; None if they failed.
    error : GsError, optional
        Why they failed.
    lost : tuple of int
        The engines that were lost while they were at it.
    """

    host: Host
    result: Result | None = None
    error: GsError | None = None
    lost: tuple[int, ...] = ()


class Run(Generic[Result]):
    """A task under way on an engine.

    Parameters
    ----------
    cluster : Cluster
        Where.
    task : Task
        What is to be done.
    engine : int
        On which engine of the task's host.
    lost : tuple of int
        The engines that were lost before while they were at it.
    """

    def __init__(self, cluster: Cluster, task: Task[Result], engine: int, lost: tuple[int, ...] = ()) -> None:
        self.task = task
        self.engine = engine
        self.outcome: Outcome[Result] | None = None
        self.started: Any = None
        self._behind: Any = None
        self._client = cluster.client
        self._watch = Watch(cluster.client, engine) if engine in cluster.watched else None
        self._steps = task.steps()
        self._lost = lost
        self._progress = ""
        self._advance(self._steps.__next__)

    def look(self) -> str:
        """Go on if the call under way has ended; return what it has told since, or nothing."""
        # Asked before the call is, whose answer would have come first.
        is_over = self._behind is not None and self._behind.done()
        if self.started.done():
            self._advance(self._answered)
        elif is_over:
            self._advance(lambda: self._steps.throw(InterruptedCallError(f"engine {self.engine} was interrupted.")))
        elif self._watch is not None and self._watch.is_silent():
            self._advance(lambda: self._steps.throw(loss(self.engine)))
        else:
            before, self._progress = self._progress, progress_of(self.started)
            return self._progress if self._progress != before else ""
        return ""

    def interrupt(self) -> None:
        """Interrupt the call under way.

        An interrupt that comes just when a call ends takes its answer along (one in a hundred of these). So another
        call is put behind it: once that is answered there is nothing to wait for.
        """
        send_signal(self._client, self.engine, signal.SIGINT)
        with suppress(LostEngineError):
            self._behind = NOTHING.start(self._client, self.engine)

    def _advance(self, next_call: Callable[[], Call]) -> None:
        host = self.task.host
        try:
            self.started = self._start(next_call())
        except StopIteration as end:
            self.outcome = Outcome(host, end.value, lost=self._lost)
        except LostEngineError as error:
            self.outcome = Outcome(host, error=error, lost=(*self._lost, self.engine))
        except GsError as error:
            self.outcome = Outcome(host, error=error, lost=self._lost)

    def _answered(self) -> Call:
        try:
            answer = answer_of(self.started, self.engine)
        except GsError as error:
            return self._steps.throw(error)
        return self._steps.send(answer)

    def _start(self, call: Call) -> Any:
        self._behind = None
        while True:
            try:
                return call.start(self._client, self.engine)
            except LostEngineError as error:
                # What it would clear away on that engine is left to the next one of the host.
                call = self._steps.throw(error)
