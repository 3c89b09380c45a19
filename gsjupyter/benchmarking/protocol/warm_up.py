"""When a process has warmed up: without this, what it does only once would count as its speed.

The first runs of a process are slow: memory is found, code compiled, a clock raised. All its runs but the first quarter
are cut into up to `WINDOWS` windows of as many runs each. They have settled when their medians have no trend by
Kendall's rank correlation, or one of less than `DRIFT` from the earlier windows to the later, and the latest is within
`STEP` of the others. As that stretch grows with the runs, a slow drift is seen as well as a fast one, whether a run
takes 20 us or 20 s.
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from scipy import stats

WINDOWS: Final = 8

LEAST_RUNS: Final = 4
"""Fewer can't have a trend that chance doesn't explain."""

TREND_CHANCE: Final = 0.1
"""How often steady runs look like a drift: they get another chance a moment later."""

DRIFT: Final = 0.01
"""By less than that, fresh processes of one file differ anyway."""

STEP: Final = 0.1
"""Medians of a restless machine differ by 5 % or so; a step is more, a compiler that takes over for example."""


class WarmUp:
    """Decides when the runs of a process have settled.

    The first of them counts among the runs, but its time doesn't count: it may have compiled for minutes.

    Parameters
    ----------
    limit_s : float
        The seconds of runs after which it is over in any case. A run that takes longer than this is the last, unless it
        is the first.
    least_s : float
        The seconds of runs that it takes at least to settle; the default is trtexec's.
    """

    def __init__(self, limit_s: float = 10.0, *, least_s: float = 0.2) -> None:
        self.limit_s = limit_s
        self.least_s = least_s
        self._durations_s: list[float] = []

    def add(self, durations_s: Iterable[float]) -> None:
        """Add how long the latest runs took, in order."""
        self._durations_s.extend(float(duration_s) for duration_s in durations_s)

    @property
    def runs(self) -> int:
        """How many runs there were."""
        return len(self._durations_s)

    @property
    def is_settled(self) -> bool:
        """Whether the latest runs take as long as those before; of fewer than four that is told only at the limit."""
        has_enough = self.runs >= LEAST_RUNS and self._spent_s >= self.least_s
        return (has_enough or (self.runs > 1 and self._is_at_limit)) and not self._is_drifting()

    @property
    def is_over(self) -> bool:
        """Whether to begin: the runs have settled, or there is no more time for that."""
        return self._is_at_limit or self.is_settled

    @property
    def _spent_s(self) -> float:
        return sum(self._durations_s[1:])

    @property
    def _is_at_limit(self) -> bool:
        return self._spent_s >= self.limit_s

    def _is_drifting(self) -> bool:
        later = self._durations_s[-max(LEAST_RUNS, self.runs * 3 // 4) :]
        windows = np.array_split(later, min(WINDOWS, len(later)))
        medians = np.array([np.median(window) for window in windows])
        middle = len(windows) // 2
        change = _apart(np.median(medians[:middle]), np.median(medians[middle:]))
        if change > DRIFT and stats.kendalltau(np.arange(len(windows)), medians).pvalue < TREND_CHANCE:
            return True
        return _apart(np.median(medians[:-1]), medians[-1]) > STEP


def _apart(before: np.floating[Any], after: np.floating[Any]) -> float:
    """How far two durations are apart, as a share of the shorter, so that it is the same for faster and slower."""
    return float(max(before, after) / min(before, after)) - 1
