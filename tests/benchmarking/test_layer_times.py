from __future__ import annotations

import math
from itertools import pairwise

import pytest
from matplotlib import pyplot as plt

from gsjupyter import export
from gsjupyter.benchmarking.layer_times import OUTSIDE, LayerTimes, layer_times
from gsjupyter.benchmarking.operators import operator_times
from gsjupyter.benchmarking.records import OperatorTime
from gsjupyter.engines.measured import MeasuredModel
from tests.engines.lopsided import EXPENSIVE, LAYERS, conversion, example
from tests.report.samples import ATTACK, CONV, FC

OPERATORS = (
    OperatorTime("a", "QLinearConv", "conv1", 6e-3, 0.6),
    OperatorTime("b", "Sigmoid", "act", 2e-3, 0.2),
    OperatorTime("c", "Transpose", "", 1e-3, 0.1),
    OperatorTime("d", "QuantizeLinear", "conv1", 0.5e-3, 0.05),
    OperatorTime("e", "Cast", "", 0.5e-3, 0.05),
)


@pytest.fixture
def times():
    return layer_times(OPERATORS, [CONV, FC], latency_s=0.0125)


def test_a_layer_has_the_time_of_all_its_operators_and_its_statistics(times):
    row = times[0]
    assert (row.name, row.duration_s, row.share) == ("conv1", pytest.approx(6.5e-3), pytest.approx(0.65))
    assert (row.weights, row.sqnr_db, row.activation_sqnr_db) == ("int8 per channel", 41.25, 38.5)
    assert (row.size_bytes, row.parameters, row.runs_as) == (174, 150, "QLinearConv, QuantizeLinear")


def test_what_is_no_layer_with_a_weight_has_a_row_without_statistics(times):
    row = times[1]
    assert (row.name, row.share, row.weights, row.sqnr_db) == ("act", 0.2, None, None)


def test_time_outside_of_any_layer_has_a_row_of_its_own(times):
    row = times[2]
    assert (row.name, row.runs_as, row.share) == (OUTSIDE, "Transpose, Cast", pytest.approx(0.15))


def test_a_layer_that_no_operator_was_found_of_is_there(times):
    assert [(row.name, row.duration_s, row.runs_as) for row in times][3] == ("fc3", 0, "")
    assert times.duration_s == pytest.approx(10e-3)


def test_many_kinds_of_operators_are_counted():
    kinds = [OperatorTime(str(index), f"Kind{index}", "", 1.0 / (index + 1), 0.1) for index in range(6)]
    assert layer_times(kinds)[0].runs_as == "Kind0, Kind1, Kind2, Kind3 and 2 more"


def test_the_table_shows_milliseconds_and_leaves_out_what_nothing_is_known_of(times):
    labels = [column.label for column in times.table().columns]
    assert labels == [
        "Layer", "Time (ms)", "Share of time", "Weights", "Inputs", "Size", "SQNR (dB)", "Input SQNR (dB)", "Runs as",
    ]  # fmt: skip
    assert [column.label for column in layer_times(OPERATORS).table().columns] == [*labels[:3], "Runs as"]
    text = repr(times)
    assert "10 ms while it was profiled; a run takes 12.5 ms" in text
    assert "6.500" in text


def test_names_are_escaped():
    attack = layer_times([OperatorTime(ATTACK, ATTACK, ATTACK, 1.0, 1.0)])
    assert "<img" not in attack.to_html()


def test_a_slice_is_a_table_and_all_figures_go_to_pandas(times):
    assert isinstance(times[:2], LayerTimes)
    frame = times.to_pandas()
    assert frame.loc["conv1", "share"] == pytest.approx(0.65)
    assert math.isnan(frame.loc["act", "sqnr_db"])


def test_the_figure_has_a_bar_for_each_row_and_a_dot_for_each_sqnr(times):
    axes = times.plot()
    (right,) = [other for other in axes.get_figure().axes if other is not axes]
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([65, 20, 15, 0])
    assert right.lines[0].get_ydata()[0] == 41.25
    assert math.isnan(right.lines[0].get_ydata()[1])
    plt.close(axes.get_figure())
    only_times = layer_times(OPERATORS).plot()
    assert only_times.get_figure().axes == [only_times]
    plt.close(only_times.get_figure())


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    path = tmp_path_factory.mktemp("layer_times") / "net.onnx"
    export(conversion("int8"), path)
    layers = conversion("int8").layers
    with MeasuredModel("onnxruntime", path, threads=1) as model:
        model.start()
        model.first_run([example()])
        records = model.operators(20)
    return layer_times(operator_times(records, [layer.name for layer in layers]), layers)


def test_of_a_real_network_each_layer_is_found_and_the_expensive_one_comes_first(measured):
    assert {row.name for row in measured if row.weights is not None} == set(LAYERS)
    assert all(row.duration_s > 0 for row in measured if row.weights is not None)
    assert measured[0].name == EXPENSIVE
    assert measured[0].sqnr_db > 30
    assert "QLinearConv" in measured[0].runs_as


def test_of_a_real_network_shares_fall_and_add_up_to_one(measured):
    assert sum(row.share for row in measured) == pytest.approx(1)
    assert all(one.duration_s >= other.duration_s for one, other in pairwise(measured))
