from __future__ import annotations

import base64
import hashlib
import re

import pytest

from gsjupyter.errors import OptionError, UnsupportedError, WriteError
from gsjupyter.report import Document
from gsjupyter.report.assets import is_built
from gsjupyter.report.layers_block import LayerBar, LayersBlock
from gsjupyter.report.page import Picture, to_page, write_page
from tests.report.samples import ATTACK, CONV, every_kind_of_block

needs_build = pytest.mark.skipif(not is_built("report.js"), reason="the front end was not built (pip install -e .)")


def test_a_page_holds_the_report_and_its_title():
    page = to_page(every_kind_of_block())
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("<table>") == 1
    assert re.search(r"<title>[^<]+</title>", page)


def test_names_from_outside_are_text_and_nothing_else():
    page = to_page(every_kind_of_block(ATTACK), [Picture("<svg></svg>", ATTACK, ATTACK)])
    assert "<img" not in page
    assert "<script" not in page
    assert page.count("<svg></svg>") == 1


def policy_of(page):
    return re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)


def test_nothing_may_run_or_be_fetched():
    assert policy_of(to_page(Document("t", []))) == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@needs_build
def test_of_scripts_only_that_of_the_chart_may_run():
    page = to_page(Document(ATTACK, [LayersBlock(ATTACK, [LayerBar(CONV)])]))
    (script,) = re.findall(r"<script type=\"module\">(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy_of(page).split("; ") == [
        *("default-src 'none'", "style-src 'unsafe-inline'", "img-src data:"),
        f"script-src 'sha256-{digest}'",
    ]
    assert "<img" not in page


@needs_build
def test_a_page_is_written_whole(tmp_path):
    path = write_page(Document("\u5377\ud800", []), tmp_path / "report.html")
    assert path == tmp_path / "report.html"
    assert "<title>\u5377?</title>" in path.read_text("utf-8")
    assert list(tmp_path.iterdir()) == [path]


@needs_build
def test_a_file_that_is_there_is_replaced_only_if_that_is_asked_for(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("mine")
    with pytest.raises(WriteError, match=r"report\.html exists \(4 B, written .*\)\.\n.*overwrite=True"):
        write_page(Document("t", []), path)
    assert path.read_text() == "mine"
    write_page(Document("t", []), path, overwrite=True)
    assert "<title>t</title>" in path.read_text()


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("", WriteError, "is a folder"),
        ("report.pdf", OptionError, r"doesn't end in \.html\.\nTry report\.html"),
        pytest.param("missing/report.html", WriteError, "there is no folder", marks=needs_build),
    ],
)
def test_what_can_not_be_written_is_said_in_words(tmp_path, name, error, words):
    with pytest.raises(error, match=words):
        write_page(Document("t", []), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_without_its_script_no_page_is_written(tmp_path, monkeypatch):
    def missing(name):
        raise UnsupportedError(f"{name} is missing")

    monkeypatch.setattr("gsjupyter.report.page.asset", missing)
    with pytest.raises(UnsupportedError):
        write_page(Document("t", []), tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []
