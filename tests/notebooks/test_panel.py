"""The notebook on the panel, run in a real kernel, with what it shows read from its outputs."""

from pathlib import Path

import pytest

from notebooks.run_quickstart import run

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "panel.ipynb"
VIEW = "application/vnd.gsjupyter.view+json"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("panel")


@pytest.fixture(scope="module")
def cells(folder):
    return [cell for cell in run(folder, NOTEBOOK).cells if cell.cell_type == "code"]


def views(cells):
    return [output.data[VIEW]["state"] for cell in cells for output in cell.outputs if VIEW in output.get("data", {})]


def test_the_panels_are_kept_in_the_notebook_with_what_was_applied(cells):
    opened, applied = views(cells)[0], views(cells)[-1]
    assert [layer["name"] for layer in opened["network"]["layers"]] == ["conv1", "conv2", "fc1", "fc2", "fc3"]
    assert opened["sensitivity"] is not None
    assert opened["results"] == []
    assert len(applied["results"]) == 1


def test_the_code_is_that_of_the_options(cells):
    printed = next(cell for cell in cells if "panel.code" in cell.source).outputs[0].text
    assert "budget: 8x" in printed or "--budget 8x" in printed
    assert "train_images" in printed


def test_a_file_and_a_page_are_written(cells, folder):
    assert (folder / "lenet.mindir").exists()
    assert (folder / "lenet.html").read_text().startswith("<!DOCTYPE html>")
    assert "of the size, test accuracy 9" in cells[-1].outputs[0].data["text/plain"]
