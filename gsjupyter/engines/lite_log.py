"""What MindSpore Lite's log says, its runtime's and its converter's: the line that everything else follows from.

The layout differs between releases: a process and a thread may stand in front, or neither, and the first failed check
is followed by one line for each function that it is passed through.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

_LINE: Final = re.compile(
    r"^\s*(?:\[?(?P<level>[A-Z]+)\]?\s+(?:\w+\([^)]*\):\S+\s+)?)?\[[^\]]+:[\d*]+\]\s+[^\s\]]+\]\s*(?P<text>.*)$"
)
_ERRORS: Final = ("ERROR", "CRITICAL", "EXCEPTION", "FATAL")
# Full quantization says so of every network, and goes on.
_HARMLESS: Final = ("MindirModelLoader: Import model failed", "libnuma.so")
# An exception's own words stand in the line below.
_ANNOUNCEMENT: Final = "Runtime error for null exception handler"
_MOST: Final = 3
_LONGEST: Final = 300


def first_errors(log: str) -> str:
    """Return the first errors of a log in a line, without the places in Lite's source; empty if it has none."""
    lines = dict.fromkeys(text.rstrip(".") for text in errors_in(log))
    return "; ".join(islice(lines, _MOST))[:_LONGEST]


def errors_in(log: str) -> Iterator[str]:
    """Yield what a log says at each error, without what stands in front."""
    for line in log.splitlines():
        match = _LINE.match(line)
        if match is not None and not is_remark(line):
            text = match["text"].strip().strip('"')
            if text and not text.startswith(_ANNOUNCEMENT):
                yield text


def is_log_line(line: str) -> bool:
    """Say whether a line has the layout of the log, so that the program didn't just print it."""
    return _LINE.match(line) is not None


def is_remark(line: str) -> bool:
    """Say whether a line has the layout of the log and tells of no error, or of one that has no consequence."""
    match = _LINE.match(line)
    if match is None:
        return False
    return match["level"] not in (None, *_ERRORS) or any(words in line for words in _HARMLESS)
