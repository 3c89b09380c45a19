"""Speed against size against accuracy: which models are worth having, and which are worse in all three."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from gsjupyter.benchmarking.records import Setting
from gsjupyter.benchmarking.results.figure_style import TARGET_MARKERS, new_axes, set_scale, shortened, tidy
from gsjupyter.benchmarking.results.names import row_names
from gsjupyter.benchmarking.results.row_figures import RowFigures
from gsjupyter.benchmarking.results.table import time_unit
from gsjupyter.errors import OptionError
from gsjupyter.report.figures.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

Place: TypeAlias = tuple[float, float]
Side: TypeAlias = tuple[tuple[int, int], str, str]

_WORST_DB: Final = 0.0
_BEST_DB: Final = 60.0
"""From here on int8 would round the same: better outputs have the same colour."""


def plot_tradeoff(rows: Sequence[RowFigures], settings: Sequence[Setting], axes: "Axes | None" = None) -> "Axes":
    """Draw the latency of a sample over the size of the file, coloured by how near the outputs are to the reference.

    Parameters
    ----------
    rows : sequence of RowFigures
        What to draw; rows without latency or size are left out.
    settings : sequence of Setting
        What each was measured with.
    axes : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        Size on the x axis and latency on the y axis: the best is at the lower left. Rows whose outputs were not checked
        are hollow. A line joins those that differ in nothing but the batch size, which is told beside each.

    Raises
    ------
    OptionError
        If no row has both figures.
    """
    points = [
        (row, setting)
        for row, setting in zip(rows, settings, strict=True)
        if row.size_bytes and row.median_s is not None
    ]
    if not points:
        raise OptionError("no row has both a latency and the size of a file.", advice='Try plot("latency").')
    axes = axes if axes is not None else new_axes(6.8, 4.4)
    unit = time_unit(_sample_s(row) for row, _ in points)
    size_name, size_unit = ("MB", 1e6) if max(row.size_bytes or 0 for row, _ in points) >= 1e6 else ("kB", 1e3)
    places = [((row.size_bytes or 0) / size_unit, _sample_s(row) * unit.per_unit) for row, _ in points]
    lines: dict[Setting, list[tuple[Place, int]]] = {}
    for (_, setting), place in zip(points, places, strict=True):
        lines.setdefault(replace(setting, batch=1), []).append((place, setting.batch))
    for line in lines.values():
        axes.plot(*zip(*(place for place, _ in line), strict=True), color=GREY, linewidth=0.8, zorder=1)
    _draw_points(axes, places, points)
    axes.margins(0.12)
    set_scale(axes, "x", [x for x, _ in places])
    set_scale(axes, "y", [y for _, y in places])
    axes.set_xlabel(f"size ({size_name})", fontsize=9)
    axes.set_ylabel(f"median latency of a sample ({unit.name})", fontsize=9)
    tidy(axes, "both")
    _label_points(axes, _labels(lines), places)
    return axes


def _labels(lines: Mapping[Setting, Sequence[tuple[Place, int]]]) -> list[tuple[Place, str]]:
    """Return where names stand: a line's at its fastest point, and the batch at each if there are several."""
    batches = {batch for line in lines.values() for _, batch in line}
    labels = []
    for (setting, line), name in zip(lines.items(), row_names(list(lines)), strict=True):
        (place, batch), *others = sorted(line, key=lambda point: point[0][1])
        told = f", batch {batch}" if len(batches) > 1 else ""
        labels.append((place, shortened(name, 40) + told))
        # Of one file all lines have the same size, so the model's name alone is left out.
        rest = name[len(setting.subject) + 2 :]
        labels += [(place, shortened(", ".join(filter(None, (rest, f"batch {batch}"))))) for place, batch in others]
    return labels


def _sample_s(row: RowFigures) -> float:
    return (row.median_s or 0.0) / row.batch


