"""A folder on an engine's machine for the files that work needs there: no name leads out of it, and nothing stays.

Its lock says whether the engine that made it still lives. The next engine to make one on that machine ends what a dead
one has left: processes that were at its work would disturb the work that is done again.
"""

import atexit
import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

import psutil

from gsjupyter.cluster.calls import Call
from gsjupyter.errors import ClusterError, WriteError
from gsjupyter.interrupts import uninterrupted

PIECE_BYTES: Final = 1 << 24
"""How much of a file is sent at once."""

_PREFIX: Final = "gsjupyter-engine-"
_MARK: Final = "GSJUPYTER_ENGINE_FOLDER"
_LOCK: Final = "lock"
_FILES: Final = "files"
_WORK: Final = "work"
_ENDING_S: Final = 10.0

_FORGOTTEN_S: Final = 600.0


@dataclass
class _Folder:
    path: Path
    lock: int
    used_s: float = field(default_factory=time.monotonic)


_folders: Final[dict[str, _Folder]] = {}


@atexit.register
def _remove_all() -> None:
    for token in list(_folders):
        remove_folder(token)


def sent(files: Mapping[str, Path]) -> Generator[Call, str, str]:
    """Make a folder on an engine and send files to it.

    Parameters
    ----------
    files : mapping of str to Path
        The files, by the paths they are to have there, with ``/`` in them.

    Yields
    ------
    Call
        What to call on the engine next.

    Returns
    -------
    str
        The folder's name for `cleared`, and for what is called on that engine.

    Raises
    ------
    ClusterError
        If a file can't be read here, or isn't there as it was sent; the folder is gone then, as after all other
        errors.
    """
    token = yield Call(__name__, make_folder.__name__)
    try:
        yield from added(token, files)
    except Exception:
        yield cleared(token)
        raise
    return token


def added(token: str, files: Mapping[str, Path]) -> Generator[Call, str, None]:
    """Send files to a folder that is there; see `sent`."""
    for name, path in files.items():
        digest = hashlib.sha256()
        try:
            for place, piece in _pieces(path):
                digest.update(piece)
                yield Call(__name__, receive.__name__, (token, name, place, piece))
        except OSError as error:
            raise ClusterError(f"{path} can't be read, and so not sent to an engine: {error.strerror}.") from error
        yield Call(__name__, check.__name__, (token, name, digest.hexdigest()))


def cleared(token: str) -> Call:
    """Return the call that removes a folder."""
    return Call(__name__, remove_folder.__name__, (token,))


def _pieces(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as stream:
        piece = stream.read(PIECE_BYTES)
        # An empty file is one as well.
        yield 0, piece
        place = len(piece)
        while piece := stream.read(PIECE_BYTES):
            yield place, piece
            place += len(piece)


def make_folder() -> str:
    """Make a folder here, after clearing away what dead engines and clients have left, and return its name.

    Raises
    ------
    WriteError
        If there is no place for it.
    """
    root = Path(tempfile.gettempdir())
    for left in root.glob(f"{_PREFIX}*"):
        _clear_if_dead(left)
    for other, folder in list(_folders.items()):
        # A client that lives makes one call after the other, and during a call there is no other.
        if time.monotonic() - folder.used_s > _FORGOTTEN_S:
            remove_folder(other)
    token = secrets.token_hex(8)
    # Under its own name only once it is locked: until then others would take it for a dead one's.
    hidden = root / f".{_PREFIX}{token}"
    lock = -1
    try:
        hidden.mkdir(mode=0o700)
        lock = os.open(hidden / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for name in (_FILES, _WORK):
            (hidden / name).mkdir()
        place = hidden.rename(root / f"{_PREFIX}{token}")
    except OSError as error:
        shutil.rmtree(hidden, ignore_errors=True)
        if lock >= 0:
            os.close(lock)
        raise WriteError(f"no folder can be made in {root} of an engine's machine: {error.strerror}.") from error
    _folders[token] = _Folder(place, lock)
    return token


def receive(token: str, name: str, place: int, piece: bytes) -> str:
    """Add a piece to a file in a folder.

    Raises
    ------
    ClusterError
        If the name leads elsewhere, or the piece doesn't come next.
    WriteError
        If the disk is full.
    """
    target = file_in(token, name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab") as stream:
            if stream.tell() != place:
                raise ClusterError(f"a piece of {name} got lost on its way to an engine.")
            stream.write(piece)
    except OSError as error:
        raise WriteError(f"{name} can't be written on an engine's machine: {error.strerror}.") from error
    return ""


def check(token: str, name: str, digest: str) -> str:
    """Check that a file arrived as it was sent.

    Raises
    ------
    ClusterError
        If it didn't.
    """
    found = hashlib.sha256()
    for _, piece in _pieces(file_in(token, name)):
        found.update(piece)
    if found.hexdigest() != digest:
        raise ClusterError(f"{name} changed on its way to an engine.")
    return ""


def remove_folder(token: str) -> str:
    """Remove a folder with all that is in it."""
    with uninterrupted():
        folder = _folders.pop(token, None)
        if folder is not None:
            shutil.rmtree(folder.path, ignore_errors=True)
            os.close(folder.lock)
    return ""


def has_folder(token: str) -> bool:
    """Say whether there is a folder of that name here."""
    return token in _folders


def file_in(token: str, name: str) -> Path:
    """Return the path of a file in a folder.

    Parameters
    ----------
    token : str
        The folder's name.
    name : str
        The file's path there.

    Raises
    ------
    ClusterError
        If there is no such folder, or the path leads out of it.
    """
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or "\\" in name or "\0" in name:
        raise ClusterError(f"{name!r} is no name for a file of an engine.")
    return _folder(token).joinpath(_FILES, *parts)


@contextmanager
def working_in(token: str) -> Iterator[None]:
    """Have the temporary files of this process and its workers in a folder, and its workers marked as the folder's."""
    folder = _folder(token)
    before = tempfile.tempdir
    try:
        tempfile.tempdir = str(folder / _WORK)
        os.environ[_MARK] = str(folder)
        yield
    finally:
        tempfile.tempdir = before
        os.environ.pop(_MARK, None)
        _folder(token)


def _folder(token: str) -> Path:
    folder = _folders.get(token)
    if folder is None:
        raise ClusterError("this engine has no such folder.")
    folder.used_s = time.monotonic()
    return folder.path


def _clear_if_dead(folder: Path) -> None:
    """Remove a folder whose engine is dead, and end what still works in it."""
    with suppress(OSError):
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return
        lock = os.open(folder / _LOCK, os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _end_processes(str(folder))
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def _end_processes(mark: str) -> None:
    ended = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(_MARK) == mark:
                process.kill()
                ended.append(process)
    psutil.wait_procs(ended, _ENDING_S)
