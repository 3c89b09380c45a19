"""Convert MindSpore networks to standard, quantized MindIR inside the notebook; see what happened; export.

Importing gsjupyter doesn't import MindSpore: the public names are loaded when they are first used.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from gsjupyter.environment import check_numpy
from gsjupyter.errors import GsError
from gsjupyter.interrupts import uninterrupted

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from gsjupyter.artifact import Artifact, export, load
    from gsjupyter.benchmarking.results.result import Benchmark
    from gsjupyter.benchmarking.run import benchmark
    from gsjupyter.benchmarking.targets.targets import targets
    from gsjupyter.conversion import Conversion, convert
    from gsjupyter.options import ConvertOptions
    from gsjupyter.prediction import sensitivity
    from gsjupyter.train_end import ExportOnTrainEnd
    from gsjupyter.widgets.panel import Panel, panel

__version__ = "0.1.0"

_HOMES = {
    "Artifact": "gsjupyter.artifact",
    "Benchmark": "gsjupyter.benchmarking.results.result",
    "Conversion": "gsjupyter.conversion",
    "ConvertOptions": "gsjupyter.options",
    "ExportOnTrainEnd": "gsjupyter.train_end",
    "Panel": "gsjupyter.widgets.panel",
    "benchmark": "gsjupyter.benchmarking.run",
    "convert": "gsjupyter.conversion",
    "export": "gsjupyter.artifact",
    "load": "gsjupyter.artifact",
    "panel": "gsjupyter.widgets.panel",
    "sensitivity": "gsjupyter.prediction",
    "targets": "gsjupyter.benchmarking.targets.targets",
}

__all__ = [
    "Artifact",
    "Benchmark",
    "Conversion",
    "ConvertOptions",
    "ExportOnTrainEnd",
    "GsError",
    "Panel",
    "benchmark",
    "convert",
    "export",
    "load",
    "panel",
    "sensitivity",
    "targets",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    check_numpy(version("numpy"))
    # An interrupt in the middle of loading a library leaves half of it, which crashes when it is loaded again.
    with uninterrupted():
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Make the magics and their completion available: ``%load_ext gsjupyter``."""
    from gsjupyter.magics import errors_in_words, register

    with errors_in_words("gsjupyter"):
        check_numpy(version("numpy"))
    register(shell)


def unload_ipython_extension(shell: "InteractiveShell") -> None:
    """Take the magics away again."""
    from gsjupyter.magics import unregister

    unregister(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "gsjupyter"}]
