"""The notebook that takes SLB, SimQAT and SCOP the whole way, run in a real kernel."""

from __future__ import annotations

import ast
from pathlib import Path

import mindspore
import nbformat
import numpy as np
import pytest
from mindspore import nn

from notebooks.run_quickstart import printed, run
from tests.goldenstick.versions import ON_ONE_VERSION

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "golden_stick.ipynb"
FILES = ["scop.mindir", "simqat.mindir", "slb.mindir"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    ON_ONE_VERSION,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("golden_stick")


@pytest.fixture(scope="module")
def cells(folder):
    """Give the notebook's code cells after a run."""
    return [cell for cell in run(folder, NOTEBOOK).cells if cell.cell_type == "code"]


def cell(cells, text):
    return next(item for item in cells if text in item.source)


def result(item):
    return next(output.data for output in item.outputs if output.output_type == "execute_result")["text/plain"]


@pytest.mark.parametrize(
    ("magic", "said"),
    [
        ("%gs_convert slb_net", "Recognised: SLB, 1 bit, per tensor, 2 layers."),
        ("%gs_convert sim_net", "Recognised: SimQAT, 8 bit, per channel, 3 layers, activations 8 bit."),
        ("%gs_convert scop_net", "Recognised: SCOP fine-tune, 2 masked convolutions, 24 of 48 channels dropped."),
    ],
    ids=["SLB", "SimQAT", "SCOP"],
)
def test_each_network_is_recognised(cells, magic, said):
    assert said in printed(cell(cells, magic))


@pytest.mark.parametrize(("name", "allowed"), [("slb", 0.0), ("simqat", 0.005), ("scop", 0.0)])
def test_the_files_have_the_accuracy_of_the_networks(cells, name, allowed):
    before, after = ast.literal_eval(result(cell(cells, f"{name}.mindir")))
    assert before > 0.85
    assert abs(before - after) <= allowed


def test_what_pruning_saves_is_shown(cells):
    shown = result(next(item for item in cells if item.source == "scop_standard.pruning"))
    assert "Masks left     0" in shown


def test_the_files_run_here_with_mindspore_alone(cells, folder):
    for name in FILES:
        network = nn.GraphCell(mindspore.load(str(folder / name)))
        assert network(mindspore.Tensor(np.zeros((64, 1, 8, 8), np.float32))).shape == (64, 10)


def test_nothing_but_the_exported_files_is_left(cells, folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*FILES, *(f"{name}.manifest.json" for name in FILES)]
    )


def test_the_notebook_is_kept_without_outputs():
    stored = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(item.get("outputs") for item in stored.cells)
