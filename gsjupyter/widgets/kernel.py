"""The kernel that a panel lives in: its main thread, where MindSpore must run, and the cell that shows the panel.

Messages of widgets may come in another thread (a subshell), so that they are answered while a cell runs. Without a
kernel, in plain Python, everything happens at once and where it is asked for.
"""

import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from IPython.core.getipython import get_ipython

_FILE: Final = re.compile(r"kernel-([0-9a-fA-F-]{8,64})")


class Kernel:
    """What a panel needs of its kernel.

    Parameters
    ----------
    shell : InteractiveShell, optional
        The shell of the notebook; the one at work by default.
    """

    def __init__(self, shell: Any = None) -> None:
        self.shell: Any = shell if shell is not None else get_ipython()
        kernel = getattr(self.shell, "kernel", None)
        self._loop: Any = getattr(kernel, "io_loop", None)

    @property
    def is_there(self) -> bool:
        """Whether there is one: plain Python and a terminal have none."""
        return self._loop is not None

    @property
    def is_main_thread(self) -> bool:
        """Whether this runs in the main thread."""
        return threading.current_thread() is threading.main_thread()

    @property
    def hears_while_it_works(self) -> bool:
        """Whether messages of widgets come in while the main thread works: whether the request at hand did so.

        A kernel sends a widget's messages to where it was last changed from, so that after a cell has changed it
        they wait for the main thread, although there is a subshell for them.
        """
        header = self.cell().get("header") or {}
        return bool(header.get("subshell_id"))

    @property
    def namespace(self) -> dict[str, Any]:
        """The names of the notebook."""
        return self.shell.user_ns if self.shell is not None else {}

    @property
    def id(self) -> str | None:
        """What the server calls the kernel, by which a front end can have it interrupted; None if it isn't known."""
        if not self.is_there:
            return None
        from ipykernel.connect import get_connection_file

        try:
            file = get_connection_file()
        except (RuntimeError, OSError):
            return None
        found = _FILE.fullmatch(Path(file).stem)
        return found.group(1) if found is not None else None

    def in_main_thread(self, callback: Callable[[], None]) -> None:
        """Have something done in the main thread: at once if this is it, else when it has nothing else to do."""
        if self.is_main_thread or not self.is_there:
            callback()
        else:
            self._loop.add_callback(callback)

    def later(self, delay_s: float, callback: Callable[[], None]) -> None:
        """Have something done in the main thread after a while; never without a kernel. Call it in the main thread."""
        if self.is_there:
            self._loop.call_later(delay_s, callback)

    def cell(self) -> Mapping[str, Any]:
        """Return the request that is being answered: what shows its output in the cell it came from."""
        return dict(self.shell.get_parent() or {}) if self.is_there else {}

    @contextmanager
    def output_in(self, cell: Mapping[str, Any]) -> Iterator[None]:
        """Let what is printed or displayed appear below a cell, whatever is being answered.

        Parameters
        ----------
        cell : mapping
            What `cell` returned there; nothing changes if it is empty.
        """
        places: list[Any] = [sys.stdout, sys.stderr, getattr(self.shell, "display_pub", None)] if cell else []
        before = [(place, dict(place.parent_header)) for place in places if hasattr(place, "set_parent")]
        for place, _ in before:
            place.set_parent(cell)
        try:
            yield
        finally:
            for place, header in before:
                getattr(place, "flush", lambda: None)()
                # What comes from threads of libraries goes there too, so it is put back for all.
                place.set_parent(header or {"header": {}})
