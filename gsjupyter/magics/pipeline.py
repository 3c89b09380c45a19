"""The magics of the pipeline: thin layers over `gs.convert` and `gs.export`."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from gsjupyter.errors import OptionError
from gsjupyter.magics.arguments import bound, check_output, errors_in_words, lookup, parse

if TYPE_CHECKING:
    from gsjupyter.conversion import Conversion

_LINE_KEYS = (
    *("ckpt", "weights", "activations", "granularity", "weight_observer", "activation_observer", "rounding"),
    *("budget", "max_drop", "calibration", "labels", "keep"),
)
_SWITCHES = ("equalize", "smooth", "bias_correction")
_CELL_KEYS = (*_LINE_KEYS, *_SWITCHES, "symmetric", "narrow_range", "simulate", "layers")


@magics_class
class PipelineMagics(Magics):
    """Convert and export inside the notebook."""

    @no_var_expand
    @magic_arguments()
    @argument("source", help="The network (a name), or the path of a .mindir file.")
    @argument("inputs", nargs="*", default=[], help="One batch of each input, by name, as the network is called with.")
    @argument("--ckpt", metavar="FILE", help="A checkpoint (.ckpt, .safetensors) whose values to take.")
    @argument("--weights", metavar="FORMAT", help="How weights are stored: float32 (default), float16, int8 to int2.")
    @argument("--activations", metavar="FORMAT", help="How inputs of layers are quantized: float32 (default), int8.")
    @argument("--granularity", metavar="WHAT", help="A scale for each output channel (default), tensor, or group:N.")
    @argument("--asymmetric", action="store_true", help="Give weights a zero point, for lopsided values in few bits.")
    @argument("--full-range", action="store_true", help="Use the lowest integer of a symmetric grid too.")
    @argument("--weight-observer", metavar="NAME", help="Weights' ranges: minmax (default), percentile, mse, entropy.")
    @argument("--activation-observer", metavar="NAME", help="Likewise for the ranges of int8 activations.")
    @argument("--rounding", metavar="HOW", help="To the nearest (default), or gptq: errors make up for each other.")
    @argument("--equalize", action="store_true", help="Balance the channels of neighbouring layers first.")
    @argument("--smooth", action="store_true", help="Move outliers of activations into weights first (SmoothQuant).")
    @argument("--bias-correction", action="store_true", help="Take the mean error of quantized weights out of biases.")
    @argument("--budget", metavar="SIZE", help="Choose bits layer by layer within a size: 4x (smaller), 500KB.")
    @argument("--max-drop", metavar="LOSS", help="Choose bits within a loss: 30dB (lowest output SQNR), 1%% (accuracy).")
    @argument("--labels", metavar="NAME", help="The classes of the samples given, for --max-drop in percent.")
    @argument("--calibration", metavar="NAME", help="A dataset, batches or an array of typical inputs.")
    @argument("--keep", metavar="LAYER", nargs="+", help="Layers to leave in float32, by name or glob.")
    @argument("--annotate-only", action="store_true", help="Note activation scales in the file; compute in float.")
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

        Options on the line go before those of the cell.
        """
        with errors_in_words("gs_convert"):
            arguments = parse(self.gs_convert.parser, line)
            output = arguments.pop("output")
            check_output(output)
            if output == arguments["source"]:
                raise OptionError(f"-o {output} would replace the network itself.", advice="Give another name.")
            settings = {**_settings_of_cell(cell), **_settings_of_line(arguments)}
            source, example = self._source(arguments["source"]), self._example(arguments["inputs"])
            for name in ("calibration", "labels"):
                if settings.get(name) is not None:
                    settings[name] = lookup(self._namespace, str(settings[name]))
            if "ckpt" in settings:
                settings["ckpt"] = Path(str(settings["ckpt"])).expanduser()
            from gsjupyter.conversion import convert

            conversion = convert(source, example, **settings)
        return bound(self._namespace, output, conversion, _summary(conversion))

    @no_var_expand
    @magic_arguments()
    @argument("conversion", help="What to write: the name of a conversion.")
    @argument("path", help="Where; the suffix says the format: .mindir.")
    @argument("--format", metavar="FORMAT", help="The format, if the suffix doesn't say it.")
    @argument("--overwrite", action="store_true", help="Replace a file that is there.")
    @argument("-o", "--output", metavar="NAME", help="Bind the artifact to this name instead of showing it.")
    @line_magic
    def gs_export(self, line: str) -> Any:
        """Write a conversion to a file, with a manifest beside it: what it was made from, options, checks, SHA-256.

        Nothing is overwritten without --overwrite, and nothing half-written is ever left::

            %gs_export qnet lenet.mindir
        """
        with errors_in_words("gs_export"):
            arguments = parse(self.gs_export.parser, line)
            check_output(arguments["output"])
            conversion = lookup(self._namespace, arguments["conversion"])
            from gsjupyter.artifact import export

            artifact = export(
                conversion, arguments["path"], format=arguments["format"], overwrite=arguments["overwrite"]
            )
        return bound(self._namespace, arguments["output"], artifact, str(artifact.path))

    @property
    def _namespace(self) -> dict[str, Any]:
        return self.shell.user_ns if self.shell is not None else {}

    def _source(self, text: str) -> Any:
        return Path(text).expanduser() if _is_path(text) else lookup(self._namespace, text)

    def _example(self, names: list[str]) -> Any:
        values = tuple(lookup(self._namespace, name) for name in names)
        return None if not values else values[0] if len(values) == 1 else values


