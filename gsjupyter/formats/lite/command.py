"""The converter's command line: what runs here, and what can be run by hand elsewhere, from the same settings."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gsjupyter.formats.lite.settings import LiteSettings

SUFFIX: Final = ".ms"
"""The converter adds it to the name of its output."""


def arguments(
    settings: LiteSettings, model: Path | str, output: Path | str, configuration: Path | str | None = None
) -> list[str]:
    """Return the arguments of ``converter_lite``.

    Parameters
    ----------
    settings : LiteSettings
        How to convert.
    model : Path or str
        The MindIR.
    output : Path or str
        The file to write, with its suffix ``.ms``.
    configuration : Path or str, optional
        The configuration file for the converter's own quantization.

    Examples
    --------
    >>> arguments(LiteSettings(), "lenet.mindir", "lenet.ms")
    ['--fmk=MINDIR', '--modelFile=lenet.mindir', '--outputFile=lenet', '--saveType=MINDIR_LITE', '--optimize=general']
    """
    given = [
        "--fmk=MINDIR",
        f"--modelFile={model}",
        f"--outputFile={without_suffix(output)}",
        # Builds for servers would write a MindIR otherwise.
        "--saveType=MINDIR_LITE",
        f"--optimize={settings.optimization}",
    ]
    if settings.float16:
        given.append("--fp16=on")
    if settings.input_format is not None:
        given.append(f"--inputDataFormat={settings.input_format}")
    if settings.input_shapes:
        shapes = (f"{name}:{','.join(map(str, shape))}" for name, shape in settings.input_shapes.items())
        given.append(f"--inputShape={';'.join(shapes)}")
    if configuration is not None:
        given.append(f"--configFile={configuration}")
    return given


def without_suffix(output: Path | str) -> str:
    """Return the name of an output as the converter wants it, which adds ``.ms`` itself."""
    return str(output).removesuffix(SUFFIX)


def shell_line(program: Path | str, given: Sequence[str]) -> str:
    """Return a command as a line to paste into a shell.

    Parameters
    ----------
    program : Path or str
        The program.
    given : sequence of str
        Its arguments, as `arguments` returns them.
    """
    return shlex.join([str(program), *given])
