from __future__ import annotations

import base64
import json
import math
import re

import pytest

from gsjupyter.report.assets import is_built
from gsjupyter.widgets.snapshot import VIEW_TYPE, WIDGET_TYPE, as_json, bundle

ATTACK = "</script><img src=x onerror=alert(1)>\"&'"
BYTES = bytes(range(256))

needs_build = pytest.mark.skipif(not is_built("panel.js"), reason="the front end was not built (pip install -e .)")


def layer(name, **fields):
    return {
        "name": name,
        "names": [name],
        "operator": "Conv2D",
        "shape": [6, 1, 5, 5],
        "parameters": 150,
        "float_bytes": 600,
        "low": -0.5,
        "high": 0.5,
        "obstacle": "",
        "weights": [{"shape": [6, 1, 5, 5], "axis": 0}],
        "activation": None,
        **fields,
    }


def result(text="LeNet: int8 weights"):
    found = {
        "weights": "int8 per channel",
        "activations": "float32",
        "bytes": 174,
        "sqnr_db": 41.25,
        "input_sqnr_db": None,
        "clipped_share": None,
        "error_share": 0.25,
        "note": "",
    }
    return {
        "number": 1,
        "options": {},
        "code": text,
        "title": text,
        "bound_to": None,
        "size_bytes": 80_000,
        "weight_bytes": 62_000,
        "source_bytes": 250_000,
        "sqnr_db": 38.5,
        "verification": "SQNR 38.5 dB on 4 given samples",
        "predicted_db": 38.4,
        "notes": [text],
        "layers": {"0": found},
        "document": {"version": 1, "title": text, "blocks": []},
    }


def state(name="conv1", *, results=()):
    """Return what a panel shows, its texts from outside being `name`."""
    network = {
        "name": name,
        "names": {"source": name, "inputs": None, "ckpt": None, "calibration": None, "labels": None, "output": None},
        "inputs": [
            {"name": name, "shape": [1, 28, 28], "dtype": "float32"},
            {"name": "y", "shape": None, "dtype": "int32"},
        ],
        "recognised": [name],
        "notes": [name],
        "float_bytes": 246_824,
        "fixed_bytes": 0,
        "layers": [layer(name), layer("fc", low=None, high=None)],
    }
    return {
        "network": network,
        "options": {"weights": "int8", "layers": {name: {"clipping": 0.8}}},
        "sketches": [{"granularity": "channel", "symmetric": True, "layers": [0, 1], "data": memoryview(BYTES)}],
        "clippings": [],
        "sensitivity": None,
        "measuring_s": None,
        "refinement": None,
        "code": f"%gs_convert net x\n# {name}",
        "task": {"kind": "none", "state": "idle"},
        "problem": {"command": "apply", "message": name, "advice": name, "option": None},
        "results": list(results),
        "benchmark": {"subjects": [], "targets": None, "live": name, "document": None, "state": "none"},
        "exported": [{"path": name, "size_bytes": 1, "summary": name}],
        "language": "auto",
    }


def static_part(html):
    return html.partition("<div>")[2].partition('<script type="application/json">')[0]


@needs_build
def test_a_live_panel_is_kept_in_every_form():
    found = bundle(state(results=[result()]), "abc")
    assert set(found) == {"text/plain", "text/html", VIEW_TYPE, WIDGET_TYPE}
    assert found[WIDGET_TYPE]["model_id"] == "abc"
    view = json.loads(json.dumps(found[VIEW_TYPE], allow_nan=False))
    assert (view["version"], view["kind"]) == (1, "panel")
    assert base64.b64decode(view["state"]["sketches"][0]["data"]) == BYTES
    assert view["state"]["results"][0]["title"] == "LeNet: int8 weights"
    # The script gets the same as JupyterLab's renderer.
    data = re.search(r'<script type="application/json">(.*?)</script>', found["text/html"], re.DOTALL).group(1)
    assert json.loads(data) == view


@needs_build
def test_without_a_widget_none_is_promised():
    assert WIDGET_TYPE not in bundle(state(), None)


@needs_build
def test_what_runs_no_script_shows_the_layers_and_the_last_result():
    page = static_part(bundle(state(results=[result("first"), result("last")]), None)["text/html"])
    texts = [text for text in re.split(r"<[^>]*>", page) if text.strip()]
    for text in ("6 x 1 x 5 x 5", "150", "int8 per channel", "174 B", "41.3", "25.0 %", "last", "250 kB \u2192 80 kB"):
        assert text in texts
    assert "first" not in texts
    assert "SQNR 38.5 dB on 4 given samples" in texts
    assert "conv1: 1 x 28 x 28 float32, y: any shape int32" in texts
    assert "%gs_convert net x\n# conv1" in texts


@needs_build
def test_before_the_first_result_the_network_is_shown():
    page = static_part(bundle(state(), None)["text/html"])
    assert "2, 247 kB in float32" in page
    assert "SQNR" not in page


@needs_build
def test_names_from_outside_are_text_and_nothing_else():
    found = bundle(state(ATTACK, results=[result(ATTACK)]), None)
    page = found["text/html"]
    assert page.count("<script") == page.count("</script>") == 2
    assert "<img" not in page
    # What a terminal takes for commands is no text.
    assert "\x1b" not in bundle(state("\x1b[2J"), None)["text/plain"]
    assert ATTACK in found["text/plain"]


def test_what_json_has_no_word_for_becomes_text():
    given = {
        "a": BYTES,
        "b": (memoryview(BYTES), [bytearray(b"x")]),
        1: [math.inf, -math.inf, math.nan, 0.5, None, True],
    }
    encoded = base64.b64encode(BYTES).decode()
    assert as_json(given) == {"a": encoded, "b": [encoded, ["eA=="]], "1": ["inf", "-inf", None, 0.5, None, True]}
