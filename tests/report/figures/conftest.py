from __future__ import annotations

import pytest
from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def closed_figures():
    """Leave no figure open."""
    yield
    plt.close("all")


@pytest.fixture
def drawn(tmp_path):
    """Give a function that draws a figure to a file, as a paper would have it, and says how large it is in inches."""

    def draw(axes):
        axes.figure.savefig(tmp_path / "figure.png")
        assert (tmp_path / "figure.png").stat().st_size > 1000
        return axes.figure.get_size_inches()

    return draw
