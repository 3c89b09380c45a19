"""What a result shows, apart from how: one document that becomes text, HTML, or JSON for the Jupyter renderer."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from gsjupyter.report.layers_block import LayersBlock

MIME_TYPE: Final = "application/vnd.gsjupyter.report+json"
"""The type under which notebooks keep the JSON; gsjupyter's JupyterLab extension shows it, with no kernel needed."""

VERSION: Final = 1

_EXACT: Final = Context(prec=400, rounding=ROUND_HALF_UP)

NOTHING: Final = "\u2013"
"""What stands where there is no value: an en dash."""

Cell: TypeAlias = str | int | float | None
Kind: TypeAlias = Literal["text", "integer", "number", "bytes", "percent"]
Level: TypeAlias = Literal["note", "warning", "error"]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    key : str
        The cell's key in each row.
    label : str
        The heading, with the unit.
    kind : {"text", "integer", "number", "bytes", "percent"}
        How to write and sort its cells. Percent takes fractions, 0.5 for half.
    digits : int
        Digits after the point, for numbers.
    bar : bool
        Whether to draw a bar behind each number.
    """

    key: str
    label: str
    kind: Kind = "text"
    digits: int = 1
    bar: bool = False


@dataclass(frozen=True)
class Facts:
    """Short labelled values."""

    items: Sequence[tuple[str, str]]

    def to_json(self) -> dict[str, Any]:
        """Return the block as JSON."""
        return {"type": "facts", "items": [{"label": label, "value": value} for label, value in self.items]}


@dataclass(frozen=True)
class Table:
    """Rows under columns."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Cell]]

    def to_json(self) -> dict[str, Any]:
        """Return the block as JSON; numbers that JSON lacks become text."""
        rows = [{column.key: _json_cell(row.get(column.key)) for column in self.columns} for row in self.rows]
        return {"type": "table", "title": self.title, "columns": [asdict(item) for item in self.columns], "rows": rows}


@dataclass(frozen=True)
class Messages:
    """Sentences, each with its level."""

    items: Sequence[tuple[Level, str]]

    def to_json(self) -> dict[str, Any]:
        """Return the block as JSON."""
        return {"type": "messages", "items": [{"level": level, "text": text} for level, text in self.items]}


@dataclass(frozen=True)
class Document:
    """A title and blocks."""

    title: str
    blocks: "Sequence[Facts | Table | Messages | LayersBlock]"

    def to_json(self) -> dict[str, Any]:
        """Return the document as the JSON that notebooks keep."""
        return {"version": VERSION, "title": self.title, "blocks": [block.to_json() for block in self.blocks]}


def _json_cell(cell: Cell) -> Cell:
    if isinstance(cell, float) and not math.isfinite(cell):
        return None if math.isnan(cell) else "inf" if cell > 0 else "-inf"
    return cell


def format_cell(cell: Cell, column: Column) -> str:
    """Return a cell as text, as the Jupyter renderer writes it too."""
    value = _json_cell(cell)
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    match column.kind:
        case "integer":
            return _fixed(value, 0)
        case "number":
            return _significant(value, column.digits)
        case "bytes":
            return format_bytes(value)
        case "percent":
            return f"{_significant(100 * value, column.digits)} %"
        case _:
            return str(value)


def _significant(value: float, digits: int) -> str:
    # A number that would round to zero is written with an exponent: nothing small is shown as nothing.
    lost = value != 0 and abs(value) < 0.5 * 10**-digits
    if not lost:
        return _fixed(value, digits)
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _fixed(value: float, digits: int) -> str:
    # As JavaScript rounds: a half away from zero, in the decimal digits that are shown of a number; zero has no sign.
    rounded = _EXACT.quantize(Decimal(str(value)), Decimal(1).scaleb(-digits))
    return f"{rounded or abs(rounded):,f}"


def format_bytes(size: float) -> str:
    """Return a number of bytes in decimal units with two or three significant digits, ``82 kB`` for example."""
    units = ["B", "kB", "MB", "GB", "TB"]
    # 999.5 of a unit is written 1,000 when rounded, and 1.0 of the next reads better.
    while abs(size) >= 999.5 and len(units) > 1:
        size /= 1000
        units.pop(0)
    digits = 1 if units[0] != "B" and abs(size) < 9.95 else 0
    return f"{_fixed(size, digits)} {units[0]}"
