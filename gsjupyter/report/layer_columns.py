"""The columns of the per-layer table: without one list of them the table, its sorting and completion would disagree."""

import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gsjupyter.errors import OptionError
from gsjupyter.report.document import Cell, Column
from gsjupyter.report.layer_record import LayerRecord


@dataclass(frozen=True)
class LayerColumn:
    """A column of the per-layer table.

    Parameters
    ----------
    name : str
        What users call it, ``sqnr`` for example.
    column : Column
        How it is shown; its key is a field of `LayerRecord`.
    largest_first : bool
        Whether sorting begins at the largest value. The worst comes first, where there is a worst.
    hides_zeros : bool
        Whether a column of zeros is as good as none.
    """

    name: str
    column: Column
    largest_first: bool = False
    hides_zeros: bool = False


LAYER_COLUMNS: Final = (
    LayerColumn("name", Column("name", "Layer")),
    LayerColumn("operator", Column("operator", "Operator")),
    LayerColumn("shape", Column("shape", "Shape")),
    LayerColumn("parameters", Column("parameters", "Parameters", "integer"), largest_first=True),
    LayerColumn("weights", Column("weights", "Weights")),
    LayerColumn("scale_min", Column("scale_min", "Scale, least", "number", digits=4)),
    LayerColumn("scale", Column("scale_max", "most", "number", digits=4), largest_first=True),
    LayerColumn("zero_point_min", Column("zero_point_min", "Zero point, least", "integer"), hides_zeros=True),
    LayerColumn("zero_point", Column("zero_point_max", "most", "integer"), largest_first=True, hides_zeros=True),
    LayerColumn("levels", Column("levels_used", "Levels used", "percent", digits=0)),
    LayerColumn("clipped", Column("clipped_share", "Clipped", "percent", digits=2), largest_first=True),
    LayerColumn("outliers", Column("outlier_ratio", "Outlier ratio", "number"), largest_first=True),
    LayerColumn("rmse", Column("rmse_over_scale", "RMSE / scale", "number", digits=3), largest_first=True),
    LayerColumn("cosine", Column("cosine", "Cosine", "number", digits=6)),
    LayerColumn("sqnr", Column("sqnr_db", "SQNR (dB)", "number", bar=True)),
    LayerColumn("activations", Column("activations", "Inputs")),
    LayerColumn("seen_from", Column("activation_observed_low", "Inputs seen from", "number", digits=3)),
    LayerColumn("seen_to", Column("activation_observed_high", "to", "number", digits=3), largest_first=True),
    LayerColumn("input_from", Column("activation_low", "Quantized from", "number", digits=3)),
    LayerColumn("input_to", Column("activation_high", "to", "number", digits=3), largest_first=True),
    LayerColumn("input_scale", Column("activation_scale", "Input scale", "number", digits=4), largest_first=True),
    LayerColumn("input_zero_point", Column("activation_zero_point", "Input zero point", "integer"), largest_first=True),
    LayerColumn(
        "input_clipped",
        Column("activation_clipped_share", "Inputs clipped", "percent", digits=2),
        largest_first=True,
    ),
    LayerColumn(
        "input_outliers", Column("activation_outlier_ratio", "Input outlier ratio", "number"), largest_first=True
    ),
    LayerColumn("input_sqnr", Column("activation_sqnr_db", "Input SQNR (dB)", "number", bar=True)),
    LayerColumn("before", Column("bytes_before", "Before", "bytes"), largest_first=True),
    LayerColumn("size", Column("bytes_after", "After", "bytes"), largest_first=True),
    LayerColumn("share", Column("error_share", "Share of the error", "percent", bar=True), largest_first=True),
    LayerColumn("isolated", Column("isolated_sqnr_db", "Isolated (dB)", "number", bar=True)),
    LayerColumn("accumulated", Column("accumulated_sqnr_db", "Accumulated (dB)", "number", bar=True)),
    LayerColumn("note", Column("note", "Note")),
)
"""Every column, in the order of the full table."""

_MAIN: Final = ("name", "operator", "shape", "weights", "activations", "before", "size", "sqnr", "input_sqnr", "share")
_ALWAYS: Final = frozenset(("name", "operator", "shape", "weights", "activations", "before", "size", "sqnr"))
_BY_NAME: Final = {item.name: item for item in LAYER_COLUMNS}

COLUMN_NAMES: Final = tuple(_BY_NAME)
"""What columns can be sorted by, as users call them."""


_SOURCES: Final = {
    "isolated": "It is measured by %gs_stats qnet x --errors.",
    "accumulated": "It is measured by %gs_stats qnet x --errors.",
    "share": "It is known where bits were chosen within a budget or a loss.",
}
"""What columns that may be empty come from."""


def layer_column(name: str) -> LayerColumn:
    """Return a column by what users call it, or by its field of `LayerRecord`.

    Raises
    ------
    OptionError
        If there is none; the message names the nearest.
    """
    known = {**{item.column.key: item for item in LAYER_COLUMNS}, **_BY_NAME}
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(COLUMN_NAMES)}."
        raise OptionError(f"the table has no column {name!r}.", advice=hint)
    return known[name]


def shown_columns(records: Sequence[LayerRecord], *, detailed: bool) -> list[Column]:
    """Return the columns to show: the main ones or all, without those that no layer has a value in."""
    chosen = LAYER_COLUMNS if detailed else [_BY_NAME[name] for name in (*_MAIN, "isolated", "accumulated", "note")]
    return [item.column for item in chosen if item.name in _ALWAYS or _is_filled(records, item)]


def sorted_records(records: Iterable[LayerRecord], name: str) -> list[LayerRecord]:
    """Return records in the order of a column, the worst first where there is a worst; missing values come last.

    Raises
    ------
    OptionError
        If there is no such column.
    """
    chosen = layer_column(name)
    present, missing = [], []  # type: list[LayerRecord], list[LayerRecord]
    for record in records:
        (missing if _value(record, chosen) is None else present).append(record)
    return sorted(present, key=lambda record: _value(record, chosen), reverse=chosen.largest_first) + missing


def check_filled(records: Sequence[LayerRecord], name: str) -> None:
    """Check that some layer has a value in a column: an order by nothing would look like an answer.

    Raises
    ------
    OptionError
        If none has, or there is no such column; the message says where values come from.
    """
    chosen = layer_column(name)
    if records and all(_value(record, chosen) is None for record in records):
        raise OptionError(f"no layer has a value for {name!r}.", advice=_SOURCES.get(name, ""))


def cells_of(record: LayerRecord) -> dict[str, Cell]:
    """Return the cells of a layer's row, by column."""
    cells: dict[str, Cell] = {item.column.key: getattr(record, item.column.key) for item in LAYER_COLUMNS}
    return {**cells, "shape": " x ".join(map(str, record.shape))}


def _is_filled(records: Iterable[LayerRecord], item: LayerColumn) -> bool:
    empty = (None, "", 0) if item.hides_zeros else (None, "")
    return any(getattr(record, item.column.key) not in empty for record in records)


def _value(record: LayerRecord, chosen: LayerColumn) -> Any:
    value = getattr(record, chosen.column.key)
    return None if isinstance(value, float) and math.isnan(value) else value
