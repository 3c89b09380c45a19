"""Verdicts on rows whose truth is known; nothing here depends on this machine's clock."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gsjupyter.benchmarking.statistics.comparison import LEAST_DIFFERENCE, LEAST_PAIRS, compare, location
from gsjupyter.errors import OptionError
from tests.benchmarking.simulation import measured, setting, simulated, simulated_logs

logs = arrays(np.float64, (2, 3, 4), elements=st.floats(-3, 3))


def compared(row, baseline, **options):
    return compare([baseline, row], **options)[1]


def called_different(rows):
    return any(item.verdict != "can't be told apart" for item in compare(rows)[1:])


def slowed(rows, factor):
    """Return the rows with the last of them slower."""
    blocks = tuple(
        replace(block, durations_s=tuple(duration_s * factor for duration_s in block.durations_s))
        for block in rows[-1].blocks
    )
    return [*rows[:-1], replace(rows[-1], blocks=blocks)]


@pytest.mark.parametrize(
    ("rows", "benchmarks", "trouble"),
    [
        (2, 400, {}),
        (10, 100, {}),
        (2, 400, {"noise": 0.09}),
        (2, 400, {"noise": 0.02, "correlation": 0.6, "launch_sd": 0.02}),
        (10, 60, {"noise": 0.09, "outliers": 0.1}),
    ],
)
def test_of_equal_rows_at_most_one_benchmark_in_twenty_calls_any_different(rows, benchmarks, trouble):
    rng = np.random.default_rng(0)
    wrong = sum(called_different(simulated(rng, rows, **trouble)) for _ in range(benchmarks))
    assert wrong <= 0.05 * benchmarks


@pytest.mark.parametrize("rows", [2, 10])
def test_a_difference_that_does_not_count_is_hardly_ever_called_one(rows):
    rng = np.random.default_rng(1)
    called = sum(called_different(slowed(simulated(rng, rows), 1 + LEAST_DIFFERENCE)) for _ in range(80))
    assert called <= 0.05 * 80


@pytest.mark.parametrize(("rows", "noise", "benchmarks"), [(2, 0.05, 200), (2, 0.07, 200), (10, 0.05, 50)])
def test_a_slow_down_of_10_percent_is_found_nine_times_in_ten(rows, noise, benchmarks):
    rng = np.random.default_rng(2)
    verdicts = [compare(slowed(simulated(rng, rows, noise=noise), 1.1))[-1].verdict for _ in range(benchmarks)]
    assert verdicts.count("slower") >= 0.9 * benchmarks


@pytest.mark.parametrize(
    "about", [{}, {"noise": 0.02}, {"noise": 0.09, "correlation": 0}, {"launches": 6}, {"launches": 1}, {"rounds": 4}]
)
def test_the_interval_holds_the_truth(about):
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        ours, theirs = simulated_logs(rng, 2, **about)
        center, half_width = location(list(theirs - ours), 0.05)
        held += abs(center) < half_width
    assert held >= 0.91 * 400


@given(logs)
def test_the_interval_holds_the_estimate_and_swapping_the_rows_inverts_it(values):
    first, second = (measured(np.exp(row), subject=name) for row, name in zip(values, "ab", strict=True))
    forth, back = compared(first, second).speed_up, compared(second, first).speed_up
    assert forth.low <= forth.estimate <= forth.high
    assert (1 / back.high, 1 / back.estimate, 1 / back.low) == pytest.approx((forth.low, forth.estimate, forth.high))
    opposite = {"faster": "slower", "slower": "faster"}
    verdict = compared(second, first).verdict
    assert compared(first, second).verdict == opposite.get(verdict, verdict)


@given(logs, st.floats(1e-3, 1e3))
def test_a_slower_machine_leaves_the_speed_up(values, factor):
    before = compared(*(measured(np.exp(row), subject=name) for row, name in zip(values, "ab", strict=True)))
    after = compared(*(measured(factor * np.exp(row), subject=name) for row, name in zip(values, "ab", strict=True)))
    assert vars(after.speed_up) == pytest.approx(vars(before.speed_up))


@given(logs, st.permutations(range(3)), st.permutations(range(4)))
def test_the_order_of_launches_and_rounds_says_nothing(values, launches, rounds):
    differences = values[0] - values[1]
    assert location(list(differences[launches][:, rounds]), 0.05) == pytest.approx(location(list(differences), 0.05))


def test_what_slows_both_rows_of_a_round_leaves_the_speed_up():
    ours, theirs = np.exp(simulated_logs(np.random.default_rng(4), 2))
    restless = np.random.default_rng(5).lognormal(0, 1, ours.shape)
    quiet = compared(measured(ours, subject="a"), measured(theirs, subject="b"))
    disturbed = compared(measured(ours * restless, subject="a"), measured(theirs * restless, subject="b"))
    assert vars(disturbed.speed_up) == pytest.approx(vars(quiet.speed_up))


def test_a_round_that_is_far_off_changes_little():
    ours, theirs = np.exp(simulated_logs(np.random.default_rng(6), 2, outliers=0))
    before = compared(measured(ours, subject="a"), measured(theirs, subject="b")).speed_up.estimate
    ours[1, 4] *= 100
    after = compared(measured(ours, subject="a"), measured(theirs, subject="b")).speed_up.estimate
    assert after == pytest.approx(before, rel=0.02)


def test_twice_as_fast_is_a_speed_up_of_two():
    theirs = np.full((3, 10), 0.01)
    found = compared(measured(theirs / 2, subject="a"), measured(theirs, subject="b"))
    assert found.speed_up.estimate == pytest.approx(2)
    # Three processes of each, of which only the difference between processes is unknown.
    assert found.speed_up.high == pytest.approx(2 * np.exp(2.228 * 0.01 * np.sqrt(2 / 3) * np.sqrt(0.8)), rel=1e-4)
    assert (found.verdict, found.pairs, found.reason) == ("faster", 30, "")


def test_more_rows_make_wider_intervals():
    rows = simulated(np.random.default_rng(7), 10)
    few, many = compare(rows[:2])[1].speed_up, compare(rows)[1].speed_up
    assert many.low < few.low < few.estimate == many.estimate < few.high < many.high


def test_launches_that_disagree_make_a_wide_interval():
    level = np.full((3, 10), 0.01)
    agree = compared(measured(level * 0.9, subject="a"), measured(level, subject="b"))
    spread = level * np.array([[0.7], [0.9], [1.1]])
    disagree = compared(measured(spread, subject="a"), measured(level, subject="b"))
    assert agree.verdict == "faster"
    assert disagree.verdict == "can't be told apart"


def test_of_different_batches_the_time_of_a_sample_is_compared():
    one, eight = np.full((3, 10), 0.01), np.full((3, 10), 0.04)
    found = compared(measured(eight, batch=8), measured(one, batch=1))
    assert found.is_per_sample
    assert found.speed_up.estimate == pytest.approx(2)
    assert found.reason == "time per sample, at batch 8 against 1"


def test_equal_rows_are_said_to_be_equal_and_unclear_ones_to_need_more():
    level = np.full((8, 10), 0.01)
    same = compared(measured(level, subject="a"), measured(level, subject="b"))
    assert same.reason == "they differ by less than 2%"
    unclear = compared(*simulated(np.random.default_rng(8), 2, noise=0.09))
    assert unclear.verdict == "can't be told apart"
    assert "more launches would tell more" in unclear.reason


def test_rows_measured_apart_are_not_compared():
    level = np.full((3, 10), 0.01)
    here = measured(level, subject="a")
    tuesday = compared(measured(level / 5, subject="b", session="tuesday"), here)
    assert (tuesday.speed_up, tuesday.verdict, tuesday.pairs) == (None, "can't be told apart", 0)
    assert tuesday.reason == "measured at other times; one benchmark of both would tell"


def elsewhere(rows):
    """Return the rows with the last of them on another machine."""
    return [*rows[:-1], replace(rows[-1], setting=replace(rows[-1].setting, host="there"))]


def test_equal_rows_on_two_machines_are_hardly_ever_called_different():
    rng = np.random.default_rng(10)
    wrong = sum(called_different(elsewhere(simulated(rng, 2))) for _ in range(300))
    assert wrong <= 0.05 * 300


def test_a_faster_machine_is_faster_though_not_side_by_side():
    rng = np.random.default_rng(11)
    rows = simulated(rng, 2)
    there = compare(elsewhere(slowed(rows, 0.2)))[1]
    assert there.verdict == "faster"
    assert there.speed_up.low < 5 < there.speed_up.high
    assert there.speed_up.high - there.speed_up.low > 0
    assert there.pairs == 0
    assert there.reason == "on two machines, there and here"
    side_by_side = compare(slowed(rows, 0.2))[1].speed_up
    assert there.speed_up.high / there.speed_up.low > side_by_side.high / side_by_side.low


def test_the_batch_counts_on_two_machines_too():
    level = np.full((3, 10), 0.01)
    row = measured(level, subject="b", host="there", batch=4)
    there = compared(row, measured(level, subject="a"))
    assert there.speed_up.estimate == pytest.approx(4)
    assert there.is_per_sample


def test_rows_with_few_common_rounds_are_not_compared():
    level = np.full((3, 10), 0.01)
    short = compared(measured(level[:1, :2] / 5, subject="a"), measured(level, subject="b"))
    assert (short.speed_up, short.pairs) == (None, 2)
    assert short.reason == f"only 2 rounds in common, and {LEAST_PAIRS} are needed; more runs would tell"


def test_rows_without_figures_say_so_and_make_no_family_larger():
    rows = simulated(np.random.default_rng(9), 2)
    failed = [replace(measured(np.zeros((0, 0, 0)), subject=f"failed {n}"), obstacle="It crashed.") for n in range(5)]
    found = compare([*rows, *failed])
    assert [item.reason for item in found[2:]] == ["it has no figures"] * 5
    assert found[1] == compare(rows)[1]
    assert compare([failed[0], rows[0]])[1].reason == "the baseline has no figures"


def test_sessions_add_up():
    level = np.full((1, 4), 0.01)
    rows = []
    for subject, factor in (("a", 0.5), ("b", 1.0)):
        days = [measured(level * factor, subject=subject, session=day) for day in ("monday", "tuesday")]
        rows.append(replace(days[0], blocks=days[0].blocks + days[1].blocks))
    found = compared(*rows)
    assert (found.verdict, found.pairs) == ("faster", 8)


@pytest.mark.parametrize("launches", [[10, 10, 2], [10], [1] * 6, [5, 1]])
def test_launches_may_have_any_number_of_rounds(launches):
    rng = np.random.default_rng(10)
    center, half_width = location([rng.normal(0.3, 0.02, rounds) for rounds in launches], 0.05)
    assert center == pytest.approx(0.3, abs=0.03)
    assert 0.005 < half_width < 0.2


def test_any_row_may_be_the_baseline():
    rows = simulated(np.random.default_rng(11), 3)
    last = compare(rows, 2)
    assert last[2] is None
    assert {item.baseline for item in last[:2]} == {setting("row 2")}
    assert compare(rows, rows[2]) == last
    with pytest.raises(OptionError, match="no row 3"):
        compare(rows, 3)
    with pytest.raises(OptionError, match="error_rate=0"):
        compare(rows, error_rate=0)
