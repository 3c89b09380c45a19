"""Tab completion of the magics' options, their values, and names of the notebook, through IPython's matcher API."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from gsjupyter.magics.arguments import options_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.core.magic_arguments import MagicArgumentParser

IDENTIFIER: Final = "gsjupyter"
"""What IPython knows the matcher by."""

_LINE: Final = re.compile(r"^\s*(?:\w+\s*=\s*)?%{1,2}(gs_\w+)\s(.*)$", re.DOTALL)
# Kept as text, so that completing an option doesn't import MindSpore. A test compares them with the options themselves.
CHOICES: Final = {
    "--weights": ("float32", "float16", "int8", "int7", "int6", "int5", "int4", "int3", "int2"),
    "--activations": ("float32", "int8"),
    "--granularity": ("channel", "tensor", "group:128", "group:64", "group:32"),
    "--weight-observer": ("minmax", "percentile", "mse", "entropy"),
    "--activation-observer": ("minmax", "percentile", "mse", "entropy"),
    "--rounding": ("nearest", "gptq"),
    "--sort": (
        "name",
        "operator",
        "shape",
        "parameters",
        "weights",
        "scale_min",
        "scale",
        "zero_point_min",
        "zero_point",
        "levels",
        "clipped",
        "outliers",
        "rmse",
        "cosine",
        "sqnr",
        "activations",
        "seen_from",
        "seen_to",
        "input_from",
        "input_to",
        "input_scale",
        "input_zero_point",
        "input_clipped",
        "input_outliers",
        "input_sqnr",
        "before",
        "size",
        "share",
        "isolated",
        "accumulated",
        "note",
    ),
    "--format": ("mindir", "onnx", "ms"),
    "--device": ("cpu", "gpu", "ascend"),
    "--quantization": ("carried", "weight", "full", "dynamic", "none"),
    "--input-format": ("NCHW", "NHWC"),
    "--targets": ("cpu", "gpu", "ascend"),
    "--engines": ("mindspore", "onnxruntime", "lite"),
}


def magic_matcher(
    shell: "InteractiveShell", parsers: "Mapping[str, MagicArgumentParser]"
) -> Callable[[CompletionContext], SimpleMatcherResult]:
    """Return what completes the arguments of gsjupyter's magics.

    Parameters
    ----------
    shell : InteractiveShell
        Whose namespace to complete names from.
    parsers : mapping of str to MagicArgumentParser
        Each magic's parser.
    """

    @context_matcher(identifier=IDENTIFIER)
    def complete(context: CompletionContext) -> SimpleMatcherResult:
        found = _LINE.match(context.line_with_cursor)
        parser = parsers.get(found.group(1)) if found is not None else None
        if found is None or parser is None:
            return SimpleMatcherResult(completions=[], suppress=False)
        words = found.group(2).split()
        if found.group(2).endswith((" ", "\t")) or not words:
            words.append("")
        token = words[-1]
        if token.startswith("-"):
            return _result(token, options_of(parser), "option")
        option = _option_before(parser, words)
        if option in CHOICES:
            return _result(token, CHOICES[option], "value")
        names = [name for name in shell.user_ns if not name.startswith("_")]
        # Files stay on offer beside the names.
        return _result(token, names, "name", suppress=False)

    return complete  # type: ignore[no-any-return]  # the decorator has no types


def _option_before(parser: "MagicArgumentParser", words: Sequence[str]) -> str:
    """Return the option whose value the last word is, empty if it is of none."""
    if words[-2:-1] and words[-2].startswith("-"):
        return words[-2]
    option = next((word for word in reversed(words[:-1]) if word.startswith("-")), "")
    return option if option in options_of(parser, several_values=True) else ""


def _result(token: str, words: Iterable[str], kind: str, *, suppress: bool = True) -> SimpleMatcherResult:
    matching = [SimpleCompletion(text=word, type=kind) for word in sorted(words) if word.startswith(token)]
    return SimpleMatcherResult(completions=matching, suppress=suppress and bool(matching))
