"""What is checked before a file is written: its format, what may be asked of that, and that nothing is in the way."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gsjupyter.choices import check_choice
from gsjupyter.errors import ModelFileError, OptionError, WriteError
from gsjupyter.formats.manifest import Manifest, manifest_path
from gsjupyter.report.existing_file import check_free

FORMATS: Final = ("mindir", "onnx", "ms")
ENGINE_TITLES: Final = {"onnx": "ONNX Runtime", "ms": "MindSpore Lite"}
"""What runs the files that are run at once."""

SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "mindir": (),
    "onnx": ("float16", "fixed_batch"),
    "ms": (
        *("float16", "device", "quantization", "calibration", "input_shape", "input_format", "bundle", "lite_home"),
    ),
}
"""What may be asked of each format."""


def checked_target(
    path: str | Path,
    format: str | None = None,  # noqa: A002 - as in export
    *,
    overwrite: bool = False,
    bundle: bool = False,
) -> tuple[Path, str]:
    """Return where to write a file, or the zip in place of it, and its format: what forbids it is told before the work.

    Raises
    ------
    OptionError
        If the format is unknown.
    WriteError
        If the file exists, or is a folder.
    """
    target = Path(path).expanduser()
    if target.is_dir():
        raise WriteError(f"{target} is a folder.", advice="Give the name of a file in it.")
    if bundle and target.suffix == ".zip":
        target = target.with_suffix("")
    is_unnamed = bundle and format is None and target.suffix.removeprefix(".") not in FORMATS
    chosen = format_of(target, "ms" if is_unnamed else format)
    if bundle:
        target = target.with_name(f"{target.name}.zip")
    if not overwrite:
        check_free(target, origin=_made_from(target))
    return target, chosen


def check_settings(target: Path, chosen: str, given: Mapping[str, object]) -> None:
    """Check that what is asked for can be asked of a format.

    Parameters
    ----------
    target : Path
        Where to write.
    chosen : str
        The format.
    given : mapping of str to object
        What is asked for, by the arguments of `gsjupyter.export`.

    Raises
    ------
    OptionError
        If it is another format's.
    """
    for name in given:
        if name not in SETTINGS[chosen]:
            formats = " and ".join(f".{known}" for known in FORMATS if name in SETTINGS[known])
            raise OptionError(f"{name} is for {formats} files; {target.name} is none.")


def format_of(path: Path, given: str | None = None) -> str:
    """Return a file's format, by its suffix.

    Parameters
    ----------
    path : Path
        The file.
    given : str, optional
        The format that it is to have.

    Raises
    ------
    OptionError
        If there is no such format, or the suffix says another one.
    """
    if given is not None:
        check_choice("format", given, FORMATS)
    suffix = path.suffix.removeprefix(".")
    if suffix not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        ending = f"suffix {path.suffix!r}" if suffix else "no suffix"
        near = given or next(iter(difflib.get_close_matches(suffix.lower(), FORMATS, 1)), FORMATS[0])
        raise OptionError(
            f"{path.name or path} has {ending}; the formats are {known}.",
            advice=f"Try {path.with_suffix(f'.{near}').name}." if path.name else "Give the name of a file.",
        )
    if given not in (None, suffix):
        raise OptionError(
            f"{path.name} is to be {given}, and its suffix says {suffix}.",
            advice=f"Try {path.with_suffix(f'.{given}').name}.",
        )
    return suffix


def _made_from(target: Path) -> str:
    place = manifest_path(target)
    if not place.is_file():
        return ""
    try:
        manifest = Manifest.load(place)
    except ModelFileError:
        return ""
    return f" from {manifest.source}, {manifest.options.get('description', '')}"
