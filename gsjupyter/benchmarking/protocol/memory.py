"""How much memory is left for another process: without it, many rows of large networks would end each other."""

from typing import Final

import psutil

from gsjupyter.benchmarking.protocol.rows import Row
from gsjupyter.benchmarking.targets.machine import this_share

_ENGINE_BYTES: Final = 500_000_000
"""What an engine holds besides the model."""
_UNKNOWN: Final = 4
"""How many times its file's size a model may take that hasn't run yet."""


def available_bytes() -> int:
    """Return what more processes can hold: what the machine has left, and within it what this process may use."""
    own = psutil.Process()
    held = 0
    for process in (own, *own.children(recursive=True)):
        try:
            held += process.memory_info().rss
        except psutil.Error:
            continue
    return min(psutil.virtual_memory().available, this_share().memory_bytes - held)


def needed_bytes(row: Row) -> int:
    """Return what a row's process will hold: what it held before, if it has run; else guessed from its file."""
    seen = max((launch.host_memory_bytes for launch in row.launches), default=0)
    file = row.planned.subject.files.get(row.planned.engine)
    guessed = _UNKNOWN * file.size_bytes if file is not None else 0
    return _ENGINE_BYTES + (seen or guessed)
