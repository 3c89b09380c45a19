"""When runs count as warm, on durations whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.benchmarking.protocol.warm_up import STEP, WarmUp


def warmed_up(durations_s, *, chunk_s=0.05, **options):
    """Return the warm-up after as many of these runs as it takes, given as a worker gives them: some at a time."""
    warm_up = WarmUp(**options)
    warm_up.add(durations_s[:1])
    ends = np.cumsum(durations_s)
    while not warm_up.is_over and warm_up.runs < len(durations_s):
        begin = warm_up.runs
        end = int(np.searchsorted(ends, ends[begin - 1] + chunk_s)) + 1
        warm_up.add(durations_s[begin : max(begin + 1, end)])
    return warm_up


def noisy(rng, level_s, noise=0.05):
    return level_s * np.exp(noise * rng.standard_normal(len(level_s)))


@pytest.mark.parametrize("run_s", [2e-5, 1e-3, 0.1, 1.0])
def test_steady_runs_settle_soon(run_s):
    for seed in range(20):
        durations_s = noisy(np.random.default_rng(seed), np.full(max(100, int(12 / run_s / 10)), run_s))
        warm_up = warmed_up(durations_s)
        assert warm_up.is_settled
        spent_s = durations_s[1 : warm_up.runs].sum()
        assert 0.2 <= spent_s < max(1.0, 12 * run_s)


@pytest.mark.parametrize("run_s", [2e-5, 1e-3, 0.1])
@pytest.mark.parametrize("loses_s", [0.05, 0.2])
def test_runs_that_get_faster_are_waited_for(run_s, loses_s):
    """They begin three times as slow, and lose most of that within some tenths of a second."""
    count = int(3 / run_s)
    level = run_s * (1 + 2 * np.exp(-np.arange(count) * run_s / loses_s))
    for seed in range(3):
        warm_up = warmed_up(noisy(np.random.default_rng(seed), level, 0.02))
        assert warm_up.is_settled
        assert level[warm_up.runs - 1] < run_s * (1 + 2 * STEP)


def test_a_step_down_is_not_settled_until_it_is_past():
    durations_s = np.full(200, 0.01)
    warm_up = WarmUp()
    warm_up.add(durations_s)
    assert warm_up.is_settled
    warm_up.add(durations_s[:60] / 2)
    assert not warm_up.is_settled
    warm_up.add(np.tile(durations_s / 2, 4))
    assert warm_up.is_settled


@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_a_drift_is_not_settled(factor):
    warm_up = WarmUp()
    warm_up.add(0.1 * factor ** np.arange(10))
    assert not warm_up.is_settled
    assert not warm_up.is_over


def test_a_drift_ends_at_the_limit():
    warm_up = WarmUp(limit_s=2.0)
    warm_up.add(0.1 * 0.97 ** np.arange(40))
    assert warm_up.is_over
    assert not warm_up.is_settled


def test_a_few_runs_of_a_slow_model_suffice():
    warm_up = WarmUp()
    warm_up.add([21.0])
    assert not warm_up.is_over
    warm_up.add([20.0])
    assert warm_up.is_over
    assert warm_up.is_settled
    assert warm_up.runs == 2


def test_a_slow_model_that_compiled_in_its_first_run_is_not_known_to_have_settled():
    warm_up = WarmUp()
    warm_up.add([90.0, 20.0])
    assert warm_up.is_over
    assert not warm_up.is_settled


def test_compiling_does_not_count_as_time():
    warm_up = WarmUp()
    warm_up.add([90.0])
    assert not warm_up.is_over
    warm_up.add([0.01] * 10)
    assert not warm_up.is_over
    warm_up.add([0.01] * 10 + [0.02])
    assert warm_up.runs == 22


def test_no_runs_are_no_warm_up():
    warm_up = WarmUp()
    assert (warm_up.runs, warm_up.is_settled, warm_up.is_over) == (0, False, False)


@given(st.lists(st.floats(1e-6, 100), min_size=1, max_size=40))
def test_it_is_over_where_it_settled_and_where_time_is_up(durations_s):
    warm_up = WarmUp(limit_s=50)
    warm_up.add(durations_s)
    assert warm_up.runs == len(durations_s)
    assert warm_up.is_over == (warm_up.is_settled or sum(durations_s[1:]) >= 50)


@given(st.lists(st.floats(1e-3, 1), min_size=5, max_size=40))
def test_the_unit_of_time_says_nothing(durations_s):
    """Of how steady runs are, that is: the limits are in seconds."""
    plain, longer = WarmUp(np.inf, least_s=0), WarmUp(np.inf, least_s=0)
    plain.add(durations_s)
    # A power of two, so that no rounding can tip a tie.
    longer.add([1024 * duration_s for duration_s in durations_s])
    assert plain.is_settled == longer.is_settled
