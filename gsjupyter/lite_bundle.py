"""A zip that needs nothing else: what MindSpore Lite's converter reads, the command, and how to see that it went well.

For a machine that has MindSpore Lite, when this one hasn't.
"""

import shutil
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np

from gsjupyter.conversion import Conversion
from gsjupyter.engines.lite_benchmark import benchmark_arguments
from gsjupyter.formats.lite import LiteSettings, shell_line
from gsjupyter.formats.lite.calibration_files import as_file_takes
from gsjupyter.formats.lite.installation import LIBRARIES
from gsjupyter.formats.lite.work_folder import work_folder
from gsjupyter.lite_sources import LiteSources, fits_example, network_options, write_sources
from gsjupyter.written import Written

_EXAMPLE: Final = "example"
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
"""The first date that a zip can tell: the same conversion makes the same file."""
_THREADS: Final = 2
_SCRIPT: Final = """\
#!/bin/sh
# {purpose} LITE_HOME is the folder that a release of MindSpore Lite was unpacked to.
set -eu
cd "$(dirname "$0")"
if [ -n "${{LITE_HOME:-}}" ]; then
  PATH="$LITE_HOME/tools/converter/converter:$LITE_HOME/tools/benchmark:$PATH"
  for folder in {libraries}; do
    LD_LIBRARY_PATH="$folder${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
  done
  export PATH LD_LIBRARY_PATH
fi
{command}
"""
_README: Final = """\
{name} for MindSpore Lite: {description}

convert.sh    makes {file} with converter_lite. Set LITE_HOME to the folder of a release of MindSpore Lite first, or
              have its converter_lite on the PATH:
              {command}
benchmark.sh  times {file} on the device, with the release's benchmark program.
{check}example/      the example that the conversion was verified on: inputs as arrays (.npy) and, if it takes them in
              this shape, as the file does (.bin), and what the network makes of them.
{rest}{notes}"""
_CHECK: Final = """\
check.py      holds {file} against the network, where the Python package mindspore_lite is: {command}
"""


def save_bundle(conversion: Conversion, path: Path, settings: LiteSettings, data: Any) -> Written:
    """Write a conversion, and all that it takes to make a file for MindSpore Lite of it, as a zip.

    Parameters
    ----------
    conversion : Conversion
        What to write.
    path : Path
        Where; its name without ``.zip`` is that of the file to be made.
    settings : LiteSettings
        How that is to be converted.
    data : Dataset, iterable of batches, arrays, or None
        What to calibrate with, as in `write_sources`.

    Raises
    ------
    OptionError, CalibrationError
        As `write_sources` does.
    InputError
        If the conversion's example holds integers that Lite hasn't.
    WriteError
        If it can't be written.
    """
    file = path.stem
    with work_folder() as folder:
        sources = write_sources(conversion, folder, Path(file).stem, settings, data)
        inputs = _write_example(conversion, folder / _EXAMPLE, settings)
        by_hand = sources.by_hand(file)
        for place, text in _texts(conversion, sources, file, str(by_hand["command"]), inputs).items():
            (folder / place).write_text(text, encoding="utf-8")
        _pack(folder, path)
        how = {**by_hand, "bundle": True}
        return Written((path,), notes=sources.notes, settings={"lite": how, **network_options(conversion, settings)})


def _write_example(conversion: Conversion, folder: Path, settings: LiteSettings) -> list[str]:
    """Write the example, and return the files that the benchmark program is to read, by their names in the bundle.

    There are none if the file takes other shapes.
    """
    folder.mkdir()
    names = []
    for index, (spec, array) in enumerate(zip(conversion.model.inputs, conversion.example, strict=True)):
        np.save(folder / f"input{index}.npy", array, allow_pickle=False)
        if fits_example(conversion, settings):
            as_file_takes(spec, array, settings).tofile(folder / f"input{index}.bin")
            names.append(f"{_EXAMPLE}/input{index}.bin")
    for index, array in enumerate(conversion.expected.values()):
        np.save(folder / f"output{index}.npy", array, allow_pickle=False)
    return names


def _texts(conversion: Conversion, sources: LiteSources, file: str, command: str, inputs: list[str]) -> dict[str, str]:
    """Return the scripts, and what explains them, by name."""
    given = [*benchmark_arguments(file, sources.settings.device, _THREADS), "--warmUpLoopCount=5", "--loopCount=30"]
    given += [f"--inDataFile={','.join(inputs)}"] if inputs else []
    quantization = f"{sources.configuration.name}  Lite's own quantization.\n" if sources.configuration else ""
    check = {"check.py": files("gsjupyter.formats.lite").joinpath("bundle_check.py").read_text(encoding="utf-8")}
    how_to_check = _CHECK.format(file=file, command=shell_line("python", ["check.py", file]))
    return {
        "convert.sh": _script("Makes the file for MindSpore Lite.", command),
        "benchmark.sh": _script("Times the file that convert.sh has made.", shell_line("benchmark", given)),
        **(check if inputs else {}),
        "README.txt": _README.format(
            name=conversion.name,
            description=conversion.formats,
            file=file,
            command=command,
            check=how_to_check if inputs else "",
            rest=quantization,
            notes="".join(f"\n{note}\n" for note in sources.notes),
        ),
    }


def _script(purpose: str, command: str) -> str:
    """Return a script around a command; no name of a file may stand in it but there, where it is quoted."""
    # Each goes before those that went before.
    libraries = " ".join(f'"$LITE_HOME"/{folder}' for folder in reversed(LIBRARIES))
    return _SCRIPT.format(purpose=purpose, libraries=libraries, command=command)


def _pack(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for place in sorted(item for item in folder.rglob("*") if item.is_file()):
            entry = zipfile.ZipInfo(place.relative_to(folder).as_posix(), _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if place.suffix == ".sh" else 0o644) << 16
            entry.file_size = place.stat().st_size
            with place.open("rb") as source, bundle.open(entry, "w") as packed:
                shutil.copyfileobj(source, packed)
