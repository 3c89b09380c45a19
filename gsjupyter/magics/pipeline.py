"""The magics of the pipeline: thin layers over `gs.convert`, `gs.sensitivity` and `gs.export`."""

from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from gsjupyter.errors import OptionError
from gsjupyter.magics.arguments import bound, check_output, errors_in_words, parse
from gsjupyter.magics.settings import (
    CORRECTIONS,
    FORMAT,
    QUANTIZATION,
    SOURCE,
    arguments_of,
    resolved,
    settings_of_cell,
    settings_of_line,
    source_and_example,
)

if TYPE_CHECKING:
    from gsjupyter.conversion import Conversion


@magics_class
class PipelineMagics(Magics):
    """Convert and export inside the notebook."""

    @no_var_expand
    @magic_arguments()
    @arguments_of(SOURCE, FORMAT, QUANTIZATION, CORRECTIONS)
    @argument("-o", "--output", metavar="NAME", help="Bind the conversion to this name instead of showing it.")
    @line_cell_magic
    def gs_convert(self, line: str, cell: str | None = None) -> Any:
        """Convert a network to a standard one that runs on any backend, and verify it against its source.

        The network is left exactly as it is. As a line::

            %gs_convert net x --weights int8 --activations int8 --calibration batches -o qnet
            %gs_convert Net x --ckpt lenet.ckpt -o qnet
            %gs_convert net x --budget 6x --calibration batches -o qnet

        As a cell, whose body is YAML with the same options, and formats of single layers::

            %%gs_convert net x -o qnet
            weights: int4
            granularity: group:64
            layers: {fc3: float32, 'conv*': {weights: int8, granularity: channel}}

        A layer takes weights, activations, granularity, asymmetric, full-range, observer and clipping, or a format
        only. Options on the line go before those of the cell.
        """
        with errors_in_words("gs_convert"):
            arguments = parse(self.gs_convert.parser, line)
            output = _checked_output(arguments)
            settings = resolved(self._namespace, {**settings_of_cell(cell), **settings_of_line(arguments)})
            source, example = source_and_example(self._namespace, arguments)
            from gsjupyter.conversion import convert

            conversion = convert(source, example, **settings)
        return bound(self._namespace, output, conversion, _summary(conversion))

    @no_var_expand
    @magic_arguments()
    @arguments_of(SOURCE, QUANTIZATION)
    @argument("-o", "--output", metavar="NAME", help="Bind the sensitivity to this name instead of showing it.")
    @line_magic
    def gs_sensitivity(self, line: str) -> Any:
        """Measure what each layer's quantization costs the output, and predict it for any bits.

        Each layer is quantized alone and the network run, a few times for each; the network is left as it is::

            %gs_sensitivity net x -o s
            s.predict(4), s.predict({'conv1': 8, 'fc1': 3})
            s.curve.plot()
        """
        with errors_in_words("gs_sensitivity"):
            arguments = parse(self.gs_sensitivity.parser, line)
            output = _checked_output(arguments)
            settings = resolved(self._namespace, settings_of_line(arguments))
            source, example = source_and_example(self._namespace, arguments)
            from gsjupyter.prediction import sensitivity

            found = sensitivity(source, example, **settings)
        predicted = f"SQNR {found.predict(found.current):.1f} dB predicted at int8"
        return bound(self._namespace, output, found, f"sensitivity of {len(found.layers)} layers, {predicted}")

    @property
    def _namespace(self) -> dict[str, Any]:
        return self.shell.user_ns if self.shell is not None else {}


def _checked_output(arguments: dict[str, Any]) -> str | None:
    output: str | None = arguments["output"]
    check_output(output)
    if output is not None and output == arguments["source"]:
        raise OptionError(f"-o {output} would replace the network itself.", advice="Give another name.")
    return output


def _summary(conversion: "Conversion") -> str:
    before, after = conversion.source.size_bytes, conversion.model.size_bytes
    size = f"{after / before:.0%} of the size"
    made = f"{conversion.name}, {conversion.formats}, {size}, {conversion.verification}"
    found = [f"Recognised: {line}." for line in conversion.recognised]
    return "\n".join([made, *found, *conversion.notes])
