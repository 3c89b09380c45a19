"""The stand-alone page of a benchmark, opened from the disk as whoever receives it would."""

from __future__ import annotations

import pytest

from tests.benchmarking.known_results import ATTACK, FULL, benchmark, row
from tests.browser.contrast import contrast


@pytest.fixture(scope="module", params=["light", "dark"])
def page(request, chromium, tmp_path_factory):
    """Give the page with what the browser has complained of, or asked the network for, in the theme."""
    path = tmp_path_factory.mktemp("page") / "benchmark.html"
    (FULL + benchmark(row(ATTACK, session="day9"))).save(path)
    with chromium.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.heard = []
        page.on("console", lambda message: page.heard.append(message.text))
        page.on("pageerror", lambda error: page.heard.append(str(error)))
        page.on("request", lambda asked: page.heard.append(asked.url) if asked.url != path.as_uri() else None)
        page.goto(path.as_uri())
        yield page


def test_it_needs_no_network_and_complains_of_nothing(page):
    assert page.heard == []
    assert page.locator("img[src=x]").count() == 0
    assert ATTACK in page.locator("table").first.inner_text()


def test_its_text_stands_out_in_light_and_dark(page):
    for kind in ("h1, h4", "caption", "th", "td", "dt", "dd", "p"):
        found = page.locator(kind).all()
        assert min((contrast(element) for element in found), default=21) >= 4.5, kind


def test_its_figures_are_there_with_words_for_who_can_not_see_them(page):
    figures = page.locator("svg")
    assert figures.count() == 3
    for figure in figures.all():
        box = figure.bounding_box()
        assert box["width"] > 200
        assert box["x"] + box["width"] <= 1280
        assert len(figure.locator("xpath=..").get_attribute("aria-label")) > 50
