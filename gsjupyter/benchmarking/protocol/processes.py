"""One row's fresh process: loaded, run for the first time, warmed up, and then timed block by block."""

import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.protocol.batches import Fed, Inputs, is_fixed, written_batch
from gsjupyter.benchmarking.protocol.outputs import compare_outputs
from gsjupyter.benchmarking.protocol.plan import Cost, Limits, Planned, Schedule
from gsjupyter.benchmarking.protocol.rows import Row
from gsjupyter.benchmarking.protocol.warm_up import WarmUp
from gsjupyter.benchmarking.records import Block, Launch
from gsjupyter.engines.measured import Loaded, MeasuredModel
from gsjupyter.errors import EngineError, GsError, InputError

Start: TypeAlias = Callable[[Planned], MeasuredModel]
"""Gives a row's model, in a process that isn't started yet."""

_WARM_UP_BLOCK_S: Final = 0.05
_WARM_UP_LEAST_LIMIT_S: Final = 2.0
"""A warm-up takes no longer than this, or than what counts, if that is longer."""


@dataclass(frozen=True)
class Procedure:
    """What all processes of a benchmark have in common.

    Parameters
    ----------
    session : str
        Which call of `benchmark` this is.
    inputs : Inputs
        Where their inputs come from.
    schedule : Schedule
        How often they run.
    limits : Limits
        How long something may take.
    start : callable
        What gives a row's model.
    """

    session: str
    inputs: Inputs
    schedule: Schedule
    limits: Limits
    start: Start

    @classmethod
    def of(cls, inputs: Inputs, options: BenchmarkOptions, limits: Limits) -> "Procedure":
        """Return what the options ask for, under a name that no other call has."""
        return cls(secrets.token_hex(8), inputs, Schedule.of(options), limits, measured_model)


def measured_model(planned: Planned) -> MeasuredModel:
    """Return a row's model, in a process that isn't started yet."""
    return MeasuredModel(
        planned.engine,
        planned.subject.files[planned.engine].path,
        target=planned.target,
        provider=planned.provider,
        threads=planned.threads,
    )


