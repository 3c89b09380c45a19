"""Networks too small for what calling them takes."""

from __future__ import annotations

import pytest

from gsjupyter.benchmarking.advice.call_overhead import call_overhead
from tests.benchmarking.advice.cases import evidence, row


def test_a_run_of_microseconds_is_mostly_overhead(files):
    # 3.5 us for a call and 0.23 for each of 5 operators.
    found = call_overhead(evidence(files, row("products", median_s=6e-6)))
    assert found.symptom.startswith("a run takes 6")
    assert "about 4.65 \u00b5s" in found.symptom
    assert "call it and its 5 operators" in found.symptom
    assert "batches=" in found.remedy
    assert found.gain == ""


def test_a_run_shorter_than_overhead_elsewhere_is_nearly_all_of_it(files):
    symptom = call_overhead(evidence(files, row("products", median_s=4e-6))).symptom
    assert "of which nearly all is what ONNX Runtime takes" in symptom


def test_a_larger_batch_says_what_there_is_to_gain(files):
    rows = [row("products", median_s=6e-6), row("products", batch=8, median_s=12e-6)]
    assert call_overhead(evidence(files, *rows)).gain == "4.0x as many samples per second at batch 8, as measured here"


@pytest.mark.parametrize("options", [{"median_s": 1e-3}, {"median_s": 20e-6}, {"median_s": 6e-6, "target": "gpu"}])
def test_a_run_that_computes_more_than_that_has_none(options, files):
    assert call_overhead(evidence(files, row("products", **options))) is None


def test_without_a_file_nothing_is_known():
    assert call_overhead(evidence({}, row("net", median_s=1e-6))) is None
