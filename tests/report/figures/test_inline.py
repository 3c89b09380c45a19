from __future__ import annotations

import pytest
from matplotlib import pyplot as plt

from gsjupyter.report.figures.inline import inline_svg, page_style


def drawn(label):
    with page_style():
        figure, axes = plt.subplots()
        axes.set_xlabel(label, parse_math=False)
        return inline_svg(figure)


def test_text_stays_text_in_the_colour_of_the_page():
    element = drawn("latency <ms> & more")
    assert element.startswith("<svg ")
    assert element.endswith("</svg>")
    assert "latency &lt;ms&gt; &amp; more</text>" in element
    assert "fill: currentColor" in element
    assert "#010203" not in element
    assert "http" not in element


@pytest.mark.parametrize("name", ["网络", "🚀"])
def test_letters_that_matplotlib_lacks_are_left_to_the_reader(name):
    assert name in drawn(name)


def test_the_figures_of_others_stay_open():
    others = plt.figure()
    drawn("x")
    assert plt.get_fignums() == [others.number]
