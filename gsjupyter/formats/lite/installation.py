"""Where MindSpore Lite is on this machine, and what to get where it isn't: nothing of it is imported or run to know.

A release is a folder with the programs in ``tools`` and their libraries in several others, which the loader must be
told of [1]_. The wheel brings a converter and a runtime of its own, without the programs.

.. [1] https://www.mindspore.cn/lite/docs/en/master/converter/converter_tool.html
"""

import importlib.util
import os
import platform
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from gsjupyter.errors import EngineError

PROGRAM: Final = "converter_lite"
BENCHMARK: Final = "benchmark"
PACKAGE: Final = "mindspore_lite"
HOME: Final = "LITE_HOME"
"""The environment variable that names a release's folder."""

Kind: TypeAlias = Literal["program", "package"]

_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    # The second is that of releases before 1.2, the last for who names the folder of the program itself.
    PROGRAM: (f"tools/converter/converter/{PROGRAM}", f"converter/{PROGRAM}", PROGRAM),
    BENCHMARK: (f"tools/benchmark/{BENCHMARK}", f"benchmark/{BENCHMARK}", BENCHMARK),
}
LIBRARIES: Final = (
    "tools/converter/lib",
    "runtime/lib",
    "runtime/third_party/*/lib",
    "runtime/third_party/glog",
    "lib",
)
"""Where a release has its libraries, below its folder."""

DOWNLOADS: Final = "https://www.mindspore.cn/lite/docs/en/master/use/downloads.html"
_WHEELS: Final = ((3, 9), (3, 11))
"""The first and the last version of Python that wheels are made for."""
_RELEASE: Final = re.compile(r"mindspore-lite-(\d+(?:\.\d+)+\w*)")
_VERSION: Final = re.compile(r"^__version__\s*(?::[^=\n]+)?=\s*['\"]([\w.+-]+)['\"]", re.MULTILINE)
_BUNDLE: Final = (
    "%gs_export qnet lenet.ms --bundle packs the network and the exact command, to be run on a machine that has it"
)


@dataclass(frozen=True)
class Installation:
    """What converts networks for MindSpore Lite on this machine.

    Parameters
    ----------
    kind : {"program", "package"}
        Whether it is ``converter_lite``, or the Python package ``mindspore_lite``.
    path : Path
        The program, or the package's folder.
    found_by : str
        What has led to it: the path that was configured, an environment variable, or Python's own path.
    version : str
        Its version; empty if nothing says so.
    """

    kind: Kind
    path: Path
    found_by: str
    version: str = ""

    @property
    def title(self) -> str:
        """What to call it in messages."""
        name = PROGRAM if self.kind == "program" else PACKAGE
        return f"{name} {self.version}" if self.version else name

    def environment(self) -> dict[str, str]:
        """Return the environment that it runs in: this process's own, and where its libraries are."""
        return program_environment(self.path) if self.kind == "program" else dict(os.environ)


def find_converter(configured: str = "") -> Installation:
    """Return what converts networks for MindSpore Lite.

    Parameters
    ----------
    configured : str
        The program ``converter_lite``, or the folder of a release, if the user has named one. Otherwise ``LITE_HOME``
        is asked, then PATH, then Python for the package ``mindspore_lite``.

    Raises
    ------
    EngineError
        If there is none, or none where it is said to be; the advice says what to get.
    """
    program = _told_program(PROGRAM, configured)
    if program is not None:
        return _installation(*program)
    on_path = shutil.which(PROGRAM)
    if on_path is not None:
        return _installation(Path(on_path).resolve(), "PATH")
    package = find_package()
    if package is not None:
        return package
    raise EngineError("MindSpore Lite isn't installed here.", advice=what_to_get())


def find_benchmark(configured: str = "") -> Path | None:
    """Return the program ``benchmark`` of a MindSpore Lite release; None if there is none.

    Parameters
    ----------
    configured : str
        As in `find_converter`; where a program is named, its release is meant.

    Raises
    ------
    EngineError
        If what the user, or ``LITE_HOME``, names isn't there.
    """
    for told, name in _told(configured):
        place = Path(told).expanduser().resolve()
        if not place.exists():
            raise _leads_nowhere(name, place)
        return _program_in(_release_of(place) if place.is_file() else place, BENCHMARK)
    on_path = shutil.which(PROGRAM)
    if on_path is not None:
        return _program_in(_release_of(Path(on_path).resolve()), BENCHMARK)
    alone = shutil.which(BENCHMARK)
    if alone is None:
        return None
    # Many programs have that name: only where it lies in a release it is Lite's.
    found = Path(alone).resolve()
    return found if found.match(_PLACES[BENCHMARK][0]) else None


