from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gsjupyter.report import Layers
from tests.report.samples import CONV, FC, LAYERS


def heights(axes):
    return [bar.get_height() for bar in axes.patches]


def test_each_layer_has_bars_as_high_as_its_ratios():
    axes = LAYERS.plot()
    assert heights(axes) == [41.25, 0.0, 38.5, 0.0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["conv1", "fc3"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["weights", "inputs"]
    assert "dB" in axes.get_ylabel()


def test_the_bars_of_a_layer_stand_beside_each_other():
    weight, _, given, _ = LAYERS.plot().patches
    assert weight.get_x() + weight.get_width() == pytest.approx(given.get_x())
    assert weight.get_facecolor() != given.get_facecolor()


def test_without_quantized_inputs_there_is_one_bar_and_no_legend():
    axes = Layers([replace(CONV, activation_sqnr_db=None), FC]).plot()
    assert heights(axes) == [41.25, 0.0]
    assert axes.get_legend() is None
    assert axes.get_ylabel() == "weight SQNR (dB)"


@pytest.mark.parametrize("value", [math.inf, math.nan, -math.inf, None])
def test_a_layer_without_a_number_has_no_bar(value):
    assert heights(Layers([replace(CONV, sqnr_db=value, activation_sqnr_db=None)]).plot()) == [0.0]
