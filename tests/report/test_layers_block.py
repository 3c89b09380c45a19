from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from gsjupyter.report import Document, to_html, to_text
from gsjupyter.report.layers_block import Histogram, LayerBar, LayersBlock
from tests.report.samples import ATTACK, CONV, FC

BARS = [LayerBar(CONV, -0.25, 0.3000004, Histogram(-0.3, 0.3, [1, 5, 2], "weight", 0.01, 0, -127, 127)), LayerBar(FC)]


def test_the_json_is_what_the_extension_reads():
    block = json.loads(json.dumps(LayersBlock("Chart", BARS).to_json(), allow_nan=False))
    assert (block["type"], block["title"]) == ("layers", "Chart")
    assert block["layers"][0] == {
        "name": "conv1",
        "operator": "Conv2D",
        "weights": "int8 per channel",
        "activations": "uint8 per tensor",
        "sqnr_db": 41.25,
        "input_sqnr_db": 38.5,
        "low": -0.25,
        "high": 0.3,
        "bytes_before": 600,
        "bytes_after": 174,
        "error_share": None,
        "histogram": {
            "low": -0.3,
            "high": 0.3,
            "counts": [1, 5, 2],
            "unit": "weight",
            "scale": 0.01,
            "zero_point": 0,
            "grid_low": -127,
            "grid_high": 127,
        },
    }
    assert (block["layers"][1]["sqnr_db"], block["layers"][1]["histogram"]) == (None, None)


@pytest.mark.parametrize(
    ("number", "kept"), [(math.inf, "inf"), (math.nan, None), (40.123456, 40.123), (1e-9 / 3, 3.3333e-10)]
)
def test_numbers_have_the_digits_that_a_chart_shows(number, kept):
    block = LayersBlock("Chart", [LayerBar(replace(CONV, sqnr_db=number))]).to_json()
    assert block["layers"][0]["sqnr_db"] == kept


def test_in_text_it_is_a_line():
    block = LayersBlock(
        "Chart", [*BARS, LayerBar(replace(CONV, name="conv2", sqnr_db=math.inf, activation_sqnr_db=9.0))]
    )
    assert to_text(Document("d", [block])).split("\n\n")[1] == (
        "Chart: 3 layers, 4.6 kB \u2192 3.7 kB; SQNR of weights 41.2 dB (conv1) to inf dB (conv2); "
        "SQNR of inputs 9.0 dB (conv2) to 38.5 dB (conv1)"
    )
    assert LayersBlock("Chart", [LayerBar(FC)]).summary() == "1 layer, 3.4 kB"
    assert LayersBlock("Chart", []).summary() == "0 layers, 0 B"


def test_in_html_each_layer_has_a_bar():
    records = [replace(CONV, sqnr_db=value) for value in (20.0, None, 40.0, math.inf, -3.0, math.nan)]
    page = to_html(Document("d", [LayersBlock("Chart", [LayerBar(record) for record in records])]))
    assert 'viewBox="0 0 6 100"' in page
    assert 'd="M0 100v-50h.8v50zM2 100v-100h.8v100zM3 100v-100h.8v100z"' in page
    assert "<svg" not in to_html(Document("d", [LayersBlock("Chart", [LayerBar(FC)])]))


def test_names_from_outside_are_text():
    block = LayersBlock(ATTACK, [LayerBar(replace(CONV, name=ATTACK + "\x1b[2J"))])
    page = to_html(Document("d", [block]))
    assert "<img" not in page
    assert page.count("&lt;img src=x") == 3
    assert "\x1b" not in to_text(Document("d", [block]))
