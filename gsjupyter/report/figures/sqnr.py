"""The SQNR of every layer in one figure: where a network loses most is seen at a glance."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gsjupyter.report.figures.style import BLUE, ORANGE, height_of, layer_axes, legend_above
from gsjupyter.report.layer_record import LayerRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_layers(layers: Sequence[LayerRecord], axes: "Axes | None" = None) -> "Axes":
    """Draw the SQNR of each layer's weight, and beside it that of its input if any is quantized.

    Parameters
    ----------
    layers : sequence of LayerRecord
        What to draw, from left to right. What is in float32 has no error, and no bar.
    axes : matplotlib Axes, optional
        Where to draw; a new figure, wide enough for the number of layers, by default.

    Returns
    -------
    Axes
        With the names on the x axis and decibel on the y axis.
    """
    axes = layer_axes([layer.name for layer in layers], axes)
    weights = [_bar(layer.sqnr_db) for layer in layers]
    inputs = [_bar(layer.activation_sqnr_db) for layer in layers]
    places = range(len(layers))
    if all(layer.activation_sqnr_db is None for layer in layers):
        axes.bar(places, weights, width=0.8, color=BLUE)
        axes.set_ylabel("weight SQNR (dB)")
        return axes
    axes.bar([place - 0.2 for place in places], weights, width=0.4, color=BLUE, label="weights")
    axes.bar([place + 0.2 for place in places], inputs, width=0.4, color=ORANGE, label="inputs")
    axes.set_ylabel("SQNR (dB)")
    legend_above(axes)
    return axes


def _bar(value: float | None) -> float:
    height = height_of(value)
    return 0.0 if math.isnan(height) else height
