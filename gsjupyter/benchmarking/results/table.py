"""A benchmark's table: units and digits that suit its figures, and a verdict in words instead of a bare ratio."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Final, TypeAlias

from gsjupyter.benchmarking.records import ENGINE_TITLES, Setting
from gsjupyter.benchmarking.results.names import target_title
from gsjupyter.benchmarking.results.row_figures import RowFigures
from gsjupyter.report import Cell, Column, Table

Filled: TypeAlias = tuple[Column, Sequence[Cell]]
"""A column with its cells."""

_MOST_DIGITS: Final = 3


@dataclass(frozen=True)
class Unit:
    """What figures are written in.

    Parameters
    ----------
    name : str
        For the heading.
    per_unit : float
        How many of it are one SI unit: 1000 for milliseconds.
    digits : int
        Digits after the point, with which the middle figure shows three significant ones.
    """

    name: str
    per_unit: float
    digits: int


_TIMES: Final = (("s", 1.0, 10.0), ("ms", 1e3, 1e-3), ("\u00b5s", 1e6, 0.0))
_ENERGIES: Final = (("J", 1.0, 1.0), ("mJ", 1e3, 1e-3), ("\u00b5J", 1e6, 0.0))


def time_unit(values_s: Iterable[float | None]) -> Unit:
    """Return what to write durations in: milliseconds, unless all are too long or too short for that."""
    return _unit(values_s, _TIMES)


def tables_of(rows: Sequence[RowFigures], settings: Sequence[Setting]) -> list[Table]:
    """Return the tables of a benchmark: how fast the rows are, and what else they take and give.

    Columns that are empty are left out, and so are those of the setting that all rows have in common.

    Parameters
    ----------
    rows : sequence of RowFigures
        The figures.
    settings : sequence of Setting
        What each was measured with.
    """
    named = [
        (Column("subject", "Model"), [row.subject for row in rows]),
        *(item for item in _setting_columns(settings) if len(set(item[1])) > 1),
    ]
    median, spread, *percentiles = _latency_columns(rows)
    speed = [
        median,
        spread,
        # What a reader looks for first is not to be scrolled to.
        (Column("speed_up", "Speed-up"), [speed_up_in_words(row) for row in rows]),
        *percentiles,
        _throughput_column(rows),
        (Column("runs", "Runs", "integer"), [row.runs or None for row in rows]),
    ]
    besides = [
        _plain(Column("size_bytes", "Size", "bytes"), rows),
        _plain(Column("sqnr_db", "SQNR (dB)", "number"), rows),
        _plain(Column("argmax_agreement", "Same class", "percent"), rows),
        (Column("reference", "Compared with"), _references(rows)),
        _scaled("load_s", "Load", rows, _TIMES),
        _scaled("first_run_s", "First run", rows, _TIMES),
        _plain(Column("host_memory_bytes", "Memory", "bytes"), rows),
        _plain(Column("device_memory_bytes", "Device memory", "bytes"), rows),
        _scaled("sample_energy_j", "Energy of a sample", rows, _ENERGIES),
    ]
    tables = [_table("Speed", named, speed)]
    if any(map(_has_any, besides)):
        tables.append(_table("Size, outputs, start and memory", named, besides))
    return tables


def common_setting(settings: Sequence[Setting]) -> str:
    """Return what all rows of a benchmark have in common besides the machine, in words; empty if nothing."""
    columns = [item for item in _setting_columns(settings) if item[0].key != "host"]
    return ", ".join(_in_words(column, cells[0]) for column, cells in columns if len(set(cells)) == 1)


def common_reference(rows: Sequence[RowFigures]) -> str:
    """Return what the outputs of all rows were compared with, where that is the same; empty else."""
    references = {row.reference for row in rows if row.reference}
    return references.pop() if len(references) == 1 else ""


def _references(rows: Sequence[RowFigures]) -> list[Cell]:
    is_told_once = common_reference(rows)
    return [None if is_told_once else row.reference or None for row in rows]


def _in_words(column: Column, cell: Cell) -> str:
    match column.key:
        case "batch":
            return f"batch {cell}"
        case "threads":
            return f"{cell} thread{'s' if cell != 1 else ''}"
        case _:
            return str(cell)


def _setting_columns(settings: Sequence[Setting]) -> list[Filled]:
    return [
        (Column("engine", "Engine"), [ENGINE_TITLES[setting.engine] for setting in settings]),
        (Column("target", "Target"), [target_title(setting) for setting in settings]),
        (Column("host", "Machine"), [setting.host for setting in settings]),
        (Column("batch", "Batch", "integer"), [setting.batch for setting in settings]),
        (Column("threads", "Threads", "integer"), [setting.threads for setting in settings]),
    ]


def _table(title: str, named: Sequence[Filled], figures: Sequence[Filled]) -> Table:
    shown = [*named, *filter(_has_any, figures)]
    keys = [column.key for column, _ in shown]
    lines = zip(*(cells for _, cells in shown), strict=True)
    return Table(title, [column for column, _ in shown], [dict(zip(keys, line, strict=True)) for line in lines])


def _has_any(filled: Filled) -> bool:
    return any(cell is not None for cell in filled[1])


def speed_up_in_words(row: RowFigures) -> str | None:
    """Return how a row compares with the baseline: ``1.53x faster (1.49 to 1.57)`` for example; None if unknown."""
    if row.speed_up is None or row.speed_up_low is None or row.speed_up_high is None:
        return row.verdict if row.runs else "not measured"
    per_sample = " per sample" if row.is_per_sample else ""
    low, estimate, high = row.speed_up_low, row.speed_up, row.speed_up_high
    if row.verdict == "slower":
        low, estimate, high = 1 / high, 1 / estimate, 1 / low
    ends = f"{_ratio(low)} to {_ratio(high)}"
    if row.verdict not in ("faster", "slower"):
        return f"{row.verdict} ({ends}{per_sample})"
    return f"{_ratio(estimate)}x {row.verdict}{per_sample} ({ends})"


def _ratio(value: float) -> str:
    return f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"


def _latency_columns(rows: Sequence[RowFigures]) -> list[Filled]:
    labels = {"median_s": "Median", "p90_s": "p90", "p95_s": "p95", "p99_s": "p99"}
    # One unit for all of them, so that they can be compared along a row.
    unit = time_unit(row.median_s for row in rows)
    columns = [(key, label, _in_unit(key, rows, unit)) for key, label in labels.items()]
    median, *others = (
        (Column(key, f"{label} ({unit.name})", "number", _digits(cells)), cells) for key, label, cells in columns
    )
    return [median, (Column("spread", "\u00b1", "percent"), [spread_of(row) for row in rows]), *others]


def spread_of(row: RowFigures) -> float | None:
    """Return how far the median's interval reaches to its wider side, as a share of it; None if farther than itself."""
    if row.median_s is None or row.median_low_s is None or row.median_high_s is None:
        return None
    reach = max(row.median_high_s - row.median_s, row.median_s - row.median_low_s) / row.median_s
    return reach if reach <= 1 and row.median_low_s > 0 else None


