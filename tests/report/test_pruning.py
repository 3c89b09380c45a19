from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gsjupyter.report import MIME_TYPE, LayerPruning, PruningReport
from tests.report.samples import ATTACK

CONV = LayerPruning(
    name="conv1",
    operator="Conv2D",
    shape_before=(64, 16, 3, 3),
    shape_after=(48, 16, 3, 3),
    parameters_before=9216,
    parameters_after=6912,
    multiply_adds_before=1_000_000,
    multiply_adds_after=750_000,
)
FC = LayerPruning("fc", "MatMul", (10, 64), (10, 48), 640, 480, 640, 480, "2 output channels are zero, but stay")
REPORT = PruningReport((CONV, FC), masks_left=0)


def test_totals_are_the_sums_of_the_layers():
    assert REPORT.parameters_before == 9856
    assert REPORT.parameters_after == 7392
    assert REPORT.multiply_adds_before == 1_000_640
    assert REPORT.multiply_adds_after == 750_480


def test_totals_are_unknown_if_a_layer_is():
    report = PruningReport((CONV, replace(FC, multiply_adds_before=None, multiply_adds_after=None)), 0)
    assert report.multiply_adds_before is None
    assert "unknown, as an axis is dynamic" in repr(report)


def test_a_network_that_lost_nothing_is_not_pruned():
    assert REPORT.is_pruned
    assert not PruningReport((replace(CONV, shape_after=CONV.shape_before),), 0).is_pruned


def test_the_text_says_what_is_left():
    text = repr(REPORT)
    assert "9,856 → 7,392 (75%)" in text
    assert "1,000,640 → 750,480 (75%)" in text
    line = next(line for line in text.splitlines() if line.startswith("conv1"))
    assert "64 x 16 x 3 x 3" in line
    assert "48 x 16 x 3 x 3" in line
    assert "75.0 %" in line


def test_why_channels_stayed_is_shown_where_some_did():
    assert "but stay" in repr(REPORT)
    assert "Note" not in repr(PruningReport((CONV,), 0))


def test_masks_that_are_left_are_a_warning():
    assert "warning" not in repr(REPORT)
    assert "warning: Masks are left" in repr(replace(REPORT, masks_left=3))


def test_no_layers_can_be_shown():
    assert "0 → 0" in repr(PruningReport((), 0))


@pytest.mark.parametrize("name", [ATTACK, "网络", "x" * 200])
def test_any_name_can_be_shown(name):
    bundle = PruningReport((replace(CONV, name=name),), 0)._repr_mimebundle_()
    assert name in bundle["text/plain"]
    assert ATTACK not in bundle["text/html"]
    json.dumps(bundle[MIME_TYPE], allow_nan=False)
