"""Interrupts at any time: what was measured is kept, and nothing else is left."""

import os
import signal
import threading
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from gsjupyter.benchmarking import run
from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.records import Finding
from gsjupyter.benchmarking.run import measure
from tests.benchmarking.watching import Saying

pytestmark = pytest.mark.usefixtures("workers")

QUICK = BenchmarkOptions(duration_s=0.02, runs=4, launches=2)
ONCE = BenchmarkOptions(duration_s=0.02, runs=4, launches=1)
X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_an_interrupt_keeps_what_was_measured(files):
    says = Saying("round 4 of 10", lambda: signal.raise_signal(signal.SIGINT))
    result = measure(files[:2], (X,), threads=(1,), options=QUICK, steps=says)
    assert not result.is_complete
    assert [3 <= len(row.blocks) <= 4 for row in result.rows] == [True, True]
    assert [len(row.launches) for row in result.rows] == [1, 1]


def test_an_interrupt_in_the_middle_of_a_run_keeps_what_was_measured(files):
    threads = []

    def later():
        threads.append(threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)))
        threads[0].start()

    # Each block would take a minute.
    options = BenchmarkOptions(duration_s=6.0, runs=1, launches=1)
    result = measure(files[:1], (X,), threads=(1,), options=options, steps=Saying("round 2 of 10", later))
    threads[0].join()
    assert not result.is_complete
    assert len(result.rows[0].blocks) == 1


def test_an_interrupt_before_anything_was_measured_is_one(files):
    says = Saying("load b.onnx", lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt, match="before anything was measured"):
        measure(files[:2], (X,), threads=(1,), options=ONCE, steps=says)


def test_an_interrupt_of_the_look_at_the_results_costs_no_figures(files):
    says = Saying("look at the results", lambda: signal.raise_signal(signal.SIGINT))
    result = measure(files[:2], (X,), threads=(1,), options=ONCE, steps=says)
    assert result.is_complete
    assert [len(row.blocks) for row in result.rows] == [10, 10]
    assert result.rows[1].check is None
    assert "The look at the results was interrupted" in result.notes[0]


def test_what_advice_found_before_an_interrupt_stays(files, monkeypatch):
    def interrupted(rows, *_):
        signal.raise_signal(signal.SIGINT)

    found = Finding("call-overhead", "symptom", "remedy")

    def advise(rows, *_):
        with suppress(KeyboardInterrupt):
            interrupted(rows)
        return tuple(replace(row, findings=(found,)) for row in rows)

    monkeypatch.setattr(run, "advise", advise)
    result = measure(files[:1], (X,), threads=(1,), options=ONCE)
    assert result.rows[0].findings == (found,)
    assert result.is_complete


def test_a_second_interrupt_keeps_what_was_measured_too(files):
    both = Saying("round 2", lambda: signal.raise_signal(signal.SIGINT))
    first = both.begin

    def begin(text):
        first(text)
        if "results" in text:
            signal.raise_signal(signal.SIGINT)

    both.begin = begin
    result = measure(files[:1], (X,), threads=(1,), options=ONCE, steps=both)
    assert not result.is_complete
    assert len(result.rows[0].blocks) == 1
