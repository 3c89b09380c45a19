"""Keeps a panel's output in the notebook up to date: what is saved is what was last seen, not what was shown first."""

import uuid
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final

from IPython.display import display, update_display

from gsjupyter.widgets.kernel import Kernel

LEAST_S: Final = 2.0
"""The time between two updates, in seconds: each sends the whole state."""


class SavedView:
    """The output of a panel, in one cell or several.

    Parameters
    ----------
    kernel : Kernel
        Where the panel lives.
    bundle : callable
        Returns what to show, by MIME type.
    clock : callable, optional
        What tells the time in seconds.

    Attributes
    ----------
    is_drawn_in_place : bool
        Whether the front end leaves the live panel as it is when the output changes, with the focus and what is typed.
    """

    def __init__(
        self, kernel: Kernel, bundle: Callable[[], Mapping[str, Any]], clock: Callable[[], float] = monotonic
    ) -> None:
        self.cell: Mapping[str, Any] = {}
        self.is_drawn_in_place = True
        self._kernel = kernel
        self._bundle = bundle
        self._clock = clock
        self._id = uuid.uuid4().hex
        self._updated_s = -LEAST_S
        self._is_shown = False
        self._is_stale = False
        self._is_asked_for = False

    def show(self) -> None:
        """Show it below the cell that runs, also where it is shown already."""
        if not self._is_shown and self._kernel.shell is not None:
            # In a notebook that nobody looks at, nothing runs after the last cell.
            self._kernel.shell.events.register("post_run_cell", self._cell_ended)
        self.cell = self._kernel.cell()
        self._is_shown, self._is_stale = True, False
        display(dict(self._bundle()), raw=True, display_id=self._id)  # type: ignore[no-untyped-call]  # IPython's

    def changed(self, *, at_once: bool = False) -> None:
        """Take note that the panel has changed; the output follows. Call it in the main thread.

        Where the output isn't drawn in place, it waits for the next that must not be lost, or for the end of a cell.

        Parameters
        ----------
        at_once : bool
            Whether it follows now, since this must not be lost.
        """
        if not self._is_shown:
            return
        self._is_stale = True
        if at_once and self._kernel.is_there:
            self._update()
        elif self.is_drawn_in_place and self._kernel.is_there and not self._is_asked_for:
            self._is_asked_for = True
            self._kernel.later(max(0.0, self._updated_s + LEAST_S - self._clock()), self._due)

    def close(self) -> None:
        """Let the output stay as it is."""
        if self._is_shown and self._kernel.shell is not None:
            self._kernel.shell.events.unregister("post_run_cell", self._cell_ended)
        self._is_shown = self._is_stale = False

    def _due(self) -> None:
        self._is_asked_for = False
        self._update()

    def _cell_ended(self, *arguments: Any) -> None:
        self._update()

    def _update(self) -> None:
        if self._is_stale:
            self._is_stale = False
            self._updated_s = self._clock()
            update_display(dict(self._bundle()), raw=True, display_id=self._id)  # type: ignore[no-untyped-call]
