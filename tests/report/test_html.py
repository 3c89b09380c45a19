from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from gsjupyter.report import Column, Document, Layers, Table, to_html
from gsjupyter.report.assets import is_built
from gsjupyter.report.html import to_live_html
from gsjupyter.report.layers_block import LayerBar, LayersBlock
from tests.report.samples import ATTACK, CONV, LAYERS, every_kind_of_block

needs_build = pytest.mark.skipif(not is_built("report.js"), reason="the front end was not built (pip install -e .)")

OURS = {"div", "style", "h4", "dl", "dt", "dd", "p", "strong", "table", "caption", "thead", "tbody", "tr", "th", "td"}


class Reader(HTMLParser):
    """What a browser would see."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], set(), set(), []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and self.open[-1] != "style":
            self.texts.append(data)


def test_names_from_outside_are_text_and_nothing_else():
    reader = Reader(to_html(every_kind_of_block(ATTACK)))
    assert reader.tags <= OURS
    assert reader.attributes <= {"class", "scope", "style"}
    assert reader.texts.count(ATTACK) == 6


def test_a_layer_called_like_a_script_does_no_harm():
    layers = Layers([type(CONV)(**{**vars(CONV), "name": ATTACK, "note": "</style><script>alert(1)</script>"})])
    page = layers.to_html()
    assert "<img" not in page
    assert "<script" not in page
    assert ATTACK in Reader(page).texts


def test_the_numbers_are_those_of_the_text():
    texts = Reader(to_html(every_kind_of_block())).texts
    assert all(text in texts for text in ("41.3", "79 kB", "61,706", "1.2 %", "\u2013"))


def chart(name="conv1"):
    """Return a document with a chart of layers, and their table."""
    layers = Layers([replace(CONV, name=name)])
    return Document(name, [LayersBlock("Chart", [LayerBar(record) for record in layers]), layers.table()])


def test_a_chart_is_a_picture_and_a_line_of_words():
    reader = Reader(to_html(chart(ATTACK)))
    assert reader.tags - OURS == {"figure", "figcaption", "svg", "path"}
    assert reader.open == []
    assert f"1 layer, 600 B \u2192 174 B; SQNR of weights 41.2 dB ({ATTACK})" in "".join(reader.texts)


@needs_build
def test_a_chart_answers_where_scripts_run():
    page = to_live_html(chart("</script><img src=x onerror=alert(1)>"))
    assert page.count("<script") == page.count("</script>") == 2
    assert to_html(chart("</script><img src=x onerror=alert(1)>")) in page
    assert "<img" not in page


def test_without_a_chart_there_is_no_script():
    assert to_live_html(every_kind_of_block()) == to_html(every_kind_of_block())


def test_a_source_tree_without_a_build_shows_what_is_static(monkeypatch):
    monkeypatch.setattr("gsjupyter.report.html.is_built", lambda name: False)
    assert to_live_html(chart()) == to_html(chart())


def test_every_tag_is_closed_and_nothing_is_fetched():
    page = LAYERS.to_html()
    assert Reader(page).open == []
    assert not any(word in page for word in ("http", "src=", "url(", "<script", "@import"))


def test_an_empty_table_is_html_too():
    assert Reader(Layers([]).to_html()).open == []


def test_bars_show_shares_of_the_largest_number():
    rows = [{"value": 20.0}, {"value": 5.0}, {"value": None}, {"value": math.inf}, {"value": -3.0}]
    page = to_html(Document("t", [Table("t", [Column("value", "Value", "number", bar=True)], rows)]))
    assert re.findall(r"0\.24\) ([\d.]+)%", page) == ["100.0", "25.0", "0.0", "0.0", "0.0"]


def test_a_column_without_bars_has_no_style():
    page = to_html(Document("t", [Table("t", [Column("value", "Value", "number")], [{"value": 20.0}])]))
    assert "style=" not in page
