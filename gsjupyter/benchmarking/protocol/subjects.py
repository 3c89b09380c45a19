"""What a benchmark is about: anything a user calls a model, as files under labels, and why an engine can't have it."""

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from gsjupyter.benchmarking.protocol.model_files import ModelFile, model_file
from gsjupyter.benchmarking.records import ENGINE_TITLES, EngineName
from gsjupyter.engines.messages import Array
from gsjupyter.errors import InputError, OptionError, SourceError
from gsjupyter.report import printable

SUFFIXES: Final[Mapping[str, EngineName]] = {".mindir": "mindspore", ".onnx": "onnxruntime", ".ms": "lite"}
_CHECKPOINTS: Final = (".ckpt", ".safetensors")
_BY_DEFAULT: Final[tuple[EngineName, ...]] = ("mindspore", "onnxruntime")
_ENDINGS: Final = {engine: suffix for suffix, engine in SUFFIXES.items()}


@dataclass(frozen=True)
class Obstacle:
    """Why something can't be measured.

    Parameters
    ----------
    reason : str
        In words.
    advice : str
        What to do about it.
    """

    reason: str
    advice: str = ""


@dataclass(frozen=True)
class Expected:
    """What a network makes of an input: the truth that its files are held against.

    Parameters
    ----------
    inputs : tuple of ndarray
        One for each input.
    outputs : tuple of ndarray
        The network's own, flat, in its order.
    """

    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]


@dataclass(frozen=True)
class Subject:
    """A model to measure.

    Parameters
    ----------
    label : str
        What it is called; no other subject of the benchmark is.
    files : mapping of str to ModelFile
        The file for each engine that can run it.
    obstacles : mapping of str to Obstacle
        Why others can't, as far as that has been tried.
    expected : Expected, optional
        What the network that it was made from gives.
    promised_db : mapping of str to float
        How near to that its files were found to be when they were made: the SQNR in decibel, by engine.
    conversion : Conversion, optional
        What it was exported from, with its table of layers.
    notes : tuple of str
        What the user should know.
    """

    label: str
    files: Mapping[EngineName, ModelFile]
    obstacles: Mapping[EngineName, Obstacle] = field(default_factory=dict)
    expected: Expected | None = None
    promised_db: Mapping[EngineName, float] = field(default_factory=dict)
    conversion: Any = None
    notes: tuple[str, ...] = ()

    @property
    def engines(self) -> tuple[EngineName, ...]:
        """The engines that it is for, whether they can run it or not."""
        return tuple(engine for engine in ENGINE_TITLES if engine in self.files or engine in self.obstacles)

    def obstacle(self, engine: EngineName) -> Obstacle | None:
        """Return why an engine can't run it; None if nothing is known to be in the way."""
        if engine in self.files:
            return None
        if engine in self.obstacles:
            return self.obstacles[engine]
        has = ", ".join(sorted(_ENDINGS[known] for known in self.files))
        return Obstacle(
            f"{ENGINE_TITLES[engine]} loads {_ENDINGS[engine]} files, and {self.label} is {has or 'none'}.",
            f"Export the conversion as {_ENDINGS[engine]}, or give the conversion itself: it runs on each engine that "
            "can.",
        )


def subjects_of(
    things: Any, inputs: tuple[Array, ...] | None, folder: Path, engines: Collection[EngineName] | None = None
) -> tuple[Subject, ...]:
    """Return what a user wants to measure as subjects; networks and conversions are exported for each engine.

    Parameters
    ----------
    things : path, Artifact, Conversion, nn.Cell, a loaded model, or a list of these or mapping of labels to them
        What to measure.
    inputs : tuple of ndarray, optional
        What it is to run on. Needed for an nn.Cell.
    folder : Path
        Where to export to. It must exist.
    engines : collection of str, optional
        For which engines to export; by default for all but MindSpore Lite, whose converter few have.

    Raises
    ------
    SourceError
        If something is no model.
    InputError
        If a network comes without inputs, or doesn't take them.
    ModelFileError
        If a file is missing, or isn't what its manifest says.
    OptionError
        If there is nothing to measure, or a label is no text.
    """
    labelled = _labelled(things)
    wanted = _BY_DEFAULT if engines is None else tuple(engines)
    subjects = []
    for index, (label, thing) in enumerate(labelled):
        place = folder / str(index)
        place.mkdir()
        subjects.append(_subject(label, thing, inputs, place, wanted))
    return _with_unique_labels(subjects, {label for label, _ in labelled if label})


