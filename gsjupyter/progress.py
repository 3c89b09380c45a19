"""Progress of long work: one line that appears only after a while and is gone at the end, from saved notebooks too.

Where a line can't be taken back, in a file or a pipe, there is none: a log would keep every state of it.
"""

import io
import sys
from collections.abc import Iterable, Iterator
from threading import Timer
from types import TracebackType
from typing import Any, TextIO, TypeVar

from IPython.core.getipython import get_ipython
from IPython.display import DisplayHandle, display
from tqdm.std import tqdm

PROGRESS_DELAY_S = 1.5
"""Shorter work shows no progress."""

Item = TypeVar("Item")


class NotebookLine(io.TextIOBase):
    """What tqdm writes to in a notebook: one output that is updated, and empty in the end.

    A widget would stay in the saved notebook as the text of its last state.
    """

    def __init__(self) -> None:
        self._handle: DisplayHandle | None = None

    def write(self, text: str) -> int:
        """Show a line of text in place of the one before."""
        line = {"text/plain": text.strip("\r\n ")}
        if self._handle is not None:
            self._handle.update(line, raw=True)  # type: ignore[no-untyped-call]  # IPython has no types here
        elif line["text/plain"]:
            self._handle = display(line, raw=True, display_id=True)  # type: ignore[no-untyped-call]  # likewise
        return len(text)

    def isatty(self) -> bool:
        """Say that a line can be taken back here, as in a terminal."""
        return True


def _manner() -> dict[str, Any]:
    """Return what all lines have in common; tqdm shows nothing on what is no terminal if ``disable`` is None."""
    return {"delay": PROGRESS_DELAY_S, "leave": False, "position": 0, "file": _stream(), "disable": None}


def _stream() -> TextIO | NotebookLine | None:
    shell = get_ipython()
    if shell is not None and hasattr(shell, "kernel"):
        return NotebookLine()
    # A daemon may have none, or a closed one: what can't be said is no reason to fail.
    return io.StringIO() if sys.stderr is None or sys.stderr.closed else None


def counted(items: Iterable[Item], what: str, unit: str) -> Iterator[Item]:
    """Yield items, with a line that counts them once they take long."""
    bar = tqdm(items, desc=what, unit=unit, **_manner())
    try:
        yield from bar
    finally:
        bar.close()


class Steps:
    """A progress line that names the step under way. A context manager, so that it goes away on errors too."""

    def __init__(self) -> None:
        self._bar: Any = tqdm(bar_format="{desc} ({elapsed})", **_manner())
        # A single step may take longer than the delay, and says nothing while it runs.
        self._appearance = Timer(PROGRESS_DELAY_S + 0.1, self._appear)
        self._appearance.daemon = True

    def __enter__(self) -> "Steps":
        self._appearance.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._appearance.cancel()
        self._appearance.join()
        self._bar.close()

    def _appear(self) -> None:
        self._bar.refresh()
        # tqdm removes at the end only what is older than its delay.
        self._bar.delay = 0

    def begin(self, step: str) -> None:
        """Name the step that begins."""
        self._bar.set_description_str(step, refresh=False)
        self._bar.update()
