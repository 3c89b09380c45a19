"""What Huawei's driver and CANN tell of Ascend NPUs: which there are, and which software stands in front of them.

The files are those that CANN's installer writes [1]_. `look` starts ``npu-smi``, which may hang: it is for a process of
its own.

.. [1] https://www.hiascend.com/document/detail/en/canncommercial/850/softwareinst/instg/instg_0044.html
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gsjupyter.benchmarking.records import Device

HOMES: Final = ("ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME")
"""The variables that CANN's ``set_env.sh`` sets to its folder."""

_ROOT: Final = Path("/")
_PLACES: Final = ("usr/local/Ascend/cann", "usr/local/Ascend/ascend-toolkit/latest", "usr/local/Ascend/nnae/latest")
_LIMIT_S: Final = 20.0
_RUNNING: Final = re.compile(r"^(?:toolkit|runtime)_running_version=\[(?:[^\]:]*:)?([^\]]+)\]", re.MULTILINE)
_INSTALLED: Final = re.compile(r"^version=(\S+)", re.MULTILINE)
_DRIVER: Final = re.compile(r"^Version=(\S+)", re.MULTILINE)
# A card has a row with its name and health, and then one for each of its chips, which begins with its bus.
_CARD: Final = re.compile(r"^\|\s*\d+\s+(\S+)\s*\|\s*[A-Za-z]\w*\s*\|")
_CHIP: Final = re.compile(r"^\|\s*\d+(?:\s+\d+)?\s*\|\s*(?:[0-9A-Fa-f]{4}:[0-9A-Fa-f:.]+|NA)\s*\|(.*)\|")
_USED: Final = re.compile(r"\d+\s*/\s*(\d+)")


@dataclass(frozen=True)
class Ascend:
    """The machine's Ascend NPUs.

    Parameters
    ----------
    devices : tuple of Device
        The NPUs.
    cann : str
        CANN's version, ``8.5.0`` for example; ``unknown`` if it is there and doesn't say; empty without it.
    cann_folder : str
        Where CANN is; empty without it.
    is_set_up : bool
        Whether the environment says where CANN is, as after its ``set_env.sh``.
    obstacle : str
        Why there is no NPU, in words; empty if there is one.
    """

    devices: tuple[Device, ...] = ()
    cann: str = ""
    cann_folder: str = ""
    is_set_up: bool = False
    obstacle: str = ""


def find_ascend(root: Path = _ROOT, environment: Mapping[str, str] = os.environ) -> Ascend:
    """Return what files tell of NPUs and of CANN: the NPUs have no names yet.

    Parameters
    ----------
    root : Path
        The file system's root.
    environment : mapping of str to str
        The environment's variables.
    """
    home = next((Path(environment[name]) for name in HOMES if environment.get(name)), None)
    folder = next((place for place in (home, *(root / name for name in _PLACES)) if place and _is_folder(place)), None)
    driver = _matched(_DRIVER, root / "usr/local/Ascend/driver/version.info")
    nodes = [node for node in root.glob("dev/davinci*") if node.name.removeprefix("davinci").isdigit()]
    version = (_cann_version(folder) or "unknown") if folder else ""
    obstacle = "" if nodes else "there is no Ascend NPU: no device (/dev/davinci0) was found"
    if driver and not nodes:
        obstacle += f", though the driver {driver} is installed"
    devices = tuple(Device("ascend", "Ascend NPU", driver=driver) for _ in nodes)
    return Ascend(devices, version, str(folder or ""), home is not None, obstacle)


def look() -> dict[str, Any]:
    """Ask ``npu-smi``, and return what JSON can hold: ``devices``, each with ``name`` and ``memory_bytes``."""
    program = shutil.which("npu-smi", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/local/sbin:/usr/local/bin")
    if program is None:
        return {"devices": []}
    with suppress(OSError, subprocess.SubprocessError):
        told = subprocess.run(  # noqa: S603 - the driver's own program
            [program, "info"], capture_output=True, text=True, errors="replace", timeout=_LIMIT_S, check=False
        )
        return {"devices": list(listed(told.stdout))}
    return {"devices": []}


def listed(table: str) -> Iterator[dict[str, Any]]:
    """Yield the NPUs that a table of ``npu-smi info`` lists, each with its ``name`` and ``memory_bytes``."""
    name = ""
    for line in table.splitlines():
        if chip := _CHIP.match(line):
            # High-bandwidth memory stands last; where a card has none, it is missing or of size 0.
            sizes = [int(size) for size in _USED.findall(chip[1])]
            most = max(sizes, default=0)
            if name:
                yield {"name": name, "memory_bytes": most * 1024 * 1024 or None}
        elif card := _CARD.match(line):
            name = card[1] if card[1].startswith("Ascend") else f"Ascend {card[1]}"


def _is_folder(place: Path) -> bool:
    # CANN is often installed for one user, and nobody else may look into its folder.
    with suppress(OSError):
        return place.is_dir()
    return False


def _cann_version(folder: Path) -> str:
    files = (
        *((file, _INSTALLED) for file in sorted(folder.glob("*-linux/ascend_toolkit_install.info"))),
        (folder / "ascend_nnae_install.info", _INSTALLED),
        (folder / "version.cfg", _RUNNING),
        (folder / "compiler/version.info", _DRIVER),
    )
    return next((version for file, pattern in files if (version := _matched(pattern, file))), "")


def _matched(pattern: re.Pattern[str], file: Path) -> str:
    with suppress(OSError):
        found = pattern.search(file.read_text(errors="replace"))
        return found[1] if found else ""
    return ""
