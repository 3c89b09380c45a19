"""A panel in a notebook: the live one while its kernel runs, and what was saved of it ever after."""

from __future__ import annotations

import nbformat
from playwright.sync_api import expect

VIEW = "application/vnd.gsjupyter.view+json"
OPEN = """
import numpy as np
from mindspore import Tensor, nn
import gsjupyter as gs

net = nn.SequentialCell(nn.Dense(8, 16), nn.ReLU(), nn.Dense(16, 4))
x = Tensor(np.linspace(-1, 1, 24, dtype=np.float32).reshape(3, 8))
gs.panel(net, x)
"""
RESULTS_ARE_KEPT = """type => window.jupyterapp.shell.currentWidget.content.model.cells.get(0).outputs.get(0)
    .data[type].state.results.length === 1"""
START_MS = 60_000


def test_a_panel_is_live_while_its_kernel_runs_and_saved_ever_after(lab):
    page, panel = lab.page, lab.page.locator(".gs-Panel")
    lab.save_notebook("written.ipynb", [nbformat.v4.new_code_cell(OPEN.strip())])
    lab.open("written.ipynb")
    lab.command("notebook:run-all-cells")
    apply = panel.get_by_role("button", name="Apply")
    expect(apply).to_be_visible(timeout=START_MS)
    expect(panel).to_have_count(1)

    # What is kept follows, and the live panel isn't drawn anew for it.
    panel.evaluate("panel => { panel.dataset.mark = 'same'; }")
    apply.click()
    page.wait_for_function(RESULTS_ARE_KEPT, arg=VIEW)
    expect(panel).to_have_attribute("data-mark", "same")

    put_code_into_a_new_cell(page, panel)
    lab.command("docmanager:save")
    page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown(); }")
    expect(panel.get_by_role("note")).to_contain_text("Saved state")
    expect(panel).to_have_count(1)

    lab.command("application:close-all")
    as_from_elsewhere(lab.folder / "written.ipynb", lab.folder / "reopened.ipynb")
    lab.open_without_kernel("reopened.ipynb")
    expect(panel.get_by_role("tabpanel")).to_contain_text("Found by Apply")
    lab.screenshot("saved-view")
    check_saved(panel)


def test_notebook_7_shows_both_too(chromium, lab_url, lab):
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    panel = page.locator(".gs-Panel")
    lab.save_notebook("written7.ipynb", [nbformat.v4.new_code_cell(OPEN.strip())])
    page.goto(f"{lab_url}/notebooks/written7.ipynb")
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=START_MS)
    # A page that is still starting takes no keys.
    while page.locator(".jp-InputPrompt").text_content() == "[ ]:":
        page.locator(".jp-CodeCell .cm-content").press("Control+Enter")
        page.wait_for_timeout(200)
    expect(panel.get_by_role("button", name="Apply")).to_be_visible(timeout=START_MS)

    put_code_into_a_new_cell(page, panel)
    page.get_by_role("menuitem", name="Kernel").click()
    page.get_by_role("menuitem", name="Shut Down Kernel").click()
    expect(panel.get_by_role("note")).to_contain_text("Saved state")
    with page.expect_response(lambda response: response.request.method == "PUT"):
        page.keyboard.press("Control+s")

    as_from_elsewhere(lab.folder / "written7.ipynb", lab.folder / "reopened7.ipynb")
    page.goto(f"{lab_url}/notebooks/reopened7.ipynb")
    page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
    check_saved(panel)
    page.context.close()


def put_code_into_a_new_cell(page, panel):
    panel.get_by_role("tab", name="Code").click()
    code = panel.locator("pre code").text_content()
    assert code.startswith("%gs_convert net x")
    panel.get_by_role("button", name="New cell").click()
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    expect(cells).to_have_count(2)
    expect(cells.last.locator(".cm-content")).to_be_focused()
    expect(cells.last.locator(".cm-content")).to_have_text(code)


def as_from_elsewhere(written, path):
    """Copy a notebook without the kernel that it names, so that Jupyter asks; nor are its outputs trusted then."""
    notebook = nbformat.read(written, as_version=4)
    notebook.metadata.clear()
    notebook.cells[0].source += "  # by somebody else"
    nbformat.write(notebook, path)


def check_saved(panel):
    """See that a saved panel shows what was there, and answers without a kernel."""
    expect(panel.get_by_role("note")).to_contain_text("Saved state")
    expect(panel).to_have_count(1)
    panel.get_by_role("tab", name="Code").click()
    expect(panel.get_by_role("tabpanel")).to_contain_text("%gs_convert net x")
