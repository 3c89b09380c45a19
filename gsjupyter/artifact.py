"""Files to deploy: export with a manifest beside each, and load them back."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from gsjupyter.atomic import staging
from gsjupyter.conversion import Conversion
from gsjupyter.engines import LiteModel, MindSporeModel, OnnxRuntimeModel
from gsjupyter.errors import OptionError, SourceError
from gsjupyter.export_formats import ENGINE_TITLES, check_settings, checked_target, format_of
from gsjupyter.formats import Manifest, check_files, manifest_path, mindir, sha256
from gsjupyter.formats.lite.settings import LITE_QUANTIZATIONS, Device, InputFormat, Quantization
from gsjupyter.interrupts import interruptible
from gsjupyter.lite_artifact import save_lite
from gsjupyter.mindir import load_model
from gsjupyter.onnx_artifact import save_onnx
from gsjupyter.progress import Steps
from gsjupyter.report import Document, Facts, Messages, Shown, Verification, format_bytes
from gsjupyter.sources import mindspore_version
from gsjupyter.written import Written

_PLACES: Final = {
    "mindir": "MindSpore runs it where its context says: mindspore.set_context(device_target=...) before it is loaded.",
    "onnx": 'Say where with provider="cuda".',
    "ms": 'Say where with device="gpu".',
}


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

    @property
    def engine_title(self) -> str:
        """What has run the file, where it was run."""
        return ENGINE_TITLES.get(self.manifest.format, "")

    def document(self) -> Document:
        """Return what to show."""
        quantization = self.manifest.options.get("lite", {}).get("quantization", "")
        by_lite = quantization if quantization in LITE_QUANTIZATIONS else ""
        facts = [
            ("Format", self.manifest.format),
            ("Size", format_bytes(self.size_bytes)),
            ("Made from", f"{self.manifest.source}, {self.manifest.options['description']}"),
            *([("Quantized by", f"MindSpore Lite ({by_lite})")] if by_lite else []),
            *([(f"In {self.engine_title}", str(self.verification))] if self.verification is not None else []),
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
    device: Device | None = None,
    quantization: Quantization | None = None,
    calibration: Any = None,
    input_shape: Mapping[str, Sequence[int]] | None = None,
    input_format: InputFormat | None = None,
    bundle: bool = False,
    lite_home: str | Path | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
) -> Artifact:
    """Write a conversion to a file, with a manifest beside it.

    An ONNX file is run in ONNX Runtime, and a file for MindSpore Lite in MindSpore Lite, where that is installed, and
    held against the network's source.

    Parameters
    ----------
    conversion : Conversion
        What to write.
    path : str or Path
        Where. Nothing is left there if it can't be written.
    format : {"mindir", "onnx", "ms"}, optional
        The file format, which the path's suffix must say too: MindSpore loads no others. By the suffix if left out.
    overwrite : bool
        Whether to replace a file that is there.
    float16 : bool
        Whether an ONNX file is to compute in float16, for GPUs, or a file for MindSpore Lite to store weights in it;
        inputs and outputs stay as they are.
    fixed_batch : bool
        Whether an ONNX file is to take batches of the exported size only. Otherwise it takes any size, if that gives
        the same when it is tried.
    device : {"cpu", "gpu", "ascend"}, optional
        What MindSpore Lite is to run on; the CPU by default.
    quantization : {"carried", "weight", "full", "dynamic", "none"}, optional
        Who quantizes a file for MindSpore Lite. ``"carried"``: gsjupyter has, and its integers of 8 bits are carried
        over. Or Lite's converter, by the conversion's options: weights only, inputs of layers too (``"full"``), or
        these while the network runs (``"dynamic"``). By default what the conversion has quantized is carried over.
    calibration : Dataset, iterable of batches, or arrays, optional
        Data for ``quantization="full"`` and ``"carried"``; by default what the conversion was calibrated with, or its
        example. See `gsjupyter.calibration`.
    input_shape : mapping of str to sequence of int, optional
        Other shapes of inputs for MindSpore Lite than the exported ones, by the input's name.
    input_format : {"NCHW", "NHWC"}, optional
        In which order a file for MindSpore Lite takes the axes of images; its converter's own choice by default.
    bundle : bool
        Whether to write, in place of the file for MindSpore Lite, a zip with all that it takes to make it elsewhere.
    lite_home : str or Path, optional
        The folder of a release of MindSpore Lite, or its ``converter_lite``. By default what ``LITE_HOME`` names, what
        is on the ``PATH``, or the Python package.
    clock : callable, optional
        What tells the time for the manifest.

    Returns
    -------
    Artifact

    Raises
    ------
    OptionError
        If the format is unknown, or has no such option, or a value of it can't be combined with the conversion.
    SourceError
        If it is no conversion.
    CalibrationError
        If the data to calibrate with doesn't fit the network.
    UnsupportedError
        If an operator has no counterpart in ONNX or MindSpore Lite; the message names it, with its layer.
    WriteError
        If the file exists, the folder can't be written, or the disk is full.
    EngineError
        If ONNX Runtime can't run the file, or MindSpore Lite isn't there, or can't convert or run it.

    Examples
    --------
    >>> artifact = gs.export(conversion, "lenet.mindir")
    >>> gs.export(conversion, "lenet.onnx").verification
    >>> gs.export(conversion, "lenet.ms", device="cpu")
    """
    if not isinstance(conversion, Conversion):
        raise SourceError(
            f"{type(conversion).__name__} is no conversion.",
            advice="Convert it first: %gs_convert net x -o qnet, or gs.convert(net, x).",
        )
    settings = {
        "float16": float16,
        "fixed_batch": fixed_batch,
        "device": device,
        "quantization": quantization,
        "calibration": calibration,
        "input_shape": input_shape,
        "input_format": input_format,
        "bundle": bundle,
        "lite_home": lite_home,
    }
    given = {name: value for name, value in settings.items() if value is not None and value is not False}
    target, chosen = checked_target(path, format, overwrite=overwrite, bundle=bundle)
    check_settings(target, chosen, given)
    with interruptible(), Steps() as steps, staging(target.parent) as stage:
        steps.begin(f"write {target.name}")
        written = _write(conversion, stage / target.name, chosen, given, steps.begin)
        manifest = _manifest(conversion, chosen, written, clock())
        manifest.save(stage / manifest_path(target).name)
    files = tuple(target.parent / file.relative_to(stage) for file in written.files)
    return Artifact(target, files, manifest, written.verification, written.notes)


def load(
    path: str | Path, *, provider: str | None = None, device: str | None = None
) -> MindSporeModel | OnnxRuntimeModel | LiteModel:
    """Load an exported model for inference; stored integers are turned into numbers once.

    Parameters
    ----------
    path : str or Path
        A ``.mindir``, ``.onnx`` or ``.ms`` file, gsjupyter's or any other.
    provider : {"cpu", "cuda", "tensorrt", "cann"}, optional
        Where ONNX Runtime is to run an ``.onnx`` file; on the CPU by default. MindSpore runs where the context says.
    device : {"cpu", "gpu", "ascend"}, optional
        Where MindSpore Lite is to run an ``.ms`` file; on the CPU by default.

    Returns
    -------
    MindSporeModel, OnnxRuntimeModel or LiteModel
        Call it with arrays or Tensors.

    Raises
    ------
    ModelFileError
        If it is no model, is damaged, or isn't what its manifest says.
    OptionError
        If the provider or the device is unknown, or the file is run by another engine.
    EngineError
        If the engine can't load it, or hasn't got the provider or the device.

    Examples
    --------
    >>> model = gs.load("lenet.mindir")
    >>> model(x)
    >>> gs.load("lenet.onnx", provider="cuda")
    >>> gs.load("lenet.ms")
    """
    target = Path(path).expanduser()
    chosen = format_of(target)
    if provider is not None and chosen != "onnx":
        raise OptionError(f"provider={provider!r} is for .onnx files; {target.name} is none.", advice=_PLACES[chosen])
    if device is not None and chosen != "ms":
        raise OptionError(f"device={device!r} is for .ms files; {target.name} is none.", advice=_PLACES[chosen])
    check_files(target)
    if chosen == "onnx":
        return OnnxRuntimeModel(target, provider=provider if provider is not None else "cpu")
    if chosen == "ms":
        return LiteModel(target, device=device if device is not None else "cpu")
    return MindSporeModel(load_model(target))


def _write(
    conversion: Conversion, path: Path, chosen: str, given: Mapping[str, Any], begin: Callable[[str], None]
) -> Written:
    if chosen == "onnx":
        return save_onnx(conversion, path, **given)
    if chosen == "ms":
        return save_lite(conversion, path, begin=begin, **given)
    return Written(mindir.save(conversion.model, path))


def _manifest(conversion: Conversion, chosen: str, written: Written, now: datetime) -> Manifest:
    folder = written.files[0].parent
    options = {
        **asdict(conversion.options),
        "layers": dict(conversion.options.layers),
        "description": conversion.formats,
        **written.settings,
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
            **written.versions,
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
