"""What the converter's log says besides its errors: whether it has succeeded, and which operators it speaks of."""

import re
from dataclasses import dataclass
from typing import Final

from gsjupyter.engines.lite_log import errors_in, is_log_line, is_remark
from gsjupyter.mindir import Scope

SUCCESS: Final = "CONVERT RESULT SUCCESS"
FAILED: Final = "CONVERT RESULT FAILED"

_RULE: Final = re.compile(r"^[-=\s]*$")
_TRACE: Final = "C++ Call Stack"
_NODE: Final = re.compile(r"\bDefault/(?:[\w.<>-]+/)*(?P<operator>[A-Za-z_]\w*?)(?:-op\d+)")
_LACKING: Final = (
    re.compile(r"OP TYPE:\s*([A-Za-z_]\w*)"),
    re.compile(r"[Uu]nsupported op (?:primitive|operator) type:\s*([A-Za-z_]\w*)"),
    re.compile(r"Can'?t find OpAdapter for\s+([A-Za-z_]\w*)"),
)
_UNKNOWN: Final = re.compile(r"Unsupported primitive type in Create:\s*([A-Za-z_]\w*)")
_MOST_CHARACTERS: Final = 300


@dataclass(frozen=True)
class Place:
    """An operator of the network.

    Parameters
    ----------
    operator : str
        Its kind, ``Conv2D`` for example.
    layer : str
        The cell that made it; empty for the network itself.
    """

    operator: str
    layer: str

    def __str__(self) -> str:
        return f"{self.operator} in layer {self.layer}" if self.layer else self.operator


def says_success(log: str) -> bool:
    """Say whether the converter counts itself successful."""
    return SUCCESS in log and FAILED not in log


def says_failure(log: str) -> bool:
    """Say whether the converter counts itself failed, whatever it ended with."""
    return FAILED in log


def first_error(log: str) -> str:
    """Return the error that the others follow from, without what stands in front; empty if there is none.

    Parameters
    ----------
    log : str
        What the converter has written.
    """
    before = log.partition(_TRACE)[0]
    printed = [line.strip() for line in before.splitlines() if not is_log_line(line)]
    plain = [text for text in printed if text and not _RULE.match(text) and not text.startswith((SUCCESS, FAILED))]
    return next(errors_in(before), plain[-1] if plain else "")[:_MOST_CHARACTERS]


def place_in(text: str) -> Place | None:
    """Return the first operator that a text names by its place in the network; None if it names none."""
    match = _NODE.search(text)
    if match is None:
        return None
    return Place(match["operator"], Scope.parse(match[0]).layer)


def place_of_error(log: str) -> Place | None:
    """Return the operator that the first errors of a log speak of; None if they name none.

    Parameters
    ----------
    log : str
        What the converter has written.
    """
    for line in log.splitlines():
        place = place_in(line) if not is_remark(line) else None
        if place is not None:
            return place
    return None


def lacking_operators(log: str) -> tuple[str, ...]:
    """Return the operators that the converter says it lacks, each once."""
    found = (name for pattern in _LACKING for name in pattern.findall(log))
    return tuple(dict.fromkeys(found))


def unknown_operators(log: str) -> tuple[str, ...]:
    """Return the operators that the converter didn't know when it met them, each once.

    It may write a file all the same, without them: that file doesn't load, or computes something else.
    """
    return tuple(dict.fromkeys(_UNKNOWN.findall(log)))
