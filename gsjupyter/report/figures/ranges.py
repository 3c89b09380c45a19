"""The ranges of the weights' channels as box plots: a long box is what one scale for the whole weight would cost.

As in M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, figure 2,
with a box for each layer.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gsjupyter.report.figures.style import BLUE, VERMILION, layer_axes
from gsjupyter.report.layer_record import LayerRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_ranges(layers: Sequence[LayerRecord], axes: "Axes | None" = None) -> "Axes":
    """Draw the largest absolute values of each layer's output channels as box plots, on a logarithmic scale.

    Parameters
    ----------
    layers : sequence of LayerRecord
        What to draw, from left to right.
    axes : matplotlib Axes, optional
        Where to draw; a new figure, wide enough for the number of layers, by default.

    Returns
    -------
    Axes
        Boxes from the lower to the upper quartile with a line at the median, whiskers to minimum and maximum. Channels
        of zeros, which have no place on the scale, are drawn at its lower end.
    """
    axes = layer_axes([layer.name for layer in layers], axes)
    drawn = [
        (place, layer.channel_ranges)
        for place, layer in enumerate(layers)
        if layer.channel_ranges is not None and all(map(math.isfinite, layer.channel_ranges))
    ]
    positive = [value for _, values in drawn for value in values if value > 0]
    floor = min(positive, default=1.0)
    boxes = [
        dict(zip(("whislo", "q1", "med", "q3", "whishi"), (max(value, floor) for value in values), strict=True))
        for _, values in drawn
    ]
    axes.set_yscale("log")
    axes.bxp(
        boxes,
        positions=[place for place, _ in drawn],
        widths=0.6,
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": BLUE, "edgecolor": BLUE, "alpha": 0.45},
        medianprops={"color": VERMILION, "linewidth": 1.4},
        whiskerprops={"color": BLUE},
        capprops={"color": BLUE},
    )
    axes.set_ylabel("largest |weight|\nof each output channel")
    return axes
