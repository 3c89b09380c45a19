from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from gsjupyter.benchmarking.records import Block, Finding
from gsjupyter.errors import OptionError
from gsjupyter.report import MIME_TYPE, to_text
from tests.benchmarking.known_results import (
    ATTACK,
    FINDING,
    FULL,
    HOST,
    MACHINE,
    OPERATORS,
    benchmark,
    blocks,
    launches,
    missing,
    on_host,
    row,
    setting,
)


def messages(benchmark):
    return [item for block in benchmark.document().blocks if hasattr(block, "items") for item in block.items]


def test_rows_are_found_by_number_name_label_and_setting():
    assert FULL[1] is FULL[-5] is FULL[np.int64(1)] is FULL.rows[1]
    assert FULL["net, ONNX Runtime, CPU, batch 1"] is FULL.rows[1]
    assert FULL[FULL.rows[3].setting] is FULL[FULL.rows[3]] is FULL.rows[3]
    assert benchmark(row("a"), row("b"))["b"].setting.subject == "b"
    assert [item.setting for item in FULL] == [item.setting for item in FULL.rows]
    assert len(FULL) == 6


def test_a_row_that_is_not_there_is_refused_with_the_nearest_name():
    with pytest.raises(OptionError, match="Did you mean net8"):
        benchmark(row("net8"), row("other"))["nett8"]
    with pytest.raises(OptionError, match="no row 'nope', only net, 1 thread; net, 4 threads; net"):
        benchmark(row(threads=1), row(threads=4)).operators("nope")
    with pytest.raises(OptionError, match="net has 3 rows") as caught:
        FULL["net"]
    assert "net, ONNX Runtime, GPU, batch 1" in caught.value.advice
    with pytest.raises(OptionError, match="no row for elsewhere"):
        FULL[setting("elsewhere")]
    with pytest.raises(IndexError, match="they are 0 to 5"):
        FULL[6]


def test_names_say_what_rows_differ_in_and_no_more():
    assert benchmark(row("a"), row("b")).names == ("a", "b")
    assert benchmark(row(threads=1), row(threads=4)).names == ("net, 1 thread", "net, 4 threads")
    assert benchmark(row("a.mindir", engine="mindspore", provider=""), row("a.onnx")).names == ("a.mindir", "a.onnx")
    assert FULL.names[-1] == "net int8, GPU (TensorRT), batch 1"


def test_the_same_label_for_another_file_is_told_apart():
    names = benchmark(row(digest="a" * 64), row(digest="b" * 64)).names
    assert names == ("net, file aaaaaaaa", "net, file bbbbbbbb")


def test_figures_are_those_of_the_runs():
    frame = FULL.to_pandas()
    assert list(frame.index) == list(FULL.names)
    figures = frame.loc["net int8, CPU, batch 8"]
    assert figures.median_s == pytest.approx(0.04)
    assert figures.median_low_s <= figures.median_s <= figures.median_high_s
    assert figures.p95_s == pytest.approx(0.04 * 1.003)
    assert math.isnan(figures.p99_s)
    assert figures.throughput_per_s == pytest.approx(200.0)
    assert figures.runs == 60
    assert list(frame.reference)[2:4] == ["its source", ""]
    assert (figures.load_s, figures.first_run_s, figures.host_memory_bytes) == (0.25, 0.5, 50_000_000)
    # Against the first row per sample: 100 ms against 5 ms.
    assert figures.speed_up == pytest.approx(20.0)
    assert figures.verdict == "faster"
    assert frame.loc["net int8, GPU (TensorRT), batch 1"].obstacle == "ONNX Runtime has no TensorRT here."


def test_energy_is_that_of_a_sample():
    known = launches(energy_j=6.0)
    one_unknown = (*known[:2], replace(known[2], energy_j=None))
    # Two processes of 20 runs each on 8 samples are known, and took 6 J each.
    assert benchmark(row(batch=8, launches=one_unknown)).to_pandas().sample_energy_j.item() == pytest.approx(
        12 / 40 / 8
    )
    assert benchmark(row()).to_pandas().sample_energy_j.isna().all()


def test_memory_is_the_most_of_all_processes_and_times_are_medians():
    uneven = tuple(
        replace(item, load_s=load, host_memory_bytes=memory)
        for item, load, memory in zip(launches(), (0.1, 0.9, 0.2), (10, 40, 20), strict=True)
    )
    frame = benchmark(row(launches=uneven)).to_pandas()
    assert (frame.load_s.item(), frame.host_memory_bytes.item()) == (0.2, 40)


def test_the_first_row_with_figures_is_the_baseline():
    result = benchmark(missing("a"), row("b", 0.01), row("c", 0.02))
    assert result.baseline_place == 1
    assert result.comparisons[1] is None
    assert result.comparisons[2].speed_up.estimate == pytest.approx(0.5)


def test_a_row_that_computes_something_else_is_no_baseline_unless_asked_for_or_alone():
    wrong = Finding("wrong-output", "Its outputs have other shapes.", "Look at it.")
    result = benchmark(row("a", findings=(wrong,)), row("b", findings=(FINDING,)), row("c"))
    assert result.baseline_place == 1
    assert result.compared_with("a").baseline_place == 0
    assert benchmark(missing("a"), row("b", findings=(wrong,))).baseline_place == 1


def test_another_baseline_gives_the_inverse_and_leaves_the_benchmark_as_it_is():
    result = benchmark(row("a", 0.01), row("b", 0.02))
    other = result.compared_with("b")
    assert other.comparisons[0].speed_up.estimate == pytest.approx(2.0)
    assert other.comparisons[1] is None
    assert result.baseline_place == 0
    assert "with b;" in to_text(other.document())


def test_a_row_without_figures_is_no_baseline():
    with pytest.raises(OptionError, match="a was not timed"):
        benchmark(missing("a"), row("b")).compared_with("a")


def test_nothing_measured_is_a_result_too():
    result = benchmark(missing("a"), missing("b", "another reason."))
    assert result.comparisons == result.latencies == (None, None)
    assert "not measured" in repr(result)
    assert ("warning", "a: no such device. Buy one.") in messages(result)


def test_an_empty_benchmark_is_shown():
    assert "0 rows" in repr(benchmark())


def test_the_layers_of_a_row_are_set_beside_its_latency():
    times = FULL.operators(1)
    assert [time.name for time in times] == ["features.0", "fc"]
    assert times.latency_s == pytest.approx(0.02)
    assert FULL[1].operators == OPERATORS


def test_operators_that_were_not_measured_are_told_how():
    with pytest.raises(OptionError, match="is not known") as caught:
        FULL.operators(0)
    assert "operators=True" in caught.value.advice


def test_the_report_in_a_notebook_is_plain_json():
    bundle = FULL._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", MIME_TYPE}
    assert json.loads(json.dumps(bundle[MIME_TYPE], allow_nan=False))["title"] == "Benchmark of 2 models: 6 rows"


def test_names_from_outside_are_escaped():
    result = benchmark(row(ATTACK, findings=(replace(FINDING, symptom=ATTACK),)), notes=(ATTACK,))
    page = replace(result, machines={ATTACK: replace(MACHINE, host=ATTACK, processor=ATTACK)}).to_html()
    assert "<img" not in page
    assert page.count("&lt;img") >= 4


def test_a_single_block_has_no_interval_and_is_shown():
    result = benchmark(row(blocks=(Block("day1", 0, 0, (0.01,)),)))
    assert result.latencies[0].median_s.high == math.inf
    assert "10.0" in repr(result)


def test_several_machines_have_their_column_and_facts():
    result = FULL + on_host(FULL, "host-b")
    shown = repr(result)
    assert f"Machine {HOST}" in shown
    assert "Machine host-b" in shown
    assert "on host-b" in result.names[-1]


def test_sessions_are_told():
    result = benchmark(row()) + benchmark(row(session="day2", blocks=blocks(0.01, session="day2")))
    assert result.sessions == ("day1", "day2")
    assert "; two benchmarks together" in repr(result)
