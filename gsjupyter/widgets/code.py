"""A panel's options as the magic that does the same: without it a click could be neither kept, sent nor run again.

What a line can say becomes ``%gs_convert``; settings of single layers, and names that a line would read as something
else, go into the YAML of ``%%gs_convert``.
"""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

import yaml

from gsjupyter.options import ConvertOptions, LayerOverride
from gsjupyter.widgets.names import PLACEHOLDERS, Names

_OPPOSITES: Final = {"symmetric": "asymmetric", "narrow_range": "full_range", "simulate": "annotate_only"}
_NAMED: Final = ("ckpt", "calibration", "labels")
_GLOB: Final = re.compile(r"[*?\[]")
_IN_WORDS: Final = {
    "source": "the network",
    "inputs": "the input",
    "ckpt": "the checkpoint",
    "calibration": "the calibration data",
    "labels": "the labels",
}
_ENDLESS: Final = 1 << 30


def as_magic(options: ConvertOptions, names: Names) -> str:
    """Return the text of a cell that converts as `options` say: one line if that can say it, else with YAML.

    Only what differs from the defaults is named. Where something has no name in the notebook, a comment asks for one.

    Parameters
    ----------
    options : ConvertOptions
        How to convert.
    names : Names
        What to convert, and what to call the result.
    """
    settings = _settings(options, {kind: name for kind in _NAMED if (name := getattr(names, kind)) is not None})
    source, unnamed = names.source, names.unnamed
    if not _fits_a_line(source):
        source, unnamed = PLACEHOLDERS["source"], unnamed | {"source"}
    comments = [
        f"# Put the name of {words} in place of {PLACEHOLDERS[kind]}."
        for kind, words in _IN_WORDS.items()
        if kind in unnamed
    ]
    subject = ["gs_convert", _word(source), *(names.inputs or "").split()]
    output = ["-o", names.output or ("qnet" if source != "qnet" else "qnet_2")]
    if all(_is_flag(key, value) for key, value in settings.items()):
        line = " ".join([*subject, *_flags(settings), *output])
        return "\n".join([*comments, f"%{line}"])
    return "\n".join([f"%%{' '.join([*subject, *output])}", *comments, _as_yaml(settings)])


def _settings(options: ConvertOptions, named: Mapping[str, str]) -> dict[str, Any]:
    """Return what differs from the defaults, in the words of the magic; single layers come last."""
    default, found = ConvertOptions(), {}
    for name in [field.name for field in fields(options) if field.name != "layers"]:
        value = getattr(options, name)
        if value != getattr(default, name):
            found[_OPPOSITES.get(name, name)] = not value if name in _OPPOSITES else value
    keep, layers = _kept_apart({name: _simplest(chosen) for name, chosen in options.layers.items()})
    return {**found, **named, **({"keep": keep} if keep else {}), **({"layers": layers} if layers else {})}


def _kept_apart(layers: Mapping[str, LayerOverride]) -> tuple[list[str], dict[str, LayerOverride]]:
    """Return the layers that ``keep`` can name, and the others.

    What is kept goes before everything else. So a glob can't go there from behind a glob that is another's, as the
    first one decides.
    """
    keep: list[str] = []
    others: dict[str, LayerOverride] = {}
    is_behind = False
    for name, chosen in layers.items():
        is_glob = _GLOB.search(name) is not None
        if chosen == "float32" and not (is_glob and is_behind):
            keep.append(name)
        else:
            others[name] = chosen
            is_behind = is_behind or is_glob
    return keep, others


def _simplest(chosen: LayerOverride) -> LayerOverride:
    """Return an override as people write it: a format alone is no mapping."""
    if isinstance(chosen, str):
        return chosen
    return chosen["weights"] if set(chosen) == {"weights"} else dict(chosen)


def _is_flag(key: str, value: Any) -> bool:
    """Say whether a line can name a setting."""
    if key == "layers":
        return False
    return all(_fits_a_line(str(item)) for item in (value if isinstance(value, list) else [value]))


def _fits_a_line(text: str) -> bool:
    """Say whether a line can hold a text, in quotes if need be: IPython reads a line as Python before it is a shell's.

    Outside of POSIX the quotes would stay.
    """
    is_plain = text.isprintable() and not text.startswith("-") and not set(text) & set("'\"\\")
    return bool(text) and is_plain and (os.name == "posix" or shlex.quote(text) == text)


def _word(text: str) -> str:
    return text if text.isidentifier() else shlex.quote(text)


def _flags(settings: Mapping[str, Any]) -> Iterator[str]:
    for key, value in settings.items():
        yield f"--{key.replace('_', '-')}"
        if value is not True:
            yield from (_word(str(item)) for item in (value if isinstance(value, list) else [value]))


def _as_yaml(settings: Mapping[str, Any]) -> str:
    content = _Block({key: _Block(value) if key == "layers" else value for key, value in settings.items()})
    # What nobody sees on a screen is escaped.
    is_printable = all(text.isprintable() for text in _texts(content))
    text: str = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=is_printable, width=_ENDLESS
    )
    return text.rstrip("\n")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for pair in value.items() for item in pair for text in _texts(item))
    elif isinstance(value, list):
        yield from value


class _Block(dict[str, Any]):
    """A mapping that takes a line for each key."""


class _Dumper(yaml.SafeDumper):
    """Writes texts so that they come back as they were, and floats of numpy as floats."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    # YAML folds line breaks unless they are escaped, and only in double quotes they are.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


def _represent_block(dumper: yaml.SafeDumper, content: _Block) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", content.items(), flow_style=False)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(_Block, _represent_block)
_Dumper.add_multi_representer(float, lambda dumper, number: dumper.represent_float(float(number)))
