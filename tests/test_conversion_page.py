from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import gsjupyter as gs
from gsjupyter.errors import WriteError
from gsjupyter.report.assets import is_built
from tests.networks import MLP, filled

pytestmark = pytest.mark.skipif(not is_built("report.js"), reason="the front end was not built (pip install -e .)")


@pytest.fixture(scope="module")
def network():
    """Give a network and an input."""
    rng = np.random.default_rng(7)
    return filled(MLP(), rng), rng.standard_normal(MLP.input_shape).astype(np.float32)


@pytest.fixture(scope="module")
def conversion(network):
    """Give a conversion whose layers lie on grids of each kind: one scale, scales by channel, and none."""
    names = [record.name for record in gs.convert(*network).layers]
    layers = {names[0]: {"granularity": "tensor"}, names[-1]: "float32"}
    return gs.convert(*network, weights="int4", layers=layers)


def chart_of(conversion):
    (block,) = [block for block in conversion.document().to_json()["blocks"] if block["type"] == "layers"]
    return block["layers"]


def test_the_report_shows_the_chart_between_facts_and_table(conversion):
    content = json.loads(json.dumps(conversion.document().to_json(), allow_nan=False))
    assert [block["type"] for block in content["blocks"]][:3] == ["facts", "layers", "table"]


def test_the_chart_has_the_numbers_of_the_table(conversion):
    for layer, record in zip(chart_of(conversion), conversion.layers, strict=True):
        assert (layer["name"], layer["weights"], layer["bytes_after"]) == (
            record.name,
            record.weights,
            record.bytes_after,
        )
        assert layer["sqnr_db"] == (record.sqnr_db and pytest.approx(record.sqnr_db, rel=1e-4))


def test_the_histograms_are_those_of_the_weights_on_the_grid_that_is_stored(conversion):
    first, *middle, last = chart_of(conversion)
    for layer, record in zip(chart_of(conversion), conversion.layers, strict=True):
        assert sum(layer["histogram"]["counts"]) == record.parameters
        assert len(layer["histogram"]["counts"]) <= 64
    record = conversion.layers[0]
    found = first["histogram"]
    assert found["scale"] == pytest.approx(record.scale_max, rel=1e-4)
    assert (found["unit"], found["zero_point"], found["grid_low"], found["grid_high"]) == ("weight", 0, -7, 7)
    assert max(abs(first["low"]), abs(first["high"])) == pytest.approx(7 * record.scale_max, rel=1e-4)
    for layer in middle:
        grid = layer["histogram"]
        assert (grid["unit"], grid["scale"], grid["grid_low"], grid["grid_high"]) == ("scale", 1.0, -7, 7)
    assert (last["histogram"]["scale"], last["histogram"]["low"]) == (None, last["low"])


def test_in_text_the_chart_is_a_line(conversion):
    assert re.search(r"^Layer by layer: \d layers, .* SQNR of weights [\d.]+ dB \(", repr(conversion), re.MULTILINE)


def test_a_notebook_keeps_a_chart_that_answers(conversion):
    bundle = conversion._repr_mimebundle_()
    assert '<script type="module">' in bundle["text/html"]
    assert "<script" not in conversion.to_html()


def test_the_page_is_written(conversion, tmp_path):
    path = conversion.to_html(str(tmp_path / "report.html"))
    assert isinstance(path, Path)
    page = path.read_text("utf-8")
    assert conversion.to_html() in page
    assert "script-src 'sha256-" in page
    with pytest.raises(WriteError, match="exists"):
        conversion.to_html(path)
    assert conversion.to_html(path, overwrite=True) == path


def test_a_network_without_layers_has_no_chart(network):
    conversion = gs.convert(*network)
    bare = type(conversion)(**{**vars(conversion), "layers": conversion.layers[:0]})
    assert all(block["type"] != "layers" for block in bare.document().to_json()["blocks"])