def _is_path(text: str) -> bool:
    # A misspelt suffix still says that a file was meant.
    suffix = Path(text).suffix
    return "/" in text or bool(difflib.get_close_matches(suffix, [".mindir", ".ckpt", ".safetensors"], 1))


def _settings_of_line(arguments: Mapping[str, Any]) -> dict[str, Any]:
    settings = {name: arguments[name] for name in _LINE_KEYS if arguments[name] is not None}
    settings |= {name: True for name in _SWITCHES if arguments[name]}
    opposites = {"asymmetric": "symmetric", "full_range": "narrow_range", "annotate_only": "simulate"}
    return settings | {option: False for flag, option in opposites.items() if arguments[flag]}


def _settings_of_cell(cell: str | None) -> dict[str, Any]:
    try:
        content = yaml.safe_load(cell or "")
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f" at line {place.line + 2}" if place is not None else ""
        raise OptionError(f"the cell is no YAML{where}: {getattr(error, 'problem', error)}.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise OptionError("the cell must map options to values, a line each: weights: int8")
    unknown = [key for key in content if key not in _CELL_KEYS]
    if unknown:
        near = difflib.get_close_matches(str(unknown[0]), _CELL_KEYS, 1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(_CELL_KEYS)}."
        raise OptionError(f"no option {unknown[0]!r} in the cell. {hint}")
    layers, keep = content.get("layers"), content.get("keep")
    if isinstance(layers, dict):
        content["layers"] = {_layer_name(name): chosen for name, chosen in layers.items()}
    if keep is not None:
        content["keep"] = [_layer_name(name) for name in (keep if isinstance(keep, list) else [keep])]
    return content


def _layer_name(name: object) -> object:
    # The layers of a SequentialCell are called 0, 1, ..., which YAML reads as numbers.
    return str(name) if type(name) is int else name


def _summary(conversion: "Conversion") -> str:
    before, after = conversion.source.size_bytes, conversion.model.size_bytes
    size = f"{after / before:.0%} of the size"
    made = f"{conversion.name}, {conversion.formats}, {size}, {conversion.verification}"
    found = [f"Recognised: {line}." for line in conversion.recognised]
    return "\n".join([made, *found, *conversion.notes])