def _labelled(things: Any) -> list[tuple[str, Any]]:
    if isinstance(things, Mapping):
        for label in things:
            if not isinstance(label, str) or not label.strip():
                raise OptionError(f"a label must be text, not {label!r}.")
            if printable(label) != label:
                raise OptionError(f"the label {label!r} holds what can't be printed.")
        pairs = list(things.items())
    else:
        several = things if isinstance(things, list | tuple) else [things]
        pairs = [("", thing) for thing in several]
    if not pairs:
        raise OptionError("there is nothing to measure.", advice="Give a file, a conversion or a network.")
    return pairs


def _subject(
    label: str, thing: Any, inputs: tuple[Array, ...] | None, folder: Path, engines: Sequence[EngineName]
) -> Subject:
    if isinstance(thing, str | Path):
        return of_file(thing, label)
    if _is_a(thing, "gsjupyter.artifact", "Artifact"):
        return of_file(thing.path, label)
    if _is_a(thing, "gsjupyter.engines.onnxruntime", "OnnxRuntimeModel"):
        return of_file(thing.path, label)
    if _is_a(thing, "gsjupyter.engines.lite", "LiteModel"):
        return of_file(thing.path, label)
    if _is_a(thing, "gsjupyter.conversion", "Conversion"):
        from gsjupyter.benchmarking.protocol.exported import of_conversion

        return of_conversion(thing, folder, label, engines)
    if _is_a(thing, "gsjupyter.engines.mindspore", "MindSporeModel"):
        from gsjupyter.benchmarking.protocol.exported import of_model

        return of_model(thing.model, folder, label)
    if _is_a(thing, "mindspore.nn", "Cell"):
        from gsjupyter.benchmarking.protocol.exported import of_network

        if inputs is None:
            raise InputError(
                f"to benchmark {type(thing).__name__}, an example of its input is needed.",
                advice="Give one batch, as the network is called with: gs.benchmark(net, x).",
            )
        return of_network(thing, inputs, folder, label, engines)
    raise SourceError(
        f"this {type(thing).__name__} is nothing that can be measured.",
        advice="Give a .mindir, .onnx or .ms file, an artifact, a conversion, a network, or what gs.load has loaded.",
    )


def of_file(path: str | Path, label: str = "") -> Subject:
    """Return the subject of a file, which only its own engine runs.

    Raises
    ------
    SourceError
        If no engine loads such files.
    ModelFileError
        If it is missing, or isn't what its manifest says.
    """
    place = Path(path).expanduser()
    engine = SUFFIXES.get(place.suffix.lower())
    if engine is None:
        known = ", ".join(SUFFIXES)
        advice = "Give the network with the checkpoint's values, or export it first."
        raise SourceError(
            f"{place.name} is no file that an engine runs: those end in {known}.",
            advice=advice if place.suffix.lower() in _CHECKPOINTS else "",
        )
    return Subject(label or printable(place.name), {engine: model_file(place)})


def _is_a(thing: Any, module: str, name: str) -> bool:
    """Say whether something is of a class, without importing it: who has an object has imported its class."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(thing, kind)


def _with_unique_labels(subjects: Iterable[Subject], given: Collection[str]) -> tuple[Subject, ...]:
    taken = set(given)
    unique = []
    for subject in subjects:
        label, number = subject.label, 1
        while label in taken and subject.label not in given:
            number += 1
            label = f"{subject.label} #{number}"
        taken.add(label)
        unique.append(subject if label == subject.label else replace(subject, label=label))
    return tuple(unique)
