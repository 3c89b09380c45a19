"""Compiling that a careless timing takes for running."""

from __future__ import annotations

import numpy as np
import pytest

from gsjupyter.benchmarking.advice.compile_time import compile_time
from gsjupyter.benchmarking.records import Block, Launch, Measurement
from gsjupyter.engines.measured import MeasuredModel
from tests.benchmarking.advice.cases import evidence, mindspore, row


def test_a_first_run_as_long_as_many_is_compiling():
    found = compile_time(evidence({}, mindspore("net", median_s=10e-3, first_run_s=2.01)))
    assert found.symptom.startswith("the first run takes 2.01 s and all others 10 ms")
    assert "which is as long as 200 runs" in found.symptom
    assert found.remedy == "Keep the process, and run the network once before it is needed"
    assert found.gain == "2 s less for whoever comes first"


def test_how_many_runs_it_takes_to_pay_is_told():
    options = {"target": "gpu"}
    rows = [
        row("net", provider="tensorrt", median_s=1e-3, load_s=9, first_run_s=1, **options),
        row("net", provider="cuda", median_s=3e-3, load_s=0.5, first_run_s=0.5, **options),
    ]
    found = compile_time(evidence({}, *rows))
    # It starts 9 s later, and gains 2 ms with each run.
    runs = int(found.remedy.partition("For less than ")[2].partition(" runs")[0].replace(",", ""))
    assert runs == pytest.approx(4500, abs=1)


@pytest.mark.parametrize("first_run_s", [0.01, 0.3, 4.0])
def test_a_first_run_that_is_short_or_like_the_others_is_none(first_run_s):
    assert compile_time(evidence({}, row("net", median_s=0.5, first_run_s=first_run_s))) is None


def test_a_real_first_run_of_onnxruntime_compiles_nothing(files):
    with MeasuredModel("onnxruntime", files["products"], threads=1) as model:
        loaded = model.start()
        first = model.first_run([np.ones((4, 16), np.float32)])
        durations = model.timed(duration_s=0.01)
    measured = Measurement(
        row("products").setting,
        launches=(Launch("s", 0, loaded.load_s, first.duration_s, 1, True, 0),),
        blocks=(Block("s", 0, 0, tuple(durations)),),
    )
    assert compile_time(evidence(files, measured)) is None
