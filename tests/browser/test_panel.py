"""The panel in a real JupyterLab with a real kernel: from the network to a file by mouse and keyboard alone."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.lab import DARK, LIGHT
from tests.browser.panel_cells import LENET, code

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TABS = ("Convert", "Layers", "Benchmark", "Code")
APPLIED_MS = 60_000


@pytest.fixture
def panel(lab):
    """Give the panel of a LeNet, whose applied conversions are called qnet."""
    return opened(lab, LENET, "%gs_panel net x --calibration images -o qnet")


def opened(lab, *cells):
    lab.save_notebook("panel.ipynb", code(*cells))
    lab.open("panel.ipynb")
    lab.run_all_cells()
    panel = lab.page.locator(".gs-Panel").first
    # The saved view is there first; it can't apply anything.
    expect(panel.get_by_role("button", name="Apply")).to_be_enabled(timeout=30_000)
    return panel


def press(slider, key, times):
    slider.focus()
    for _ in range(times):
        slider.press(key)


def apply(panel):
    panel.get_by_role("button", name="Apply").click()
    expect(panel).to_contain_text("Converting: done.", timeout=APPLIED_MS)
    expect(panel.get_by_role("button", name="Apply")).to_be_enabled(timeout=APPLIED_MS)


def problems(page):
    """Return what axe calls serious or worse of the panel, in short."""
    found = Axe().run(page, context=".gs-Panel", options={"resultTypes": ["violations"]})
    return [
        f"{item['id']}: {item['nodes'][0]['html'][:200]}"
        for item in found.response["violations"]
        if item["impact"] in ("serious", "critical")
    ]


def test_from_a_network_to_a_file_by_mouse_and_keyboard_and_the_same_as_code(lab, panel):
    panel.get_by_role("tab", name="Layers").click()
    bits = panel.get_by_role("slider", name="Bits").first
    predicted = panel.locator(".gs-Layers-readouts")
    expect(predicted).to_contain_text("62 kB")
    press(bits, "ArrowLeft", 4)
    expect(predicted).to_contain_text("33 kB")
    # A layer of its own: found by name, set by keyboard.
    panel.get_by_placeholder("Find layers").fill("fc3")
    panel.get_by_placeholder("Find layers").press("Enter")
    selection = panel.locator(".gs-Layers-selection")
    expect(selection.get_by_role("heading", name="fc3")).to_be_visible()
    press(selection.get_by_role("slider", name="Bits"), "ArrowRight", 2)
    panel.get_by_role("tab", name="Code").click()
    expect(panel.locator(".gs-Panel-code")).to_contain_text("int6")
    apply(panel)

    panel.get_by_role("tab", name="Code").click()
    panel.get_by_role("combobox", name="File").fill("by-hand.mindir")
    panel.get_by_role("button", name="Export").press("Enter")
    expect(panel.get_by_role("list", name="Exported files")).to_contain_text("by-hand.mindir", timeout=30_000)

    panel.get_by_role("button", name="New cell").click()
    notebook = lab.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    expect(notebook.locator(".jp-Cell")).to_have_count(3)
    expect(notebook.locator(".jp-Cell").nth(2)).to_contain_text("gs_convert")
    lab.command("notebook:run-cell")
    lab.wait_until_idle()
    # A second conversion under the name that the panel had bound, which the copied code binds as well.
    lab.command("notebook:insert-cell-below")
    lab.page.keyboard.press("Enter")
    lab.page.keyboard.type("%gs_export qnet by-code.mindir")
    lab.command("notebook:run-cell")
    lab.wait_until_idle()
    by_hand, by_code = ((lab.folder / f"by-{way}.mindir").read_bytes() for way in ("hand", "code"))
    assert by_hand == by_code


def test_copied_code_is_in_the_clipboard(lab, panel):
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel.get_by_role("tab", name="Code").click()
    panel.get_by_role("button", name="Copy").click()
    expect(panel.get_by_text("Copied.")).to_be_visible()
    copied = lab.page.evaluate("navigator.clipboard.readText()")
    assert copied == "%gs_convert net x --weights int8 --calibration images -o qnet"


def test_undo_and_redo_by_keyboard(panel):
    panel.get_by_role("tab", name="Layers").click()
    bits = panel.get_by_role("slider", name="Bits").first
    press(bits, "ArrowLeft", 3)
    expect(bits).to_have_attribute("aria-valuetext", re.compile("5"))
    expect(panel.get_by_role("button", name="Undo")).to_be_enabled()
    bits.press("Control+z")
    expect(bits).to_have_attribute("aria-valuetext", re.compile("8"))
    bits.press("Control+Shift+z")
    expect(bits).to_have_attribute("aria-valuetext", re.compile("5"))


def test_cancel_stops_the_work_and_leaves_everything_as_it_was(lab, panel):
    many = "images = np.concatenate([images] * 400)\n"
    panel = opened(lab, LENET + many, "%gs_panel net x --calibration images -o qnet")
    panel.get_by_role("tab", name="Convert").click()
    panel.get_by_role("group", name="Rounding and corrections").get_by_label("Rounding").select_option("gptq")
    panel.get_by_role("button", name="Apply").click()
    panel.get_by_role("button", name="Cancel").click()
    expect(panel.get_by_role("button", name="Apply")).to_be_enabled(timeout=15_000)
    expect(panel).to_contain_text("cancelled")
    panel.get_by_role("group", name="Rounding and corrections").get_by_label("Rounding").select_option("nearest")
    apply(panel)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_nothing_serious_is_wrong_for_who_cannot_see_it(lab, panel, theme):
    apply(panel)
    lab.set_theme(theme)
    colour = theme.split()[-1].lower()
    for tab in TABS:
        panel.get_by_role("tab", name=tab).click()
        if tab == "Layers":
            panel.locator(".gs-LayersChart canvas, .gs-Chart canvas").first.click(position={"x": 200, "y": 150})
        lab.screenshot(f"panel-{tab.lower()}-{colour}", panel)
        assert problems(lab.page) == []
        if tab == "Layers" and theme == LIGHT:
            lab.screenshot("panel", panel)


def test_a_narrow_window(lab, panel):
    lab.page.set_viewport_size({"width": 700, "height": 900})
    for tab in TABS:
        panel.get_by_role("tab", name=tab).click()
        lab.screenshot(f"panel-{tab.lower()}-narrow", panel)
        assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth + 1")


def test_in_chinese(lab, panel):
    panel.get_by_role("button", name="中文").click()
    expect(panel.get_by_role("button", name="应用")).to_be_visible()
    for number, tab in enumerate(TABS):
        panel.get_by_role("tab").nth(number).click()
        lab.screenshot(f"panel-{tab.lower()}-chinese", panel)
        assert problems(lab.page) == []
