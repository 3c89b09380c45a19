"""Make a release of MindSpore Lite of its wheel, laid out as the vendor's archives are: without it no test runs Lite.

The wheel of MindSpore Lite 2.0.0 has the engine's libraries and headers, but neither of the programs, and a Python
interface for Python 3.7 alone. The programs and an interface for the Python of today are compiled here::

    python -m tests.lite.engine.build .venv/lite
"""

import argparse
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

_WHEEL = "mindspore_lite==2.0.0"
_PLATFORM = ("--python-version=3.7", "--implementation=cp", "--abi=cp37m", "--platform=manylinux1_x86_64")
# The libraries were compiled for the older of the two forms that g++ has of strings.
_OPTIONS = ("-std=c++17", "-O1", "-Wall", "-D_GLIBCXX_USE_CXX11_ABI=0")
_SOURCES = Path(__file__).resolve().parent
_LIBRARIES = (
    "libmindspore_converter.so",
    "libmslite_converter_plugin.so",
    "libmindspore_core.so",
    "libmindspore_glog.so.0",
    "libopencv_core.so.4.5",
    "libopencv_imgproc.so.4.5",
    "libopencv_imgcodecs.so.4.5",
)
"""The libraries with which quantization works; the wheel's others want devices that are not there."""


def build(prefix: Path) -> None:
    """Put a release at `prefix`, whole or not at all, in place of what lies there.

    The wheel is kept in the folder ``wheels`` beside it, and downloaded if it isn't there yet.
    """
    wheels = prefix.with_name("wheels")
    wheels.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=prefix.parent) as folder:
        wheel, release = Path(folder) / "wheel", Path(folder) / "release"
        with zipfile.ZipFile(_downloaded(wheels)) as archive:
            archive.extractall(wheel, [name for name in archive.namelist() if _is_needed(name)])
        _lay_out(wheel / "mindspore_lite", release)
        if prefix.exists():
            prefix.rename(Path(folder) / "former")
        release.rename(prefix)


def _is_needed(name: str) -> bool:
    return "/include/" in name or Path(name).name in _LIBRARIES


def _downloaded(folder: Path) -> Path:
    if not (found := sorted(folder.glob("mindspore_lite-*.whl"))):
        command = [sys.executable, "-m", "pip", "download", _WHEEL, "--no-deps", "--only-binary=:all:", *_PLATFORM]
        subprocess.run([*command, "--dest", folder], check=True)
        found = sorted(folder.glob("mindspore_lite-*.whl"))
    return found[0]


def _lay_out(wheel: Path, release: Path) -> None:
    libraries, converter = release / "runtime" / "lib", release / "tools" / "converter"
    benchmark, package = release / "tools" / "benchmark", release / "python" / "mindspore_lite"
    for folder in (libraries, converter / "converter" / "engine", benchmark):
        folder.mkdir(parents=True)
    for name in _LIBRARIES:
        shutil.copy(wheel / "lib" / name, libraries)
    (converter / "lib").symlink_to("../../runtime/lib")
    shutil.copytree(_SOURCES / "mindspore_lite", package, ignore=shutil.ignore_patterns("__pycache__"))
    _compile("converter_lite.cc", converter / "converter" / "engine" / "converter_lite", wheel, libraries)
    _compile("benchmark.cc", benchmark / "benchmark", wheel, libraries)
    _compile("mindspore_lite.cc", package / "libmindspore_lite_c.so", wheel, libraries)
    _write_program(_SOURCES / "converter_lite.py", converter / "converter" / "converter_lite")
    _write_program(_SOURCES.parent / "older_mindir.py", converter / "converter" / "older_mindir.py")


def _compile(source: str, target: Path, wheel: Path, libraries: Path) -> None:
    """Compile a program, or a library if it is called one, that finds the engine's libraries from where it lies."""
    up = "/".join([".."] * len(target.parent.relative_to(libraries.parents[1]).parts))
    command = ["g++", *_OPTIONS, str(_SOURCES / source), "-o", str(target)]
    command += [f"-I{wheel}", f"-I{wheel / 'include'}", f"-I{wheel / 'include' / 'mindapi'}", f"-L{libraries}"]
    command += [f"-l:{name}" for name in _LIBRARIES]
    # With the older kind of path the engine's libraries find each other by it, too.
    command += ["-Wl,--disable-new-dtags", f"-Wl,-rpath,$ORIGIN/{up}/runtime/lib", "-Wl,--allow-shlib-undefined"]
    subprocess.run([*command, *(["-shared", "-fPIC"] if target.suffix == ".so" else [])], check=True)


def _write_program(source: Path, target: Path) -> None:
    # This Python has MindSpore, whose schema of the files is needed.
    target.write_text(f"#!{sys.executable}\n{source.read_text()}")
    target.chmod(0o755)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prefix", type=Path, help="where the release shall lie")
    build(parser.parse_args().prefix.absolute())
