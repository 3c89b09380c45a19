"""Why MindSpore has no GPU or no Ascend here: it says itself only that it supports the CPU.

Its plug-ins lie in its package and are loaded when it is imported, if they can be. For GPUs there is one for each
version of CUDA that it was made for. It looks for them only if ``CUDA_HOME`` is set, asks the ``nvcc`` in there for its
version, and takes the plug-in of that version, or the latest before it of the same major version.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from gsjupyter.engines.shared_libraries import loader_folders, missing_libraries, other_versions

CUDA_HOME: Final = "CUDA_HOME"

_PLUGINS: Final = "lib/plugin"
_GPU: Final = re.compile(r"libmindspore_gpu\.so\.(\d+)\.(\d+)")
_RELEASE: Final = re.compile(r"release (\d+)\.(\d+)")
_LIMIT_S: Final = 20.0


@dataclass(frozen=True)
class GpuBackend:
    """MindSpore's backend for NVIDIA GPUs, as it is installed here.

    Parameters
    ----------
    made_for : tuple of str
        The versions of CUDA that it was made for, ascending; none if the package has no such backend.
    cuda_home : str
        What ``CUDA_HOME`` is; empty if it isn't set.
    found_cuda : str
        The version of CUDA that MindSpore finds there; empty if it finds none.
    chosen : str
        The version it takes; the latest if none fits.
    fits : bool
        Whether it takes one, and doesn't leave them all alone for what ``CUDA_HOME`` is.
    missing : tuple of str
        The libraries that the loader doesn't find for it.
    others : mapping of str to str
        Which other versions of the missing ones are on this machine: library to folder.
    """

    made_for: tuple[str, ...] = ()
    cuda_home: str = ""
    found_cuda: str = ""
    chosen: str = ""
    fits: bool = False
    missing: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AscendBackend:
    """MindSpore's backend for Ascend NPUs, as it is installed here.

    Parameters
    ----------
    is_included : bool
        Whether the package has it.
    missing : tuple of str
        The libraries that the loader doesn't find for it.
    """

    is_included: bool = True
    missing: tuple[str, ...] = ()


def mindspore_version() -> str:
    """Return MindSpore's version; empty if it isn't installed."""
    with suppress(PackageNotFoundError):
        return version("mindspore")
    return ""


def mindspore_folder() -> Path | None:
    """Return where MindSpore is installed, without importing it; None if it isn't."""
    found = find_spec("mindspore")
    return Path(found.origin).parent if found is not None and found.origin else None


def find_gpu_backend(folder: Path | None, environment: Mapping[str, str] = os.environ) -> GpuBackend:
    """Return what is known of MindSpore's GPU backend.

    Parameters
    ----------
    folder : Path, optional
        Where MindSpore is installed.
    environment : mapping of str to str
        The environment's variables.
    """
    files = {} if folder is None else _gpu_plugins(folder)
    home = environment.get(CUDA_HOME, "")
    if not files:
        return GpuBackend(cuda_home=home)
    found = _nvcc_version(Path(home)) if home else None
    fitting = choose(tuple(files), found)
    chosen = fitting or max(files)
    missing = missing_libraries(files[chosen])
    places = [*([Path(home, "lib64")] if home else []), Path("/usr/local/cuda/lib64"), *loader_folders(environment)]
    others = {name: str(file.parent) for lacking in missing for name, file in other_versions(lacking, places).items()}
    return GpuBackend(
        tuple(_dotted(number) for number in sorted(files)),
        home,
        _dotted(found) if found else "",
        _dotted(chosen),
        fitting is not None,
        missing,
        others,
    )


def find_ascend_backend(folder: Path | None) -> AscendBackend:
    """Return what is known of MindSpore's Ascend backend."""
    files = [] if folder is None else sorted(Path(folder, _PLUGINS).glob("libmindspore_ascend.so*"))
    return AscendBackend(True, missing_libraries(files[-1])) if files else AscendBackend(False)


def choose(made_for: tuple[tuple[int, int], ...], found: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return which of the plug-ins MindSpore takes; None if none.

    Parameters
    ----------
    made_for : tuple of tuple of int
        The versions of CUDA that there are plug-ins for.
    found : tuple of int, optional
        CUDA's version.
    """
    if found is None:
        return None
    return max((number for number in made_for if number[0] == found[0] and number <= found), default=None)


def _gpu_plugins(folder: Path) -> dict[tuple[int, int], Path]:
    files = Path(folder, _PLUGINS).glob("libmindspore_gpu.so.*")
    return {(int(name[1]), int(name[2])): file for file in files if (name := _GPU.fullmatch(file.name))}


def _nvcc_version(home: Path) -> tuple[int, int] | None:
    with suppress(OSError, subprocess.SubprocessError):
        told = subprocess.run(  # noqa: S603 - the program that MindSpore itself runs
            [home / "bin/nvcc", "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
        )
        if release := _RELEASE.search(told.stdout):
            return int(release[1]), int(release[2])
    return None


def _dotted(number: tuple[int, int]) -> str:
    return f"{number[0]}.{number[1]}"
