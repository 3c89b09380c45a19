"""A document as plain text: terminals, logs, and wherever HTML is not shown."""

import unicodedata
from collections.abc import Sequence
from typing import Final

from gsjupyter.report.document import Column, Document, Facts, Messages, Table, format_cell
from gsjupyter.report.layers_block import LayersBlock

_NOT_PRINTED: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def to_text(document: Document) -> str:
    """Return a document as lines of text."""
    return "\n\n".join([printable(document.title), *(_block(block) for block in document.blocks)])


def printable(text: str) -> str:
    """Return a text without what makes a terminal do things: names from files may hold anything."""
    return "".join("?" if unicodedata.category(letter) in _NOT_PRINTED else letter for letter in text)


def _block(block: Facts | Table | Messages | LayersBlock) -> str:
    if isinstance(block, Facts):
        width = max((len(label) for label, _ in block.items), default=0)
        return "\n".join(f"{printable(label):<{width}}  {_lines(value)}" for label, value in block.items)
    if isinstance(block, Messages):
        return "\n".join(f"{level}: {_lines(text)}" for level, text in block.items)
    if isinstance(block, LayersBlock):
        return printable(f"{block.title}: {block.summary()}")
    return _table(block)


def _lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def _table(table: Table) -> str:
    cells = [[printable(format_cell(row.get(column.key), column)) for column in table.columns] for row in table.rows]
    headings = [column.label for column in table.columns]
    widths = [max(map(len, texts)) for texts in zip(headings, *cells, strict=True)]
    lines = [_line(texts, widths, table.columns) for texts in (headings, *cells)]
    return "\n".join([table.title, *lines])


def _line(texts: list[str], widths: list[int], columns: Sequence[Column]) -> str:
    padded = [
        text.ljust(width) if column.kind == "text" else text.rjust(width)
        for text, width, column in zip(texts, widths, columns, strict=True)
    ]
    return "  ".join(padded).rstrip()
