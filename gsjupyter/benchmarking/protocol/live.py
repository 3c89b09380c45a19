"""What is seen of a benchmark under way, in one line: what runs, what was found so far, and how long it will take."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final, Protocol

import numpy as np

from gsjupyter.benchmarking.protocol.plan import in_words

_LONGEST_LABEL: Final = 32


class Line(Protocol):
    """Where one thing is said after the other, as in `Steps`."""

    def begin(self, step: str, /) -> None:
        """Say what begins."""


class Silence:
    """Where nothing is seen."""

    def begin(self, step: str, /) -> None:
        """Say nothing."""


class Live:
    """Says what goes on.

    Parameters
    ----------
    line : Line
        Where to say it.
    rows : int
        How many rows are measured.
    launches : int
        How many processes each has.
    clock : callable, optional
        What tells the time in seconds.
    """

    def __init__(self, line: Line, rows: int, launches: int, clock: Callable[[], float] = monotonic) -> None:
        self._line = line
        self._rows = f"{rows} row{'s' if rows != 1 else ''}"
        self._launches = launches
        self._clock = clock
        self._end_s = 0.0

    def expect(self, left_s: float) -> None:
        """Take note of how long it will take from here on."""
        self._end_s = self._clock() + left_s

    def loading(self, launch: int, name: str) -> None:
        """Say that a row's process starts."""
        self._say(f"{self._launch(launch)}, load {_short(name)}")

    def running(self, launch: int, number: int, rounds: int, name: str, medians_s: Sequence[float]) -> None:
        """Say that a row runs, and its median so far."""
        found = f" {duration(float(np.median(medians_s)))}" if medians_s else ""
        self._say(f"{self._launch(launch)}, round {number + 1} of {rounds}, {_short(name)}{found}")

    def step(self, what: str) -> None:
        """Say what else is done."""
        self._line.begin(f"benchmark of {self._rows}: {what}")

    def _launch(self, launch: int) -> str:
        return f"launch {launch + 1} of {self._launches}"

    def _say(self, what: str) -> None:
        left_s = self._end_s - self._clock()
        left = f", about {in_words(left_s)} left" if left_s > 0 else ""
        self._line.begin(f"benchmark of {self._rows}{left}: {what}")


def duration(seconds: float) -> str:
    """Return the time of a run with three digits, in the unit that suits it: ``5.12 ms``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or size == 1e-6:
            return f"{seconds / size:.3g} {unit}"
    raise AssertionError


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 3]}..."
