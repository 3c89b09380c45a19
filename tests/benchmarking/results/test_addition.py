from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarking.known_results import (
    FINDING,
    FULL,
    HOST,
    MACHINE,
    benchmark,
    blocks,
    check,
    launches,
    missing,
    on_host,
    row,
    setting,
)


def day(session, *, host=HOST, **changes):
    """Give what was measured of one row on one day."""
    measured = row(host=host, blocks=blocks(0.01, session=session), launches=launches(session=session), **changes)
    return benchmark(measured, machines={host: replace(MACHINE, host=host)})


def described(benchmark, processor):
    return replace(benchmark, machines={HOST: replace(MACHINE, processor=processor)})


@st.composite
def benchmarks(draw):
    """Benchmarks that share settings, sessions and machines, with whatever two of them may differ in."""
    session = draw(st.sampled_from(["day1", "day2", "day3"]))
    rows = []
    for subject in draw(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True)):
        if draw(st.booleans()):
            rows.append(missing(subject, draw(st.sampled_from(["no device.", "no engine."]))))
            continue
        rounds = draw(st.integers(1, 2))
        rows.append(
            row(
                subject,
                blocks=blocks(0.01, session=session, launches=1, rounds=rounds, runs=1),
                launches=launches(session=session, count=1),
                check=draw(st.sampled_from([None, check(20.0), check(30.0), check(math.nan)])),
                findings=draw(st.sampled_from([(), (FINDING,), (replace(FINDING, rule="threads"), FINDING)])),
                obstacle=draw(st.sampled_from(["", "killed.", "hung."])),
                size_bytes=draw(st.sampled_from([0, 10])),
            )
        )
    options = {"runs": draw(st.sampled_from([5, 10, 20])), **draw(st.sampled_from([{}, {"seed": 1}]))}
    return benchmark(
        *rows,
        machines={HOST: replace(MACHINE, processor=draw(st.sampled_from(["one", "two", "three"])))},
        created=draw(st.sampled_from(["", "2026-01-01", "2026-01-02"])),
        options=options,
        notes=tuple(draw(st.lists(st.sampled_from("xyz"), unique=True))),
        is_complete=draw(st.booleans()),
        baseline=draw(st.sampled_from([None, setting("a"), setting("b")])),
    )


def comparable(benchmark):
    return repr((benchmark.rows, benchmark.machines, benchmark.created, benchmark.options, benchmark.notes)), (
        benchmark.is_complete,
        benchmark.baseline,
    )


@settings(max_examples=150, deadline=None)
@given(a=benchmarks(), b=benchmarks(), c=benchmarks())
def test_additions_may_be_made_in_any_grouping(a, b, c):
    assert comparable((a + b) + c) == comparable(a + (b + c))


@settings(max_examples=50, deadline=None)
@given(a=benchmarks(), b=benchmarks())
def test_what_is_added_again_changes_nothing(a, b):
    assert comparable(a + a) == comparable(a)
    assert comparable((a + b) + b) == comparable((a + b) + a) == comparable(a + b)


def test_runs_of_two_days_are_pooled():
    both = day("day1") + day("day2")
    (pooled,) = both.rows
    assert pooled.durations_s.size == 120
    assert len(pooled.launches) == 6
    assert both.latencies[0].runs == 120


def test_the_same_result_twice_counts_once():
    assert (FULL + FULL).rows == FULL.rows
    assert (FULL + FULL).latencies == FULL.latencies


def test_a_part_of_a_session_adds_nothing_to_the_whole():
    whole = day("day1")
    part = replace(whole, rows=(replace(whole.rows[0], blocks=whole.rows[0].blocks[:5]),))
    assert (whole + part).rows[0].blocks == whole.rows[0].blocks
    assert set((part + whole).rows[0].blocks) == set(whole.rows[0].blocks)


def test_other_settings_stand_side_by_side():
    both = benchmark(row("a")) + benchmark(row("b"), row("a", digest="f" * 64))
    assert [item.setting.subject for item in both] == ["a", "b", "a"]


def test_another_machine_of_the_same_name_is_kept_apart():
    both = described(day("day1"), "old") + described(day("day2"), "new")
    assert {host: machine.processor for host, machine in both.machines.items()} == {HOST: "old", f"{HOST} (2)": "new"}
    assert [machine.host for machine in both.machines.values()] == list(both.machines)
    assert [item.setting.host for item in both] == [HOST, f"{HOST} (2)"]


def test_a_machine_that_was_renamed_is_known_again():
    both = described(day("day1"), "old") + described(day("day2"), "new")
    again = both + described(day("day3"), "new")
    assert len(again.machines) == 2
    assert [item.durations_s.size for item in again] == [60, 120]


def test_other_machines_are_merged():
    both = day("day1") + on_host(day("day1"), "host-b")
    assert list(both.machines) == [HOST, "host-b"]
    assert len(both) == 2


def test_a_row_that_runs_now_has_no_excuse_for_then():
    both = benchmark(missing()) + benchmark(row())
    assert (both.rows[0].obstacle, both.rows[0].advice) == ("", "")
    assert benchmark(row()).rows == (benchmark(row()) + benchmark(missing())).rows


def test_the_worse_check_is_kept():
    good, bad = benchmark(row(check=check(40.0))), benchmark(row(check=check(5.0)))
    assert (good + bad).rows[0].check.sqnr_db == (bad + good).rows[0].check.sqnr_db == 5.0
    broken = benchmark(row(check=check(math.nan)))
    assert math.isnan((bad + broken).rows[0].check.sqnr_db)
    assert (benchmark(row()) + bad).rows[0].check.sqnr_db == 5.0


def test_options_that_differ_are_all_told():
    three = benchmark(options={"runs": 10, "seed": 0}) + benchmark(options={"runs": 20, "seed": 0})
    assert three.options == {"runs": (10, 20), "seed": 0}
    assert (three + benchmark(options={"runs": 10, "launches": 3})).options == {
        "runs": (10, 20),
        "seed": 0,
        "launches": 3,
    }


def test_a_baseline_moves_with_its_machine():
    chosen = described(day("day2"), "new")
    both = described(day("day1"), "old") + replace(chosen, baseline=chosen.rows[0].setting)
    assert both.baseline_place == 1


def test_only_benchmarks_are_added():
    assert FULL.__add__(3) is NotImplemented
