"""Opens a network in a panel: `gs.panel`."""

from pathlib import Path
from typing import Any

from gsjupyter.conversion import Conversion
from gsjupyter.errors import GsError, SourceError, TimeLimitError
from gsjupyter.options import ConvertOptions
from gsjupyter.widgets.kernel import Kernel
from gsjupyter.widgets.names import Names
from gsjupyter.widgets.panel_network import Given, PanelNetwork, names_in
from gsjupyter.widgets.panel_widget import Panel
from gsjupyter.widgets.results import is_of

__all__ = ["Panel", "panel"]

MEASURED_AT_ONCE_S: float = 5.0
"""What takes longer to measure, in seconds, waits for a press."""


def panel(
    source: Any,
    example: Any = None,
    *,
    ckpt: str | Path | None = None,
    calibration: Any = None,
    labels: Any = None,
    like: "Conversion | None" = None,
    options: ConvertOptions | None = None,
    names: Names | None = None,
) -> Panel:
    """Open a network in a panel: convert it, look at its layers, move sliders, measure it.

    While a slider moves, the error of every layer and the size are shown at once; they are computed in the browser.
    Apply runs the real conversion. The network is left as it is.

    Parameters
    ----------
    source : nn.Cell, class of one, str, Path or Conversion
        The network, as `gs.convert` takes it. A conversion is opened on its own source, with its options and example.
    example : Tensor, ndarray or tuple of these
        One batch of its input, as the network is called with.
    ckpt : str or Path, optional
        A checkpoint whose values are meant instead of the network's own.
    calibration : Dataset, iterable of batches, or arrays, optional
        Typical inputs, as in `gs.convert`; the example by default.
    labels : array_like of int, optional
        The classes of the samples in `example`, where ``max_drop`` is in points of accuracy.
    like : Conversion, optional
        Open in the state that made this one. If it is of this network and example, it is the first result too.
    options : ConvertOptions, optional
        Open with these; by default with int8 weights.
    names : Names, optional
        What the user calls all these, for copied code; by default what they are called in the notebook.

    Returns
    -------
    Panel

    Raises
    ------
    GsError
        As `gs.convert` does, if the network can't be opened.

    Examples
    --------
    >>> gs.panel(net, x)
    >>> gs.panel(net, x, calibration=batches, like=conversion)
    """
    if like is not None and not isinstance(like, Conversion):
        raise SourceError(
            f"like must be a conversion, not {type(like).__name__}.", advice="Give what gs.convert has made."
        )
    given = Given.of(source, example, ckpt=ckpt, calibration=calibration, labels=labels)
    made = like if like is not None else source if isinstance(source, Conversion) else None
    chosen = options or (made.options if made is not None else ConvertOptions(weights="int8"))
    network = PanelNetwork(given, chosen, names_in(given, Kernel().namespace, names))
    sketches = network.sketched_for(chosen)
    measured, measuring_s = _measured(network, chosen)
    shown = Panel(network, chosen)
    shown.take_sketches(*sketches)
    shown.sensitivity, shown.measuring_s = measured, measuring_s
    if made is not None and is_of(made, network.data, network.example):
        shown.take(made)
    return shown


def _measured(network: PanelNetwork, options: ConvertOptions) -> tuple[dict[str, Any] | None, float | None]:
    """Return the sensitivity if that is found out soon, or else how long it takes; neither if it can't be measured."""
    try:
        return network.measured(options, at_most_s=MEASURED_AT_ONCE_S), None
    except TimeLimitError as error:
        return None, error.estimated_s
    except GsError:
        # Whoever asks for it is told why: nothing else depends on it.
        return None, None
