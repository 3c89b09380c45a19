"""The whole way in a real browser and a real kernel: the quickstart notebook, run from top to bottom."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.lab import DARK, LIGHT

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
LAYERS = ["conv1", "conv2", "fc1", "fc2", "fc3"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_quickstart_notebook_converts_shows_exports_and_runs(lab):
    shutil.copy(QUICKSTART, lab.folder / "quickstart.ipynb")
    lab.open("quickstart.ipynb")
    lab.run_all_cells(timeout_s=400)

    notebook = lab.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    cells = notebook.locator(".jp-Cell")
    last = cells.filter(has_text="int8 test accuracy").last
    last.scroll_into_view_if_needed()
    expect(last.locator(".jp-OutputArea-output")).to_contain_text("lenet_int8.mindir")
    expect(notebook.locator("[data-mime-type='application/vnd.jupyter.error']")).to_have_count(0)
    assert (lab.folder / "lenet_int8.mindir").stat().st_size < 0.36 * (lab.folder / "lenet_float.mindir").stat().st_size

    figure = cells.filter(has_text="layers.plot").last
    figure.scroll_into_view_if_needed()
    expect(figure.locator("img")).to_be_visible()

    report = cells.filter(has_text="qnet").filter(has=lab.page.locator("table")).first
    report.scroll_into_view_if_needed()
    expect(report.locator("tbody th")).to_have_text(LAYERS)
    for theme, name in ((LIGHT, "quickstart-light"), (DARK, "quickstart-dark")):
        lab.set_theme(theme)
        lab.screenshot(name, report)
    lab.set_theme(LIGHT)
    cells.filter(has_text="--calibration train_images").last.evaluate("cell => cell.scrollIntoView({block: 'start'})")
    lab.screenshot("quickstart")
