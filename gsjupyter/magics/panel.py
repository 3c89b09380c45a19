"""The magic of the panel: a thin layer over `gs.panel`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from gsjupyter.errors import OptionError, SourceError
from gsjupyter.magics.arguments import check_output, errors_in_words, lookup, parse
from gsjupyter.magics.settings import (
    CORRECTIONS,
    FORMAT,
    QUANTIZATION,
    SOURCE,
    arguments_of,
    resolved,
    settings_of_line,
    source_and_example,
)

if TYPE_CHECKING:
    from gsjupyter.options import ConvertOptions

_GIVEN: Final = ("ckpt", "calibration", "labels")


@magics_class
class PanelMagics(Magics):
    """Convert by hand, with controls and sliders."""

    @no_var_expand
    @magic_arguments()
    @arguments_of(SOURCE, FORMAT, QUANTIZATION, CORRECTIONS)
    @argument("--like", metavar="CONVERSION", help="Open with the options of this conversion, and show it beside.")
    @argument("-o", "--output", metavar="NAME", help="Bind each conversion that is applied to this name.")
    @line_magic
    def gs_panel(self, line: str) -> Any:
        """Open a network in a panel: choose how to convert it, see what that does to each layer, measure and export.

        ::

            %gs_panel net x
            %gs_panel net x --calibration batches -o qnet
            %gs_panel Net x --ckpt lenet.ckpt
            %gs_panel net x --weights int4 --granularity group:64
            %gs_panel qnet

        Sliders set bits, clipping and the size. While one moves, every layer's error, the size and the predicted output
        are drawn anew; Apply runs the real conversion and shows the truth beside the prediction. The network is left
        exactly as it is. Options are those of %gs_convert: the panel opens in the state that they describe, and without
        any with int8 weights. The last line opens a conversion again, in the state that made it; so does
        ``%gs_panel net x --like qnet``, on the network itself.

        With -o each conversion that is applied is bound to that name. The panel's Code tab has the %gs_convert line
        that does the same. What it shows stays in the notebook when that is saved, and works without a kernel.

        From Python it is worked as well; ``panel = %gs_panel net x`` and ``panel = gs.panel(net, x)`` give it a name::

            panel.options = {'weights': 'int4', 'layers': {'fc3': {'weights': 'int8'}}}
            panel.apply(), panel.conversion, panel.export('lenet.mindir')
        """
        with errors_in_words("gs_panel"):
            arguments = parse(self.gs_panel.parser, line)
            check_output(arguments["output"])
            if arguments["output"] is not None and arguments["output"] == arguments["source"]:
                raise OptionError(
                    f"-o {arguments['output']} would replace what the panel shows.", advice="Give another name."
                )
            given, chosen = _parted(settings_of_line(arguments))
            options = _options(chosen, arguments["like"])
            given = resolved(self._namespace, given)
            source, example = source_and_example(self._namespace, arguments)
            like = self._conversion(arguments["like"])
            from gsjupyter.widgets.names import Names
            from gsjupyter.widgets.panel import panel

            return panel(source, example, like=like, options=options, names=Names(**_names(arguments)), **given)

    def _conversion(self, name: str | None) -> Any:
        if name is None:
            return None
        from gsjupyter.conversion import Conversion

        found = lookup(self._namespace, name)
        if not isinstance(found, Conversion):
            raise SourceError(
                f"--like {name}: {type(found).__name__} is no conversion.",
                advice="Give what %gs_convert or the panel has made.",
            )
        return found

    @property
    def _namespace(self) -> dict[str, Any]:
        return self.shell.user_ns if self.shell is not None else {}


def _parted(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what of a line's settings is of the network and its data, and what are options of a conversion."""
    given = {name: settings[name] for name in _GIVEN if name in settings}
    return given, {name: value for name, value in settings.items() if name not in given}


def _options(settings: Mapping[str, Any], like: str | None) -> "ConvertOptions | None":
    """Return what a line says of a conversion; None if it says nothing."""
    if not settings:
        return None
    if like is not None:
        raise OptionError(
            f"--like {like} gives all options, so no others go beside it.", advice="Leave out --like, or the others."
        )
    from gsjupyter.options import options_from

    return options_from({name: settings[name] for name in settings if name != "keep"}, settings.get("keep", ()))


def _names(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the line calls things: copied code calls them so too."""
    named = {name: arguments[name] for name in ("source", "ckpt", "calibration", "labels", "output")}
    named["inputs"] = " ".join(arguments["inputs"]) or None
    return {name: text for name, text in named.items() if text is not None}
