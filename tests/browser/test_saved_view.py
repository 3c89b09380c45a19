"""A panel in a notebook: the live one while its kernel runs, and what was saved of it ever after."""

from __future__ import annotations

import nbformat
from playwright.sync_api import expect

VIEW = "application/vnd.gsjupyter.view+json"
REPORT = {
    "version": 1,
    "title": "LeNet5",
    "blocks": [
        {
            "type": "table",
            "title": "Layers",
            "columns": [{"key": "name", "label": "Layer", "kind": "text"}],
            "rows": [{"name": "conv1"}],
        }
    ],
}
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

    check_facts(panel)
    check_table(page, panel)
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
    check_facts(panel)
    check_keys(page, panel)
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


def check_facts(panel):
    """See that what is said of the network stands in lines: each value below its name, and both beside their likes."""
    facts = panel.locator(".gs-Panel-convert .gs-Panel-facts")
    boxes = facts.evaluate(
        "dl => [...dl.children].map(fact => [...fact.children].map(part => part.getBoundingClientRect().toJSON()))"
    )
    assert len(boxes) == 3
    names, values = zip(*boxes, strict=True)
    assert [len({box["top"] for box in line}) for line in (names, values)] == [1, 1]
    for name, value in boxes:
        assert value["left"] == name["left"]
        assert name["bottom"] <= value["top"] <= name["bottom"] + 4
    form = panel.locator(".gs-Panel-convert .gs-Panel-groups").bounding_box()
    assert max(box["bottom"] for box in values) < form["y"]


def check_table(page, panel):
    """See that the numbers of the layers pass by in a box of their own, beside the layers' names."""
    window = page.viewport_size
    page.set_viewport_size({**window, "width": 760})
    panel.get_by_role("tab", name="Layers").click()
    table = panel.get_by_role("region", name="All layers")
    table.scroll_into_view_if_needed()
    inside = "e => [e.scrollWidth - e.clientWidth, e.getBoundingClientRect().right]"
    hidden, right = table.evaluate(inside)
    output = table.evaluate("e => e.closest('.jp-OutputArea-output').getBoundingClientRect().right")
    assert hidden > 200
    assert right <= output
    first = table.get_by_role("rowheader").first
    before = first.bounding_box()
    table.evaluate("e => { e.scrollLeft = 200; }")
    assert first.bounding_box() == before
    # It is in front of what passes by.
    assert first.evaluate(
        """e => {
            const { x, y, width, height } = e.getBoundingClientRect();
            return e.contains(document.elementFromPoint(x + width - 4, y + height / 2));
        }"""
    )
    page.set_viewport_size(window)


def check_keys(page, panel):
    """See that keys in a report and in a saved panel are not the notebook's, which would go to another cell."""
    active = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    heading = page.locator(".gs-Report").get_by_role("button", name="Layer")
    for part in (heading, panel.get_by_role("slider", name="Clipping")):
        part.focus()
        cell = page.evaluate(active)
        for key in ("ArrowUp", "ArrowDown", "ArrowRight"):
            part.press(key)
            assert page.evaluate(active) == cell
            expect(part).to_be_focused()


def as_from_elsewhere(written, path):
    """Copy a notebook without the kernel that it names, so that Jupyter asks; nor are its outputs trusted then.

    A report stands below.
    """
    notebook = nbformat.read(written, as_version=4)
    report = nbformat.v4.new_output("display_data", {"application/vnd.gsjupyter.report+json": REPORT})
    notebook.cells.append(nbformat.v4.new_code_cell("report", outputs=[report]))
    notebook.metadata.clear()
    notebook.cells[0].source += "  # by somebody else"
    nbformat.write(notebook, path)


def check_saved(panel):
    """See that a saved panel shows what was there, and answers without a kernel."""
    expect(panel.get_by_role("note")).to_contain_text("Saved state")
    expect(panel).to_have_count(1)
    panel.get_by_role("tab", name="Code").click()
    expect(panel.get_by_role("tabpanel")).to_contain_text("%gs_convert net x")
