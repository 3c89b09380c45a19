"""What the figures of a benchmark share: scales that suit figures of several decades, and markers for targets."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from gsjupyter.benchmarking.records import Target
from gsjupyter.report.figures.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TARGET_MARKERS: Final[Mapping[Target, str]] = {"cpu": "o", "gpu": "s", "ascend": "D"}
_DECADE: Final = 10.0


def new_axes(width: float, height: float) -> "Axes":
    """Return the axes of a new figure of a size in inches."""
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def set_scale(axes: "Axes", which: Literal["x", "y"], values: Iterable[float | None]) -> None:
    """Give an axis a logarithmic scale if the values span a decade, and one from zero if not; with plain numbers.

    To be called when all is drawn: an axis whose end is set no longer grows with its data.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    known = [value for value in values if value]
    axis = axes.xaxis if which == "x" else axes.yaxis
    if not known or max(known) < _DECADE * min(known):
        (axes.set_xlim if which == "x" else axes.set_ylim)(0, None)
        return
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    is_short = max(known) < 100 * min(known)
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if is_short else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def shortened(name: str, longest: int = 60) -> str:
    """Return a name that leaves room for the data: its beginning and its end, which tell rows apart."""
    half = (longest - 1) // 2
    return name if len(name) <= longest else f"{name[:half]}\u2026{name[-half:]}"


def tidy(axes: "Axes", grid: Literal["x", "y", "both"]) -> None:
    """Leave out lines that say nothing, and put faint ones behind the data that help reading values."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color=GREY, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)


def legend_columns(names: Sequence[str], width: float) -> int:
    """Return how many names of a legend stand side by side in a width in inches; one at least, three at most."""
    longest = 0.55 + 0.06 * max(map(len, names), default=0)
    return max(1, min(3, int(width / longest)))


def legend_above(axes: "Axes", entries: Sequence[tuple[Any, str]], columns: int = 3) -> None:
    """Put a legend above the axes, where it hides no data.

    Parameters
    ----------
    axes : matplotlib Axes
        Where.
    entries : sequence of (matplotlib artist, str)
        What is drawn, and its name. Names are written as they are, whatever they begin with.
    columns : int
        How many stand side by side.
    """
    legend = axes.legend(
        [artist for artist, _ in entries],
        [str(number) for number in range(len(entries))],
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=8,
        borderaxespad=0.2,
    )
    for text, (_, name) in zip(legend.get_texts(), entries, strict=True):
        text.set_parse_math(False)
        text.set_text(name)
