"""What a panel shows and how it talks with the browser: the traits of ``PanelState`` in types.ts, and its messages.

Messages may come in another thread than the main one; what they change is changed in the main thread alone.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Final

import anywidget
import traitlets

from gsjupyter.widgets.benchmarks import NOTHING
from gsjupyter.widgets.jobs import IDLE
from gsjupyter.widgets.kernel import Kernel
from gsjupyter.widgets.options_data import RefusedOptionError, data_from

STATE: Final = (
    *("network", "options", "sketches", "clippings", "sensitivity", "measuring_s", "refinement", "code", "task"),
    *("problem", "results", "benchmark", "exported", "language"),
)
"""The traits that are the panel's state: those of ``PanelState`` in types.ts, and no others."""

LANGUAGES: Final = ("auto", "en", "zh")

_MEANING_OPTIONS: Final = ("apply", "measure", "refine")
"""What is done with the options. What a browser asks for by itself may come with those from before a change here."""


class PanelState(anywidget.AnyWidget):
    """The traits, and what messages do with them.

    Parameters
    ----------
    kernel : Kernel
        Where the panel lives.
    lock : RLock
        Held while a message changes traits: what a job tells may come at once, in another thread.
    **traits
        What they hold first.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)

    network = traitlets.Dict().tag(sync=True)
    options = traitlets.Dict().tag(sync=True)
    sketches: Any = traitlets.List().tag(sync=True)
    clippings: Any = traitlets.List().tag(sync=True)
    sensitivity: Any = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    measuring_s: Any = traitlets.Float(None, allow_none=True).tag(sync=True)
    refinement: Any = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)
    task = traitlets.Dict(default_value=IDLE).tag(sync=True)
    problem: Any = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    results: Any = traitlets.List().tag(sync=True)
    benchmark = traitlets.Dict(default_value=NOTHING).tag(sync=True)
    exported: Any = traitlets.List().tag(sync=True)
    language = traitlets.Enum(LANGUAGES, "auto").tag(sync=True)

    def __init__(self, kernel: Kernel, lock: AbstractContextManager[Any], **traits: Any) -> None:
        self.kernel = kernel
        self.lock = lock
        super().__init__(**traits)

    def state(self) -> dict[str, Any]:
        """Return everything that is shown, as ``PanelState`` of types.ts."""
        return {name: getattr(self, name) for name in STATE}

    def heard(self, content: object) -> None:
        """Do what a message asks for, in whatever thread it came."""
        raise NotImplementedError

    def refuse(self, error: RefusedOptionError) -> None:
        """Take note that the browser shows options that can't be read."""
        raise NotImplementedError

    def accept(self) -> None:
        """Take note that the browser shows options that can be read."""
        raise NotImplementedError

    def _handle_msg(self, msg: Mapping[str, Any]) -> None:
        data = msg["content"].get("data")
        method = data.get("method") if isinstance(data, Mapping) else None
        if method == "custom":
            self._custom(data.get("content"))
        elif method == "update":
            self.kernel.in_main_thread(partial(self.set_state, data.get("state")))
        elif method == "request_state":
            self.kernel.in_main_thread(self.send_state)

    def _custom(self, content: object) -> None:
        if isinstance(content, Mapping) and "options" in content:
            # Front ends hold changed traits back while the kernel is busy: the options that a command means go along.
            options = content["options"]
            content = {name: value for name, value in content.items() if name != "options"}
            if content.get("command") in _MEANING_OPTIONS:
                self.kernel.in_main_thread(partial(self._take_along, options))
        self.heard(content)

    def _take_along(self, options: object) -> None:
        with self.lock:
            if options == self.options:
                # Most often they are known; set all the same, they would be sent back to the browser each time.
                self.accept()
            else:
                self.set_state({"options": options})

    def set_state(self, sync_data: object) -> None:
        """Take what the browser sets: its options, if they can be read, and its language; nothing else."""
        given = sync_data if isinstance(sync_data, Mapping) else {}
        taken: dict[str, Any] = {}
        with self.lock:
            if "options" in given:
                try:
                    taken["options"] = data_from(given["options"])
                    # Also where they are what they were: what was refused in between was never taken.
                    self.accept()
                except RefusedOptionError as error:
                    self.refuse(error)
            if given.get("language") in LANGUAGES:
                taken["language"] = given["language"]
            if taken:
                super().set_state(taken)

    @traitlets.validate("options")
    def _options_in_full(self, proposal: Any) -> dict[str, Any]:
        return data_from(proposal["value"])
