"""What a benchmark needs on another machine, as files and JSON: nothing that executes goes there."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.protocol.model_files import ModelFile
from gsjupyter.benchmarking.protocol.subjects import Expected, Obstacle, Subject
from gsjupyter.benchmarking.records import EngineName
from gsjupyter.engines.messages import Array

_ARRAYS: Final = "arrays"


@dataclass(frozen=True)
class Parcel:
    """A benchmark to be made somewhere else.

    Parameters
    ----------
    subjects : tuple of Subject
        What to measure. The conversions they come from stay here.
    inputs : tuple of ndarray, optional
        What to run it on.
    options : BenchmarkOptions
        How long.
    wanted : mapping
        ``targets``, ``engines``, ``batches`` and ``threads`` as `run.measure` takes them.
    """

    subjects: tuple[Subject, ...]
    inputs: tuple[Array, ...] | None
    options: BenchmarkOptions
    wanted: Mapping[str, Sequence[Any] | None]

    def packed(self, folder: Path) -> tuple[dict[str, Path], str]:
        """Return the files to send by their paths there, and the rest as JSON.

        Parameters
        ----------
        folder : Path
            An empty folder for the arrays.
        """
        packing = _Packing(folder)
        content = {
            "subjects": [packing.subject(number, subject) for number, subject in enumerate(self.subjects)],
            "inputs": None if self.inputs is None else packing.arrays(self.inputs),
            "options": self.options.as_mapping(),
            "wanted": dict(self.wanted),
        }
        return packing.files, json.dumps(content)

    @classmethod
    def unpacked(cls, text: str, place_of: Callable[[str], Path]) -> "Parcel":
        """Return what `packed` has packed.

        Parameters
        ----------
        text : str
            The JSON.
        place_of : callable
            Gives the place of a file by its path.
        """
        content = json.loads(text)

        def arrays(names: Sequence[str]) -> tuple[Array, ...]:
            return tuple(np.load(place_of(name), allow_pickle=False) for name in names)

        def subject(entry: Mapping[str, Any]) -> Subject:
            expected = entry["expected"]
            files: dict[EngineName, ModelFile] = {}
            for engine, (path, *beside) in entry["files"].items():
                files[engine] = ModelFile(place_of(path), tuple(place_of(name) for name in beside))
            return Subject(
                entry["label"],
                files,
                {engine: Obstacle(*words) for engine, words in entry["obstacles"].items()},
                None if expected is None else Expected(arrays(expected[0]), arrays(expected[1])),
                entry["promised_db"],
                notes=tuple(entry["notes"]),
            )

        inputs = content["inputs"]
        return cls(
            tuple(subject(entry) for entry in content["subjects"]),
            None if inputs is None else arrays(inputs),
            BenchmarkOptions(**content["options"]),
            content["wanted"],
        )


class _Packing:
    def __init__(self, folder: Path) -> None:
        self.files: dict[str, Path] = {}
        self._folder = folder
        self._names: dict[int, str] = {}
        self._kept: list[Array] = []

    def subject(self, number: int, subject: Subject) -> dict[str, Any]:
        expected = subject.expected
        return {
            "label": subject.label,
            "files": {engine: self._model(f"{number}/{engine}", file) for engine, file in subject.files.items()},
            "obstacles": {engine: [item.reason, item.advice] for engine, item in subject.obstacles.items()},
            "expected": None if expected is None else [self.arrays(expected.inputs), self.arrays(expected.outputs)],
            "promised_db": dict(subject.promised_db),
            "notes": list(subject.notes),
        }

    def arrays(self, arrays: Sequence[Array]) -> list[str]:
        return [self._array(array) for array in arrays]

    def _array(self, array: Array) -> str:
        """Save an array, once if the same one is used in several places."""
        if id(array) not in self._names:
            name = f"{_ARRAYS}/{len(self._kept)}.npy"
            self._names[id(array)] = name
            # While it is kept, no other array can have its id.
            self._kept.append(array)
            self.files[name] = self._folder / f"{len(self._kept)}.npy"
            np.save(self.files[name], array, allow_pickle=False)
        return self._names[id(array)]

    def _model(self, place: str, file: ModelFile) -> list[str]:
        """Keep a model's files together: those beside it are found by their paths relative to it."""
        root = file.path.parent
        names = [f"{place}/{path.relative_to(root).as_posix()}" for path in file.files]
        self.files.update(zip(names, file.files, strict=True))
        return names
