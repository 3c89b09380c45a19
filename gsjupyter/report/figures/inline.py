"""Figures as part of an HTML page: text stays text in the page's own colour, which can be read on dark pages too."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# No data has it: what is drawn in it takes the colour of the text around the figure.
_TEXT: Final = "#010203"
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gsjupyter",
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _TEXT),
}


@contextmanager
def page_style() -> Iterator[None]:
    """Draw for a page; figures that are open in the end and weren't before are closed."""
    from matplotlib import pyplot as plt
    from matplotlib import rc_context

    before = set(plt.get_fignums())
    try:
        with rc_context(_STYLE):
            yield
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


def inline_svg(figure: "Figure") -> str:
    """Return a figure that was drawn within `page_style` as an ``svg`` element; it needs no script and no network."""
    import warnings

    stream = io.StringIO()
    with warnings.catch_warnings():
        # The reader's fonts have the letters that those of matplotlib lack.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(stream, format="svg", transparent=True, metadata=nothing)
    text = stream.getvalue()
    # What is before the element, and the names of its dialects, are of no use within HTML.
    element = re.sub(r' xmlns(:xlink)?="[^"]*"', "", text[text.index("<svg") :].strip(), count=2)
    return re.sub(rf"(fill|stroke): {_TEXT}", r"\1: currentColor", element)
