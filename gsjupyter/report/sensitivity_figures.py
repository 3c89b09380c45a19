"""Still figures of sensitivity and of the best output over size, for papers: matplotlib, no interaction."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gsjupyter.report.pareto import UniformSetting
    from gsjupyter.report.sensitivity import LayerSensitivity

# Apart also without colour, and to those who see few: dark blue, and orange of another lightness.
_BEST: Final = "#3b6fb6"
_OTHER: Final = "#d9822b"


def plot_shares(layers: "Sequence[LayerSensitivity]", axes: "Axes | None" = None) -> "Axes":
    """Draw each layer's share of the output's error, in the order in which they run.

    Parameters
    ----------
    layers : sequence of LayerSensitivity
        What to draw.
    axes : matplotlib Axes, optional
        Where to draw; a new figure, wide enough for the number of layers, by default.
    """
    axes = axes if axes is not None else _new_axes(min(24.0, max(4.0, 0.28 * len(layers))), 3.0)
    positions = range(len(layers))
    axes.bar(positions, [100 * layer.share for layer in layers], width=0.8, color=_BEST)
    axes.set_xticks(positions, [layer.name for layer in layers], rotation=90, fontsize=8, parse_math=False)
    axes.set_ylabel("share of the output's error (%)")
    axes.margins(x=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def plot_curve(
    sizes_bytes: npt.NDArray[np.int64],
    sqnrs_db: npt.NDArray[np.float64],
    uniform: "Sequence[UniformSetting]",
    marked: Sequence[tuple[int, float]] = (),
    axes: "Axes | None" = None,
) -> "Axes":
    """Draw the best predicted SQNR over size, and that of the same bits everywhere.

    Parameters
    ----------
    sizes_bytes, sqnrs_db : ndarray of shape (settings,)
        The curve.
    uniform : sequence of UniformSetting
        The same bits everywhere, each labelled with its bits.
    marked : sequence of (int, float)
        Sizes and SQNRs of settings to point out.
    axes : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    axes = axes if axes is not None else _new_axes(5.0, 3.5)
    unit, factor = ("MB", 1e6) if sizes_bytes.max() >= 1e6 else ("kB", 1e3)
    shown = np.isfinite(sqnrs_db)
    axes.plot(sizes_bytes[shown] / factor, sqnrs_db[shown], color=_BEST, marker=".", label="bits by layer")
    finite = [item for item in uniform if np.isfinite(item.sqnr_db)]
    xs = [item.size_bytes / factor for item in finite]
    axes.plot(xs, [item.sqnr_db for item in finite], "s--", color=_OTHER, label="the same bits everywhere")
    for x, item in zip(xs, finite, strict=True):
        axes.annotate(str(item.bits), (x, item.sqnr_db), textcoords="offset points", xytext=(4, -10), fontsize=8)
    if marked:
        axes.plot(
            [size / factor for size, _ in marked], [sqnr for _, sqnr in marked], "k*", markersize=11, label="chosen"
        )
    axes.set_xlabel(f"size of the weights ({unit})")
    axes.set_ylabel("predicted SQNR of the output (dB)")
    axes.legend(frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _new_axes(width: float, height: float) -> "Axes":
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]
