"""What a row's runs say of its latency, and how surely: without the intervals a percentile is hearsay.

Runs of one block resemble each other, and so do blocks of one launch, so the runs don't count as independent. A
percentile's interval comes from the share of runs that take at most so long [1]_. That share's variance over blocks and
launches tells how many independent runs would know as much; of so many, the binomial distribution says between which of
the sorted runs the percentile lies [2]_. Mean durations have their interval from the same variance.

Three launches tell little of how much launches differ, so the variance over blocks counts for `PRIOR_FREEDOM` launches
more, and every interval is widened by what is known of processes beforehand: `LAUNCH_SD`. Simulated with 3 launches of
10 blocks, each correlated with the one before by 0.3, the 95 % intervals of median, 90th, 95th and 99th percentile and
throughput hold the truth 95 to 98 times in 100, and 91 to 98 times if it is 0.6. The bootstrap over launches and their
blocks does 80 to 94 times, and less where runs are few.

.. [1] R. S. Woodruff, "Confidence Intervals for Medians and Other Position Measures", Journal of the American
   Statistical Association 47, 1952.
.. [2] E. L. Korn and B. I. Graubard, "Confidence Intervals for Proportions with Small Expected Number of Positive
   Counts Estimated from Survey Data", Survey Methodology 24, 1998.
"""

import math
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from gsjupyter.benchmarking.records import Measurement
from gsjupyter.errors import OptionError

Floats: TypeAlias = npt.NDArray[np.float64]

CONFIDENCE: Final = 0.95
"""How often an interval of a latency holds the truth."""

LAUNCH_SD: Final = 0.01
"""How much the log latency of fresh processes of one file differs beyond what their blocks explain; measured on a CPU
with two cores."""

PRIOR_FREEDOM: Final = 8.0
"""For how many launches the prior knowledge of their variance counts. More would overlook that machines differ; fewer
would make the intervals of three launches so wide that they say nothing."""

NOISY: Final = 0.05
"""Above this variation a difference of 10 % can be missed at the default settings: simulated, one time in 40 between
two rows, and one time in four among ten."""


@dataclass(frozen=True)
class Interval:
    """A figure, and between what it lies.

    Parameters
    ----------
    estimate : float
        The figure.
    low, high : float
        The ends of its confidence interval. Where the runs are too few for an end it is 0 or infinite.
    """

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Latency:
    """How long a row's runs take, with 95 % confidence intervals.

    Parameters
    ----------
    runs : int
        How many were counted.
    median_s : Interval
        The median of a run's duration, in seconds.
    p90_s, p95_s, p99_s : Interval, optional
        Percentiles, in seconds. None where less than one run would lie beyond: the 99th needs 100 runs. Their higher
        end is infinite where the runs don't bound it.
    throughput : Interval
        Samples per second, one run after another: all samples over the time of all runs.
    variation : float
        How much the blocks' medians vary: their median absolute deviation, scaled as a standard deviation, over their
        median. Unlike a coefficient of variation it does not speak of single blocks. NaN for one block.
    """

    runs: int
    median_s: Interval
    p90_s: Interval | None
    p95_s: Interval | None
    p99_s: Interval | None
    throughput: Interval
    variation: float

    @property
    def is_noisy(self) -> bool:
        """Whether the machine was so restless that a difference of 10 % can be missed."""
        return self.variation > NOISY


def latency_of(measurement: Measurement) -> Latency:
    """Return how long a row's runs take.

    Raises
    ------
    OptionError
        If it has no counted runs.
    """
    runs = _Runs(measurement)
    return Latency(
        runs=runs.count,
        median_s=runs.percentile(50),
        p90_s=runs.percentile(90) if runs.count >= 10 else None,
        p95_s=runs.percentile(95) if runs.count >= 20 else None,
        p99_s=runs.percentile(99) if runs.count >= 100 else None,
        throughput=runs.throughput(measurement.setting.batch),
        variation=_variation(np.array(list(measurement.block_medians_s.values()))),
    )


