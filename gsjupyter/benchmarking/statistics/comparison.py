"""Faster, slower, or can't be told apart: without this, noise would pass for a result.

Rows are compared by their pairs of blocks of the same round, so that what slows a machine for a while slows both. Of
each pair the logarithm of the ratio counts. A launch's location is the median of the means of any two of its values
[1]_: nearly as exact as the mean, yet rounds that are far off change little. The launches are the sample, because
processes of one file differ by more than their rounds explain. Three of them tell little of how much they differ, so
what is known beforehand counts for `PRIOR_FREEDOM` launches more: that processes differ by `LAUNCH_SD`, and that the
rest is the rounds' noise. This is the moderated t of [2]_, and it gives the interval.

Simulated with 3 launches of 10 rounds (noise of 5 %, correlated by 0.3 from round to round, and 1 block of 20 about
30 % off), the 95 % interval of two rows holds the truth 93 times in 100, and a slow-down by 10 % is found 99 times, and
93 times among ten rows. The t interval of the launches alone finds it 67 times. The sign test's interval of all rounds
[3]_ finds it as often, but holds the truth 87 times only: it takes rounds of one launch for independent.

The error rate holds for all rows of a table together (Bonferroni), and a difference counts only where its whole
interval lies beyond `LEAST_DIFFERENCE`. So verdict and interval always agree, and of equal rows fewer than 2 tables in
100 call any different, in each of the simulated cases.

Rows of two machines have no rounds in common. Each has an interval of its own then, and those of the two are added as
independent errors are: it holds for the machines as they were at the time.

.. [1] J. L. Hodges and E. L. Lehmann, "Estimates of Location Based on Rank Tests", Annals of Mathematical Statistics
   34, 1963.
.. [2] G. K. Smyth, "Linear Models and Empirical Bayes Methods for Assessing Differential Expression in Microarray
   Experiments", Statistical Applications in Genetics and Molecular Biology 3, 2004.
.. [3] W. J. Conover, "Practical Nonparametric Statistics", 3rd edition, 1999, section 3.2.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from gsjupyter.benchmarking.records import Measurement, Setting
from gsjupyter.benchmarking.statistics.latency import LAUNCH_SD, PRIOR_FREEDOM, Interval
from gsjupyter.errors import OptionError

Verdict: TypeAlias = Literal["faster", "slower", "can't be told apart"]
Floats: TypeAlias = npt.NDArray[np.float64]

LEAST_DIFFERENCE: Final = 0.02
"""What counts as a difference: fresh processes of one file differ by that much."""

MAD_EFFICIENCY: Final = 0.37
"""How much a median absolute deviation tells of a variance, against the sample variance, for normal noise."""

LEAST_PAIRS: Final = 6
"""With fewer common rounds no interval of 95 % exists that assumes nothing of their distribution."""


@dataclass(frozen=True)
class Comparison:
    """A row of a benchmark against another.

    Parameters
    ----------
    setting, baseline : Setting
        The row, and what it is held against.
    speed_up : Interval, optional
        The baseline's latency over the row's, so above 1 is faster; None if it can't be told. Per sample if the batches
        differ. All intervals of a table hold at once, with a chance of one less its error rate.
    verdict : {"faster", "slower", "can't be told apart"}
        What the interval allows to say.
    pairs : int
        How many rounds both have in common; none on two machines.
    reason : str
        Why it can't be told, and what would tell; or what was compared, if that isn't plain. Empty otherwise.
    is_per_sample : bool
        Whether the latency of a sample was compared, and not of a run, because the batches differ.
    """

    setting: Setting
    baseline: Setting
    speed_up: Interval | None
    verdict: Verdict
    pairs: int
    reason: str = ""
    is_per_sample: bool = False


def compare(
    measurements: Sequence[Measurement], baseline: Measurement | int = 0, *, error_rate: float = 0.05
) -> tuple[Comparison | None, ...]:
    """Compare the rows of a benchmark with one of them.

    Parameters
    ----------
    measurements : sequence of Measurement
        The rows.
    baseline : Measurement or int
        What to compare with: a row, or its place; the first by default.
    error_rate : float
        The chance that any row of the table is called faster or slower although it isn't.

    Returns
    -------
    tuple of Comparison or None
        One for each row, None for the baseline itself.

    Raises
    ------
    OptionError
        If there is no such row, or the error rate isn't between 0 and 1.
    """
    if not 0 < error_rate < 1:
        raise OptionError(f"error_rate={error_rate} is not between 0 and 1.")
    reference = _row(measurements, baseline) if isinstance(baseline, int) else baseline
    rows = [None if row.setting == reference.setting else _LogRatios.of(row, reference) for row in measurements]
    tested = sum(ratios is not None and ratios.obstacle == "" for ratios in rows)
    shared_rate = error_rate / max(1, tested)
    return tuple(None if ratios is None else ratios.comparison(shared_rate) for ratios in rows)


def _row(measurements: Sequence[Measurement], number: int) -> Measurement:
    if not 0 <= number < len(measurements):
        raise OptionError(f"There is no row {number} to compare with: the rows are 0 to {len(measurements) - 1}.")
    return measurements[number]


@dataclass(frozen=True)
class _LogRatios:
    """The logarithms of the baseline's latency over the row's, by launch, or why there are none.

    Of two machines there are two logarithms instead, which add up to it: of the row's samples per second, and in
    ``apart`` of the baseline's seconds per sample.
    """

    row: Setting
    baseline: Setting
    launches: tuple[Floats, ...]
    obstacle: str
    apart: tuple[Floats, ...] = ()

    @classmethod
    def of(cls, row: Measurement, baseline: Measurement) -> "_LogRatios":
        if obstacle := _obstacle(row, baseline):
            return cls(row.setting, baseline.setting, (), obstacle)
        ours, theirs = _sample_rates(row), _sample_rates(baseline)
        if row.setting.host != baseline.setting.host:
            found, apart = _by_launch(ours), _by_launch({key: -value for key, value in theirs.items()})
            fewest = min(sum(map(len, found)), sum(map(len, apart)))
            return cls(row.setting, baseline.setting, found, _shortage(fewest), apart)
        found = _by_launch({key: ours[key] - theirs[key] for key in ours.keys() & theirs.keys()})
        return cls(row.setting, baseline.setting, found, _shortage(sum(map(len, found))))

    def comparison(self, error_rate: float) -> Comparison:
        pairs = 0 if self.apart else sum(map(len, self.launches))
        if self.obstacle:
            return Comparison(self.row, self.baseline, None, "can't be told apart", pairs, self.obstacle)
        center, half_width = self._location(error_rate)
        with np.errstate(over="ignore"):
            low, estimate, high = np.exp([center - half_width, center, center + half_width]).tolist()
        speed_up = Interval(estimate, low, high)
        verdict = _verdict(speed_up)
        is_per_sample = self.row.batch != self.baseline.batch
        notes = [f"time per sample, at batch {self.row.batch} against {self.baseline.batch}"] if is_per_sample else []
        notes += [f"on two machines, {self.row.host} and {self.baseline.host}"] if self.apart else []
        notes += [_doubt(speed_up)] if verdict == "can't be told apart" else []
        reason = "; ".join(notes)
        return Comparison(self.row, self.baseline, speed_up, verdict, pairs, reason, is_per_sample)

    def _location(self, error_rate: float) -> tuple[float, float]:
        center, half_width = location(self.launches, error_rate)
        if not self.apart:
            return center, half_width
        other_center, other_half_width = location(self.apart, error_rate)
        return center + other_center, math.hypot(half_width, other_half_width)


def _sample_rates(row: Measurement) -> dict[tuple[str, int, int], float]:
    """Return the logarithm of samples per second in each block."""
    return {key: math.log(row.setting.batch / duration_s) for key, duration_s in row.block_medians_s.items()}


def _by_launch(values: Mapping[tuple[str, int, int], float]) -> tuple[Floats, ...]:
    launches: dict[tuple[str, int], list[float]] = {}
    for key in sorted(values):
        launches.setdefault(key[:2], []).append(values[key])
    return tuple(np.array(items) for items in launches.values())


def _obstacle(row: Measurement, baseline: Measurement) -> str:
    if not baseline.has_figures:
        return "the baseline has no figures"
    if not row.has_figures:
        return "it has no figures"
    is_same_host = row.setting.host == baseline.setting.host
    if is_same_host and not row.block_medians_s.keys() & baseline.block_medians_s.keys():
        return "measured at other times; one benchmark of both would tell"
    return ""


def _shortage(pairs: int) -> str:
    if pairs >= LEAST_PAIRS:
        return ""
    return f"only {pairs} round{'s' * (pairs != 1)} in common, and {LEAST_PAIRS} are needed; more runs would tell"


def location(launches: Sequence[Floats], error_rate: float) -> tuple[float, float]:
    """Return where values center that were measured in launches, and half the width of the interval.

    Parameters
    ----------
    launches : sequence of ndarray of shape (rounds,)
        The values of each launch, `LEAST_PAIRS` or more together; logarithms of durations or of their ratios.
    error_rate : float
        The chance that the interval doesn't hold the truth.
    """
    centers = np.array([_pseudo_median(values) for values in launches])
    residuals = np.concatenate([values - center for values, center in zip(launches, centers, strict=True)])
    within_freedom = residuals.size - len(launches)
    variance = 0.0
    if within_freedom:
        deviation = stats.median_abs_deviation(residuals, center=lambda values, axis: 0.0, scale="normal")
        variance = deviation**2 * residuals.size / within_freedom
    # The pseudo-median of normal noise has pi / 3 times the variance of the mean.
    weights = 1 / (2 * LAUNCH_SD**2 + math.pi / 3 * variance / np.array([len(values) for values in launches]))
    center = float(np.average(centers, weights=weights))
    between_freedom = len(launches) - 1
    prior_freedom = min(PRIOR_FREEDOM, MAD_EFFICIENCY * within_freedom)
    freedom = prior_freedom + between_freedom
    scale = (prior_freedom + weights @ (centers - center) ** 2) / freedom
    return center, float(stats.t.ppf(1 - error_rate / 2, freedom) * math.sqrt(scale / weights.sum()))


def _pseudo_median(values: Floats) -> float:
    first, second = np.triu_indices(len(values))
    return float(np.median((values[first] + values[second]) / 2))


def _verdict(speed_up: Interval) -> Verdict:
    if speed_up.low > 1 + LEAST_DIFFERENCE:
        return "faster"
    return "slower" if speed_up.high < 1 / (1 + LEAST_DIFFERENCE) else "can't be told apart"


def _doubt(speed_up: Interval) -> str:
    if speed_up.low >= 1 / (1 + LEAST_DIFFERENCE) and speed_up.high <= 1 + LEAST_DIFFERENCE:
        return f"they differ by less than {LEAST_DIFFERENCE:.0%}"
    ends = f"between {speed_up.low:.2f} and {speed_up.high:.2f} times as fast"
    return f"{ends}, and less than {LEAST_DIFFERENCE:.0%} is no difference; more launches would tell more"
