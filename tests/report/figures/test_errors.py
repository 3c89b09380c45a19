from __future__ import annotations

import math

import numpy as np

from gsjupyter.report.layer_errors import LayerError, LayerErrors
from tests.report.samples import ERRORS


def lines(axes):
    return {line.get_label().partition(":")[0]: list(line.get_ydata()) for line in axes.lines}


def test_both_errors_are_lines_over_the_layers():
    axes = LayerErrors([LayerError("conv1", 40.0, 40.0), LayerError("fc", 42.0, 35.5)], samples=2).plot()
    assert lines(axes) == {"isolated": [40.0, 42.0], "accumulated": [40.0, 35.5]}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["conv1", "fc"]
    assert "dB" in axes.get_ylabel()
    assert len({line.get_color() for line in axes.lines} & {line.get_marker() for line in axes.lines}) == 0
    assert len({line.get_marker() for line in axes.lines}) == 2


def test_what_has_no_error_is_a_gap(drawn):
    axes = LayerErrors([*ERRORS, LayerError("last", math.inf, math.nan)], samples=2).plot()
    np.testing.assert_array_equal(lines(axes)["isolated"], [40.0, np.nan, np.nan])
    np.testing.assert_array_equal(lines(axes)["accumulated"], [40.0, 35.5, np.nan])
    drawn(axes)
