"""A slider of the panel shows each move at once: in a real browser, on ResNet-50 and on a network of 300 layers.

Run by ``make bench``. A machine that does other things at the same time shows in the figures.
"""

from __future__ import annotations

import json
import os
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.benchmarks.slider_moves import drag_to_and_fro, press_to_and_fro
from tests.browser.panel_cells import RESNET50, THREE_HUNDRED_LAYERS, code

pytestmark = [pytest.mark.bench, pytest.mark.browser, pytest.mark.timeout(600)]

MOVES = 200
LIMIT_MS = 50
GROWTH_BYTES = 1_000_000
OPEN_S = 300
NETWORKS = {"ResNet-50": (RESNET50, 54), "300 layers": (THREE_HUNDRED_LAYERS, 300)}
"""The cells that make them, and how many layers they have."""

# Each message that arrives is noted, whatever the panel does with it.
OPEN = """\
from gsjupyter.widgets.panel_state import PanelState

heard, take = [], PanelState._handle_msg

def note(self, message):
    heard.append(message["header"]["msg_id"])
    take(self, message)

PanelState._handle_msg = note
panel = gs.panel(net, x)
if panel.sensitivity is None:
    panel.measure()
panel
"""
WRITE = """\
import json
from pathlib import Path

found = {"heard": heard, "options": panel.options, "model_id": panel.model_id, "layers": len(panel.network["layers"])}
Path("heard.json").write_text(json.dumps(found))
"""


class Sent:
    """The messages to widgets that a page sends, by the id of the widget's channel."""

    def __init__(self, page):
        self.by_comm = {}
        page.on("websocket", lambda socket: socket.on("framesent", self._frame))

    def _frame(self, frame):
        # Binary frames begin with the offsets of their parts: the channel, the header, the parent, metadata, content.
        if not isinstance(frame, bytes):
            return
        count = int.from_bytes(frame[:8], "little")
        offsets = np.frombuffer(frame[8 : 8 + 8 * count], "<u8").astype(int)
        parts = [frame[start:end] for start, end in pairwise(offsets)]
        header, content = json.loads(parts[1]), json.loads(parts[4])
        if header["msg_type"] == "comm_msg":
            self.by_comm.setdefault(content["comm_id"], []).append(header["msg_id"])


@pytest.fixture(params=NETWORKS)
def opened(request, lab):
    """Give the panel of a network in a notebook, with a layer selected and its sliders and charts in sight."""
    cell, layers = NETWORKS[request.param]
    page, complaints = lab.page, []
    page.set_viewport_size({"width": 1280, "height": 1400})
    sent = Sent(page)
    lab.save_notebook("latency.ipynb", code(cell, OPEN, WRITE))
    lab.open("latency.ipynb")
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("warning", "error") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    lab.run_all_cells(OPEN_S)
    panel = page.locator(".gs-Panel").first
    expect(panel.get_by_role("button", name="Apply")).to_be_enabled(timeout=60_000)
    panel.get_by_role("tab", name="Layers").click()
    panel.locator(".gs-LayersChart canvas").click(position={"x": 200, "y": 100})
    expect(panel.locator(".gs-Layers-selection h3")).to_be_visible()
    expect(panel.locator(".gs-Layers-readouts")).to_contain_text("dB")
    network = panel.get_by_role("region", name="The whole network")
    network.evaluate("element => element.scrollIntoView()")
    return SimpleNamespace(
        lab=lab, name=request.param, layers=layers, network=network, sent=sent, complaints=complaints
    )


def heard_in_kernel(lab):
    """Return what the kernel has heard of the panel, and how its options stand, asked by the notebook's last cell."""
    path = lab.folder / "heard.json"
    path.unlink()
    lab.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 2; }")
    lab.command("notebook:run-cell")
    lab.wait_until_idle()
    return json.loads(path.read_text())


def used_bytes(page):
    """Return what the page's scripts hold once all garbage is collected."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return used


def tell(name, moves):
    """Print how long moves took, and return in what time 95 of 100 were seen."""
    middle, p95, most = np.percentile(moves.durations_ms, [50, 95, 100])
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    print(f"{name}: {len(moves.durations_ms)} moves, median {middle:.1f} ms, p95 {p95:.1f} ms, at most {most:.1f} ms")
    if moves.presented_ms:
        # Those of less than 16 ms the browser doesn't tell.
        all_ms = [*moves.presented_ms, *[16.0] * (len(moves.values) - len(moves.presented_ms))]
        print(f"{name}: to the pixels, as the browser says, p95 {np.percentile(all_ms, 95):.0f} ms")
    print(f"load {load}")
    return p95


def test_each_move_is_seen_at_once_and_none_is_lost_or_left_in_memory(opened):
    page, slider = opened.lab.page, lambda name: opened.network.get_by_role("slider", name=name)
    p95_ms, growth_bytes, last = {}, {}, {}
    for name, move in (("Bits", press_to_and_fro), ("Clipping", drag_to_and_fro)):
        moves = move(page, slider(name), MOVES)
        p95_ms[name] = tell(f"{opened.name}, {name.lower()}", moves)
        assert len(moves.values) == MOVES
        assert moves.undrawn == 0
        before = used_bytes(page)
        move(page, slider(name), MOVES)
        growth_bytes[name] = used_bytes(page) - before
        last[name] = moves.values[-1]
        print(f"{opened.name}, {name.lower()}: {growth_bytes[name] / 1e6:+.2f} MB after {MOVES} more")

    kernel = heard_in_kernel(opened.lab)
    assert kernel["layers"] == opened.layers
    assert kernel["options"]["weights"] == f"int{last['Bits']}"
    assert kernel["options"]["clipping"] == last["Clipping"]
    assert kernel["heard"] == opened.sent.by_comm[kernel["model_id"]]
    assert len(kernel["heard"]) >= 3
    assert opened.complaints == []
    assert max(growth_bytes.values()) <= GROWTH_BYTES
    assert max(p95_ms.values()) <= LIMIT_MS
