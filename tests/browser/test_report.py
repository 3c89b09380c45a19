"""A report in a saved notebook: what people get who open it where no kernel runs and nothing is trusted."""

from __future__ import annotations

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.contrast import contrast
from tests.browser.lab import DARK, LIGHT

MIME_TYPE = "application/vnd.gsjupyter.report+json"
HOSTILE = "<img src=x onerror=alert(1)>"
READABLE = 4.5  # WCAG 2, level AA

COLUMNS = [
    {"key": "name", "label": "Layer", "kind": "text"},
    {"key": "operator", "label": "Operator", "kind": "text"},
    {"key": "parameters", "label": "Parameters", "kind": "integer"},
    {"key": "size_bytes", "label": "Size", "kind": "bytes"},
    {"key": "clipped", "label": "Clipped", "kind": "percent", "digits": 2},
    {"key": "sqnr_db", "label": "SQNR (dB)", "kind": "number", "digits": 1, "bar": True},
]


def layer(name, operator, parameters, clipped, sqnr_db):
    return {
        "name": name,
        "operator": operator,
        "parameters": parameters,
        "size_bytes": parameters,
        "clipped": clipped,
        "sqnr_db": sqnr_db,
    }


LENET = [
    layer("conv1", "Conv2D", 150, 0.0, 41.2),
    layer("conv2", "Conv2D", 2400, 0.0004, 38.7),
    layer("flatten", "Reshape", 0, None, "inf"),
    layer("fc1", "MatMul", 48000, 0.0011, 36.4),
    layer("fc2", "MatMul", 10080, 0.0007, 37.9),
    layer(HOSTILE, "MatMul", 840, 0.0, 39.5),
]
RESNET = [
    layer(f"layer{1 + i // 8}.conv{i % 8}", "Conv2D", 36_864 * (1 + i // 8), i / 9000, 42 - i / 3) for i in range(32)
]


def table(title, rows):
    return {"type": "table", "title": title, "columns": COLUMNS, "rows": rows}


REPORT = {
    "version": 1,
    "title": "LeNet5: int8 weights, int8 activations",
    "blocks": [
        {
            "type": "facts",
            "items": [
                {"label": "Size", "value": "245 kB \u2192 79 kB"},
                {"label": "SQNR", "value": "31.8 dB"},
                {"label": "Same class", "value": "997 of 1,000 images"},
            ],
        },
        table("Layers", LENET),
        table("The backbone's layers", RESNET),
        {
            "type": "messages",
            "items": [
                {"level": "note", "text": "bn1 was folded into conv1."},
                {"level": "warning", "text": "fc1 clips 0.11 % of its weights. Compare --observer mse."},
                {"level": "error", "text": "fc4 holds 12 NaN weights of 4,608, and stays in float."},
            ],
        },
        {"type": "hologram"},
    ],
}


@pytest.fixture
def report(lab):
    """Give the report as it shows in a notebook without a kernel and without trust."""
    data = {MIME_TYPE: REPORT, "text/html": "<p>the fallback</p>", "text/plain": "LeNet5"}
    output = nbformat.v4.new_output("execute_result", data, execution_count=1)
    cell = nbformat.v4.new_code_cell("qnet", execution_count=1, outputs=[output])
    lab.save_notebook("report.ipynb", [cell], kernel=None)
    lab.open_without_kernel("report.ipynb")
    report = lab.page.locator(".gs-Report")
    expect(report).to_be_visible()
    return report


def names(table):
    return table.locator("tbody th").all_text_contents()


def test_no_kernel_runs_and_the_notebook_is_not_trusted(lab, report):
    state = lab.page.evaluate("""() => {
        const { sessionContext, model } = window.jupyterapp.shell.currentWidget.context;
        return [sessionContext.session?.kernel ?? null, model.cells.get(0).trusted];
    }""")
    assert state == [None, False]


def test_a_cell_that_runs_shows_it_too(lab):
    cell = nbformat.v4.new_code_cell(f"display({ {MIME_TYPE: REPORT, 'text/plain': 'LeNet5'} }, raw=True)")
    lab.save_notebook("running.ipynb", [cell])
    lab.open("running.ipynb")
    lab.run_all_cells()
    expect(lab.page.locator(".gs-Report-title")).to_have_text(REPORT["title"])


def test_names_are_text(lab, report):
    assert HOSTILE in names(report.locator("table").first)
    assert report.locator("img").count() == 0


def test_values_are_written_for_people(report):
    row = report.locator("table").first.locator("tbody tr")
    assert row.nth(3).locator("td").all_text_contents() == ["MatMul", "48,000", "48 kB", "0.11 %", "36.4"]
    assert row.nth(2).locator("td").all_text_contents() == ["Reshape", "0", "0 B", "\u2013", "inf"]


def test_a_click_sorts_and_a_third_restores_the_order_of_the_network(report):
    table = report.locator("table").first
    heading = table.get_by_role("columnheader", name="SQNR")
    orders = []
    for direction in ("ascending", "descending", "none"):
        heading.get_by_role("button").click()
        expect(heading).to_have_attribute("aria-sort", direction)
        orders.append(names(table))
    assert orders == [
        ["fc1", "fc2", "conv2", HOSTILE, "conv1", "flatten"],
        ["conv1", HOSTILE, "conv2", "fc2", "fc1", "flatten"],
        [row["name"] for row in LENET],
    ]


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_sorts_and_the_notebook_stays_out_of_it(lab, report, key):
    table = report.locator("table").first
    heading = table.get_by_role("columnheader", name="Layer")
    heading.get_by_role("button").focus()
    lab.page.keyboard.press(key)
    expect(heading).to_have_attribute("aria-sort", "ascending")
    assert names(table)[0] == HOSTILE
    expect(heading.get_by_role("button")).to_be_focused()
    lab.page.keyboard.press("Tab")
    lab.page.keyboard.press(key)
    expect(table.get_by_role("columnheader", name="Operator")).to_have_attribute("aria-sort", "ascending")
    assert lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.mode") == "command"


def test_only_the_long_table_filters(lab, report):
    report.get_by_role("searchbox").click()
    # Letters that are commands of the notebook: delete the cell, add one, change its type.
    lab.page.keyboard.type("ddabmy")
    expect(report.locator("output")).to_have_text("0 of 32")
    report.get_by_role("searchbox").fill("layer2 conv7")
    expect(report.locator("output")).to_have_text("1 of 32")
    assert names(report.locator("table").nth(1)) == ["layer2.conv7"]
    assert len(names(report.locator("table").first)) == len(LENET)


def test_a_long_table_scrolls_under_its_headings(report):
    scroller = report.locator(".gs-Report-scroller").nth(1)
    scroller.evaluate("element => { element.scrollTop = 300; }")
    heading = scroller.locator("thead th").first
    assert heading.bounding_box()["y"] == pytest.approx(scroller.bounding_box()["y"], abs=3)


def test_what_this_release_does_not_know_is_named(report):
    expect(report.locator(".gs-Report-unreadable")).to_contain_text('the part "hologram"')


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_all_text_is_readable(lab, report, theme):
    lab.set_theme(theme)
    lab.screenshot(f"report-{theme.split()[-1].lower()}", report)
    report.get_by_role("searchbox").fill("layer2")
    parts = ("-title", " dt", " dd", " caption", " button", "-value", " li *", "-unreadable", " input", " output")
    lowest = {part: min(map(contrast, lab.page.locator(f".gs-Report{part}").all())) for part in parts}
    assert {part: value for part, value in lowest.items() if value < READABLE} == {}
