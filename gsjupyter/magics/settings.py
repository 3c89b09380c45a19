"""How a network is to be quantized, as magics take it: the same options, on the line or in a cell of YAML."""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from IPython.core.magic_arguments import argument

from gsjupyter.errors import OptionError
from gsjupyter.magics.arguments import lookup

Method = TypeVar("Method", bound=Callable[..., Any])

_NAMES: Final = ("calibration", "labels")
_LINE_KEYS: Final = (
    *("ckpt", "weights", "activations", "granularity", "weight_observer", "activation_observer", "clipping"),
    *("rounding", "budget", "max_drop", *_NAMES, "keep"),
)
_SWITCHES: Final = ("equalize", "smooth", "bias_correction")
_OPPOSITES: Final = {"asymmetric": "symmetric", "full_range": "narrow_range", "annotate_only": "simulate"}
CELL_KEYS: Final = (*_LINE_KEYS, *_SWITCHES, *_OPPOSITES.values(), "layers")
"""What the YAML of a cell may set."""

SOURCE: Final = (
    argument("source", help="The network (a name), or the path of a .mindir file."),
    argument("inputs", nargs="*", default=[], help="One batch of each input, by name, as the network is called with."),
    argument("--ckpt", metavar="FILE", help="A checkpoint (.ckpt, .safetensors) whose values to take."),
)
"""Which network."""

FORMAT: Final = (
    argument("--weights", metavar="FORMAT", help="How weights are stored: float32 (default), float16, int8 to int2."),
)
"""What all weights become."""

QUANTIZATION: Final = (
    argument("--activations", metavar="FORMAT", help="How inputs of layers are quantized: float32 (default), int8."),
    argument("--granularity", metavar="WHAT", help="A scale for each output channel (default), tensor, or group:N."),
    argument("--asymmetric", action="store_true", help="Give weights a zero point, for lopsided values in few bits."),
    argument("--full-range", action="store_true", help="Use the lowest integer of a symmetric grid too."),
    argument("--weight-observer", metavar="NAME", help="Weights' ranges: minmax (default), percentile, mse, entropy."),
    argument(
        "--clipping", metavar="SHARE", type=float, help="The share of each range that weights keep, 0.8 for example."
    ),
    argument("--activation-observer", metavar="NAME", help="Likewise for the ranges of int8 activations."),
    argument("--calibration", metavar="NAME", help="A dataset, batches or an array of typical inputs."),
    argument("--keep", metavar="LAYER", nargs="+", help="Layers to leave in float32, by name or glob."),
)
"""What is quantized, and on which grid."""

CORRECTIONS: Final = (
    argument("--rounding", metavar="HOW", help="To the nearest (default), or gptq: errors make up for each other."),
    argument("--equalize", action="store_true", help="Balance the channels of neighbouring layers first."),
    argument("--smooth", action="store_true", help="Move outliers of activations into weights first (SmoothQuant)."),
    argument("--bias-correction", action="store_true", help="Take the mean error of quantized weights out of biases."),
    argument("--budget", metavar="SIZE", help="Choose bits layer by layer within a size: 4x (smaller), 500KB."),
    argument("--max-drop", metavar="LOSS", help="Choose bits within a loss: 30dB (lowest SQNR), 1%% (of the samples)."),
    argument("--labels", metavar="NAME", help="The classes of the samples given, for --max-drop in percent."),
    argument("--annotate-only", action="store_true", help="Note activation scales in the file; compute in float."),
)
"""What makes up for errors, and which bits are worth theirs."""


def arguments_of(*groups: tuple[Callable[[Method], Method], ...]) -> Callable[[Method], Method]:
    """Return a decorator that gives a magic several groups of arguments, in their order."""

    def decorated(method: Method) -> Method:
        for decorator in reversed([item for group in groups for item in group]):
            method = decorator(method)
        return method

    return decorated


def source_and_example(namespace: Mapping[str, Any], arguments: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the network or path that a line names, and the example: None, a value, or a tuple of them."""
    text = arguments["source"]
    source = Path(text).expanduser() if _is_path(text) else lookup(namespace, text)
    values = tuple(lookup(namespace, name) for name in arguments["inputs"])
    return source, None if not values else values[0] if len(values) == 1 else values


def resolved(namespace: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the values that names stand for, and with paths."""
    found = {key: lookup(namespace, str(settings[key])) for key in _NAMES if settings.get(key) is not None}
    if "ckpt" in settings:
        found["ckpt"] = Path(str(settings["ckpt"])).expanduser()
    return {**settings, **found}


def _is_path(text: str) -> bool:
    # A misspelt suffix still says that a file was meant.
    suffix = Path(text).suffix
    return "/" in text or bool(difflib.get_close_matches(suffix, [".mindir", ".onnx", ".ckpt", ".safetensors"], 1))


def settings_of_line(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a line gives; those it doesn't mention are not among them."""
    settings = {name: arguments[name] for name in _LINE_KEYS if arguments.get(name) is not None}
    settings |= {name: True for name in _SWITCHES if arguments.get(name)}
    return settings | {option: False for flag, option in _OPPOSITES.items() if arguments.get(flag)}


def settings_of_cell(cell: str | None) -> dict[str, Any]:
    """Return the settings that a cell's YAML gives.

    Raises
    ------
    OptionError
        If it is no YAML, no mapping, or has an unknown key; the message names the nearest one.
    """
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
    content = _as_options(content)
    unknown = [key for key in content if key not in CELL_KEYS]
    if unknown:
        near = difflib.get_close_matches(str(unknown[0]), CELL_KEYS, 1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(CELL_KEYS)}."
        raise OptionError(f"no option {unknown[0]!r} in the cell. {hint}")
    layers, keep = content.get("layers"), content.get("keep")
    if isinstance(layers, dict):
        content["layers"] = {
            _layer_name(name): _as_options(chosen) if isinstance(chosen, dict) else chosen
            for name, chosen in layers.items()
        }
    if keep is not None:
        content["keep"] = [_layer_name(name) for name in (keep if isinstance(keep, list) else [keep])]
    return content


def _as_options(content: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return settings under the names of options: they may be written as flags are, ``max-drop`` or ``asymmetric``."""
    found = {}
    for key, value in content.items():
        name = key.replace("-", "_") if isinstance(key, str) else key
        is_opposite = name in _OPPOSITES and isinstance(value, bool)
        found[_OPPOSITES[name] if is_opposite else name] = not value if is_opposite else value
    return found


def _layer_name(name: object) -> object:
    # The layers of a SequentialCell are called 0, 1, ..., which YAML reads as numbers.
    return str(name) if type(name) is int else name
