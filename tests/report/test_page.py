from __future__ import annotations

import re

from gsjupyter.report import Document
from gsjupyter.report.page import Picture, to_page
from tests.report.samples import ATTACK, every_kind_of_block


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


def test_nothing_may_run_or_be_fetched():
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', to_page(Document("t", []))).group(1)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
