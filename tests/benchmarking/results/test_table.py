from __future__ import annotations

from dataclasses import replace

import pytest

from gsjupyter.benchmarking.results.row_figures import RowFigures
from gsjupyter.benchmarking.results.table import common_setting, speed_up_in_words, spread_of, tables_of, time_unit
from gsjupyter.report.document import format_cell
from tests.benchmarking.known_results import FULL, benchmark, check, missing, row

ROW = RowFigures("net", "net", "onnxruntime", "cpu", "cpu", 1, 2, "host", runs=60, median_s=0.01)


def tables(result):
    return [block for block in result.document().blocks if hasattr(block, "rows")]


def texts(result, key):
    for table in tables(result):
        for column in table.columns:
            if column.key == key:
                return [format_cell(row.get(key), column) for row in table.rows]
    return None


def labels(result):
    return [column.label for table in tables(result) for column in table.columns]


def test_the_columns_are_those_that_rows_have_something_for():
    assert labels(FULL) == [
        *("Model", "Engine", "Target", "Batch", "Median (ms)", "\u00b1", "Speed-up", "p90 (ms)"),
        *("p95 (ms)", "Samples/s", "Runs"),
        *("Model", "Engine", "Target", "Batch", "Size", "SQNR (dB)", "Same class", "Load (ms)", "First run (ms)"),
        *("Memory", "Device memory", "Energy of a sample (mJ)"),
    ]
    assert labels(benchmark(missing())) == ["Model", "Speed-up"]


def test_what_all_rows_have_in_common_is_said_once():
    result = benchmark(row("a"), row("b"))
    assert labels(result)[:2] == ["Model", "Median (ms)"]
    assert ("In all rows", "ONNX Runtime, CPU, batch 1, 2 threads") in result.document().blocks[0].items
    assert common_setting([item.setting for item in FULL]) == "2 threads"


def test_cells_have_the_figures():
    assert texts(FULL, "median_s") == ["100.0", "20.0", "10.1", "40.0", "1.0", "\u2013"]
    assert texts(FULL, "throughput_per_s")[:2] == ["10.0", "50.0"]
    assert texts(FULL, "size_bytes") == ["45 MB", "45 MB", "12 MB", "12 MB", "45 MB", "\u2013"]
    assert texts(FULL, "sqnr_db") == ["inf", "110.0", "28.0", "\u2013", "\u2013", "\u2013"]
    assert texts(FULL, "argmax_agreement")[0] == "93.8 %"
    assert texts(FULL, "sample_energy_j")[4] == "25.0"
    assert texts(FULL, "target")[4:] == ["GPU", "GPU (TensorRT)"]


def test_microseconds_and_minutes_are_written_in_units_of_their_own():
    assert texts(benchmark(row("a", 12.3e-6), row("b", 0.4e-3)), "median_s") == ["12.3", "400.0"]
    assert "Median (\u00b5s)" in labels(benchmark(row("a", 12.3e-6)))
    assert texts(benchmark(row("a", 75.0)), "median_s") == ["75.0"]
    assert "Median (s)" in labels(benchmark(row("a", 75.0)))


def test_a_column_that_spans_decades_shows_its_smallest_figure():
    assert texts(benchmark(row("a", 12.3e-6), row("b", 0.3361)), "median_s") == ["0.012", "336.100"]


@pytest.mark.parametrize(
    ("medians_s", "shown"),
    [
        ((0.0120739,), ["12.1"]),
        ((0.146807, 0.0052), ["146.81", "5.20"]),
        ((0.336, 0.0014), ["336.00", "1.40"]),
        ((4.19709, 0.146), ["4,197", "146"]),
        ((0.001234, 0.00567), ["1.23", "5.67"]),
        ((1.234e-6, 9e-4), ["1.23", "900.00"]),
    ],
)
def test_figures_have_no_digits_that_mean_nothing(medians_s, shown):
    result = benchmark(*(row(str(number), median_s) for number, median_s in enumerate(medians_s)))
    assert texts(result, "median_s") == shown


def test_it_is_said_what_the_outputs_were_compared_with():
    facts = dict(FULL.document().blocks[0].items)
    assert facts["Outputs compared with"] == "its source"
    assert texts(FULL, "reference") is None
    mixed = benchmark(row("a", check=check()), row("b", check=check(reference="a on MindSpore, CPU")), row("c"))
    assert texts(mixed, "reference") == ["its source", "a on MindSpore, CPU", "\u2013"]
    assert "Outputs compared with" not in dict(mixed.document().blocks[0].items)


def test_figures_that_seem_to_contradict_each_other_are_explained():
    told = dict(FULL.document().blocks[0].items)["Figures"]
    assert "speed-up: from blocks of the same rounds" in told
    assert "samples/s: over all runs" in told
    assert "speed-up" not in dict(benchmark(row()).document().blocks[0].items)["Figures"]
    assert "Figures" not in dict(benchmark(missing()).document().blocks[0].items)


@pytest.mark.parametrize(
    ("values", "unit"),
    [([9.5, 12.0], "ms"), ([10.0, 12.0], "s"), ([1e-3], "ms"), ([0.99e-3], "\u00b5s"), ([], "ms"), ([None], "ms")],
)
def test_the_unit_fits_all_figures(values, unit):
    assert time_unit(values).name == unit


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((1.5, 1.4, 1.6, "faster"), "1.50x faster (1.40 to 1.60)"),
        ((0.5, 0.4, 0.8, "slower"), "2.00x slower (1.25 to 2.50)"),
        ((12.34, 10.0, 123.0, "faster"), "12.3x faster (10.0 to 123)"),
        ((1.01, 0.98, 1.04, "can't be told apart"), "can't be told apart (0.98 to 1.04)"),
    ],
)
def test_a_verdict_is_told_in_words(changes, words):
    names = ("speed_up", "speed_up_low", "speed_up_high", "verdict")
    assert speed_up_in_words(replace(ROW, **dict(zip(names, changes, strict=True)))) == words


def test_rows_with_nothing_to_compare_say_so():
    assert speed_up_in_words(replace(ROW, runs=0)) == "not measured"
    assert speed_up_in_words(replace(ROW, verdict="baseline")) == "baseline"
    assert speed_up_in_words(ROW) is None
    faster = replace(ROW, speed_up=2.0, speed_up_low=1.5, speed_up_high=2.5, verdict="faster", is_per_sample=True)
    assert speed_up_in_words(faster) == "2.00x faster per sample (1.50 to 2.50)"
    doubtful = replace(faster, verdict="can't be told apart", speed_up_low=0.9)
    assert speed_up_in_words(doubtful) == "can't be told apart (0.90 to 2.50 per sample)"


def test_an_interval_is_told_by_its_wider_side():
    assert spread_of(replace(ROW, median_low_s=0.009, median_high_s=0.0105)) == pytest.approx(0.1)
    assert spread_of(replace(ROW, median_low_s=0.009, median_high_s=float("inf"))) is None
    assert spread_of(replace(ROW, median_low_s=0.0, median_high_s=0.0105)) is None
    assert spread_of(replace(ROW, median_low_s=0.009, median_high_s=0.1)) is None


def test_output_checks_alone_make_a_second_table():
    rows = [replace(ROW, sqnr_db=check().sqnr_db)]
    assert [table.title for table in tables_of(rows, [row().setting])][1:] == ["Size, outputs, start and memory"]
