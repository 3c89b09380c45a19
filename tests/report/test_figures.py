from __future__ import annotations

from dataclasses import replace

import pytest
from matplotlib import pyplot as plt

from gsjupyter.report import Layers
from tests.report.samples import CONV, LAYERS


@pytest.fixture(autouse=True)
def closed_figures():
    """Leave no figure open."""
    yield
    plt.close("all")


def heights(axes):
    return [bar.get_height() for bar in axes.patches]


def test_each_layer_has_a_bar_as_high_as_its_ratio():
    axes = LAYERS.plot()
    assert heights(axes) == [41.25, 0.0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["conv1", "fc3"]
    assert "dB" in axes.get_ylabel()


def test_the_users_own_axes_are_drawn_on():
    _, axes = plt.subplots()
    assert LAYERS.plot(axes) is axes
    assert plt.get_fignums() == [axes.figure.number]


def test_a_layer_without_error_has_no_bar():
    assert heights(Layers([replace(CONV, sqnr_db=float("inf"))]).plot()) == [0.0]


@pytest.mark.parametrize("name", ["$", "a$b$c_d^e", r"\frac", "<img>", "backbone.layer4.2.conv3"])
def test_any_name_can_be_drawn(name, tmp_path):
    axes = Layers([replace(CONV, name=name)]).plot()
    axes.figure.savefig(tmp_path / "figure.png")
    assert axes.get_xticklabels()[0].get_text() == name


def test_three_hundred_layers_fit_a_page():
    axes = Layers([replace(CONV, name=f"layers.{index}") for index in range(300)]).plot()
    assert axes.figure.get_size_inches()[0] <= 24


def test_no_layers_can_be_drawn(tmp_path):
    axes = Layers([]).plot()
    axes.figure.savefig(tmp_path / "figure.png")
    assert heights(axes) == []
