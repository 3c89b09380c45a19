"""Still figures of results, for papers: matplotlib, no interaction."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gsjupyter.report.layers import LayerRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_layers(layers: Sequence[LayerRecord], axes: "Axes | None" = None) -> "Axes":
    """Draw the weight SQNR of each layer, in the order in which they run.

    Parameters
    ----------
    layers : sequence of LayerRecord
        What to draw. Layers in float32 have no error, and no bar.
    axes : matplotlib Axes, optional
        Where to draw; a new figure, wide enough for the number of layers, by default.

    Returns
    -------
    Axes
        With the names on the x axis and decibel on the y axis.
    """
    from matplotlib import pyplot as plt

    if axes is None:
        width = min(24.0, max(4.0, 0.28 * len(layers)))
        _, axes = plt.subplots(figsize=(width, 3.0), layout="constrained")
    heights = [_height(layer) for layer in layers]
    positions = range(len(layers))
    axes.bar(positions, heights, width=0.8, color="#3b6fb6")
    axes.set_xticks(positions, [layer.name for layer in layers], rotation=90, fontsize=8, parse_math=False)
    axes.set_ylabel("weight SQNR (dB)")
    axes.margins(x=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _height(layer: LayerRecord) -> float:
    value = layer.sqnr_db
    return value if value is not None and math.isfinite(value) else 0.0
