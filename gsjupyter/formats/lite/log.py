"""What the converter's log says: the line that everything else follows from, and which operator it speaks of.

The layout differs between releases: a process and a thread may stand in front, or neither, and the first failed check
is followed by one line for each function that it is passed through.
"""

import re
from dataclasses import dataclass
from typing import Final

from gsjupyter.mindir import Scope

SUCCESS: Final = "CONVERT RESULT SUCCESS"
FAILED: Final = "CONVERT RESULT FAILED"

_LINE: Final = re.compile(
    r"^\s*(?:\[(?P<level>[A-Z]+)\]\s*\w+\([^)]*\):\S+\s+)?\[[^\]]+:[\d*]+\]\s+[^\s\]]+\]\s*(?P<text>.*)$"
)
_ERRORS: Final = ("ERROR", "CRITICAL", "EXCEPTION", "FATAL")
# Full quantization says so of every network, and goes on.
_HARMLESS: Final = ("MindirModelLoader: Import model failed", "libnuma.so")
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
    plain = ""
    for line in log.splitlines():
        text = line.strip()
        match = _LINE.match(line)
        if match is not None:
            if match["level"] not in (None, *_ERRORS) or any(words in text for words in _HARMLESS):
                continue
            text = match["text"].strip().strip('"')
            # An exception's words stand in the line below.
            if text and not text.startswith("Runtime error for null exception handler"):
                return text[:_MOST_CHARACTERS]
        elif _TRACE in text:
            break
        elif text and not _RULE.match(text) and not text.startswith((SUCCESS, FAILED)):
            plain = text
    return plain[:_MOST_CHARACTERS]


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
        match = _LINE.match(line)
        if match is None or match["level"] in (None, *_ERRORS):
            place = place_in(line)
            if place is not None:
                return place
    return None


def lacking_operators(log: str) -> tuple[str, ...]:
    """Return the operators that the converter says it lacks, each once."""
    found = (name for pattern in _LACKING for name in pattern.findall(log))
    return tuple(dict.fromkeys(found))


def unknown_operators(log: str) -> tuple[str, ...]:
    """Return the operators that the converter didn't know when it met them, each once.

    It writes a file all the same if they are none of its business in the end, or so it thinks: where the file doesn't
    load, they are why.
    """
    return tuple(dict.fromkeys(_UNKNOWN.findall(log)))
