"""Whether int8 is slower, and whether anything explains it."""

from __future__ import annotations

import pytest

from gsjupyter.benchmarking.advice import findings_of
from gsjupyter.benchmarking.advice.slower_than_float import slower_than_float
from gsjupyter.benchmarking.records import Finding
from tests.benchmarking.advice.cases import evidence, row, time


def test_a_slower_network_points_at_what_was_found(files):
    case = evidence(files, row("functions", median_s=1.3e-3), row("float", median_s=1e-3))
    found = findings_of(case)
    assert [finding.rule for finding in found] == ["conversions", "slower-than-float"]
    assert found[-1].symptom == "it is slower than the same network in float: float is 1.30x as fast"
    assert found[-1].remedy == "The other notes on it say why, and what to do"


def test_without_a_cause_it_says_so_and_what_to_look_at(files):
    found = slower_than_float(evidence(files, row("healthy", median_s=1.3e-3), row("float")), [])
    assert found.remedy == (
        "None of the causes that gsjupyter knows was found. Measure both with operators=True and compare what their "
        "operators take; until then use float"
    )
    operators = [time("QLinearConv", 0.8, "layer0/Conv", "layer0"), time("QuantizeLinear", 0.2)]
    case = evidence(files, row("healthy", median_s=1.3e-3, operators=operators), row("float"))
    assert "QLinearConv layer0 80 %" in slower_than_float(case, []).remedy


def test_compiling_explains_nothing_of_it(files):
    case = evidence(files, row("healthy", median_s=1.3e-3), row("float"))
    compiling = Finding("compile-time", "", "")
    assert slower_than_float(case, [compiling]).remedy.startswith("None of the causes")


def test_as_fast_as_float_is_told_too(files):
    found = slower_than_float(evidence(files, row("healthy"), row("float")), [])
    assert found.symptom == "it is no faster than the same network in float, float"


@pytest.mark.parametrize("float_s", [3e-3, 1.2e-3])
def test_faster_is_fine(float_s, files):
    assert slower_than_float(evidence(files, row("healthy"), row("float", median_s=float_s)), []) is None


def test_it_is_compared_with_the_same_network_in_the_same_place_only(files):
    slow = row("healthy", median_s=9e-3)
    others = [
        row("float products"),
        row("float", threads=2),
        row("float", batch=2),
        row("float", host="there"),
        row("signed"),
    ]
    assert slower_than_float(evidence(files, slow, *others), []) is None
