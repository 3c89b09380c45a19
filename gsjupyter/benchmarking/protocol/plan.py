"""Which rows a benchmark has, how often each runs, how long one may take, and what all of it will cost."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.protocol.subjects import Subject
from gsjupyter.benchmarking.records import EngineName, Target
from gsjupyter.engines.in_worker import LOADED_BYTES_PER_S

ROUNDS: Final = 10
"""How many rounds a launch has, for rows that are fast enough: each is a pair of blocks to compare two rows by."""

_WAIT_S: Final = 0.05


class Spot(Protocol):
    """An engine on a target, as `targets.Place` describes it."""

    @property
    def target(self) -> Target:
        """What it runs on."""

    @property
    def engine(self) -> EngineName:
        """What runs it."""

    @property
    def provider(self) -> str:
        """ONNX Runtime's execution provider."""

    @property
    def obstacle(self) -> str:
        """Why it isn't there; empty if it is."""

    @property
    def advice(self) -> str:
        """What to do about that."""


@dataclass(frozen=True)
class Planned:
    """A row to measure.

    Parameters
    ----------
    subject : Subject
        What.
    target, engine, provider : str
        Where, as in `Setting`.
    batch : int, optional
        How many samples; None if the file is to say.
    threads : int
        How many threads an operator may use.
    obstacle, advice : str
        Why it can't be measured, and what to do about it; empty if nothing is known to be in the way.
    """

    subject: Subject
    target: Target
    engine: EngineName
    provider: str
    batch: int | None
    threads: int
    obstacle: str = ""
    advice: str = ""

    @property
    def compiles(self) -> bool:
        """Whether the model is compiled when it is loaded, which can take many minutes."""
        return self.provider in ("tensorrt", "cann")


def plan_rows(
    subjects: Iterable[Subject],
    spots: Sequence[Spot],
    *,
    engines: Collection[EngineName] | None,
    batches: Sequence[int | None],
    threads: Sequence[int],
) -> tuple[Planned, ...]:
    """Return the rows of a benchmark, those of a subject together.

    Parameters
    ----------
    subjects : iterable of Subject
        What to measure.
    spots : sequence of Spot
        Where.
    engines : collection of str, optional
        Those asked for by name, which have a row for each subject; by default each subject has the engines that it is
        for.
    batches : sequence of int or None
        The batch sizes.
    threads : sequence of int
        The numbers of threads; what doesn't run on the CPU has rows with the first only.
    """
    rows: list[Planned] = []
    for subject in subjects:
        for spot in spots:
            if engines is None and spot.engine not in subject.engines:
                continue
            rows += _rows_of(subject, spot, batches, threads)
    return tuple(rows)


def _rows_of(subject: Subject, spot: Spot, batches: Sequence[int | None], threads: Sequence[int]) -> list[Planned]:
    where = (spot.target, spot.engine, spot.provider)
    own = subject.obstacle(spot.engine)
    if own is not None:
        return [Planned(subject, *where, batches[0], threads[0], own.reason, own.advice)]
    if spot.obstacle:
        return [Planned(subject, *where, batches[0], threads[0], spot.obstacle, spot.advice)]
    counts = threads if spot.target == "cpu" else threads[:1]
    return [Planned(subject, *where, batch, count) for batch in batches for count in counts]


@dataclass(frozen=True)
class Schedule:
    """How often a row runs: at least so long, and so many times, spread over launches and their rounds.

    Parameters
    ----------
    duration_s : float
        How long it runs at least in all.
    runs : int
        How many runs it has at least in all.
    launches : int
        How many processes it has.
    """

    duration_s: float
    runs: int
    launches: int

    @classmethod
    def of(cls, options: BenchmarkOptions) -> "Schedule":
        """Return what the options ask for."""
        return cls(options.duration_s, options.runs, options.launches)

    def rounds(self, run_s: float) -> int:
        """Return how many rounds of a launch a row takes part in: fewer if one run is longer than a block need be."""
        for_duration = math.ceil(self.duration_s / self.launches / run_s) if run_s > 0 else ROUNDS
        return min(ROUNDS, max(self._runs_a_launch, for_duration))

    def block_s(self, run_s: float) -> float:
        """Return how long one of its blocks takes at least."""
        return self.duration_s / self.launches / self.rounds(run_s)

    def runs_a_block(self, run_s: float) -> int:
        """Return how many runs one of its blocks has at least."""
        return math.ceil(self._runs_a_launch / self.rounds(run_s))

    def counted_s(self, run_s: float) -> float:
        """Return how long the counted runs of a launch take, waiting for quiet included."""
        block_s = max(self.block_s(run_s), self.runs_a_block(run_s) * run_s)
        return self.rounds(run_s) * (block_s + _WAIT_S)

    @property
    def _runs_a_launch(self) -> int:
        return math.ceil(self.runs / self.launches)


def takes_part(number: int, rounds: int, own: int) -> bool:
    """Say whether a row that needs only some of the rounds has its block in this one.

    They are spread over the launch, and what needs fewer has them among those of what needs more: rows are compared by
    the rounds that they have in common.
    """
    return number in sorted(range(rounds), key=_turn)[:own]


def _turn(number: int) -> float:
    """Return when a round is taken: van der Corput's sequence, whose every beginning is spread over the whole."""
    turn, step = 0.0, 0.5
    while number:
        number, bit = divmod(number, 2)
        turn += bit * step
        step /= 2
    return turn


@dataclass(frozen=True)
class Limits:
    """How long something may take before it counts as hung.

    Parameters
    ----------
    load_s : float
        Starting a process and loading a model, for a small file; a large one gets more.
    first_run_s : float
        The first run, in which some engines compile.
    run_s : float
        A later run, if the first was short; else 50 times as long as that.
    """

    load_s: float = 120.0
    first_run_s: float = 600.0
    run_s: float = 60.0

    def load(self, size_bytes: int, *, compiles: bool) -> float:
        """Return how long a file may take to load, which includes compiling it or not."""
        return self.load_s * (15 if compiles else 1) + size_bytes / LOADED_BYTES_PER_S

    def block(self, first_run_s: float, block_s: float, runs: int) -> float:
        """Return how long a block may take."""
        return max(self.run_s, 50 * first_run_s * runs) + 2 * block_s


@dataclass(frozen=True)
class Cost:
    """What a row takes in one launch.

    Parameters
    ----------
    opening_s : float
        Start, load, first run and warm-up.
    run_s : float
        A run, when it is warm.
    """

    opening_s: float
    run_s: float


_GUESS: Final[dict[EngineName, Cost]] = {
    "mindspore": Cost(9.0, 0.05),
    "onnxruntime": Cost(1.5, 0.05),
    "lite": Cost(1.5, 0.05),
}


def guessed_cost(engine: EngineName) -> Cost:
    """Return what a row may take, before anything is known of it."""
    return _GUESS[engine]


def launch_s(costs: Iterable[Cost], schedule: Schedule) -> float:
    """Return how long a launch of some rows takes."""
    return sum(cost.opening_s + schedule.counted_s(cost.run_s) for cost in costs)


def in_words(seconds: float) -> str:
    """Return a duration as one says it: ``40 s``, ``6 min``, ``1 h 20 min``."""
    if seconds < 90:
        return f"{max(5, math.ceil(seconds / 5) * 5)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