def find_package() -> Installation | None:
    """Return the Python package ``mindspore_lite``, if it is installed; it isn't imported, as MindSpore's peer may be.

    Two of MindSpore's engines in one process crash it.
    """
    with suppress(ImportError, ValueError, AttributeError):
        spec = importlib.util.find_spec(PACKAGE)
        if spec is not None and spec.origin is not None:
            folder = Path(spec.origin).parent
            return Installation("package", folder, "Python's path", _package_version(folder))
    return None


def program_environment(program: Path) -> dict[str, str]:
    """Return the environment for a program of a release: this process's own, and where its libraries are.

    Parameters
    ----------
    program : Path
        ``converter_lite`` or ``benchmark``.
    """
    before = os.environ.get("LD_LIBRARY_PATH", "")
    folders = [str(folder) for folder in libraries_of(program)]
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join([*folders, *([before] if before else [])])}


def libraries_of(program: Path) -> tuple[Path, ...]:
    """Return the folders with the libraries of a release that a program belongs to."""
    release = _release_of(program)
    found = (folder for pattern in LIBRARIES for folder in sorted(release.glob(pattern)))
    return tuple(dict.fromkeys(folder for folder in found if folder.is_dir()))


def what_to_get() -> str:
    """Return what to get to have MindSpore Lite here, for this version of Python and this platform."""
    return _what_to_get(sys.version_info[:2], platform.system(), platform.machine())


def wheel_to_get() -> str:
    """Return what to get to run files here, by the Python package: a release has a converter and no package."""
    version = "{}.{}".format(*sys.version_info)
    first, last = _WHEELS
    span = f"{first[0]}.{first[1]} to {last[0]}.{last[1]}"
    tried = next((f" {name} is {place}, and a release has no package." for place, name in _told("")), "")
    return (
        f"Get the wheel {PACKAGE} for Python {version} from {DOWNLOADS} (there are some for {span}, on Linux), and pip "
        f"install it.{tried}"
    )


def _what_to_get(python: Sequence[int], system: str, machine: str) -> str:
    processor = {"x86_64": "x64", "amd64": "x64", "aarch64": "aarch64", "arm64": "aarch64"}.get(machine.lower())
    if system != "Linux" or processor is None:
        return (
            f"Its converter runs on Linux with an x86_64 or aarch64 processor, not on {system}, {machine}: {_BUNDLE}."
        )
    release = (
        f"Get the release for linux-{processor} (a .tar.gz with {PROGRAM} and {BENCHMARK}) from {DOWNLOADS}, "
        f"unpack it, and set {HOME} to its folder"
    )
    version = ".".join(map(str, python))
    first, last = _WHEELS
    if first <= tuple(python) <= last:
        wheel = f"get the wheel {PACKAGE} for Python {version} (cp{python[0]}{python[1]}) there, and pip install it"
        return f"{release}; or {wheel}. Or: {_BUNDLE}."
    span = f"{first[0]}.{first[1]} to {last[0]}.{last[1]}"
    return f"{release}. Its wheels are for Python {span}, and this is {version}; the release needs none. Or: {_BUNDLE}."


def _told(configured: str) -> list[tuple[str, str]]:
    """Return where the user says that a release is, the first to be believed, and how it is said."""
    given = [(configured, "the configured path"), (os.environ.get(HOME, ""), HOME)]
    return [(place, name) for place, name in given if place]


def _told_program(program: str, configured: str) -> tuple[Path, str] | None:
    for told, name in _told(configured):
        place = Path(told).expanduser().resolve()
        found = place if place.is_file() else _program_in(place, program)
        if found is None:
            raise _leads_nowhere(name, place)
        if not os.access(found, os.X_OK):
            raise EngineError(
                f"{found} ({name}) can't be run: it isn't executable.",
                advice=f"Run: chmod +x {shlex.quote(str(found))}",
            )
        return found, name
    return None


def _leads_nowhere(name: str, place: Path) -> EngineError:
    what = f"there is no {_PLACES[PROGRAM][0]} in it" if place.is_dir() else "there is nothing"
    return EngineError(
        f"{name} is {place}, and {what}.",
        advice=f"It must name the folder that a release of MindSpore Lite was unpacked to. {what_to_get()}",
    )


def _program_in(folder: Path, program: str) -> Path | None:
    places = (folder / place for place in _PLACES[program])
    return next((place for place in places if place.is_file()), None)


def _release_of(program: Path) -> Path:
    """Return the folder of the release that a program lies in."""
    tools = next((folder for folder in program.parents if folder.name == "tools"), None)
    if tools is not None:
        return tools.parent
    return program.parent.parent


def _installation(program: Path, found_by: str) -> Installation:
    match = next((match for folder in program.parents if (match := _RELEASE.search(folder.name))), None)
    return Installation("program", program, found_by, match[1] if match else "")


def _package_version(folder: Path) -> str:
    for name in ("version.py", "__init__.py"):
        with suppress(OSError):
            match = _VERSION.search((folder / name).read_text(encoding="utf-8", errors="replace"))
            if match is not None:
                return match[1]
    return ""
