"""A ``converter_lite`` of MindSpore Lite 2.0.0 that also takes the MindIR of MindSpore 2.7 to 2.10.

The engine is the real one, of the wheel on PyPI. It reads only an older form of MindIR, so older_mindir.py first puts
newer files into that form. What it converts is no proof that another release of Lite takes the file as it was.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from older_mindir import older_form

_PROGRAM = Path(__file__).resolve().parent / "engine" / "converter_lite"
_MODEL = "--modelFile="


def main(arguments: list[str]) -> int:
    """Run the compiled program on a model that it can read, and return its exit code."""
    # Ended from outside, it takes the program and the temporary folder along.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with TemporaryDirectory() as folder:
        if "--fmk=MINDIR" in arguments:
            arguments = [_readable(argument, Path(folder)) for argument in arguments]
        return subprocess.run([_PROGRAM, *arguments], check=False).returncode


def _readable(argument: str, folder: Path) -> str:
    path = Path(argument.removeprefix(_MODEL))
    return f"{_MODEL}{older_form(path, folder)}" if argument.startswith(_MODEL) and path.is_file() else argument


if __name__ == "__main__":
    code = main(sys.argv[1:])
    if code < 0:
        # The program was ended by a signal, and so is what stands for it.
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)
