"""A row's percentiles and their intervals, on durations whose truth is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gsjupyter.benchmarking.records import Block, Measurement
from gsjupyter.benchmarking.statistics.latency import LAUNCH_SD, NOISY, latency_of
from gsjupyter.errors import OptionError
from tests.benchmarking.simulation import autocorrelated, measured, setting, simulated_logs

PERCENTILES = ("median_s", "p90_s", "p95_s", "p99_s")
durations = arrays(np.float64, (3, 4, 10), elements=st.floats(1e-5, 10))


def runs_s(rng, launches=3, rounds=10, runs=20, *, noise=0.05, within=0.03, spikes=0.02, **about):
    """Return how long the runs of a row took, of shape (launches, rounds, runs)."""
    blocks = simulated_logs(rng, 1, launches=launches, rounds=rounds, noise=noise, together=0, outliers=0, **about)[0]
    shape = (*blocks.shape, runs)
    spike = (rng.random(shape) < spikes) * rng.exponential(0.3, shape)
    return np.exp(blocks[..., None] + within * autocorrelated(rng, shape, 0.3) + spike)


@pytest.mark.parametrize("about", [{}, {"noise": 0.02}, {"runs": 2}, {"runs": 60, "correlation": 0.5}])
def test_the_intervals_hold_the_truth(about):
    rng = np.random.default_rng(0)
    everything = runs_s(rng, **{**about, "launches": 2000, "runs": 20}).ravel()
    truth = [*np.quantile(everything, [0.5, 0.9, 0.95, 0.99]), 1 / everything.mean()]
    held = np.zeros(5)
    for _ in range(200):
        latency = latency_of(measured(runs_s(rng, **about)))
        intervals = [getattr(latency, name) for name in PERCENTILES] + [latency.throughput]
        held += [item is None or item.low <= true <= item.high for item, true in zip(intervals, truth, strict=True)]
    assert np.all(held >= 0.9 * 200)


@given(durations)
def test_percentiles_are_in_order_and_inside_their_intervals(values):
    latency = latency_of(measured(values))
    intervals = [getattr(latency, name) for name in PERCENTILES]
    estimates = [item.estimate for item in intervals]
    assert values.min() <= estimates[0] <= estimates[1] <= estimates[2] <= estimates[3] <= values.max()
    for item in (*intervals, latency.throughput):
        assert 0 <= item.low <= item.estimate <= item.high


@given(durations)
def test_finite_ends_are_runs_or_beyond_them_by_what_launches_differ(values):
    latency = latency_of(measured(values))
    reach = math.exp(2.3 * LAUNCH_SD)
    for name in PERCENTILES:
        item = getattr(latency, name)
        assert item.low == 0 or item.low >= values.min() / reach
        assert math.isinf(item.high) or item.high <= values.max() * reach


@given(durations, st.floats(1e-3, 1e3))
def test_all_runs_longer_by_a_factor_make_all_figures_longer_by_it(values, factor):
    before, after = latency_of(measured(values)), latency_of(measured(values * factor))
    for name in PERCENTILES:
        expected = {end: value * factor for end, value in vars(getattr(before, name)).items()}
        assert vars(getattr(after, name)) == pytest.approx(expected)
    expected = {end: value / factor for end, value in vars(before.throughput).items()}
    assert vars(after.throughput) == pytest.approx(expected)
    assert after.variation == pytest.approx(before.variation)


@given(durations, st.randoms(use_true_random=False))
def test_the_order_of_runs_in_a_block_says_nothing(values, random):
    order = random.sample(range(10), 10)
    assert latency_of(measured(values[..., order])).median_s == latency_of(measured(values)).median_s


def test_runs_that_repeat_their_block_tell_nothing_new():
    blocks = np.exp(simulated_logs(np.random.default_rng(1), 1)[0])
    once, often = (latency_of(measured(np.repeat(blocks[..., None], runs, axis=2))) for runs in (1, 100))
    assert often.runs == 100 * once.runs
    widths = [math.log(item.median_s.high / item.median_s.low) for item in (once, often)]
    assert widths[1] == pytest.approx(widths[0], rel=0.35)
    shares = [item.throughput.high / item.throughput.low for item in (once, often)]
    assert shares[1] == pytest.approx(shares[0])


def test_launches_that_differ_make_wide_intervals():
    rng = np.random.default_rng(2)
    values = runs_s(rng, launch_sd=0)
    apart = values * np.array([0.9, 1.0, 1.1])[:, None, None]
    same, different = (latency_of(measured(item)).median_s for item in (values, apart))
    assert math.log(different.high / different.low) > 2 * math.log(same.high / same.low)


def test_throughput_is_all_samples_over_all_time():
    values = np.array([[[1.0, 3.0]], [[2.0, 2.0]]])
    assert latency_of(measured(values, batch=8)).throughput.estimate == pytest.approx(8 * 4 / 8)


@pytest.mark.parametrize(("runs", "told"), [(9, 1), (10, 2), (19, 2), (20, 3), (99, 3), (100, 4)])
def test_a_percentile_needs_a_run_beyond_it(runs, told):
    latency = latency_of(measured(np.linspace(0.01, 0.02, runs)[None, :]))
    assert [getattr(latency, name) is not None for name in PERCENTILES] == [True] * told + [False] * (4 - told)


def test_few_runs_leave_the_ends_open():
    few = latency_of(measured(np.array([[0.01, 0.02, 0.03]])))
    assert (few.median_s.estimate, few.median_s.low, few.median_s.high) == (0.02, 0.0, math.inf)
    one = latency_of(measured(np.array([[0.02]])))
    assert (one.runs, one.median_s.estimate, one.median_s.low, one.median_s.high) == (1, 0.02, 0.0, math.inf)
    assert (one.throughput.estimate, one.throughput.low, one.throughput.high) == (50.0, 0.0, math.inf)
    assert math.isnan(one.variation)
    assert not one.is_noisy


def test_equal_runs_leave_what_launches_differ_by():
    latency = latency_of(measured(np.full((3, 10, 20), 0.01)))
    # Student's t with the launches' two degrees of freedom and the prior's eight.
    reach = math.exp(2.228 * LAUNCH_SD / math.sqrt(3))
    for item in (latency.median_s, latency.p90_s, latency.p95_s):
        assert (item.low, item.high) == pytest.approx((0.01 / reach, 0.01 * reach), rel=1e-4)
    assert latency.throughput.high == pytest.approx(100 * reach, rel=1e-4)
    assert latency.variation == 0


def test_a_restless_machine_is_told_and_a_single_bad_block_is_none():
    rng = np.random.default_rng(3)
    level = np.full((3, 10), 0.01)
    level[1, 3] *= 2
    assert not latency_of(measured(level)).is_noisy
    restless = latency_of(measured(0.01 * rng.lognormal(0, 2 * NOISY, (3, 10))))
    assert restless.is_noisy
    assert restless.variation == pytest.approx(2 * NOISY, rel=0.5)


def test_blocks_may_have_any_number_of_runs():
    blocks = [Block("monday", 0, number, (0.01,) * (number + 1)) for number in range(5)]
    latency = latency_of(Measurement(setting(), blocks=tuple(blocks)))
    assert latency.runs == 15
    assert latency.median_s.estimate == 0.01


def test_a_row_without_runs_has_no_latency():
    with pytest.raises(OptionError, match="net has no counted runs") as raised:
        latency_of(Measurement(setting(), obstacle="It crashed.", advice="Try another."))
    assert raised.value.advice == "Try another."
