"""The interactive chart of a report: without its data a saved page could show a table, and no layer's weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from gsjupyter.report.document import format_bytes
from gsjupyter.report.layer_record import LayerRecord


@dataclass(frozen=True)
class Histogram:
    """A layer's weights on the grid that they are rounded to.

    The grid's values are ``(k - zero_point) * scale`` for all integers k from `grid_low` to `grid_high`.

    Parameters
    ----------
    low, high : float
        Where the first bin begins and the last one ends.
    counts : sequence of int
        How many weights lie in each of some bins of the same width.
    unit : {"weight", "scale"}
        What `low` and `high` are measured in: the weight's own numbers, or its scales, each weight in that of its
        channel or group, counted from the grid's integer 0.
    scale : float or None
        The step of the grid, in that unit; None in floating point, as all that follows.
    zero_point : int or None
        The integer that stands for 0.0.
    grid_low, grid_high : int or None
        The first and the last integer of the grid.
    """

    low: float
    high: float
    counts: Sequence[int]
    unit: str = "weight"
    scale: float | None = None
    zero_point: int | None = None
    grid_low: int | None = None
    grid_high: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "low": _rounded(self.low),
            "high": _rounded(self.high),
            "counts": list(self.counts),
            "unit": self.unit,
            "scale": _rounded(self.scale),
            "zero_point": self.zero_point,
            "grid_low": self.grid_low,
            "grid_high": self.grid_high,
        }


@dataclass(frozen=True)
class LayerBar:
    """One layer of the chart.

    Parameters
    ----------
    record : LayerRecord
        Its row of the table.
    low, high : float or None
        Its smallest and largest weight before quantization; None if they are no numbers.
    histogram : Histogram, optional
        How its weights are spread; None if that isn't known.
    """

    record: LayerRecord
    low: float | None = None
    high: float | None = None
    histogram: Histogram | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON, with as many digits as a chart can show."""
        record = self.record
        return {
            "name": record.name,
            "operator": record.operator,
            "weights": record.weights,
            "activations": record.activations,
            "sqnr_db": _rounded(record.sqnr_db),
            "input_sqnr_db": _rounded(record.activation_sqnr_db),
            "low": _rounded(self.low),
            "high": _rounded(self.high),
            "bytes_before": record.bytes_before,
            "bytes_after": record.bytes_after,
            "error_share": _rounded(record.error_share),
            "histogram": self.histogram.to_json() if self.histogram is not None else None,
        }


@dataclass(frozen=True)
class LayersBlock:
    """A bar for each layer; for the selected one its weights and their grid.

    Parameters
    ----------
    title : str
        The heading.
    layers : sequence of LayerBar
        In the order in which they run.
    """

    title: str
    layers: Sequence[LayerBar]

    def to_json(self) -> dict[str, Any]:
        """Return the block as JSON."""
        return {"type": "layers", "title": self.title, "layers": [layer.to_json() for layer in self.layers]}

    def summary(self) -> str:
        """Return what the chart shows, in a line of words."""
        records = [layer.record for layer in self.layers]
        before, after = sum(record.bytes_before for record in records), sum(record.bytes_after for record in records)
        size = format_bytes(before) if after == before else f"{format_bytes(before)} \u2192 {format_bytes(after)}"
        count = f"{len(records)} layer{'s' * (len(records) != 1)}"
        return "; ".join([f"{count}, {size}", *_extremes("weights", records), *_extremes("inputs", records)])


def _extremes(what: str, records: Sequence[LayerRecord]) -> list[str]:
    """Return between which SQNRs the layers lie, and which two these are; nothing if none is quantized."""
    key = attrgetter("sqnr_db" if what == "weights" else "activation_sqnr_db")
    known = [record for record in records if key(record) is not None and not math.isnan(key(record))]
    if not known:
        return []
    worst, best = min(known, key=key), max(known, key=key)
    found = [f"{key(record):.1f} dB ({record.name})" for record in ([worst] if worst is best else [worst, best])]
    return [f"SQNR of {what} {' to '.join(found)}"]


def _rounded(number: float | None) -> float | str | None:
    """Return a number with five digits, which is more than a chart has pixels; what JSON lacks as text."""
    if number is None or math.isnan(number):
        return None
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    return float(f"{number:.5g}")
