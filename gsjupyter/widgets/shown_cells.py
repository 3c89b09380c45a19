"""Closes a panel when its cell runs again: a network and its results would else stay in memory for every run."""

import weakref
from collections.abc import Mapping
from typing import Any, Final, Protocol


class Closable(Protocol):
    """What is shown in a cell."""

    def close(self) -> None:
        """Take it from the browser."""


class ShownCells:
    """Which cells show what; a front end names its cells in the requests that it sends, though not every one does."""

    def __init__(self) -> None:
        # By cell: the request that showed it, and what was shown.
        self._shown: dict[str, list[tuple[str, weakref.ref[Closable]]]] = {}

    def show(self, cell: Mapping[str, Any], thing: Closable) -> None:
        """Take note that a cell shows something, and close what it showed when it ran before, if nothing else does.

        Parameters
        ----------
        cell : mapping
            The request that is being answered, see `Kernel.cell`; without a name of its cell nothing is ever closed.
        thing : Closable
            What is shown.
        """
        request = cell.get("header", {}).get("msg_id", "")
        name = cell.get("metadata", {}).get("cellId") or f"of request {request}"
        before = self._shown.pop(name, [])
        self._shown[name] = [*(item for item in before if item[0] == request), (request, weakref.ref(thing))]
        elsewhere = [item() for items in self._shown.values() for _, item in items]
        for _, item in before:
            replaced = item()
            if replaced is not None and not any(other is replaced for other in elsewhere):
                replaced.close()


SHOWN: Final = ShownCells()
"""The cells of this kernel."""