def _draw_points(axes: "Axes", places: Sequence[Place], points: Sequence[tuple[RowFigures, Setting]]) -> None:
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    # Without the darkest colours, which can't be seen on a dark page.
    colors = LinearSegmentedColormap.from_list("closeness", colormaps["viridis"](np.linspace(1.0, 0.25, 64)))
    for (x, y), (row, setting) in zip(places, points, strict=True):
        face = colors(_shade(row.sqnr_db)) if row.sqnr_db is not None else "none"
        marker = TARGET_MARKERS[setting.target]
        axes.plot(x, y, marker=marker, markersize=7, markerfacecolor=face, markeredgecolor=GREY, linestyle="none")
    figure = axes.get_figure(root=True)
    if figure is not None and any(row.sqnr_db is not None for row, _ in points):
        bar = figure.colorbar(
            ScalarMappable(Normalize(_WORST_DB, _BEST_DB), colors), ax=axes, extend="max", fraction=0.05, pad=0.02
        )
        bar.set_label("SQNR of the outputs (dB)", fontsize=9)
        bar.ax.tick_params(labelsize=8)


def _shade(sqnr_db: float) -> float:
    """Return where in the range of colours a ratio lies, from 0 to 1."""
    return 0.0 if math.isnan(sqnr_db) else min(max((sqnr_db - _WORST_DB) / (_BEST_DB - _WORST_DB), 0.0), 1.0)


def _label_points(axes: "Axes", labels: Sequence[tuple[Place, str]], points: Sequence[Place]) -> None:
    """Write each label beside its point, where it lies over as few other names and points as can be."""
    figure = axes.get_figure(root=True)
    if figure is None:
        return
    # Where the points lie in the picture is known when the figure is laid out.
    figure.draw_without_rendering()
    taken = [_box_around(x, y) for x, y in axes.transData.transform(np.array(points))]
    inside = axes.get_window_extent()
    # In a file of another resolution text is a little longer.
    inside = inside.padded(-0.02 * inside.width)
    for target, name in labels:
        text = axes.annotate(name, target, (0, 0), textcoords="offset points", fontsize=7.5, parse_math=False)
        # Else the axes would become smaller for it, and all places others.
        text.set_in_layout(False)
        best = min(_SIDES, key=lambda side: _cost(_put(text, side), taken, inside))
        taken.append(_put(text, best))


def _put(text: "Annotation", side: Side) -> "Bbox":
    offset, horizontal, vertical = side
    text.set(position=offset, horizontalalignment=horizontal, verticalalignment=vertical)
    return text.get_window_extent()


def _cost(box: "Bbox", taken: Sequence["Bbox"], inside: "Bbox") -> int:
    is_outside = box.x0 < inside.x0 or box.x1 > inside.x1 or box.y0 < inside.y0 or box.y1 > inside.y1
    return sum(bool(box.overlaps(other)) for other in taken) + 10 * bool(is_outside)


def _box_around(x: float, y: float) -> "Bbox":
    from matplotlib.transforms import Bbox

    return Bbox.from_extents(x - 4, y - 4, x + 4, y + 4)


_SIDES: Final[Sequence[Side]] = (
    ((7, 0), "left", "center"),
    ((-7, 0), "right", "center"),
    ((0, 7), "center", "bottom"),
    ((0, -7), "center", "top"),
    ((6, 6), "left", "bottom"),
    ((6, -6), "left", "top"),
    ((-6, 6), "right", "bottom"),
    ((-6, -6), "right", "top"),
    ((14, 14), "left", "bottom"),
    ((14, -14), "left", "top"),
    ((-14, 14), "right", "bottom"),
    ((-14, -14), "right", "top"),
    ((0, 20), "center", "bottom"),
    ((0, -20), "center", "top"),
    ((24, 26), "left", "bottom"),
    ((24, -26), "left", "top"),
    ((-24, 26), "right", "bottom"),
    ((-24, -26), "right", "top"),
)
"""Where a name may stand: its distance from the point, and the end that is nearest."""
