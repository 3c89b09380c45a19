"""Writes that happen whole or not at all: a full disk or an interrupt leaves the user's files as they were."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gsjupyter.errors import WriteError


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write in; on success all it holds takes its place in `folder`.

    Parameters
    ----------
    folder : Path
        Where the files are to be. It must exist.

    Yields
    ------
    Path
        A folder beside those files, on the same disk, so that moving is renaming.

    Raises
    ------
    WriteError
        If the folder can't be written or the disk is full. Then, as after any other exception, everything in `folder`
        is as it was.
    """
    if not folder.is_dir():
        raise WriteError(f"there is no folder {folder} to write in.", advice="Make the folder first.")
    stage = folder / f".gsjupyter-{secrets.token_hex(6)}"
    try:
        stage.mkdir()
        yield stage
        _move_all(stage, folder)
    except OSError as error:
        raise _explained(error, folder) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _move_all(stage: Path, folder: Path) -> None:
    entries = sorted(stage.iterdir())
    aside = stage / f"{secrets.token_hex(6)}.old"
    aside.mkdir()
    begun: list[Path] = []
    try:
        for entry in entries:
            begun.append(entry)
            _move(entry, folder / entry.name, aside / entry.name)
    except BaseException:
        for entry in reversed(begun):
            _move_back(entry, folder / entry.name, aside / entry.name)
        raise


def _move(entry: Path, target: Path, aside: Path) -> None:
    if target.is_dir() and not entry.is_dir():
        raise IsADirectoryError(errno.EISDIR, f"{target.name} is a folder")
    if target.exists():
        try:
            os.link(target, aside)  # A file stays in its place until the moment when it is replaced.
        except OSError:
            target.rename(aside)  # A folder can't: it can be replaced only when it is out of the way.
    entry.replace(target)


def _move_back(entry: Path, target: Path, aside: Path) -> None:
    if not entry.exists():
        target.rename(entry)
    if aside.exists():
        aside.replace(target)


def _explained(error: OSError, folder: Path) -> WriteError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(folder).free
        return WriteError(
            f"the disk of {folder} is full ({free:,} bytes free); nothing was written.",
            advice="Free some space, or give a path on another disk.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return WriteError(
            f"can't write in {folder}: {os.strerror(error.errno)}.",
            advice="Give a path in a folder of your own.",
        )
    return WriteError(f"can't write in {folder}: {error.strerror or error}.")
