"""The magic of the per-layer statistics: a thin layer over `Conversion.layers` and `Conversion.layer_errors`."""

from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from gsjupyter.errors import OptionError, SourceError
from gsjupyter.magics.arguments import bound, check_output, errors_in_words, lookup, parse

if TYPE_CHECKING:
    from gsjupyter.conversion import Conversion


@magics_class
class StatisticsMagics(Magics):
    """Look at what a conversion did to each layer, inside the notebook."""

    @no_var_expand
    @magic_arguments()
    @argument("conversion", help="What to look at: the name of a conversion.")
    @argument(
        "inputs",
        nargs="*",
        default=[],
        help="For --errors: one batch of each input, by name; by default what it was verified on.",
    )
    @argument("--sort", metavar="COLUMN", help="Order the layers: name, sqnr, size, share, ...; the worst first.")
    @argument("--top", metavar="N", type=int, help="Show the first N layers only.")
    @argument("--filter", metavar="LAYER", nargs="+", help="Show some layers only, by name or glob.")
    @argument("--errors", action="store_true", help="Run both networks: each layer's own error and the accumulated.")
    @argument("-o", "--output", metavar="NAME", help="Bind the table to this name instead of showing it.")
    @line_magic
    def gs_stats(self, line: str) -> Any:
        """Show every figure of a conversion's layers: scales, levels used, clipping, outliers, SQNR, bytes.

        ::

            %gs_stats qnet --sort sqnr --top 10
            %gs_stats qnet --filter 'conv*' fc3
            %gs_stats qnet x --errors --sort isolated

        With --errors the float network and the converted one run on a batch of input. Each layer then has two ratios
        more, of its output with this layer alone quantized (isolated), and in the converted network (accumulated).

        The result is a table to go on with in Python: table.to_pandas(), table.plot(), table[:3].
        """
        with errors_in_words("gs_stats"):
            arguments = parse(self.gs_stats.parser, line)
            check_output(arguments["output"])
            conversion = self._conversion(arguments["conversion"])
            from gsjupyter.report.layer_columns import check_filled, layer_column

            layers = conversion.layers.detailed()
            if arguments["filter"]:
                layers = layers.matching(*arguments["filter"])
            if arguments["sort"]:
                # Refused before anything slow begins.
                layer_column(arguments["sort"])
            if arguments["errors"]:
                layers = layers.with_errors(conversion.layer_errors(self._example(arguments["inputs"])))
            elif arguments["inputs"]:
                raise OptionError(f"{arguments['inputs'][0]} is only needed with --errors.")
            if arguments["sort"]:
                check_filled(layers, arguments["sort"])
                layers = layers.sorted_by(arguments["sort"])
            if arguments["top"] is not None:
                layers = layers.top(arguments["top"])
        return bound(self._namespace, arguments["output"], layers, f"{len(layers)} layers of {conversion.name}")

    @property
    def _namespace(self) -> dict[str, Any]:
        return self.shell.user_ns if self.shell is not None else {}

    def _example(self, names: list[str]) -> Any:
        return tuple(lookup(self._namespace, name) for name in names) or None

    def _conversion(self, name: str) -> "Conversion":
        from gsjupyter.conversion import Conversion

        found = lookup(self._namespace, name)
        if not isinstance(found, Conversion):
            raise SourceError(
                f"{type(found).__name__} is no conversion.",
                advice="Convert it first: %gs_convert net x -o qnet, or gs.convert(net, x).",
            )
        return found