class Process:
    """A row's process in one launch; what it finds goes to the row at once.

    Parameters
    ----------
    row : Row
        The row.
    launch : int
        Which launch it is.
    procedure : Procedure
        How it goes.
    """

    def __init__(self, row: Row, launch: int, procedure: Procedure) -> None:
        self.row = row
        self.model = procedure.start(row.planned)
        self._launch = launch
        self._procedure = procedure
        self._first_run_s = 0.0

    def open(self) -> None:
        """Load the model, run it for the first time, and warm it up.

        Raises
        ------
        GsError
            If any of that fails, or takes too long.
        """
        begin = time.monotonic()
        file = self.row.planned.subject.files[self.row.planned.engine]
        file.check_unchanged()
        limit_s = self._procedure.limits.load(file.size_bytes, compiles=self.row.planned.compiles)
        loaded = self.model.start(limit_s)
        self._run_first(loaded)
        warm_up = self._warm_up()
        self.row.cost = replace(self.row.cost, opening_s=time.monotonic() - begin)
        if all(launch.number != self._launch for launch in self.row.launches):
            self.row.launches.append(self._record(loaded, warm_up))
        self._take_first_note()

    def block(self, number: int) -> None:
        """Time the row's block of a round.

        Raises
        ------
        GsError
            If it fails, ends or takes too long.
        """
        schedule, run_s = self._procedure.schedule, self.row.cost.run_s
        before_j = self._energy_j()
        durations_s = self._timed(schedule.block_s(run_s), schedule.runs_a_block(run_s))
        spent_j = None if before_j is None else (self._energy_j() or before_j) - before_j
        # Both at once: runs without their energy would make a sample look cheap.
        self.row.blocks.append(Block(self._procedure.session, self._launch, number, tuple(durations_s)))
        if spent_j is not None:
            latest = self.row.launches[-1]
            self.row.launches[-1] = replace(latest, energy_j=(latest.energy_j or 0.0) + spent_j)

    def take_note(self) -> None:
        """Note in the row the most memory that the process has held.

        Raises
        ------
        GsError
            If it has ended.
        """
        used, latest = self.model.resources(), self.row.launches[-1]
        host_memory_bytes = max(used.host_memory_bytes, latest.host_memory_bytes)
        self.row.launches[-1] = replace(latest, host_memory_bytes=host_memory_bytes)

    def close(self) -> None:
        """End the process."""
        self.model.close()

    def _take_first_note(self) -> None:
        """Note what the process holds by now, and whether energy is counted.

        A driver that doesn't tell what each process holds, as in many containers, tells only how much more of the
        device is taken than before. That is this process's as long as no other has been loaded behind it.
        """
        used, latest = self.model.resources(), self.row.launches[-1]
        device = [size for size in (used.device_memory_bytes, latest.device_memory_bytes) if size is not None]
        self.row.launches[-1] = replace(
            latest,
            host_memory_bytes=max(used.host_memory_bytes, latest.host_memory_bytes),
            device_memory_bytes=max(device, default=None),
            energy_j=None if used.energy_j is None else latest.energy_j or 0.0,
        )

    def _run_first(self, loaded: Loaded) -> None:
        row = self.row
        fed = _fed(row, loaded, self._procedure.inputs)
        try:
            first = self.model.first_run(fed.arrays, limit_s=self._procedure.limits.first_run_s)
        except GsError as error:
            raise _explained(error, row, loaded, fed) from error
        self._first_run_s = first.duration_s
        row.batch, row.arrays, row.origin = fed.batch, fed.arrays, fed.origin
        row.written_batch = _written(loaded) if is_fixed(loaded.inputs, fed.batch) else None
        if row.outputs is None:
            row.outputs = first.outputs
        else:
            again = compare_outputs(row.name, row.outputs, row.batch, first.outputs, row.batch)
            row.repeated_db = min(row.repeated_db, again.sqnr_db if again is not None else -math.inf)

    def _warm_up(self) -> WarmUp:
        """Run until that takes the same time; the first run doesn't count, in which some engines compile for long."""
        warm_up = WarmUp(limit_s=max(_WARM_UP_LEAST_LIMIT_S, self._procedure.schedule.duration_s))
        durations_s: list[float] = []
        while not warm_up.is_over:
            latest = self._timed(_WARM_UP_BLOCK_S, 1)
            warm_up.add(latest)
            durations_s += latest
        later = durations_s[len(durations_s) // 2 :]
        self.row.cost = Cost(self.row.cost.opening_s, float(np.median(later)))
        return warm_up

    def _timed(self, duration_s: float, least_runs: int) -> list[float]:
        limit_s = self._procedure.limits.block(self._first_run_s, duration_s, least_runs)
        return self.model.timed(duration_s=duration_s, least_runs=least_runs, limit_s=limit_s)

    def _energy_j(self) -> float | None:
        """Read the counter of energy, if there is one: a question more than needed would wake the process."""
        return None if self.row.launches[-1].energy_j is None else self.model.resources().energy_j

    def _record(self, loaded: Loaded, warm_up: WarmUp) -> Launch:
        return Launch(
            session=self._procedure.session,
            number=self._launch,
            load_s=loaded.load_s,
            first_run_s=self._first_run_s,
            warm_up_runs=1 + warm_up.runs,
            is_stable=warm_up.is_settled,
            host_memory_bytes=0,
        )


def _fed(row: Row, loaded: Loaded, inputs: Inputs) -> Fed:
    expected = row.planned.subject.expected
    own = expected.inputs if expected is not None else None
    fed = inputs.fit(row.name, loaded.inputs, row.planned.batch, own)
    if row.planned.engine == "onnxruntime" and is_fixed(loaded.inputs, fed.batch):
        raise InputError(
            f"{row.name} takes batches of {_written(loaded)} only.",
            advice="Export it without a fixed batch size, or leave this batch size out.",
        )
    return fed


def _explained(error: GsError, row: Row, loaded: Loaded, fed: Fed) -> GsError:
    if not is_fixed(loaded.inputs, fed.batch):
        return error
    said = f"{row.name} was exported for batches of {_written(loaded)}, and fails on {fed.batch}: {error.message}"
    return EngineError(said, advice=error.advice)


def _written(loaded: Loaded) -> int:
    return written_batch(loaded.inputs) or 1
