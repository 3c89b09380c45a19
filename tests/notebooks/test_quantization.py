"""The notebook on few bits, run in a real kernel, with what it claims read from its outputs."""

import ast
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from gsjupyter.report import MIME_TYPE
from notebooks.run_quickstart import printed, run

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "quantization.ipynb"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("quantization")


@pytest.fixture(scope="module")
def cells(folder):
    """Give the notebook's code cells after a run; as in JupyterLab, they import what lies beside the notebook."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(NOTEBOOK.parent))
        return [cell for cell in run(folder, NOTEBOOK).cells if cell.cell_type == "code"]


def cell(cells, text):
    return next(item for item in cells if text in item.source)


def result(item):
    return next(output.data for output in item.outputs if output.output_type == "execute_result")


@pytest.fixture(scope="module")
def digits(cells):
    """Give accuracy (0 to 1), bytes and SQNR (dB) of each conversion of LeNet-5, by the name that was printed."""
    line = re.compile(r"^(.+?) +([\d.]+)% +([\d,]+) +(-?[\d.]+) dB$", re.MULTILINE)
    return {
        name: (float(percent) / 100, int(size.replace(",", "")), float(sqnr_db))
        for item in cells
        for name, percent, size, sqnr_db in line.findall(printed(item))
    }


@pytest.fixture(scope="module")
def sentences(cells):
    """Give cosine, rank correlation and size (MB) of each conversion of MiniLM, by the name that was printed."""
    line = re.compile(r"^(.+?) +cosine ([\d.]+) +ranking ([\d.]+) +([\d.]+) MB$", re.MULTILINE)
    return {
        name: (float(cosine), float(ranking), float(size))
        for item in cells
        for name, cosine, ranking, size in line.findall(printed(item))
    }


def test_fewer_bits_take_fewer_bytes_and_are_nearly_free_down_to_four(digits):
    accuracy, size, sqnr_db = np.transpose([digits[f"int{bits}"] for bits in range(8, 1, -1)])
    before = digits["float32"]
    assert before[0] > 0.95
    assert np.abs(accuracy[:5] - before[0]).max() <= 0.01
    assert (np.diff(size) < 0).all()
    assert size[0] < 0.3 * before[1]
    assert sqnr_db[0] > 35
    assert sqnr_db[-1] < 10


def test_three_bits_are_better_with_clipped_ranges_and_compensated_rounding(digits):
    names = ("minmax", "mse", "mse bias_correction", "mse gptq")
    accuracy, size, sqnr_db = np.transpose([digits[f"int3 {name}"] for name in names])
    assert (accuracy[0], size[0], sqnr_db[0]) == digits["int3"]
    assert (np.diff(sqnr_db) > 1).all()
    assert np.ptp(size) < 100
    assert accuracy[-1] >= digits["float32"][0] - 0.01


def test_groups_cost_bytes_and_are_no_promise_for_the_output(digits):
    channel, group = digits["int3"], digits["int3 group:32"]
    assert group[1] > channel[1]
    assert group[2] < channel[2] + 1


def test_the_smallest_layer_has_the_worst_output_and_costs_next_to_nothing_to_keep(cells, digits):
    rows = result(cell(cells, "%gs_stats"))[MIME_TYPE]["blocks"][0]["rows"]
    assert rows[0]["name"] == "conv1"
    assert len(rows) == 3
    all_layers, without = digits["int3 mse"], digits["int3 mse, conv1 float32"]
    assert 0 <= without[1] - all_layers[1] < 100
    assert without[2] > all_layers[2]


def test_bits_chosen_by_layer_beat_the_same_bits_everywhere(digits):
    for budget, uniform in (("8x", "int4"), ("10x", "int3")):
        chosen, same = digits[f"budget {budget}"], digits[uniform]
        assert chosen[1] <= same[1]
        assert chosen[2] > same[2] + 3


def test_little_accuracy_buys_many_bytes(digits):
    accuracy, size, _ = digits["max_drop 1%"]
    assert size < digits["budget 10x"][1]
    assert accuracy >= digits["float32"][0] - 0.02


def test_paraphrases_score_high_and_strangers_low(cells):
    text = result(cell(cells, "from minilm import"))["text/plain"]
    same, related, unrelated = ast.literal_eval(re.search(r"\[.*\]", text)[0])
    assert same == pytest.approx(0.76, abs=0.02)
    assert related < 0.3
    assert abs(unrelated) < 0.05


def test_eight_bits_keep_embeddings_and_ranking(sentences):
    for name in ("int8", "int8, activations int8", "int8, activations int8 mse"):
        cosine, ranking, size = sentences[name]
        assert cosine >= 0.99
        assert ranking >= 0.99
        assert size < 24


def test_an_observer_that_clips_rare_large_activations_costs_accuracy(sentences):
    minmax, mse, entropy = (sentences[f"int8, activations int8{name}"] for name in ("", " mse", " entropy"))
    assert entropy[0] < minmax[0] - 0.01
    assert mse[0] >= minmax[0]


def test_compensated_rounding_makes_four_bits_do(sentences):
    channel, group, gptq = (sentences[name] for name in ("int4", "int4 group:64", "int4 group:64 gptq"))
    assert channel[0] < group[0] < gptq[0]
    assert gptq[0] >= 0.97
    assert gptq[1] >= 0.98
    assert gptq[2] < 13.5


def test_figures_are_drawn_and_small(cells):
    pictures = [
        output.data["image/png"] for item in cells for output in item.outputs if "image/png" in output.get("data", {})
    ]
    assert len(pictures) >= 2
    assert sum(map(len, pictures)) < 150_000


def test_nothing_is_left(cells, folder):
    assert list(folder.iterdir()) == []


def test_the_notebook_is_kept_without_outputs():
    stored = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(item.get("outputs") for item in stored.cells)
