"""Work on the machines of a cluster, one task at a time on each: an engine that is lost takes no result with it."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, wait
from time import monotonic
from typing import Final, Generic

from gsjupyter.cluster.calls import LostEngineError
from gsjupyter.cluster.connection import Cluster, Host
from gsjupyter.cluster.tasks import Outcome, Result, Run, Task
from gsjupyter.interrupts import uninterrupted

_LOOK_S: Final = 0.2
_REMIND_S: Final = 5.0
_END_S: Final = 120.0


def _silence(host: Host, text: str) -> None:
    """Tell nobody."""


def run_tasks(
    cluster: Cluster,
    tasks: Iterable[Task[Result]],
    on_progress: Callable[[Host, str], object] = _silence,
) -> tuple[list[Outcome[Result]], bool]:
    """Do tasks: those of different machines at the same time, those of one machine one after the other.

    An interrupt is passed on to the engines at work, whose answers are waited for, and no further task is begun. A
    second one, or engines that go on all the same for two minutes, raise KeyboardInterrupt.

    Parameters
    ----------
    cluster : Cluster
        Where.
    tasks : iterable of Task
        What is to be done.
    on_progress : callable
        Called with a host and a line of text whenever there is news.

    Returns
    -------
    list of Outcome
        One for each task that was begun, in the order in which they ended.
    bool
        Whether there was no interrupt.
    """
    pump = _Pump(cluster, tasks, on_progress)
    try:
        pump.work()
    except KeyboardInterrupt:
        pump.end()
        return pump.outcomes, False
    except BaseException:
        pump.end()
        raise
    return pump.outcomes, True


class _Pump(Generic[Result]):
    """Carries calls to engines and answers back, all in one thread."""

    def __init__(
        self, cluster: Cluster, tasks: Iterable[Task[Result]], on_progress: Callable[[Host, str], object]
    ) -> None:
        self.outcomes: list[Outcome[Result]] = []
        self._cluster = cluster
        self._waiting = list(tasks)
        self._running: dict[str, Run[Result]] = {}
        self._lost: set[int] = set()
        self._is_ending = False
        self._on_progress = on_progress

    def work(self) -> None:
        """Work until all is done."""
        while True:
            with uninterrupted():
                self._begin()
            if not self._running:
                return
            self._turn()

    def end(self) -> None:
        """Interrupt what runs, and wait for what it answers."""
        self._is_ending = True
        deadline, reminder = monotonic() + _END_S, 0.0
        while self._running:
            if monotonic() > deadline:
                raise KeyboardInterrupt
            if monotonic() > reminder:
                # An engine between two calls ignores it, so once may not be enough.
                for run in self._running.values():
                    run.interrupt()
                reminder = monotonic() + _REMIND_S
            self._turn()

    def _begin(self) -> None:
        """Begin the tasks whose machines are free."""
        for task in list(self._waiting):
            if task.host.machine not in self._running:
                self._waiting.remove(task)
                self._begin_one(task)

    def _begin_one(self, task: Task[Result], lost: tuple[int, ...] = ()) -> None:
        there = self._cluster.client.ids
        engine = next((number for number in task.host.engines if number in there and number not in self._lost), None)
        if engine is None:
            self.outcomes.append(Outcome(task.host, error=_no_engine(task.host), lost=lost))
            return
        run = self._running[task.host.machine] = Run(self._cluster, task, engine, lost)
        self._settle(run)

    def _turn(self) -> None:
        """Wait a little, then pass on what has come."""
        runs = list(self._running.values())
        wait([run.started for run in runs], _LOOK_S, FIRST_COMPLETED)
        # An interrupt amid the steps of a task would end them, and they couldn't clear away what they have made.
        with uninterrupted():
            for run in runs:
                if news := run.look():
                    self._on_progress(run.task.host, news)
                self._settle(run)

    def _settle(self, run: Run[Result]) -> None:
        """Keep the outcome of a task that has ended, or begin it again elsewhere if its engine was lost."""
        outcome = run.outcome
        if outcome is None:
            return
        del self._running[run.task.host.machine]
        if self._is_ending or not isinstance(outcome.error, LostEngineError):
            self.outcomes.append(outcome)
            return
        self._lost.add(run.engine)
        self._on_progress(run.task.host, outcome.error.message)
        self._begin_one(run.task, outcome.lost)


def _no_engine(host: Host) -> LostEngineError:
    numbers = ", ".join(map(str, host.engines))
    return LostEngineError(
        f"no engine is left on host {host.name} (it had {numbers}).",
        advice="See why it ended (memory, most often), start it again, and run this once more.",
    )
