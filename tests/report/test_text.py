from __future__ import annotations

from gsjupyter.report import Document, Facts, Table, to_text
from gsjupyter.report.document import Column
from tests.report.samples import every_kind_of_block


def test_a_document_is_lines_of_text():
    assert to_text(every_kind_of_block()) == (
        "conv1\n"
        "\n"
        "conv1  conv1\n"
        "\n"
        "conv1\n"
        "conv1    dB  Bytes   Count  Share\n"
        "conv1  41.3  79 kB  61,706  1.2 %\n"
        "empty     \u2013      \u2013       \u2013      \u2013\n"
        "\n"
        "warning: conv1\n"
        "note: fine"
    )


def test_labels_stand_in_a_column():
    text = to_text(Document("Net", [Facts([("a", "1"), ("longer", "2")])]))
    assert text.splitlines()[2:] == ["a       1", "longer  2"]


def test_what_holds_nothing_is_shown_as_well():
    assert to_text(Document("Net", [Facts([]), Table("T", [Column("a", "A")], [])])) == "Net\n\n\n\nT\nA"


def test_names_do_not_reach_the_terminal_as_commands():
    attack = "\x1b[31mred\n\u202emirrored"
    rows = [{"name": attack}]
    text = to_text(Document(attack, [Facts([(attack, "two\nlines")]), Table("t", [Column("name", "Name")], rows)]))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("?[31mred??mirrored") == 3
    assert "two\nlines" in text
