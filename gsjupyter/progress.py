"""Progress of long work: one line that appears only after a while and is gone at the end, from saved notebooks too.

Where a line can't be taken back, in a file or a pipe, there is none: a log would keep every state of it.
"""

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Timer
from types import TracebackType
from typing import Any, Final, TextIO, TypeAlias, TypeVar

from IPython.core.getipython import get_ipython
from IPython.display import DisplayHandle, display
from tqdm.std import tqdm

PROGRESS_DELAY_S = 1.5
"""Shorter work shows no progress."""

Item = TypeVar("Item")

Listener: TypeAlias = Callable[[str, int, int | None], None]
"""What is told of progress: the step, how much of it is done, and of how much, where that is known."""

_listener: Final[ContextVar[Listener | None]] = ContextVar("listener", default=None)


@contextmanager
def reported_to(listener: Listener) -> Iterator[None]:
    """Tell a listener of all progress, and show no line: what shows it in its own way would have it twice."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


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
    listener = _listener.get()
    if listener is not None:
        yield from _told(listener, items, what)
        return
    bar = tqdm(items, desc=what, unit=unit, **_manner())
    try:
        yield from bar
    finally:
        bar.close()


def _told(listener: Listener, items: Iterable[Item], what: str) -> Iterator[Item]:
    total = len(items) if isinstance(items, Sized) else None
    for done, item in enumerate(items):
        listener(what, done, total)
        yield item


class Steps:
    """A progress line that names the step under way. A context manager, so that it goes away on errors too."""

    def __init__(self) -> None:
        self._listener = _listener.get()
        self._bar: Any = tqdm(bar_format="{desc} ({elapsed})", **_manner())
        # A single step may take longer than the delay, and says nothing while it runs.
        self._appearance = Timer(PROGRESS_DELAY_S + 0.1, self._appear)
        self._appearance.daemon = True

    def __enter__(self) -> "Steps":
        if self._listener is None:
            self._appearance.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._appearance.cancel()
        if self._listener is None:
            self._appearance.join()
        self._bar.close()

    def _appear(self) -> None:
        self._bar.refresh()
        # tqdm removes at the end only what is older than its delay.
        self._bar.delay = 0

    def begin(self, step: str) -> None:
        """Name the step that begins."""
        if self._listener is not None:
            self._listener(step, 0, None)
            return
        self._bar.set_description_str(step, refresh=False)
        self._bar.update()
