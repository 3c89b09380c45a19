from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from gsjupyter.atomic import staging
from gsjupyter.errors import WriteError


@contextmanager
def small_disk(folder, options):
    """Mount a file system of 64 kB: a full disk, and one that not even root may write, can't be had otherwise."""
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("needs mount and umount")
    command = [mount, "-t", "tmpfs", "-o", options, "none", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the right to mount a file system: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([umount, str(folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", "size=64k") as folder:
        yield folder


@pytest.fixture
def folder(tmp_path):
    """Give a folder that holds a file, and a folder with a file in it."""
    (tmp_path / "model").write_text("old")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "part").write_text("old part")
    return tmp_path


def write(folder, files, error=None):
    with staging(folder) as stage:
        for name, text in files.items():
            (stage / name).parent.mkdir(exist_ok=True)
            (stage / name).write_text(text)
        if error is not None:
            raise error


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def test_what_is_staged_takes_its_place(tmp_path):
    write(tmp_path, {"model": "new", "data/part": "new part"})
    assert content(tmp_path) == {"model": "new", "data": None, "data/part": "new part"}


def test_nothing_is_seen_before_all_is_written(tmp_path):
    with staging(tmp_path) as stage:
        (stage / "model").write_text("new")
        assert not (tmp_path / "model").exists()


def test_files_and_folders_are_replaced(folder):
    write(folder, {"model": "new", "data/other": "new part"})
    assert content(folder) == {"model": "new", "data": None, "data/other": "new part"}


def test_what_else_is_in_the_folder_stays(folder):
    write(folder, {"added": "new"})
    assert content(folder) == {"added": "new", "model": "old", "data": None, "data/part": "old part"}


def test_a_folder_never_gives_way_to_a_file_of_its_name(folder):
    before = content(folder)
    with pytest.raises(WriteError, match="data is a folder"):
        write(folder, {"added": "new", "data": "new", "model": "new"})
    assert content(folder) == before


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit()])
def test_an_exception_leaves_everything_as_it_was(folder, error):
    before = content(folder)
    with pytest.raises(type(error)):
        write(folder, {"model": "new", "data/part": "new"}, error)
    assert content(folder) == before


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
@pytest.mark.parametrize("refused", ["data", "model", "zoo"])
def test_a_move_that_fails_takes_back_those_before(folder, monkeypatch, refused, error):
    before = content(folder)
    replace, failures = Path.replace, iter([error])

    def replace_or_fail(source, target):
        if target == folder / refused and (failure := next(failures, None)):
            raise failure
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", replace_or_fail)
    with pytest.raises((WriteError, KeyboardInterrupt)):
        write(folder, {"data/part": "new part", "model": "new", "zoo": "new"})
    assert content(folder) == before


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WriteError, match=r"there is no folder .*nowhere") as caught:
        write(tmp_path / "nowhere", {})
    assert caught.value.advice == "Make the folder first."


def test_a_full_disk_is_told_and_leaves_everything_as_it_was(disk):
    (disk / "model").write_text("old")
    with pytest.raises(WriteError, match=r"the disk of .*disk is full \([\d,]+ bytes free\); nothing was written"):
        write(disk, {"model": "x" * 100_000})
    assert content(disk) == {"model": "old"}


def test_a_disk_that_fills_up_at_the_second_file_keeps_neither(disk):
    with pytest.raises(WriteError, match="is full"):
        write(disk, {"first": "x" * 20_000, "second": "x" * 100_000})
    assert content(disk) == {}


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    with (
        small_disk(tmp_path / "disk", "size=64k,ro") as disk,
        pytest.raises(WriteError, match=r"can't write in .*disk: Read-only file system") as caught,
    ):
        write(disk, {"model": "new"})
    assert caught.value.advice == "Give a path in a folder of your own."
