"""Which libraries a plug-in can't find: MindSpore itself only names the first, or none at all."""

import os
import re
import subprocess
import sysconfig
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

_LIMIT_S: Final = 20.0
_MISSING: Final = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)
_KNOWN: Final = re.compile(r"^\s*(\S+) \(.*\) => (\S+)", re.MULTILINE)
_SHORT: Final = re.compile(r".*\.so\.\d+")
_CACHES: Final = ("ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig")


def missing_libraries(file: Path) -> tuple[str, ...]:
    """Return the libraries that the system's loader doesn't find for a shared library, each once.

    Parameters
    ----------
    file : Path
        The shared library. It isn't loaded; ``ldd`` looks for what it needs, and for what that needs in turn.
    """
    return tuple(dict.fromkeys(_MISSING.findall(_said("ldd", str(file)))))


def other_versions(name: str, folders: Iterable[Path] = ()) -> dict[str, Path]:
    """Return the versions of a library that lie on this machine, by name, where the loader finds them or elsewhere.

    Parameters
    ----------
    name : str
        The library's file name, ``libcudnn.so.8`` for example: others begin the same up to ``.so``.
    folders : iterable of Path
        Where to look besides the loader's own folders and those into which pip puts NVIDIA's libraries.
    """
    stem = name.partition(".so")[0] + ".so"
    found = {known: Path(place) for known, place in _cached() if known.startswith(f"{stem}.")}
    for folder in (*folders, *_folders_of_pip()):
        with suppress(OSError):
            for file in sorted(folder.glob(f"{stem}.*")):
                # libcudnn.so.9.10.2 is what libcudnn.so.9 stands for.
                short = _SHORT.match(file.name)
                found.setdefault(short[0] if short else file.name, file)
    return found


def loader_folders(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the folders that the environment tells the loader to look into first."""
    listed = environment.get("LD_LIBRARY_PATH", "")
    return [Path(folder) for folder in listed.split(os.pathsep) if folder]


def _cached() -> list[tuple[str, str]]:
    for program in _CACHES:
        if known := _KNOWN.findall(_said(program, "-p")):
            return known
    return []


def _folders_of_pip() -> list[Path]:
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return sorted(folder for place in places for folder in Path(place).glob("nvidia/*/lib"))


def _said(*command: str) -> str:
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(  # noqa: S603 - the system's own programs
            command, capture_output=True, text=True, errors="replace", timeout=_LIMIT_S, check=False
        ).stdout
    return ""
