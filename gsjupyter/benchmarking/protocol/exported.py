"""Networks and conversions as files to measure, in a folder that is thrown away: the user's own stay as they are."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from gsjupyter.artifact import export
from gsjupyter.benchmarking.protocol.model_files import ModelFile
from gsjupyter.benchmarking.protocol.subjects import Expected, Obstacle, Subject
from gsjupyter.benchmarking.records import EngineName
from gsjupyter.conversion import Conversion, convert
from gsjupyter.engines.messages import Array
from gsjupyter.errors import GsError, InputError
from gsjupyter.formats import mindir
from gsjupyter.mindir import Model
from gsjupyter.sources import model_of

_ENDINGS: Final[dict[EngineName, str]] = {"mindspore": "mindir", "onnxruntime": "onnx", "lite": "ms"}
_LONGEST_NAME: Final = 60


def of_conversion(conversion: Conversion, folder: Path, label: str, engines: Iterable[EngineName]) -> Subject:
    """Return the subject of a conversion, exported for each engine that can run it.

    Parameters
    ----------
    conversion : Conversion
        What to measure.
    folder : Path
        Where its files go.
    label : str
        What to call it; by its name and formats if empty.
    engines : iterable of str
        For which engines.
    """
    title = label or f"{conversion.name} ({conversion.formats})"
    files: dict[EngineName, ModelFile] = {}
    obstacles: dict[EngineName, Obstacle] = {}
    promised: dict[EngineName, float] = {}
    notes: list[str] = []
    for engine in (engine for engine in engines if engine in _ENDINGS):
        try:
            artifact = export(conversion, folder / _file_name(title, engine))
        except GsError as error:
            obstacles[engine] = Obstacle(error.message, error.advice)
            continue
        files[engine] = ModelFile(artifact.path, artifact.files[1:])
        promised[engine] = (artifact.verification or conversion.verification).sqnr_db
        notes += artifact.notes
    expected = Expected(conversion.example, tuple(conversion.expected.values()))
    return Subject(title, files, obstacles, expected, promised, conversion, tuple(f"{title}: {note}" for note in notes))


def of_network(
    network: Any, inputs: tuple[Array, ...], folder: Path, label: str, engines: Sequence[EngineName]
) -> Subject:
    """Return the subject of a network: for MindSpore as it is, for others converted without quantizing anything.

    Raises
    ------
    SourceError, InputError
        If MindSpore can't make a graph of it, or it doesn't take the inputs.
    """
    title = label or type(network).__name__
    files: dict[EngineName, ModelFile] = {}
    if "mindspore" in engines:
        files["mindspore"] = _saved(model_of(network, inputs), folder, title)
    others = [engine for engine in engines if engine in _ENDINGS and engine != "mindspore"]
    if not others:
        return Subject(title, files)
    try:
        converted = of_conversion(convert(network, inputs), folder, title, others)
    except InputError:
        raise
    except GsError as error:
        return Subject(title, files, dict.fromkeys(others, Obstacle(error.message, error.advice)))
    # Against itself it need not be compared: MindSpore runs the network as it is.
    promised = {**converted.promised_db, **dict.fromkeys(files, np.inf)}
    return Subject(
        title,
        {**files, **converted.files},
        converted.obstacles,
        converted.expected,
        promised,
        converted.conversion,
        converted.notes,
    )


def of_model(model: Model, folder: Path, label: str) -> Subject:
    """Return the subject of a model that was loaded from a MindIR file."""
    title = label or model.name
    return Subject(title, {"mindspore": _saved(model, folder, title)})


def _saved(model: Model, folder: Path, title: str) -> ModelFile:
    path, *beside = mindir.save(model, folder / _file_name(title, "mindspore"))
    return ModelFile(path, tuple(beside))


def _file_name(title: str, engine: EngineName) -> str:
    """Return a name by which an engine's messages can be understood."""
    words = re.sub(r"\W+", "-", title, flags=re.ASCII).strip("-")
    return f"{words[:_LONGEST_NAME] or 'network'}.{_ENDINGS[engine]}"
