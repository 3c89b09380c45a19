"""The Benchmark tab with a real kernel: what is measured, where, why not elsewhere, figures as they come, and Stop."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.panel_cells import LENET, code

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

OPEN = "import gsjupyter as gs\npanel = gs.panel(net, x)\npanel.apply()\npanel"
SUBJECTS = ["LeNet5 (source)", "#1 int8 weights"]
ENGINES = ("MindSpore", "ONNX Runtime", "MindSpore Lite")
TARGETS = ("CPU", "GPU", "Ascend")
SOON_MS = 60_000
# A line is there for a moment only. From the second process on, all rows have been measured once.
A_FIGURE_IS_SEEN = """() => {
    const live = document.querySelector(".gs-Panel-live")?.textContent ?? "";
    return /^benchmark of 2 rows.*: launch ([2-9]|1\\d) of 20, round .* [\\d.]+ (s|ms|µs)$/.test(live.trim());
}"""


@pytest.fixture
def tab(lab):
    """Give the Benchmark tab of a panel on LeNet, with one conversion applied."""
    lab.save_notebook("benchmark.ipynb", code(LENET, OPEN))
    lab.open("benchmark.ipynb")
    lab.run_all_cells()
    panel = lab.page.locator(".gs-Panel").first
    expect(panel.get_by_role("button", name="Apply")).to_be_enabled(timeout=30_000)
    panel.get_by_role("tab", name="Benchmark").click()
    return panel.get_by_role("tabpanel")


def choose(tab, group, wanted):
    """Choose of a group what is wanted, and nothing else."""
    group = tab.get_by_role("group", name=group)
    for choice in group.get_by_role("checkbox").all():
        if choice.is_checked() != (choice.evaluate("e => e.labels[0].textContent") in wanted):
            choice.click()
    for name in wanted:
        expect(group.get_by_label(name, exact=True)).to_be_checked()


def run(tab, *, seconds, processes):
    tab.get_by_role("textbox", name="Seconds a row").fill(seconds)
    tab.get_by_role("textbox", name="Processes a row").fill(processes)
    tab.get_by_role("button", name="Run", exact=True).click()


def measured(tab):
    """Return the names of the rows that the report holds, and what it says of them."""
    report = tab.get_by_role("region", name="Result of the benchmark")
    rows = report.locator("table").first.get_by_role("rowheader").all_inner_texts()
    return rows, report.locator(".gs-Report-messages li").all_inner_texts()


def test_from_choosing_what_and_where_to_a_stopped_and_a_complete_report(lab, tab):
    subjects = tab.get_by_role("group", name="What to compare")
    assert subjects.locator("label").all_inner_texts() == SUBJECTS

    tab.get_by_role("button", name="Look for targets").click()
    places = tab.get_by_role("region", name="Where models can run").get_by_role("row")
    expect(places).to_have_count(1 + len(TARGETS) * len(ENGINES), timeout=SOON_MS)
    lines = [line.split("\t") for line in places.all_inner_texts()[1:]]
    assert [line[:2] for line in lines] == [[target, engine] for target in TARGETS for engine in ENGINES]
    assert all(re.fullmatch(r"Found .+|Missing .{20,}\.", line[2], re.DOTALL) for line in lines)
    assert lines[1][2].startswith("Found ONNX Runtime")

    choose(tab, "Engines", ["ONNX Runtime"])
    run(tab, seconds="10", processes="20")
    lab.page.wait_for_function(A_FIGURE_IS_SEEN, timeout=SOON_MS)
    tab.get_by_role("button", name="Stop").click()
    expect(tab).to_contain_text("Cut short: what was measured until then.", timeout=SOON_MS)
    names, said = measured(tab)
    assert names == SUBJECTS
    assert any("It was interrupted" in message for message in said)
    advice = next(message for message in said if "#1 int8 weights: 5 weights are stored in integers" in message)
    assert "For speed quantize weights and activations to int8" in advice

    choose(tab, "What to compare", SUBJECTS[1:])
    run(tab, seconds="0.3", processes="1")
    expect(tab).to_contain_text("Complete.", timeout=SOON_MS)
    names, said = measured(tab)
    assert names == SUBJECTS[1:]
    assert not any("It was interrupted" in message for message in said)
