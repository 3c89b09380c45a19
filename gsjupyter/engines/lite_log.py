"""What MindSpore Lite's log says: the reason first, and then a line for each function that it went through."""

import re
from typing import Final

_ERROR: Final = re.compile(r"^\[?(?:ERROR|CRITICAL)\]? [^\n]*?\.(?:cc|h):\d+\] [^\s\]]+\] ?(.+)$", re.MULTILINE)
_MOST: Final = 3
_LONGEST: Final = 300


def first_errors(log: str) -> str:
    """Return the first errors of a log in a line, without the places in Lite's source; empty if it has none."""
    lines = [line.strip().rstrip(".") for line in _ERROR.findall(log)]
    return "; ".join(dict.fromkeys(list(filter(None, lines))[:_MOST]))[:_LONGEST]
