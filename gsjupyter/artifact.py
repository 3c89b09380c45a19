"""Files to deploy: export with a manifest beside each, and load them back."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from gsjupyter.atomic import staging
from gsjupyter.conversion import Conversion
from gsjupyter.engines import MindSporeModel
from gsjupyter.errors import ModelFileError, OptionError, SourceError, WriteError
from gsjupyter.formats import Manifest, check_files, manifest_path, mindir, sha256
from gsjupyter.interrupts import interruptible
from gsjupyter.mindir import load_model
from gsjupyter.options import check_choice
from gsjupyter.progress import Steps
from gsjupyter.report import Document, Facts, Shown, format_bytes
from gsjupyter.sources import mindspore_version

_SAVERS = {"mindir": mindir.save}
FORMATS = tuple(_SAVERS)


@dataclass(frozen=True, repr=False)
class Artifact(Shown):
    """An exported model.

    Parameters
    ----------
    path : Path
        The file to load.
    files : tuple of Path
        All files that belong to it, without the manifest.
    manifest : Manifest
        What is known of it; also written beside it.
    """

    path: Path
    files: tuple[Path, ...]
    manifest: Manifest

    @property
    def size_bytes(self) -> int:
        """The bytes of all its files, without the manifest."""
        return sum(file.stat().st_size for file in self.files)

    def document(self) -> Document:
        """Return what to show."""
        facts = [
            ("Format", self.manifest.format),
            ("Size", format_bytes(self.size_bytes)),
            ("Made from", f"{self.manifest.source}, {self.manifest.options['description']}"),
            ("Manifest", manifest_path(self.path).name),
        ]
        return Document(str(self.path), [Facts(facts)])


def export(
    conversion: Conversion,
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - what everybody calls it
    overwrite: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
) -> Artifact:
    """Write a conversion to a file, with a manifest beside it.

    Parameters
    ----------
    conversion : Conversion
        What to write.
    path : str or Path
        Where. Nothing is left there if it can't be written.
    format : {"mindir"}, optional
        The file format; by the path's suffix if left out. MindSpore loads only files whose suffix says it too.
    overwrite : bool
        Whether to replace a file that is there.
    clock : callable, optional
        What tells the time for the manifest.

    Returns
    -------
    Artifact

    Raises
    ------
    OptionError
        If the format is unknown.
    SourceError
        If it is no conversion.
    WriteError
        If the file exists, the folder can't be written, or the disk is full.

    Examples
    --------
    >>> artifact = gs.export(conversion, "lenet.mindir")
    """
    if not isinstance(conversion, Conversion):
        raise SourceError(
            f"{type(conversion).__name__} is no conversion.",
            advice="Convert it first: %gs_convert net x -o qnet, or gs.convert(net, x).",
        )
    target, chosen = checked_target(path, format, overwrite=overwrite)
    with interruptible(), Steps() as steps, staging(target.parent) as stage:
        steps.begin(f"write {target.name}")
        files = _SAVERS[chosen](conversion.model, stage / target.name)
        manifest = _manifest(conversion, chosen, files, clock())
        manifest.save(stage / manifest_path(target).name)
    files = tuple(target.parent / file.relative_to(stage) for file in files)
    return Artifact(target, files, manifest)


def checked_target(
    path: str | Path,
    format: str | None = None,  # noqa: A002 - as in export
    *,
    overwrite: bool = False,
) -> tuple[Path, str]:
    """Return where to write a file and its format: what forbids it is told before the work.

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
    chosen = _format_of(target, format)
    if not overwrite:
        _check_free(target)
    return target, chosen


def load(path: str | Path) -> MindSporeModel:
    """Load an exported model for inference; stored integers are turned into numbers once.

    Parameters
    ----------
    path : str or Path
        A ``.mindir`` file, gsjupyter's or any other.

    Returns
    -------
    MindSporeModel
        Call it with arrays or Tensors.

    Raises
    ------
    ModelFileError
        If it is no model, is damaged, or isn't what its manifest says.
    EngineError
        If MindSpore can't load it.

    Examples
    --------
    >>> model = gs.load("lenet.mindir")
    >>> model(x)
    """
    target = Path(path).expanduser()
    _format_of(target, None)
    check_files(target)
    return MindSporeModel(load_model(target))


def _format_of(path: Path, given: str | None) -> str:
    if given is not None:
        check_choice("format", given, FORMATS)
    suffix = path.suffix.removeprefix(".")
    if suffix not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        ending = f"suffix {path.suffix!r}" if suffix else "no suffix"
        raise OptionError(
            f"{path.name} has {ending}; the formats are {known}.",
            advice=f"Try {path.with_suffix(f'.{FORMATS[0]}').name}.",
        )
    return suffix


def _check_free(target: Path) -> None:
    if not target.exists():
        return
    status = target.stat()
    written = datetime.fromtimestamp(status.st_mtime).astimezone()
    made = _made_from(target)
    raise WriteError(
        f"{target.name} exists ({format_bytes(status.st_size)}, written {written:%Y-%m-%d %H:%M}{made}).",
        advice="Add --overwrite (in Python: overwrite=True) to replace it, or give another name.",
    )


def _made_from(target: Path) -> str:
    place = manifest_path(target)
    if not place.is_file():
        return ""
    try:
        manifest = Manifest.load(place)
    except ModelFileError:
        return ""
    return f" from {manifest.source}, {manifest.options.get('description', '')}"


def _manifest(conversion: Conversion, chosen: str, files: tuple[Path, ...], now: datetime) -> Manifest:
    folder = files[0].parent
    options = {
        **asdict(conversion.options),
        "layers": dict(conversion.options.layers),
        "description": conversion.formats,
    }
    return Manifest(
        source=conversion.name,
        format=chosen,
        created=now.isoformat(timespec="seconds"),
        options=options,
        versions={
            "gsjupyter": version("gsjupyter"),
            "mindspore": mindspore_version(),
            "numpy": np.__version__,
        },
        checks=_checks(conversion),
        files={file.relative_to(folder).as_posix(): sha256(file) for file in files},
    )


def _checks(conversion: Conversion) -> dict[str, object]:
    verification = conversion.verification
    figures = {
        "sqnr_db": verification.sqnr_db,
        "cosine": verification.cosine,
        "max_abs_error": verification.max_abs_error,
        "argmax_agreement": verification.argmax_agreement,
    }
    # JSON has no infinity: equal outputs have no noise, and no ratio.
    finite = {name: value if value is None or math.isfinite(value) else None for name, value in figures.items()}
    return {**finite, "samples": verification.samples, "input": verification.input_kind}
