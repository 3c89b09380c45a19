"""A layer's values and the grid that they are rounded to in one picture, which explains bits, outliers and clipping.

Counts are logarithmic, since the few values far out are what the range is chosen for.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gsjupyter.quantization import QuantizedArray
from gsjupyter.quantization.statistics import grid_of, grid_positions
from gsjupyter.report.figures.style import BLUE, GREY, ORANGE, VERMILION, uncluttered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gsjupyter.passes import ActivationStatistics

Doubles = npt.NDArray[np.float64]

_BINS: Final = 256
_LINES: Final = 32
"""A grid of more levels is drawn as short ticks at the bottom instead of lines."""


def plot_histogram(
    name: str,
    weight: npt.ArrayLike,
    quantized: QuantizedArray | None = None,
    activation: "ActivationStatistics | None" = None,
    *,
    axis: int = 0,
) -> "list[Axes]":
    """Draw the histogram of a layer's weight, and beside it that of its input, each with its quantization grid.

    Parameters
    ----------
    name : str
        The layer's name, for the title.
    weight : array_like of float32
        The weight before quantization.
    quantized : QuantizedArray, optional
        What is stored of it. Values that don't share one scale are drawn where they lie on their own grid.
    activation : ActivationStatistics, optional
        How the input is quantized; drawn if it holds the sketch of what calibration saw.
    axis : int
        The weight's output channel axis.

    Returns
    -------
    list of Axes
        The weight's and, if it is drawn, the input's.
    """
    from matplotlib import pyplot as plt

    sketch = activation.sketch if activation is not None else None
    has_input = sketch is not None and not sketch.is_empty
    figure, found = plt.subplots(
        1, 1 + has_input, figsize=(4.2 * (1 + has_input), 2.8), layout="constrained", squeeze=False
    )
    figure.suptitle(name, fontsize=10, parse_math=False)
    axes: list[Axes] = list(found[0])
    _draw_weight(axes[0], np.asarray(weight, np.float32), quantized, axis)
    if activation is not None and has_input:
        _draw_input(axes[1], activation)
    return axes


def _draw_weight(axes: "Axes", weight: npt.NDArray[np.float32], quantized: QuantizedArray | None, axis: int) -> None:
    if quantized is None:
        counts, edges = np.histogram(weight, _BINS)
        _draw(axes, counts, edges, BLUE, "weight")
        return
    lowest, highest = grid_of(quantized)
    positions = grid_positions(weight, quantized, axis)
    # Whole bins for each level, so that no level looks fuller than its neighbour only by where the edges lie.
    per_level = max(1, _BINS // (highest - lowest + 1))
    first = min(lowest, int(np.floor(positions.min(initial=lowest)))) - 1
    last = max(highest, int(np.ceil(positions.max(initial=highest)))) + 1
    per_level = max(1, min(per_level, 8 * _BINS // (last - first)))
    edges = np.linspace(first - 0.5, last + 0.5, (last - first + 1) * per_level + 1)
    counts, _ = np.histogram(positions, edges)
    levels = np.arange(lowest, highest + 1, dtype=np.float64)
    label = "weight / scale" + (" + zero point" if quantized.zero_point.any() else "")
    if quantized.scale.size == 1:
        scale, zero_point = float(quantized.scale.ravel()[0]), float(quantized.zero_point.ravel()[0])
        edges, levels, label = (edges - zero_point) * scale, (levels - zero_point) * scale, "weight"
    _draw(axes, counts, edges, BLUE, f"{label}\n{quantized.scheme}")
    _draw_grid(axes, levels)


def _draw_input(axes: "Axes", activation: "ActivationStatistics") -> None:
    sketch = activation.sketch
    if sketch is None:
        return
    low, high = min(sketch.low, activation.low, 0.0), max(sketch.high, activation.high, 0.0)
    margin = 0.02 * (high - low) or 1.0
    edges = np.linspace(low - margin, high + margin, _BINS + 1)
    centers = (sketch.first_counter + np.arange(len(sketch.counters)) + 0.5) * sketch.width
    counts, _ = np.histogram(centers, edges, weights=sketch.counters)
    counts[np.searchsorted(edges, 0.0, side="right") - 1] += sketch.zeros
    _draw(axes, counts, edges, ORANGE, f"input\n{activation.scheme}")
    first = round(activation.low / activation.scale)
    last = round(activation.high / activation.scale)
    _draw_grid(axes, np.arange(first, last + 1) * activation.scale)


def _draw(axes: "Axes", counts: npt.NDArray[np.generic], edges: Doubles, color: str, label: str) -> None:
    # One polygon instead of hundreds of bars, which would show gaps in print.
    axes.stairs(np.asarray(counts, np.float64), edges, fill=True, color=color, alpha=0.8, linewidth=0, baseline=0.5)
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.5)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_xlabel(label, fontsize=9, parse_math=False)
    axes.set_ylabel("count")
    uncluttered(axes)


def _draw_grid(axes: "Axes", levels: Doubles) -> None:
    """Draw the levels of a grid and its ends, and shade what lies more than half a step beyond, which is clipped."""
    is_coarse = len(levels) <= _LINES
    axes.vlines(
        levels,
        0,
        1 if is_coarse else 0.03,
        transform=axes.get_xaxis_transform(),
        colors=GREY,
        linewidth=0.7 if is_coarse else 0.35,
        alpha=0.8,
    )
    half = (levels[1] - levels[0]) / 2 if len(levels) > 1 else 0.5
    (left, right), low, high = axes.get_xlim(), levels[0] - half, levels[-1] + half
    for start, end in ((left, low), (high, right)):
        if end > start:
            axes.axvspan(start, end, color=VERMILION, alpha=0.15, linewidth=0)
    for place in (low, high):
        axes.axvline(place, color=VERMILION, linewidth=1.0, linestyle="--")
