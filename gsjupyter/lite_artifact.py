"""A conversion as a file for MindSpore Lite, run there before it counts as exported.

Lite's converter rewrites a network once more, with fusions and kernels of its own. So its file is held against the
network's source on the input that the conversion was verified on, in the engine that will run it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from gsjupyter.conversion import Conversion
from gsjupyter.engines import LiteModel
from gsjupyter.engines.lite_benchmark import LiteProgram
from gsjupyter.engines.lite_structure import read_lite_structure
from gsjupyter.errors import EngineError, InputError, UnsupportedError
from gsjupyter.formats.lite import (
    Converted,
    Installation,
    LiteSettings,
    MissingOperatorError,
    convert_file,
    find_benchmark,
    find_converter,
)
from gsjupyter.formats.lite.installation import find_package
from gsjupyter.formats.lite.work_folder import work_folder
from gsjupyter.formats.manifest import manifest_path
from gsjupyter.lite_bundle import save_bundle
from gsjupyter.lite_sources import LiteSources, fits_example, network_options, settings_for, write_sources
from gsjupyter.mindir import flat_output
from gsjupyter.report import Verification, verify
from gsjupyter.signature import sample_count
from gsjupyter.written import Written

_MOST_NAMED: Final = 3
_NEAR_COSINE: Final = 0.99
_FAR: Final = "The file computes something else than the network: look at both before it is used."


def save_lite(
    conversion: Conversion,
    path: Path,
    *,
    begin: Callable[[str], None],
    calibration: Any = None,
    bundle: bool = False,
    lite_home: str | Path = "",
    **settings: Any,
) -> Written:
    """Write a conversion for MindSpore Lite, and run the file.

    Parameters
    ----------
    conversion : Conversion
        What to write.
    path : Path
        Where: the ``.ms`` file, or the zip.
    begin : callable
        Called with a line of text whenever there is news.
    calibration : Dataset, iterable of batches, or arrays, optional
        What to calibrate with; by default what the conversion was calibrated with, or its example.
    bundle : bool
        Whether to write a zip with all that it takes to make the file elsewhere.
    lite_home : str or Path
        Where MindSpore Lite is, as in `find_converter`.
    **settings
        As in `settings_for`.

    Raises
    ------
    OptionError
        If a setting is unknown, or can't be combined with the conversion.
    CalibrationError
        If the data doesn't fit the network.
    InputError
        If the example, which a bundle brings along, holds integers that MindSpore Lite hasn't.
    EngineError
        If MindSpore Lite isn't here, or can't convert or run the network.
    UnsupportedError
        If it lacks an operator.
    WriteError
        If the file can't be written.
    """
    chosen = settings_for(conversion, **settings)
    if bundle:
        return save_bundle(conversion, path, chosen, calibration)
    installation = find_converter(str(lite_home))
    with work_folder() as folder:
        sources = write_sources(conversion, folder, path.stem, chosen, calibration)
        try:
            converted = convert_file(
                installation, sources.model, path, chosen, configuration=sources.configuration, tell=begin
            )
        except MissingOperatorError as error:
            where = _places(conversion, error.operators)
            raise UnsupportedError(f"{error.message}{where}", advice=error.advice) from error
        if converted.unknown_operators:
            raise _left_out(conversion, path, converted.unknown_operators)
        heeded, ignored = _shapes(path, chosen)
        begin(f"run {path.name} in MindSpore Lite")
        verification, more = _verified(conversion, path, heeded, lite_home)
        return Written(
            (path,),
            verification,
            (*sources.notes, *ignored, *more),
            {"lite": _how(sources, converted, installation, path), **network_options(conversion, heeded)},
            {"mindspore_lite": converted.writer.removeprefix("MindSpore Lite ")},
        )


def _left_out(conversion: Conversion, path: Path, operators: Sequence[str]) -> UnsupportedError:
    return UnsupportedError(
        f"MindSpore Lite's converter lacks {', '.join(operators)}, and has left that out of {path.name} without a "
        f"word: the file would compute something else.{_places(conversion, operators)}",
        advice="Replace that in the network, or take a later release of MindSpore Lite; or export it as .onnx.",
    )


def _places(conversion: Conversion, operators: Sequence[str]) -> str:
    """Say in which layers a network has some operators; nothing if none has that name there."""
    nodes = conversion.float_model.graph().nodes(*operators)
    layers = list(dict.fromkeys(f"{node.op} in {node.layer or 'the network itself'}" for node in nodes))
    more = f" and {len(layers) - _MOST_NAMED} more" if len(layers) > _MOST_NAMED else ""
    return f" There is {', '.join(layers[:_MOST_NAMED])}{more}." if layers else ""


def _shapes(path: Path, settings: LiteSettings) -> tuple[LiteSettings, list[str]]:
    """Return the settings with those shapes of inputs only that the file has, and what to say of the others."""
    taken = {tensor.name: tensor.shape for tensor in read_lite_structure(path).inputs}
    # The file may have the axes in another order.
    heeded = {
        name: shape for name, shape in settings.input_shapes.items() if sorted(taken.get(name, ())) == sorted(shape)
    }
    notes = [
        f"This release of MindSpore Lite's converter leaves input {name} in the shape that was exported; convert the "
        f"network with an example of shape {tuple(shape)} instead."
        for name, shape in settings.input_shapes.items()
        if name not in heeded
    ]
    return replace(settings, input_shapes=heeded), notes


def _how(sources: LiteSources, converted: Converted, installation: Installation, path: Path) -> dict[str, object]:
    """Return what it takes to do the same by hand."""
    return {
        "converter": installation.title,
        **sources.by_hand(path.name),
        "quantization": sources.settings.quantization,
        "device": sources.settings.device,
        "float16": sources.settings.float16,
        "duration_s": round(converted.duration_s, 2),
    }


def _verified(
    conversion: Conversion, path: Path, settings: LiteSettings, lite_home: str | Path
) -> tuple[Verification | None, list[str]]:
    """Run the file as well as it can be done here; return what came of it, and what the user should know."""
    if not fits_example(conversion, settings):
        return None, ["Not run: the conversion's example doesn't have the shape that the file takes."]
    # The file's layout is told from it; the whole manifest, with what comes of this, takes its place.
    manifest_path(path).write_text(json.dumps({"options": network_options(conversion, settings)}), encoding="utf-8")
    try:
        if find_package() is not None:
            verification = _run(conversion, path, settings.device)
            return verification, [_FAR] if verification.cosine < _NEAR_COSINE else []
        program = find_benchmark(str(lite_home))
        if program is not None:
            return None, [_compared(conversion, path, settings.device, program)]
    except EngineError as error:
        if settings.device == "cpu":
            raise
        return None, [f"Not run: {error.message}"]
    return None, ["Not run: Lite's benchmark program isn't here, and neither is the Python package mindspore_lite."]


def _run(conversion: Conversion, path: Path, device: str) -> Verification:
    with LiteModel(path, device=device) as model:
        actual = flat_output(model(*conversion.example))
    return verify(conversion.expected, actual, sample_count(conversion.example), conversion.verification.input_kind)


def _compared(conversion: Conversion, path: Path, device: str, program: Path) -> str:
    lite = LiteProgram(program, device=device)
    try:
        found = lite.run(path, conversion.example, list(conversion.expected.values())).comparison
    except (InputError, UnsupportedError) as error:
        # The file may well run: the program is only told what to expect in a form that can't say everything.
        return f"Not compared: {error.message}"
    if found is None:
        raise EngineError("Lite's benchmark program has compared nothing.")
    cosine = f", cosine {found.cosine:.6f}" if found.cosine is not None else ""
    far = f" {_FAR}" if found.cosine is not None and found.cosine < _NEAR_COSINE else ""
    return f"Lite's benchmark program finds a mean bias of {found.mean_bias:.3%}{cosine} against the source.{far}"
