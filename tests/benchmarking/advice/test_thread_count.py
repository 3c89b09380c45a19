"""More threads than help."""

from __future__ import annotations

import pytest

from gsjupyter.benchmarking.advice.thread_count import thread_count
from tests.benchmarking.advice.cases import evidence, row


def test_more_threads_than_processors_are_told():
    found = thread_count(evidence({}, row("net", threads=8)))
    assert found.symptom == "8 threads share the 2 processors that can be used here"
    assert "threads=2" in found.remedy
    assert found.gain == ""


def test_what_fewer_threads_gain_is_what_was_measured():
    rows = [row("net", threads=8, median_s=3e-3), row("net", threads=2, median_s=1e-3), row("net", median_s=2e-3)]
    found = thread_count(evidence({}, *rows))
    assert found.symptom.endswith("; with 2 it is 3.0x as fast")
    assert found.gain == "3.0x, as measured here"


def test_fewer_threads_that_are_faster_are_told_within_the_processors_too():
    rows = [row("net", threads=2, median_s=1.5e-3), row("net", threads=1, median_s=1e-3)]
    found = thread_count(evidence({}, *rows))
    assert found.symptom == "with 2 threads it is slower than with 1: there is too little to share out"
    assert "threads=1" in found.remedy


@pytest.mark.parametrize("one_thread_s", [1e-3, 1.01e-3, 2e-3])
def test_threads_that_help_or_do_no_harm_are_fine(one_thread_s):
    rows = [row("net", threads=2, median_s=1e-3), row("net", threads=1, median_s=one_thread_s)]
    assert thread_count(evidence({}, *rows)) is None


def test_on_a_device_threads_are_no_matter():
    assert thread_count(evidence({}, row("net", threads=8, target="gpu", provider="cuda"))) is None
