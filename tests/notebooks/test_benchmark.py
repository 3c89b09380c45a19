"""The notebook on speed, run in a real kernel, with what it shows read from its outputs."""

import json
from pathlib import Path

import nbformat
import pytest

from gsjupyter.report import MIME_TYPE
from notebooks.run_quickstart import run

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "benchmark.ipynb"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("benchmark")


@pytest.fixture(scope="module")
def cells(folder):
    return [cell for cell in run(folder, NOTEBOOK).cells if cell.cell_type == "code"]


def shown(cells, text):
    """Return the report that a cell shows, as JSON."""
    item = next(item for item in cells if text in item.source)
    return next(output.data[MIME_TYPE] for output in item.outputs if output.output_type == "execute_result")


def rows(report, title):
    return next(block["rows"] for block in report["blocks"] if block.get("title") == title)


def messages(report):
    return [item["text"] for block in report["blocks"] if block["type"] == "messages" for item in block["items"]]


def test_both_engines_are_there_on_the_cpu_and_what_lacks_says_why(cells):
    report = shown(cells, "%gs_targets")
    assert [row["there"] for row in rows(report, "Where models can run")[:2]] == ["yes", "yes"]
    assert len(messages(report)) >= 1


def test_every_candidate_is_measured_and_gives_what_the_first_gives(cells):
    report = shown(cells, "%gs_bench float.mindir")
    assert [row["subject"] for row in rows(report, "Speed")] == [
        *("float.mindir", "weights.mindir", "float.onnx", "int8.onnx"),
    ]
    assert all(row["runs"] >= 10 for row in rows(report, "Speed"))
    others = rows(report, "Size, outputs, start and memory")[1:]
    assert [row["sqnr_db"] > limit for row, limit in zip(others, (35, 100, 25), strict=True)] == [True] * 3


def test_int8_in_onnx_runtime_is_faster_than_float_on_mindspore(cells):
    """By ten times on a quiet machine, so that the verdict holds on any."""
    assert "faster" in rows(shown(cells, "%gs_bench float.mindir"), "Speed")[3]["speed_up"]


def test_weights_alone_are_explained(cells):
    assert any("weights.mindir" in text and "not fast" in text for text in messages(shown(cells, "%gs_bench float")))


def test_layers_have_their_time_beside_their_quantization(cells):
    layers = rows(shown(cells, "result.operators"), "Time by layer")
    blocks = [row for row in layers if "conv" in row["name"]]
    assert len(blocks) == 8
    assert all(row["sqnr_db"] > 30 and row["share"] > 0 for row in blocks)


def test_results_are_kept_and_add_up(cells, folder):
    kept = json.loads((folder / "benchmark.json").read_text())
    assert kept
    assert "<svg" in (folder / "benchmark.html").read_text()
    text = next(item for item in cells if "both = " in item.source).outputs[0].data["text/plain"]
    assert text == "(4, 6, 10)"


def test_figures_are_drawn(cells):
    pictures = [1 for item in cells for output in item.outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 3


def test_the_notebook_is_kept_without_outputs():
    stored = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(item.get("outputs") for item in stored.cells)
