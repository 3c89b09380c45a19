"""A model's file with all that belongs to it: what is timed, sent to another machine, and told apart by its digest."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from gsjupyter.errors import ModelFileError
from gsjupyter.formats import check_files, sha256

_MINDIR: Final = ".mindir"


@dataclass(frozen=True)
class ModelFile:
    """A file that an engine loads.

    Parameters
    ----------
    path : Path
        The file to load.
    beside : tuple of Path
        The files in its folder, or below, that hold values of it.
    """

    path: Path
    beside: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that belong to it, the one to load first."""
        return (self.path, *self.beside)

    @cached_property
    def size_bytes(self) -> int:
        """The bytes of all its files."""
        return sum(file.stat().st_size for file in self.files)

    @cached_property
    def state(self) -> tuple[tuple[int, int, int], ...]:
        """What tells whether its files are still those that they were: time of change, size and place on the disk."""
        return self._state()

    def check_unchanged(self) -> None:
        """Check that its files are still those that they were when it was found.

        Raises
        ------
        ModelFileError
            If one was replaced or written to. One that is gone its engine tells of.
        """
        with suppress(OSError):
            if self._state() != self.state:
                raise ModelFileError(
                    f"{self.path.name} was changed while it was measured.", advice="Measure it again as it is now."
                )

    def _state(self) -> tuple[tuple[int, int, int], ...]:
        found = (file.stat() for file in self.files)
        return tuple((status.st_mtime_ns, status.st_size, status.st_ino) for status in found)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the file, in hexadecimal; with values beside it, that of the digests of all its files.

        The same graph with other values is another model.
        """
        own = sha256(self.path)
        if not self.beside:
            return own
        return hashlib.sha256(" ".join((own, *sorted(map(sha256, self.beside)))).encode()).hexdigest()


def model_file(path: Path) -> ModelFile:
    """Return a file, checked against the manifest beside it if there is one.

    Raises
    ------
    ModelFileError
        If it is missing, can't be read, or isn't what its manifest says.
    """
    if not path.is_file():
        raise ModelFileError(f"there is no file {path}.")
    found = _found(path)
    try:
        # Asked now, when nothing is measured yet that an error could take along.
        _ = found.state, found.size_bytes, found.digest
    except OSError as error:
        raise ModelFileError(f"can't read {error.filename or path}: {error.strerror or error}.") from error
    return found


def _found(path: Path) -> ModelFile:
    manifest = check_files(path)
    if manifest is not None:
        beside = (path.parent / name for name in manifest.files if name != path.name)
        return ModelFile(path, tuple(beside))
    if path.suffix.lower() == _MINDIR:
        return ModelFile(path, _beside_mindir(path))
    return ModelFile(path, _beside_onnx(path))


def _beside_mindir(path: Path) -> tuple[Path, ...]:
    """Return the values that MindSpore puts in a folder beside large networks."""
    folder = path.with_name(f"{path.name[: -len(_MINDIR)].removesuffix('_graph')}_variables")
    return tuple(sorted(file for file in folder.glob("*") if file.is_file()))


def _beside_onnx(path: Path) -> tuple[Path, ...]:
    from gsjupyter.engines.onnx_structure import check_data_files, read_structure

    if path.suffix.lower() != ".onnx":
        return ()
    try:
        names = read_structure(path).data_files
        check_data_files(path, names)
    except ModelFileError:
        # What is wrong with it, its engine will say, in its own row.
        return ()
    return tuple(path.parent / name for name in sorted(names))
