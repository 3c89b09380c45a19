"""What all figures share, so that those of one paper look alike: colours, and layers along the x axis.

The colours are told apart with any colour vision, and printed in grey: M. Okabe, K. Ito, "Color Universal Design",
2008.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE: Final = "#0072B2"
ORANGE: Final = "#E69F00"
VERMILION: Final = "#D55E00"
GREY: Final = "#7F7F7F"

_WIDEST_INCHES: Final = 24.0
_POINTS: Final = 72
_FONT: Final = (5.5, 8.0)
_LONGEST: Final = 40


def layer_axes(names: Sequence[str], axes: "Axes | None") -> "Axes":
    """Return axes with layers along the x axis: those given, or of a new figure that is wide enough for their number.

    Parameters
    ----------
    names : sequence of str
        The layers. Where there is no room for each name, every second, third, ... is written.
    axes : matplotlib Axes, optional
        Where to draw.
    """
    from matplotlib import pyplot as plt

    if axes is None:
        width = min(_WIDEST_INCHES, max(4.0, 0.28 * len(names)))
        # The names stand upright below, and leave as much room above them whatever their length.
        letters = max((len(shortened(name)) for name in names), default=0)
        height = 2.3 + width / 20 + letters * 0.6 * _FONT[1] / _POINTS
        _, axes = plt.subplots(figsize=(width, height), layout="constrained")
    figure = axes.get_figure(root=True)
    width = axes.get_window_extent().width / figure.dpi if figure is not None else 4.0
    room = width * _POINTS / max(1, len(names))
    step = max(1, math.ceil(1.15 * _FONT[0] / room))
    size = min(_FONT[1], max(_FONT[0], room * step / 1.15))
    labels = [shortened(name) for name in names[::step]]
    axes.set_xticks(range(0, len(names), step), labels, rotation=90, fontsize=size, parse_math=False)
    axes.set_xlim(-0.8, max(1, len(names)) - 0.2)
    uncluttered(axes)
    return axes


def uncluttered(axes: "Axes") -> None:
    """Leave out lines that say nothing, and put thin ones behind the data that help reading values."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)


def legend_above(axes: "Axes") -> None:
    """Put the legend above the axes, where it hides no data."""
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, frameon=False, fontsize=8, borderaxespad=0.2)


def shortened(name: str) -> str:
    """Return a name that fits beside others; what is left is its end, which differs among neighbours."""
    return name if len(name) <= _LONGEST else f"\u2026{name[1 - _LONGEST :]}"


def height_of(value: float | None) -> float:
    """Return what to draw of a figure in decibel; NaN where there is nothing to draw."""
    return value if value is not None and math.isfinite(value) else math.nan
