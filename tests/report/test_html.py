from __future__ import annotations

import math
import re
from html.parser import HTMLParser

from gsjupyter.report import Column, Document, Layers, Table, to_html
from tests.report.samples import ATTACK, CONV, LAYERS, every_kind_of_block

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
