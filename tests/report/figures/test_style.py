from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from matplotlib import pyplot as plt

from gsjupyter.report import Layers
from gsjupyter.report.layer_errors import LayerError, LayerErrors
from tests.report.samples import ATTACK, CONV

NAMES = ["$", "a$b$c_d^e", r"\frac", ATTACK, "网络", "backbone.layer4.2.conv3", ""]


def figures(names):
    layers = Layers([replace(CONV, name=name) for name in names])
    errors = LayerErrors([LayerError(name, 40.0, 30.0) for name in names], samples=1)
    return [layers.plot(), layers.plot_ranges(), errors.plot()]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:Glyph .* missing from font:UserWarning")
def test_any_name_is_drawn_as_it_is(name, drawn):
    for axes in figures([name, "fc"]):
        label = axes.get_xticklabels()[0]
        assert label.get_text() == name
        assert not label.get_parse_math()
        drawn(axes)


def test_a_long_name_keeps_its_end(drawn):
    for axes in figures(["backbone." * 30 + "conv3"]):
        label = axes.get_xticklabels()[0].get_text()
        assert label.startswith("\u2026")
        assert label.endswith("backbone.conv3")
        assert len(label) == 40
        assert drawn(axes)[1] < 8


@pytest.mark.parametrize("count", [1, 40, 300])
def test_the_names_of_many_layers_do_not_lie_over_each_other(count, drawn):
    for axes in figures([f"layers.{index}" for index in range(count)]):
        assert drawn(axes)[0] <= 24
        boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
        assert len(boxes) > min(count, 300) // 3
        assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))
        assert axes.get_xticklabels()[0].get_fontsize() >= 5.5
        assert axes.get_window_extent().height > 100


def test_the_users_own_axes_are_drawn_on():
    layers = Layers([CONV])
    errors = LayerErrors([LayerError("conv1", 40.0, 30.0)], samples=1)
    for plot in (layers.plot, layers.plot_ranges, errors.plot):
        _, axes = plt.subplots()
        assert plot(axes) is axes
        assert plt.get_fignums()[-1] == axes.figure.number
    assert len(plt.get_fignums()) == 3


def test_no_layers_can_be_drawn(drawn):
    for axes in figures([]):
        drawn(axes)
