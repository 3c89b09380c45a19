"""What ``%config`` sets for the magics: what belongs to a machine, and not to one line."""

import os
from typing import TYPE_CHECKING, Any

from traitlets import Unicode, observe
from traitlets.config import Configurable

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


_LITE_HOME = "LITE_HOME"


class GsJupyter(Configurable):
    """Settings of gsjupyter: ``%config GsJupyter.lite_home = "/opt/mindspore-lite-2.6.0-linux-x64"``."""

    _before: str | None = None

    lite_home = Unicode(
        "",
        help="The folder of a release of MindSpore Lite, or its converter_lite: LITE_HOME in this kernel; if empty "
        "what the environment names, what is on the PATH, or the Python package mindspore_lite.",
    ).tag(config=True)

    @observe("lite_home")
    def _tell(self, change: dict[str, Any]) -> None:
        # In the environment, so that Python's functions and the targets know it as well.
        if not change["old"]:
            self._before = os.environ.get(_LITE_HOME)
        if change["new"]:
            os.environ[_LITE_HOME] = change["new"]
        elif self._before is not None:
            os.environ[_LITE_HOME] = self._before
        else:
            os.environ.pop(_LITE_HOME, None)


def add_configuration(shell: "InteractiveShell") -> None:
    """Let ``%config`` know the settings; those that were made before stay."""
    if configuration_of(shell) is None:
        # What the list is said to hold is wrong in IPython.
        shell.configurables.append(GsJupyter(parent=shell))  # type: ignore[arg-type]


def remove_configuration(shell: "InteractiveShell") -> None:
    """Take the settings away from ``%config``, and what they have set."""
    configuration = configuration_of(shell)
    if configuration is not None:
        configuration.lite_home = ""
    shell.configurables[:] = [item for item in shell.configurables if not isinstance(item, GsJupyter)]


def configuration_of(shell: "InteractiveShell") -> GsJupyter | None:
    """Return a shell's settings; None if the extension isn't loaded there."""
    return next((item for item in shell.configurables if isinstance(item, GsJupyter)), None)
