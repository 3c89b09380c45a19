"""Launches: all rows side by side in fresh processes, timed in turns and in random order.

What a machine does at the time hits all rows alike then, and what a process got by chance (where its memory lies, which
kernels it chose) is drawn again in each launch.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial

import numpy as np

from gsjupyter.benchmarking.protocol.live import Live
from gsjupyter.benchmarking.protocol.memory import available_bytes, needed_bytes
from gsjupyter.benchmarking.protocol.plan import launch_s, takes_part
from gsjupyter.benchmarking.protocol.processes import Procedure, Process
from gsjupyter.benchmarking.protocol.rows import Row
from gsjupyter.errors import GsError
from gsjupyter.interrupts import uninterrupted


class Launches:
    """Measures rows.

    Parameters
    ----------
    rows : sequence of Row
        What to measure; what is found is noted in them, one block after the other.
    procedure : Procedure
        How.
    rng : Generator
        What draws the order.
    live : Live
        Where to say what goes on.
    available : callable, optional
        What tells how much memory is left, in bytes.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        procedure: Procedure,
        rng: np.random.Generator,
        live: Live,
        available: Callable[[], int] = available_bytes,
    ) -> None:
        self._rows = rows
        self._procedure = procedure
        self._rng = rng
        self._live = live
        self._available = available
        self._launch = 0
        # By row, the one that was used last at the end.
        self._processes: dict[int, Process] = {}
        self._latest: Process | None = None

    def run(self) -> None:
        """Run all launches. A row that fails is left out from there on, and says why."""
        launches = self._procedure.schedule.launches
        self._live.expect(launches * self._expected_s())
        for launch in range(launches):
            self._launch = launch
            try:
                self._load_all()
                self._live.expect(self._left_s(launches - launch - 1))
                self._run_rounds()
            finally:
                self._close_all()

    def _load_all(self) -> None:
        for row in self._shuffled(self._rows):
            self._attempt(row, self._process)

    def _run_rounds(self) -> None:
        schedule = self._procedure.schedule
        own = {id(row): schedule.rounds(row.cost.run_s) for row in self._rows if row.is_open}
        rounds = max(own.values(), default=0)
        for number in range(rounds):
            for row in self._shuffled(row for row in self._rows if row.is_open):
                if takes_part(number, rounds, own[id(row)]):
                    self._live.running(self._launch, number, rounds, row.title, row.medians_s)
                    self._attempt(row, partial(self._block, number=number))
        for process in list(self._processes.values()):
            self._take_note(process)

    def _block(self, row: Row, number: int) -> None:
        process = self._process(row)
        self._wait_until_idle()
        self._latest = process
        process.block(number)

    def _process(self, row: Row) -> Process:
        """Return a row's process; it is opened again if it had to make room for others."""
        found = self._processes.pop(id(row), None)
        if found is not None:
            self._processes[id(row)] = found
            return found
        self._live.loading(self._launch, row.title)
        self._make_room(row)
        try:
            return self._opened(row)
        except GsError:
            target = row.planned.target
            self._close(row)
            others = [process for process in self._processes.values() if process.row.planned.target == target]
            if target == "cpu" or not others:
                raise
        # A device may have room for one but not for all of them, and doesn't tell beforehand.
        for process in others:
            self._retire(process)
        return self._opened(row)

    def _opened(self, row: Row) -> Process:
        self._wait_until_idle()
        process = Process(row, self._launch, self._procedure)
        self._processes[id(row)] = self._latest = process
        process.open()
        return process

    def _make_room(self, row: Row) -> None:
        needed = needed_bytes(row)
        while self._processes and self._available() < needed:
            self._retire(next(iter(self._processes.values())))

    def _retire(self, process: Process) -> None:
        """Close a process, which is opened again when its row has its turn."""
        self._take_note(process)
        self._close(process.row)

    def _wait_until_idle(self) -> None:
        """Wait for the process that ran last: an engine's threads spin for a while after a run, which slows others."""
        if self._latest is not None:
            self._latest.model.wait_until_idle()

    def _attempt(self, row: Row, step: Callable[[Row], object]) -> None:
        if not row.is_open:
            return
        try:
            step(row)
        except GsError as error:
            row.give_up(error)
            self._close(row)

    def _take_note(self, process: Process) -> None:
        self._attempt(process.row, lambda row: process.take_note())

    def _close(self, row: Row) -> None:
        process = self._processes.pop(id(row), None)
        if process is not None:
            process.close()

    def _close_all(self) -> None:
        self._latest = None
        # An impatient user interrupts more than once, and none of them is to be left.
        with uninterrupted(), ExitStack() as closing:
            while self._processes:
                closing.callback(self._processes.popitem()[1].close)

    def _shuffled(self, rows: Iterable[Row]) -> list[Row]:
        ordered = list(rows)
        return [ordered[index] for index in self._rng.permutation(len(ordered))]

    def _expected_s(self) -> float:
        return launch_s([row.cost for row in self._rows if row.is_open], self._procedure.schedule)

    def _left_s(self, launches: int) -> float:
        counted = (self._procedure.schedule.counted_s(row.cost.run_s) for row in self._rows if row.is_open)
        return sum(counted) + launches * self._expected_s()