def _throughput_column(rows: Sequence[RowFigures]) -> Filled:
    digits = _digits([row.throughput_per_s for row in rows])
    return _plain(Column("throughput_per_s", "Samples/s", "number", digits), rows)


def _scaled(key: str, label: str, rows: Sequence[RowFigures], units: Sequence[tuple[str, float, float]]) -> Filled:
    unit = _unit([getattr(row, key) for row in rows], units)
    return Column(key, f"{label} ({unit.name})", "number", unit.digits), _in_unit(key, rows, unit)


def _plain(column: Column, rows: Sequence[RowFigures]) -> Filled:
    return column, [getattr(row, column.key) for row in rows]


def _in_unit(key: str, rows: Sequence[RowFigures], unit: Unit) -> list[float | None]:
    values: list[float | None] = [getattr(row, key) for row in rows]
    return [value * unit.per_unit if value is not None else None for value in values]


def _unit(values: Iterable[float | None], units: Sequence[tuple[str, float, float]]) -> Unit:
    """Return the first unit that the values reach: the smallest in seconds, the largest in anything smaller."""
    known = [value for value in values if value is not None and value > 0] or [1.0]
    (whole, _, least), *smaller = units
    if not smaller or min(known) >= least:
        name, per_unit = whole, 1.0
    else:
        name, per_unit = next((name, per_unit) for name, per_unit, reached in smaller if max(known) >= reached)
    return Unit(name, per_unit, _digits([value * per_unit for value in known]))


def _digits(values: Iterable[float | None]) -> int:
    """Return the digits after the point for a column: three significant ones in the middle, two in the smallest."""
    known = [value for value in values if value is not None and value > 0] or [1.0]
    middle, least = (math.floor(math.log10(value)) for value in (median_low(known), min(known)))
    return min(_MOST_DIGITS, max(0, 2 - middle, 1 - least))
