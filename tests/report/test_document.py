from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gsjupyter.report import Column, Document, Table, format_bytes
from gsjupyter.report.document import format_cell
from tests.report.samples import every_kind_of_block

LABEXTENSION = Path(__file__).parents[2] / "labextension"


def written(cell, kind, digits=1):
    return format_cell(cell, Column("x", "X", kind, digits))


# The same table as in labextension/test/format.spec.ts.
@pytest.mark.parametrize(
    ("cell", "kind", "digits", "text"),
    [
        ("conv1", "text", 1, "conv1"),
        (61706, "integer", 1, "61,706"),
        (-3, "integer", 1, "-3"),
        (41.25, "number", 1, "41.3"),
        (1234.5, "number", 2, "1,234.50"),
        (-0.0, "number", 1, "0.0"),
        (0.00002, "number", 2, "2.0e-5"),
        (0.0123, "percent", 1, "1.2 %"),
        (1, "percent", 0, "100 %"),
        (78964, "bytes", 1, "79 kB"),
        (None, "number", 1, "\u2013"),
        ("inf", "number", 1, "inf"),
    ],
)
def test_a_cell_is_written_as_the_jupyter_renderer_writes_it(cell, kind, digits, text):
    assert written(cell, kind, digits) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (812, "812 B"),
        (2400, "2.4 kB"),
        (9949, "9.9 kB"),
        (9960, "10 kB"),
        (245_100, "245 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (102_000_000, "102 MB"),
        (5e15, "5,000 TB"),
    ],
)
def test_bytes_are_written_as_the_jupyter_renderer_writes_them(size, text):
    assert format_bytes(size) == text


def test_any_number_is_written_as_the_jupyter_renderer_writes_it(rng):
    node, esbuild = shutil.which("node"), LABEXTENSION / "node_modules" / ".bin" / "esbuild"
    if node is None or not esbuild.exists():
        pytest.skip("needs Node and labextension/node_modules (npm ci)")
    kinds = ["integer", "number", "bytes", "percent"]
    cases = [(number, str(rng.choice(kinds)), int(rng.integers(0, 4))) for number in numbers(rng)]
    source = LABEXTENSION / "src" / "format.ts"
    command = [str(esbuild), str(source), "--format=cjs"]
    script = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    script += """
        const cases = JSON.parse(require('fs').readFileSync(0));
        const texts = cases.map(([number, kind, digits]) => module.exports.format(number, { kind, digits }));
        console.log(JSON.stringify(texts));"""
    done = subprocess.run([node, "-e", script], input=json.dumps(cases), capture_output=True, text=True, check=True)
    assert [written(*case) for case in cases] == json.loads(done.stdout)


def numbers(rng):
    """Return numbers of every size, halves between two digits among them."""
    return [
        *(rng.standard_normal(500) * 10.0 ** rng.integers(-9, 9, 500)).tolist(),
        *(rng.integers(-1000, 1000, 200) / 8).tolist(),
        *np.round(rng.standard_normal(300) * 100, 2).tolist(),
        *(0.0, -0.0, -0.04, 0.05, 0.005, 1.005, 999.5, 999_500.0, 1e15),
    ]


@pytest.mark.parametrize(("value", "text"), [(math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "\u2013")])
def test_what_json_has_no_number_for_is_a_word(value, text):
    assert written(value, "number") == text


def test_a_document_is_strict_json():
    values = [math.inf, -math.inf, math.nan, None, 1.5]
    table = Table("T", [Column("x", "X", "number")], [{"x": value} for value in values])
    content = Document("D", [table]).to_json()
    json.dumps(content, allow_nan=False)
    assert [row["x"] for row in content["blocks"][0]["rows"]] == ["inf", "-inf", None, None, 1.5]


def test_the_json_is_what_the_extension_reads():
    content = json.loads(json.dumps(every_kind_of_block().to_json(), allow_nan=False))
    facts, table, messages = content["blocks"]
    assert (content["version"], content["title"]) == (1, "conv1")
    assert facts == {"type": "facts", "items": [{"label": "conv1", "value": "conv1"}]}
    assert messages["items"][0] == {"level": "warning", "text": "conv1"}
    assert table["columns"][1] == {"key": "number", "label": "dB", "kind": "number", "digits": 1, "bar": False}
    assert table["rows"][1] == {"name": "empty", "number": None, "size": None, "count": None, "share": None}
