"""Figures of a benchmark, for papers: latency with its intervals, throughput by batch, speed against size."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gsjupyter.benchmarking.records import ENGINE_TITLES, TARGET_TITLES, EngineName, Setting, Target
from gsjupyter.benchmarking.results.figure_style import (
    TARGET_MARKERS,
    legend_above,
    legend_columns,
    new_axes,
    set_scale,
    shortened,
    tidy,
)
from gsjupyter.benchmarking.results.names import row_names
from gsjupyter.benchmarking.results.row_figures import RowFigures, row_figures
from gsjupyter.benchmarking.results.table import Unit, time_unit
from gsjupyter.benchmarking.results.tradeoff_figure import plot_tradeoff
from gsjupyter.choices import check_choice
from gsjupyter.errors import OptionError
from gsjupyter.report.figures.style import BLUE, GREY, ORANGE, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gsjupyter.benchmarking.results.result import Benchmark

_ENGINE_COLORS: Final[Mapping[EngineName, str]] = {"mindspore": BLUE, "onnxruntime": ORANGE, "lite": VERMILION}
_LINE_COLORS: Final = (BLUE, ORANGE, VERMILION, "#009E73", "#CC79A7", "#56B4E9")
_LINE_STYLES: Final = ("-", "--", ":", "-.")
_LINE_MARKERS: Final = "osD^v<>"
_WIDTH: Final = 6.4


def plot(benchmark: "Benchmark", kind: str = "latency", axes: "Axes | None" = None) -> "Axes":
    """Draw a benchmark; see `Benchmark.plot`."""
    check_choice("kind", kind, KINDS)
    rows = row_figures(benchmark)
    if not any(row.runs for row in rows):
        raise OptionError("nothing was timed, so there is nothing to draw.")
    return KINDS[kind](rows, [row.setting for row in benchmark.rows], axes)


def plot_latency(rows: Sequence[RowFigures], settings: Sequence[Setting], axes: "Axes | None" = None) -> "Axes":
    """Draw the median latency of each row with its interval, and the 95th percentile, in the order of the table.

    Parameters
    ----------
    rows : sequence of RowFigures
        What to draw, from top to bottom.
    settings : sequence of Setting
        What each was measured with.
    axes : matplotlib Axes, optional
        Where to draw; a new figure, high enough for the number of rows, by default.

    Returns
    -------
    Axes
        With the names on the y axis and time on the x axis, which is logarithmic if the rows span a decade.
    """
    axes = axes if axes is not None else new_axes(6.4, 1.3 + 0.26 * len(rows))
    unit = time_unit(row.median_s for row in rows)
    kinds: dict[tuple[EngineName, Target], list[tuple[int, RowFigures]]] = {}
    for place, (row, setting) in enumerate(zip(rows, settings, strict=True)):
        if row.median_s is not None:
            kinds.setdefault((setting.engine, setting.target), []).append((place, row))
        else:
            _write_at(axes, place, "not measured")
    entries = [_draw_latencies(axes, points, unit, *kind) for kind, points in kinds.items()]
    tails = [(row.p95_s * unit.per_unit, place) for place, row in enumerate(rows) if row.p95_s is not None]
    if tails:
        xs, places = zip(*tails, strict=True)
        [marks] = axes.plot(xs, places, marker="|", markersize=8, color=GREY, linestyle="none")
        entries.append((marks, "95th percentile"))
    axes.set_yticks(range(len(rows)), [shortened(row.name) for row in rows], fontsize=8, parse_math=False)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    set_scale(axes, "x", [row.median_s for row in rows])
    axes.set_xlabel(f"median latency of a run ({unit.name}), with its 95 % interval", fontsize=9)
    tidy(axes, "x")
    legend_above(axes, entries)
    return axes


def _draw_latencies(
    axes: "Axes", points: Sequence[tuple[int, RowFigures]], unit: Unit, engine: EngineName, target: Target
) -> tuple[Any, str]:
    ends = [_reach(row.median_s or 0.0, row.median_low_s, row.median_high_s) for _, row in points]
    drawn = axes.errorbar(
        [(row.median_s or 0.0) * unit.per_unit for _, row in points],
        [place for place, _ in points],
        xerr=[[end[side] * unit.per_unit for end in ends] for side in (0, 1)],
        color=_ENGINE_COLORS[engine],
        marker=TARGET_MARKERS[target],
        markersize=5,
        capsize=3,
        linewidth=1.6,
        linestyle="none",
    )
    return drawn, f"{ENGINE_TITLES[engine]}, {TARGET_TITLES[target]}"


def _write_at(axes: "Axes", place: int, text: str) -> None:
    where = axes.get_yaxis_transform()
    axes.text(0.01, place, text, transform=where, va="center", color=GREY, fontsize=8, fontstyle="italic")


def plot_throughput(rows: Sequence[RowFigures], settings: Sequence[Setting], axes: "Axes | None" = None) -> "Axes":
    """Draw samples per second over the batch size: a line for each model, engine, target and number of threads.

    Parameters
    ----------
    rows : sequence of RowFigures
        What to draw.
    settings : sequence of Setting
        What each was measured with.
    axes : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    lines: dict[Setting, list[RowFigures]] = {}
    for row, setting in zip(rows, settings, strict=True):
        if row.throughput_per_s is not None:
            lines.setdefault(replace(setting, batch=1), []).append(row)
    names = [shortened(name) for name in row_names(list(lines))]
    columns = legend_columns(names, _WIDTH)
    axes = axes if axes is not None else new_axes(_WIDTH, 2.8 + 0.17 * math.ceil(len(lines) / columns))
    entries = []
    for number, (name, points) in enumerate(zip(names, lines.values(), strict=True)):
        points.sort(key=lambda row: row.batch)
        ends = [
            _reach(row.throughput_per_s or 0.0, row.throughput_low_per_s, row.throughput_high_per_s) for row in points
        ]
        drawn = axes.errorbar(
            [row.batch for row in points],
            [row.throughput_per_s or 0.0 for row in points],
            yerr=[[end[side] for end in ends] for side in (0, 1)],
            color=_LINE_COLORS[number % len(_LINE_COLORS)],
            linestyle=_LINE_STYLES[number // len(_LINE_COLORS) % len(_LINE_STYLES)],
            marker=_LINE_MARKERS[number % len(_LINE_MARKERS)],
            markersize=4.5,
            linewidth=1.3,
            capsize=2.5,
        )
        entries.append((drawn, name))
    batches = sorted({row.batch for points in lines.values() for row in points})
    axes.set_xscale("log", base=2)
    axes.set_xticks(batches, [f"{batch:,}" for batch in batches])
    axes.minorticks_off()
    axes.set_xlabel("batch size", fontsize=9)
    axes.set_ylabel("samples per second", fontsize=9)
    set_scale(axes, "y", [row.throughput_per_s for points in lines.values() for row in points])
    tidy(axes, "y")
    legend_above(axes, entries, columns)
    return axes


def _reach(center: float, low: float | None, high: float | None) -> tuple[float, float]:
    """Return how far an interval reaches down and up; nothing where it isn't bounded."""
    down = center - low if low else 0.0
    up = high - center if high is not None and math.isfinite(high) else 0.0
    return down, up


KINDS: Final[Mapping[str, Callable[[Sequence[RowFigures], Sequence[Setting], "Axes | None"], "Axes"]]] = {
    "latency": plot_latency,
    "throughput": plot_throughput,
    "tradeoff": plot_tradeoff,
}
"""What can be drawn."""
