"""What the user calls the network, the input and the data, so that copied code runs in the notebook it is put into."""

import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

KINDS: Final = ("source", "inputs", "ckpt", "calibration", "labels", "output")

PLACEHOLDERS: Final[Mapping[str, str]] = {
    "source": "your_network",
    "inputs": "your_input",
    "ckpt": "your_checkpoint.ckpt",
    "calibration": "your_calibration_data",
    "labels": "your_labels",
}
"""What stands in code for something without a name; nobody has called another network so."""

_FILES: Final = ("source", "ckpt")
_IPYTHON: Final = ("In", "Out", "exit", "quit", "get_ipython")


@dataclass(frozen=True)
class Names:
    """Names for copied code.

    Parameters
    ----------
    source : str
        The network's name, or the path of its file.
    inputs : str, optional
        Names of the inputs, with spaces between them; None if none was given.
    ckpt : str, optional
        The checkpoint's path.
    calibration, labels : str, optional
        Names of the data; None if none was given.
    output : str, optional
        What a conversion is to be bound to.
    unnamed : frozenset of str
        Which of these are placeholders, as the user has no name for what was given.
    """

    source: str = PLACEHOLDERS["source"]
    inputs: str | None = None
    ckpt: str | None = None
    calibration: str | None = None
    labels: str | None = None
    output: str | None = None
    unnamed: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, str | None]:
        """Return the names by what they are for; null for what was not given, or has none."""
        return {kind: None if kind in self.unnamed else getattr(self, kind) for kind in KINDS}


def names_of(objects: Mapping[str, Any], namespace: Mapping[str, Any]) -> Names:
    """Return what the user calls some objects: the names that stand for these very objects, not for equal ones.

    Parameters
    ----------
    objects : mapping
        What was given, by what it is for: ``source``, ``inputs`` (one, or a tuple of them), ``ckpt``, ``calibration``,
        ``labels``; ``output`` is a name already. Those that are None were not given.
    namespace : mapping of str to object
        The user's.
    """
    known: dict[int, str] = {}
    for name, value in namespace.items():
        if _is_users(name):
            known.setdefault(id(value), name)
    found: dict[str, str] = {}
    unnamed: set[str] = set()
    for kind, placeholder in PLACEHOLDERS.items():
        given = objects.get(kind)
        if given is None and kind != "source":
            continue
        names = _names(kind, given, known)
        if None in names:
            unnamed.add(kind)
        found[kind] = " ".join(name or _numbered(placeholder, number) for number, name in enumerate(names))
    return Names(**found, output=objects.get("output"), unnamed=frozenset(unnamed))


def _names(kind: str, given: Any, known: Mapping[int, str]) -> Sequence[str | None]:
    if kind in _FILES and isinstance(given, str | Path):
        return [_path(str(given))]
    if kind == "ckpt":
        return [None]
    if id(given) in known or kind != "inputs" or not isinstance(given, tuple | list):
        return [known.get(id(given))]
    return [known.get(id(item)) for item in given]


def _path(text: str) -> str:
    """Return a path that nobody takes for a name."""
    return text if "/" in text or text.endswith((".mindir", ".ckpt", ".safetensors")) else f"./{text}"


def _numbered(placeholder: str, number: int) -> str:
    return f"{placeholder}_{number + 1}" if number else placeholder


def _is_users(name: object) -> bool:
    """Say whether a magic may use a name, and whether the user has given it: IPython keeps results as _, _1, ..."""
    is_name = isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)
    return is_name and not str(name).startswith("_") and name not in _IPYTHON