def _variation(block_medians_s: Floats) -> float:
    if block_medians_s.size < 2:
        return math.nan
    return float(stats.median_abs_deviation(block_medians_s, scale="normal") / np.median(block_medians_s))


class _Runs:
    """A row's runs, and which block and launch each is of."""

    def __init__(self, measurement: Measurement) -> None:
        if not measurement.durations_s.size:
            raise OptionError(f"{measurement.setting.subject} has no counted runs.", advice=measurement.advice)
        self.durations_s = measurement.durations_s
        self.count: int = self.durations_s.size
        self.sorted_s = np.sort(self.durations_s)
        self.sizes = np.array([len(block.durations_s) for block in measurement.blocks], np.float64)
        self.block_of_run = np.repeat(np.arange(self.sizes.size), self.sizes.astype(np.intp))
        numbers: dict[tuple[str, int], int] = {}
        launches = [(block.session, block.launch) for block in measurement.blocks]
        self.launch_of_block = np.array([numbers.setdefault(launch, len(numbers)) for launch in launches])
        self.launches = len(numbers)
        blocks = self.sizes.size
        self.freedom = min(PRIOR_FREEDOM, blocks - 1) + self.launches - 1
        """Of the variance: its prior's, and the launches'."""
        self.quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, self.freedom)) if blocks > 1 else math.inf
        self.launch_part = self.quantile * LAUNCH_SD / math.sqrt(self.launches)
        """Half the width of an interval of the logarithm, from what is known of processes beforehand alone."""

    def percentile(self, percent: float) -> Interval:
        share = percent / 100
        estimate = float(np.quantile(self.sorted_s, share))
        variance = self.variance_of_ratio(self.durations_s <= estimate)
        equivalent = min(float(self.count), share * (1 - share) / variance) if variance else float(self.count)
        equivalent = max(1, math.floor(equivalent * (stats.norm.ppf((1 + CONFIDENCE) / 2) / self.quantile) ** 2))
        below, above = stats.binom.interval(CONFIDENCE, equivalent, share)
        low = self._at(below / equivalent) if below > 0 else 0.0
        high = self._at((above + 1) / equivalent) if above < equivalent else math.inf
        return self._widened(Interval(estimate, min(low, estimate), max(high, estimate)))

    def _at(self, share: float) -> float:
        return float(self.sorted_s[min(self.count, max(1, math.ceil(share * self.count))) - 1])

    def throughput(self, batch: int) -> Interval:
        rate = batch * self.count / float(self.durations_s.sum())
        if not math.isfinite(self.quantile):
            return Interval(rate, 0.0, math.inf)
        error = math.sqrt(self.variance_of_ratio(self.durations_s)) / float(self.durations_s.mean())
        spread = math.exp(self.quantile * error)
        return self._widened(Interval(rate, rate / spread, rate * spread))

    def variance_of_ratio(self, values: npt.NDArray[Any]) -> float:
        """Return the variance of a mean over runs: the ratio of a total over blocks to their sizes."""
        blocks = self.sizes.size
        if blocks < 2:
            return math.inf
        totals = np.bincount(self.block_of_run, values, blocks)
        excess = (totals - totals.sum() / self.count * self.sizes) / self.count
        over_blocks = blocks / (blocks - 1) * float(excess @ excess)
        if self.launches < 2:
            return over_blocks
        by_launch = np.bincount(self.launch_of_block, excess)
        over_launches = self.launches / (self.launches - 1) * float(by_launch @ by_launch)
        between = self.launches - 1
        return ((self.freedom - between) * over_blocks + between * over_launches) / self.freedom

    def _widened(self, interval: Interval) -> Interval:
        """Return the interval with the launches' own part, which is independent of the rest."""
        estimate, low, high = interval.estimate, interval.low, interval.high
        if low > 0:
            low = estimate * math.exp(-math.hypot(math.log(estimate / low), self.launch_part))
        if math.isfinite(high):
            high = estimate * math.exp(math.hypot(math.log(high / estimate), self.launch_part))
        return Interval(estimate, low, high)
