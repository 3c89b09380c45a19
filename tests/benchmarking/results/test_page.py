from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from matplotlib import pyplot as plt
from matplotlib import rcParams

from gsjupyter.benchmarking.results.page import page_of
from tests.benchmarking.known_results import ATTACK, FULL, benchmark, check, missing, row

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """What a browser would see."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and "style" not in self.open:
            self.texts.append(data)


@pytest.fixture(scope="module")
def page():
    return page_of(FULL)


def test_the_page_has_tables_figures_and_messages(page):
    reader = Reader(page)
    assert reader.open == []
    assert [reader.tags.count(tag) for tag in ("html", "title", "table", "svg")] == [1, 1, 2, 3]
    assert "Benchmark of 2 models: 6 rows" in reader.texts
    assert "net was exported for it." in page


def test_nothing_is_fetched_and_nothing_runs(page):
    reader = Reader(page)
    assert not {"script", "link", "iframe", "object", "embed", "foreignobject", "base", "form"} & set(reader.tags)
    links = [value for name, value in reader.attributes if name in ("src", "href", "xlink:href", "action")]
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert not any(name.startswith("on") for name, _ in reader.attributes)
    assert "http:" not in page
    assert "https:" not in page
    assert "@import" not in page
    policy = dict(reader.attributes)["content"]
    assert any("default-src 'none'" in (value or "") for _, value in reader.attributes), policy


def test_figures_are_told_in_words(page):
    alternatives = [value for name, value in Reader(page).attributes if name == "aria-label"]
    assert any(
        text.startswith("Latency. net, MindSpore, CPU, batch 1: 100 ms; net, ONNX Runtime, CPU, batch 1: 20 ms; ")
        for text in alternatives
    )
    assert any("net int8, CPU, batch 8: 200;" in text for text in alternatives)
    assert any("net int8, CPU, batch 8: 12 MB, 5 ms;" in text for text in alternatives)


def test_text_in_figures_has_the_pages_colour(page):
    figures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert all("fill: currentColor" in figure and "stroke: currentColor" in figure for figure in figures)
    assert "#010203" not in page
    # Neither black text nor white grounds, which would be wrong on either a dark or a light page.
    assert not re.search(r"fill: #(000000|ffffff)", "".join(figures))
    assert "color-scheme: light dark" in page


def test_names_from_outside_are_text_in_figures_too():
    hostile = benchmark(
        row(ATTACK, batch=1, check=check()),
        row(ATTACK, 0.02, batch=4, size_bytes=10),
        missing(ATTACK, ATTACK, threads=7),
    )
    reader = Reader(page_of(hostile))
    assert reader.open == []
    assert "img" not in reader.tags
    assert not any(name.startswith("on") for name, _ in reader.attributes)
    assert any(ATTACK in text for text in reader.texts)


def test_names_that_no_font_of_matplotlib_has_are_written_all_the_same():
    assert "网络" in "".join(re.findall(r"<text.*?</text>", page_of(benchmark(row("网络"), row("b", 0.02))), re.DOTALL))


def test_a_page_is_the_same_each_time(page):
    assert page_of(FULL) == page


def test_figures_that_have_nothing_to_say_are_left_out():
    assert Reader(page_of(benchmark(row("a"), row("b", 0.02)))).tags.count("svg") == 1
    assert Reader(page_of(benchmark(missing()))).tags.count("svg") == 0


def test_drawing_a_page_leaves_matplotlib_as_it_was():
    plt.close("all")
    before = dict(rcParams)
    page_of(FULL)
    assert plt.get_fignums() == []
    assert dict(rcParams) == before


def test_a_page_is_saved(tmp_path, page):
    path = FULL.save(tmp_path / "b.html")
    assert path.read_text(encoding="utf-8") == page
