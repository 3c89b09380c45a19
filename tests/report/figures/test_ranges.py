from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gsjupyter.report import Layers
from tests.report.samples import CONV, FC, LAYERS


def boxes(axes):
    return [(box.get_path().vertices[:, 1].min(), box.get_path().vertices[:, 1].max()) for box in axes.patches]


def test_each_layer_has_a_box_between_its_quartiles():
    axes = LAYERS.plot_ranges()
    assert boxes(axes) == [(0.15, 0.25), (0.02, 0.04)]
    assert axes.get_yscale() == "log"
    drawn = {round(value, 9) for line in axes.lines for value in np.ravel(line.get_ydata())}
    assert {0.1, 0.3, 0.2} < drawn  # whiskers and median of the first


def test_channels_of_zeros_are_drawn_at_the_lower_end(drawn):
    axes = Layers([replace(CONV, channel_ranges=(0, 0, 0.1, 0.2, 0.3)), FC]).plot_ranges()
    assert boxes(axes)[0] == pytest.approx((0.01, 0.2))
    drawn(axes)


@pytest.mark.parametrize("ranges", [None, (math.nan,) * 5, (0.1, 0.2, 0.3, 0.4, math.inf)])
def test_a_layer_without_numbers_has_a_place_and_no_box(ranges, drawn):
    axes = Layers([replace(CONV, channel_ranges=ranges), FC]).plot_ranges()
    assert len(boxes(axes)) == 1
    assert [label.get_text() for label in axes.get_xticklabels()] == ["conv1", "fc3"]
    drawn(axes)


def test_weights_of_zeros_can_be_drawn(drawn):
    drawn(Layers([replace(CONV, channel_ranges=(0.0,) * 5)]).plot_ranges())
