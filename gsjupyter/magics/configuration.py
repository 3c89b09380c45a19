"""What ``%config`` sets for the magics: what belongs to a machine, and not to one line."""

from typing import TYPE_CHECKING

from traitlets import Unicode
from traitlets.config import Configurable

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class GsJupyter(Configurable):
    """Settings of gsjupyter: ``%config GsJupyter.lite_home = "/opt/mindspore-lite-2.6.0-linux-x64"``."""

    lite_home = Unicode(
        "",
        help="The folder of a release of MindSpore Lite, or its converter_lite; if empty what LITE_HOME names, what is "
        "on the PATH, or the Python package mindspore_lite.",
    ).tag(config=True)


def add_configuration(shell: "InteractiveShell") -> None:
    """Let ``%config`` know the settings; those that were made before stay."""
    if configuration_of(shell) is None:
        # What the list is said to hold is wrong in IPython.
        shell.configurables.append(GsJupyter(parent=shell))  # type: ignore[arg-type]


def remove_configuration(shell: "InteractiveShell") -> None:
    """Take the settings away from ``%config``."""
    shell.configurables[:] = [item for item in shell.configurables if not isinstance(item, GsJupyter)]


def configuration_of(shell: "InteractiveShell") -> GsJupyter | None:
    """Return a shell's settings; None if the extension isn't loaded there."""
    return next((item for item in shell.configurables if isinstance(item, GsJupyter)), None)
