"""The first notebook, run as `make quickstart` runs it, with the outputs of each cell checked."""

import re

import mindspore
import nbformat
import numpy as np
import pytest
from mindspore import nn

from gsjupyter.report import MIME_TYPE
from notebooks.run_quickstart import NOTEBOOK, printed, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
LAYERS = ["conv1", "conv2", "fc1", "fc2", "fc3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("quickstart")


@pytest.fixture(scope="module")
def cells(folder):
    """Give the notebook's code cells after a run."""
    return [cell for cell in run(folder).cells if cell.cell_type == "code"]


def cell(cells, text):
    return next(item for item in cells if text in item.source)


def result(item):
    return next(output.data for output in item.outputs if output.output_type == "execute_result")


def test_the_network_learns_the_digits(cells):
    accuracy = result(cell(cells, "def accuracy"))["text/plain"]
    assert float(accuracy) > 0.95


def test_the_conversion_says_what_it_made(cells):
    said = printed(cell(cells, "%gs_convert net x --weights int8"))
    assert said.startswith("qnet: LeNet5, int8 weights, int8 activations, ")
    assert "on 64 given samples" in said


def test_every_layer_is_shown_as_text_as_html_and_for_the_renderer(cells):
    shown = result(next(item for item in cells if item.source == "qnet"))
    rows = next(block for block in shown[MIME_TYPE]["blocks"] if block["type"] == "table")["rows"]
    assert [row["name"] for row in rows] == LAYERS
    assert all(row["weights"] == "int8 per channel" and row["sqnr_db"] > 35 for row in rows)
    assert all(name in shown["text/html"] and name in shown["text/plain"] for name in LAYERS)


def test_the_figure_is_drawn(cells):
    outputs = cell(cells, "layers.plot").outputs
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_both_loaders_agree(cells):
    assert float(result(cell(cells, "mindspore.load("))["text/plain"]) < 1e-4


def test_the_onnx_file_was_run_and_takes_any_batch(cells):
    item = cell(cells, "%gs_export qnet lenet_int8.onnx")
    assert "in ONNX Runtime SQNR" in printed(item)
    assert result(item)["text/plain"] == "LeNet5(x: float32[batch, 1, 32, 32]) on ONNX Runtime CPU"


def test_the_last_cell_prints_accuracies_sizes_and_the_file(cells, folder):
    text = printed(cells[-1])
    before, after, in_onnx_runtime = (float(number) for number in re.findall(r"([\d.]+)%\n", text))
    assert before > 95
    assert abs(before - after) <= 0.5
    assert abs(before - in_onnx_runtime) <= 0.5
    float_bytes, int8_bytes = (folder / name for name in ("lenet_float.mindir", "lenet_int8.mindir"))
    assert f"{float_bytes.stat().st_size:,} -> {int8_bytes.stat().st_size:,}" in text
    assert int8_bytes.stat().st_size <= 0.36 * float_bytes.stat().st_size
    assert str(int8_bytes.resolve()) in text


def test_the_file_runs_in_another_process_with_mindspore_alone(cells, folder):
    network = nn.GraphCell(mindspore.load(str(folder / "lenet_int8.mindir")))
    assert network(mindspore.Tensor(np.zeros((64, 1, 32, 32), np.float32))).shape == (64, 10)


def test_the_notebook_is_kept_without_outputs():
    stored = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(item.get("outputs") for item in stored.cells)


def test_nothing_but_the_exported_files_is_left(cells, folder):
    names = ["lenet_float.mindir", "lenet_int8.mindir", "lenet_int8.onnx"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*names, *(f"{name}.manifest.json" for name in names)]
    )
