"""Each layer's own error beside the accumulated one: which layer to help, and where the help would come too late."""

from typing import TYPE_CHECKING

from gsjupyter.report.figures.style import BLUE, ORANGE, height_of, layer_axes, legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gsjupyter.report.layer_errors import LayerErrors


def plot_errors(errors: "LayerErrors", axes: "Axes | None" = None) -> "Axes":
    """Draw the SQNR of each layer's output, with the layer alone converted and with the whole network.

    Parameters
    ----------
    errors : LayerErrors
        What to draw, from left to right.
    axes : matplotlib Axes, optional
        Where to draw; a new figure, wide enough for the number of layers, by default.

    Returns
    -------
    Axes
        With the names on the x axis and decibel on the y axis; a line has a gap where there is no error.
    """
    axes = layer_axes([error.name for error in errors], axes)
    places = list(range(len(errors)))
    alone = [height_of(error.isolated_sqnr_db) for error in errors]
    together = [height_of(error.accumulated_sqnr_db) for error in errors]
    size = 4 if len(errors) <= 60 else 2.5
    axes.plot(places, alone, color=BLUE, marker="o", markersize=size, linewidth=1.2, label="isolated: this layer alone")
    axes.plot(
        places, together, color=ORANGE, marker="s", markersize=size, linewidth=1.2, label="accumulated: all layers"
    )
    axes.set_ylabel("SQNR of the output (dB)")
    legend_above(axes)
    return axes
