"""Moves of a slider in a real browser, each timed from the key or the mouse to the frame that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, cycle, islice
from typing import Any

from playwright.sync_api import Locator, Page

_PAUSE_MS = 20
# A key and its repetitions are one pull until they rest; see calmSlider.tsx.
_COMMITTED_MS = 1_000
_EDGE = 8

# The panel's own work is asked for in the same dispatch as `frame` here, so it is done in that frame; the frame after
# it begins when that one was painted. Drawings are counted, so that a move that shows nothing isn't a fast one.
_TIME_MOVES = """slider => {
    const found = { moves: [], presented: [] };
    let [cause, drawings] = [0, 0];
    const ends = [];
    const listen = (target, type, heard) => {
        target.addEventListener(type, heard, true);
        ends.push(() => target.removeEventListener(type, heard, true));
    };
    for (const type of ["keydown", "pointermove"]) {
        listen(window, type, event => { if (event.isTrusted) cause = event.timeStamp; });
    }
    listen(slider, "input", event => {
        const move = { value: slider.valueAsNumber, trusted: event.isTrusted };
        const [start, before] = [cause, drawings];
        requestAnimationFrame(() => requestAnimationFrame(() => {
            found.moves.push({ ...move, duration_ms: performance.now() - start, drawings: drawings - before });
        }));
    });
    const { clearRect } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.clearRect = function (...area) {
        drawings += 1;
        clearRect.apply(this, area);
    };
    ends.push(() => { CanvasRenderingContext2D.prototype.clearRect = clearRect; });
    const observer = new PerformanceObserver(list => {
        for (const { name, duration } of list.getEntries()) {
            if (name === "keydown") found.presented.push(duration);
        }
    });
    observer.observe({ type: "event", durationThreshold: 16 });
    ends.push(() => observer.disconnect());
    window.timedMoves = () => {
        ends.forEach(end => end());
        delete window.timedMoves;
        return found;
    };
}"""


@dataclass(frozen=True)
class Moves:
    """What was found of some moves.

    Parameters
    ----------
    values : list of float
        Where the slider stood after each.
    durations_ms : list of float
        From the event of the key or the mouse to the frame after the one that shows the move.
    presented_ms : list of float
        The browser's own times to the pixels of those keys that took 16 ms or more.
    undrawn : int
        Moves after which no chart was drawn.
    """

    values: list[float]
    durations_ms: list[float]
    presented_ms: list[float]
    undrawn: int


def press_to_and_fro(page: Page, slider: Locator, count: int) -> Moves:
    """Move a slider by the arrow keys: from the upper end to the lower, and back, and so on."""
    steps = _steps(slider)
    slider.focus()
    page.keyboard.press("End")
    keys = cycle(["ArrowLeft"] * steps + ["ArrowRight"] * steps)
    with _timed(page, slider) as found:
        for key in islice(keys, count):
            page.keyboard.press(key)
            page.wait_for_timeout(_PAUSE_MS)
    return Moves(**found)


def drag_to_and_fro(page: Page, slider: Locator, count: int) -> Moves:
    """Move a slider by the mouse, held down: from the upper end to the lower, step by step, and back, and so on."""
    steps = _steps(slider)
    box = slider.bounding_box()
    assert box is not None
    width, y = box["width"] - 2 * _EDGE, box["y"] + box["height"] / 2

    def point(step: int) -> float:
        return box["x"] + _EDGE + width * step / steps

    there_and_back = chain(range(steps - 1, -1, -1), range(1, steps + 1))
    page.mouse.move(point(steps), y)
    page.mouse.down()
    with _timed(page, slider) as found:
        for step in islice(cycle(there_and_back), count):
            page.mouse.move(point(step), y)
            page.wait_for_timeout(_PAUSE_MS)
        page.mouse.up()
    return Moves(**found)


def _steps(slider: Locator) -> int:
    least, most, step = (float(slider.get_attribute(name) or "nan") for name in ("min", "max", "step"))
    return round((most - least) / step)


@contextmanager
def _timed(page: Page, slider: Locator) -> Iterator[dict[str, Any]]:
    found: dict[str, Any] = {}
    slider.evaluate(_TIME_MOVES)
    yield found
    page.wait_for_timeout(_COMMITTED_MS)
    timed = page.evaluate("window.timedMoves()")
    moves = timed["moves"]
    assert all(move["trusted"] for move in moves)
    found["values"] = [move["value"] for move in moves]
    found["durations_ms"] = [move["duration_ms"] for move in moves]
    found["presented_ms"] = timed["presented"]
    found["undrawn"] = sum(move["drawings"] == 0 for move in moves)
