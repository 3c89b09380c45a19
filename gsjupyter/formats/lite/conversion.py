"""The conversion itself: always in a process of its own, which may hang, crash or lie; and whole, or not at all."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gsjupyter.atomic import staging
from gsjupyter.errors import EngineError
from gsjupyter.formats.lite.command import SUFFIX, arguments, without_suffix
from gsjupyter.formats.lite.failures import check_conversion, over_limit
from gsjupyter.formats.lite.installation import Installation
from gsjupyter.formats.lite.log import unknown_operators
from gsjupyter.formats.lite.program import ProgramLimitError, run_program
from gsjupyter.formats.lite.settings import LiteSettings
from gsjupyter.interrupts import interruptible

CONVERSION_LIMIT_S: Final = 600.0
_WORKER: Final = Path(__file__).with_name("conversion_worker.py")
_TOLD_CHARACTERS: Final = 120


@dataclass(frozen=True)
class Converted:
    """A file for MindSpore Lite, and how it was made.

    Parameters
    ----------
    path : Path
        The file.
    command : tuple of str
        The arguments of ``converter_lite`` that give the same.
    writer : str
        What the file says has written it, ``"MindSpore Lite 2.3.0"`` for example.
    duration_s : float
        How long the converter ran.
    log : str
        What it has written.
    unknown_operators : tuple of str
        Operators that the converter didn't know when it met them. If the file doesn't load, they are why.
    """

    path: Path
    command: tuple[str, ...]
    writer: str
    duration_s: float
    log: str
    unknown_operators: tuple[str, ...] = ()


def convert_file(
    installation: Installation,
    model: Path,
    output: Path,
    settings: LiteSettings,
    *,
    configuration: Path | None = None,
    limit_s: float = CONVERSION_LIMIT_S,
    tell: Callable[[str], None] = lambda _line: None,
) -> Converted:
    """Convert a MindIR file for MindSpore Lite.

    Parameters
    ----------
    installation : Installation
        What converts.
    model : Path
        The MindIR.
    output : Path
        The file to write, with its suffix ``.ms``. One that is there is replaced when the new one is whole.
    settings : LiteSettings
        How to convert.
    configuration : Path, optional
        The converter's configuration file. Folders that it names are relative to its own, which is where the converter
        runs.
    limit_s : float
        How long the converter may take.
    tell : callable
        Called about every second with a line that says how far it is.

    Raises
    ------
    EngineError
        If the converter fails, crashes, takes too long or writes nonsense; the message says why, as far as its log
        tells, and names the operator and the layer.
    UnsupportedError
        If it lacks an operator, or a feature.
    WriteError
        If the file can't be written. After any error the folder is as it was.
    """
    given = tuple(arguments(settings, model, output, configuration))
    with interruptible(), staging(output.absolute().parent) as stage:
        work = stage / "work"
        scratch = work / "scratch"
        scratch.mkdir(parents=True)
        place = work / output.name
        command = _command(installation, settings, model, place, configuration)

        def told(elapsed_s: float, words: str) -> None:
            said = f": {words[-_TOLD_CHARACTERS:]}" if words else ""
            tell(f"MindSpore Lite converts {output.name}, {elapsed_s:.0f} s{said}")

        try:
            ended = run_program(
                command,
                title=installation.title,
                # One that is ended leaves its temporary files behind.
                environment={**installation.environment(), "TMPDIR": str(scratch)},
                folder=configuration.absolute().parent if configuration is not None else work,
                limit_s=limit_s,
                tell=told,
            )
        except ProgramLimitError as error:
            raise over_limit(error, model) from None
        writer = check_conversion(ended, installation, place, model)
        _open_to_others(place)
        place.rename(stage / output.name)
        shutil.rmtree(work)
    return Converted(output, given, writer, ended.duration_s, ended.log, unknown_operators(ended.log))


def _command(
    installation: Installation, settings: LiteSettings, model: Path, place: Path, configuration: Path | None
) -> list[str]:
    model = model.absolute()
    configured = configuration.absolute() if configuration is not None else None
    if installation.kind == "program":
        return [str(installation.path), *arguments(settings, model, place, configured)]
    if not sys.executable:
        raise EngineError(f"there is no Python to run {installation.title} in.")
    job = {
        "path": [*(entry for entry in sys.path if entry), str(installation.path.parent)],
        "model": str(model),
        "output": without_suffix(place),
        "configuration": str(configured) if configured is not None else "",
        "optimization": settings.optimization,
        "float16": settings.float16,
        "input_format": settings.input_format,
        "input_shapes": {name: list(shape) for name, shape in settings.input_shapes.items()},
    }
    return [sys.executable, "-I", "-u", str(_WORKER), json.dumps(job)]


def _open_to_others(file: Path) -> None:
    """Give a file the rights of any new file: the converter lets its owner read it, and nobody else."""
    new = file.with_name(f"{SUFFIX}.new")
    new.touch()
    file.chmod(new.stat().st_mode & 0o777)
    new.unlink()
