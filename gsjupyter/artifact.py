"""Files to deploy: export with a manifest beside each, and load them back."""

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from gsjupyter.atomic import staging
from gsjupyter.choices import check_choice
from gsjupyter.conversion import Conversion
from gsjupyter.engines import MindSporeModel, OnnxRuntimeModel, onnxruntime_version
from gsjupyter.errors import ModelFileError, OptionError, SourceError, WriteError
from gsjupyter.formats import Manifest, check_files, manifest_path, mindir, sha256
from gsjupyter.interrupts import interruptible
from gsjupyter.mindir import load_model
from gsjupyter.onnx_artifact import Written, save_onnx
from gsjupyter.progress import Steps
from gsjupyter.report import Document, Facts, Messages, Shown, Verification, format_bytes
from gsjupyter.report.existing_file import check_free
from gsjupyter.sources import mindspore_version

FORMATS: Final = ("mindir", "onnx")


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
    verification : Verification, optional
        The file against the network's source, run by its own engine; None where it wasn't run.
    notes : tuple of str
        What the user should know.
    """

    path: Path
    files: tuple[Path, ...]
    manifest: Manifest
    verification: Verification | None = None
    notes: tuple[str, ...] = ()

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
            *([("In ONNX Runtime", str(self.verification))] if self.verification is not None else []),
            ("Manifest", manifest_path(self.path).name),
        ]
        notes = [Messages([("note", note) for note in self.notes])] if self.notes else []
        return Document(str(self.path), [Facts(facts), *notes])


def export(
    conversion: Conversion,
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - what everybody calls it
    overwrite: bool = False,
    float16: bool = False,
    fixed_batch: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
) -> Artifact:
    """Write a conversion to a file, with a manifest beside it.

    An ONNX file is run in ONNX Runtime, where that is installed, and held against the network's source.

    Parameters
    ----------
    conversion : Conversion
        What to write.
    path : str or Path
        Where. Nothing is left there if it can't be written.
    format : {"mindir", "onnx"}, optional
        The file format, which the path's suffix must say too: MindSpore loads no others. By the suffix if left out.
    overwrite : bool
        Whether to replace a file that is there.
    float16 : bool
        Whether an ONNX file is to compute in float16, for GPUs; its inputs and outputs stay as they are.
    fixed_batch : bool
        Whether an ONNX file is to take batches of the exported size only. Otherwise it takes any size, if that gives
        the same when it is tried.
    clock : callable, optional
        What tells the time for the manifest.

    Returns
    -------
    Artifact

    Raises
    ------
    OptionError
        If the format is unknown, or has no such option.
    SourceError
        If it is no conversion.
    UnsupportedError
        If an operator has no counterpart in ONNX; the message names it, with its layer.
    WriteError
        If the file exists, the folder can't be written, or the disk is full.
    EngineError
        If ONNX Runtime can't run the file.

    Examples
    --------
    >>> artifact = gs.export(conversion, "lenet.mindir")
    >>> gs.export(conversion, "lenet.onnx").verification
    """
    if not isinstance(conversion, Conversion):
        raise SourceError(
            f"{type(conversion).__name__} is no conversion.",
            advice="Convert it first: %gs_convert net x -o qnet, or gs.convert(net, x).",
        )
    target, chosen = checked_target(path, format, overwrite=overwrite)
    settings = {name: True for name, is_set in (("float16", float16), ("fixed_batch", fixed_batch)) if is_set}
    if chosen != "onnx" and settings:
        raise OptionError(f"{', '.join(settings)} is for .onnx files; {target.name} is none.")
    with interruptible(), Steps() as steps, staging(target.parent) as stage:
        steps.begin(f"write {target.name}")
        place = stage / target.name
        if chosen == "onnx":
            written = save_onnx(conversion, place, **settings)
        else:
            written = Written(mindir.save(conversion.model, place))
        manifest = _manifest(conversion, chosen, written, settings, clock())
        manifest.save(stage / manifest_path(target).name)
    files = tuple(target.parent / file.relative_to(stage) for file in written.files)
    return Artifact(target, files, manifest, written.verification, written.notes)


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
        check_free(target, origin=_made_from(target))
    return target, chosen


def load(path: str | Path, *, provider: str | None = None) -> MindSporeModel | OnnxRuntimeModel:
    """Load an exported model for inference; stored integers are turned into numbers once.

    Parameters
    ----------
    path : str or Path
        A ``.mindir`` or ``.onnx`` file, gsjupyter's or any other.
    provider : {"cpu", "cuda", "tensorrt", "cann"}, optional
        Where ONNX Runtime is to run an ``.onnx`` file; on the CPU by default. MindSpore runs where the context says.

    Returns
    -------
    MindSporeModel or OnnxRuntimeModel
        Call it with arrays or Tensors.

    Raises
    ------
    ModelFileError
        If it is no model, is damaged, or isn't what its manifest says.
    OptionError
        If the provider is unknown, or the file is none of ONNX Runtime's.
    EngineError
        If the engine can't load it, or hasn't got the provider.

    Examples
    --------
    >>> model = gs.load("lenet.mindir")
    >>> model(x)
    >>> gs.load("lenet.onnx", provider="cuda")
    """
    target = Path(path).expanduser()
    chosen = _format_of(target, None)
    check_files(target)
    if chosen == "onnx":
        return OnnxRuntimeModel(target, provider=provider if provider is not None else "cpu")
    if provider is not None:
        raise OptionError(
            f"provider={provider!r} is for .onnx files; MindSpore runs {target.name} where its context says.",
            advice="mindspore.set_context(device_target=...) before the file is loaded.",
        )
    return MindSporeModel(load_model(target))


def _format_of(path: Path, given: str | None) -> str:
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


def _manifest(
    conversion: Conversion, chosen: str, written: Written, settings: Mapping[str, bool], now: datetime
) -> Manifest:
    folder = written.files[0].parent
    options = {
        **asdict(conversion.options),
        "layers": dict(conversion.options.layers),
        "description": conversion.formats,
        **settings,
    }
    engines = {"onnx": version("onnx"), "onnxruntime": onnxruntime_version()} if chosen == "onnx" else {}
    return Manifest(
        source=conversion.name,
        format=chosen,
        created=now.isoformat(timespec="seconds"),
        options=options,
        versions={
            "gsjupyter": version("gsjupyter"),
            "mindspore": mindspore_version(),
            "numpy": np.__version__,
            **engines,
        },
        checks=_checks(written.verification or conversion.verification) | {"notes": list(written.notes)},
        files={file.relative_to(folder).as_posix(): sha256(file) for file in written.files},
    )


def _checks(verification: Verification) -> dict[str, object]:
    figures = {
        "sqnr_db": verification.sqnr_db,
        "cosine": verification.cosine,
        "max_abs_error": verification.max_abs_error,
        "argmax_agreement": verification.argmax_agreement,
    }
    # JSON has no infinity: equal outputs have no noise, and no ratio.
    finite = {name: value if value is None or math.isfinite(value) else None for name, value in figures.items()}
    return {**finite, "samples": verification.samples, "input": verification.input_kind}
