"""A layer and a file named like markup, in all that a panel shows of them: they are text and run nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.panel_cells import HOSTILE, HOSTILE_NAME, code

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

FILE = f"{HOSTILE_NAME}.mindir"
OPEN = f"""
options = gs.ConvertOptions(weights="int8", layers={{{HOSTILE_NAME!r}: "int4"}})
panel = gs.panel("named.mindir", x, options=options)
panel.apply()
panel.export({FILE!r}, overwrite=True)
panel
"""
REPORT = """
panel.conversion.to_html("report.html")
panel.conversion
"""
TABS = ("Convert", "Layers", "Benchmark", "Code")


@pytest.fixture
def watched(lab):
    """Give a JupyterLab with a list of the dialogs that its pages have opened."""
    dialogs = []

    def note(dialog):
        dialogs.append(dialog.message)
        dialog.dismiss()

    lab.page.context.on("dialog", note)
    return lab, dialogs


def check_nothing_ran(page, dialogs):
    # What an element fails to load it tells a moment later.
    page.wait_for_timeout(200)
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("window.hit") is None
    assert dialogs == []


def look_through(page, panel, dialogs):
    """Open all tabs of a panel, with the layer selected and its tables open."""
    for tab in TABS:
        panel.get_by_role("tab", name=tab).click()
        if tab == "Layers":
            panel.get_by_placeholder("Find layers").fill("onerror")
            panel.get_by_placeholder("Find layers").press("Enter")
            expect(panel.locator(".gs-Layers-selection h3")).to_have_text(HOSTILE_NAME)
            for table in panel.get_by_text("Numbers as a table").all():
                table.click()
            expect(panel.get_by_role("rowheader", name=HOSTILE_NAME).first).to_be_visible()
            panel.locator(".gs-LayersChart canvas").hover(position={"x": 200, "y": 100})
        elif tab == "Benchmark":
            expect(panel.get_by_role("tabpanel")).to_contain_text(FILE)
        elif tab == "Code":
            expect(panel.locator(".gs-Panel-code").first).to_contain_text(HOSTILE_NAME)
        check_nothing_ran(page, dialogs)


def test_a_layer_and_a_file_named_like_markup_are_text_everywhere(watched):
    lab, dialogs = watched
    page, panel = lab.page, lab.page.locator(".gs-Panel")
    lab.save_notebook("hostile.ipynb", code(HOSTILE, OPEN, REPORT))
    lab.open("hostile.ipynb")
    lab.run_all_cells()
    expect(panel.get_by_role("button", name="Apply")).to_be_enabled(timeout=30_000)
    look_through(page, panel, dialogs)

    report = page.locator(".gs-Report").last
    expect(report.locator("table").first).to_contain_text(HOSTILE_NAME)
    check_nothing_ran(page, dialogs)

    page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown(); }")
    expect(panel.get_by_role("note")).to_contain_text("Saved state")
    look_through(page, panel, dialogs)

    alone = page.context.new_page()
    alone.goto((lab.folder / "report.html").as_uri())
    expect(alone.locator("body")).to_contain_text(HOSTILE_NAME)
    check_nothing_ran(alone, dialogs)

    # Were it markup, it would have been noticed.
    page.evaluate("name => document.body.insertAdjacentHTML('beforeend', name)", HOSTILE_NAME)
    page.wait_for_function("window.hit === 1")
    assert len(dialogs) == 1
