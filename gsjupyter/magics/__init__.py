"""The magics: arguments in, one call of the public API, result out."""

from typing import TYPE_CHECKING

from gsjupyter.magics.arguments import errors_in_words
from gsjupyter.magics.benchmarks import BenchmarkMagics
from gsjupyter.magics.completion import IDENTIFIER, magic_matcher
from gsjupyter.magics.configuration import add_configuration, remove_configuration
from gsjupyter.magics.export import ExportMagics
from gsjupyter.magics.goldenstick import GoldenStickSupport
from gsjupyter.magics.panel import PanelMagics
from gsjupyter.magics.pipeline import PipelineMagics
from gsjupyter.magics.statistics import StatisticsMagics

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["errors_in_words", "register", "unregister"]

_MAGICS = {
    "gs_convert": PipelineMagics,
    "gs_sensitivity": PipelineMagics,
    "gs_export": ExportMagics,
    "gs_panel": PanelMagics,
    "gs_stats": StatisticsMagics,
    "gs_targets": BenchmarkMagics,
    "gs_bench": BenchmarkMagics,
}
_supports: list[GoldenStickSupport] = []


def register(shell: "InteractiveShell") -> None:
    """Add the magics, their completion and the support of Golden Stick to a shell; doing it twice changes nothing."""
    _take_away(shell)
    shell.register_magics(*dict.fromkeys(_MAGICS.values()))
    parsers = {name: getattr(magics, name).parser for name, magics in _MAGICS.items()}
    shell.Completer.custom_matchers.append(magic_matcher(shell, parsers))
    _supports.append(GoldenStickSupport(shell))
    add_configuration(shell)


def unregister(shell: "InteractiveShell") -> None:
    """Take the magics, their completion, their settings and the support of Golden Stick away."""
    _take_away(shell)
    remove_configuration(shell)


def _take_away(shell: "InteractiveShell") -> None:
    while _supports:
        _supports.pop().detach()
    for kind in ("line", "cell"):
        for name in _MAGICS:
            shell.magics_manager.magics[kind].pop(name, None)
    matchers = shell.Completer.custom_matchers
    matchers[:] = [matcher for matcher in matchers if getattr(matcher, "matcher_identifier", "") != IDENTIFIER]
