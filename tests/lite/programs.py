"""The release's programs and its package, called as by hand: beside gsjupyter's own calls of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import Model, save_model

Array = npt.NDArray[np.generic]
Finished = subprocess.CompletedProcess


def converter_lite(home: Path, *flags: str) -> Finished[str]:
    """Run ``converter_lite``."""
    return _run([home / "tools" / "converter" / "converter" / "converter_lite", *flags])


def benchmark(home: Path, *flags: str) -> Finished[str]:
    """Run ``benchmark``."""
    return _run([home / "tools" / "benchmark" / "benchmark", *flags])


def with_package(home: Path, script: Path, *arguments: Path | str) -> Finished[str]:
    """Run a script of Python that imports ``mindspore_lite``."""
    return _run([sys.executable, script, *arguments], {"PYTHONPATH": str(home / "python")})


def converted(home: Path, model: Model, folder: Path, *flags: str) -> Path:
    """Convert a model into Lite's format, and return the file."""
    source, target = folder / "model.mindir", folder / "model.ms"
    save_model(model, source)
    finished = converter_lite(
        home, "--fmk=MINDIR", f"--modelFile={source}", f"--outputFile={target}", "--saveType=MINDIR_LITE", *flags
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return target


def outputs_of(home: Path, file: Path, *inputs: Array) -> list[Array]:
    """Run a file of Lite's on inputs in MindSpore's order of axes; its outputs are in that order, too."""
    return list(named_outputs_of(home, file, *inputs).values())


def named_outputs_of(home: Path, file: Path, *inputs: Array) -> dict[str, Array]:
    """Run a file of Lite's as `outputs_of` does, and return the outputs by their names."""
    given, taken = file.with_suffix(".inputs.npz"), file.with_suffix(".outputs.npz")
    np.savez(given, *inputs)
    finished = with_package(home, Path(__file__).with_name("run_model.py"), file, given, taken)
    assert finished.returncode == 0, finished.stderr
    with np.load(taken) as outputs:
        return dict(outputs)


def _run(command: Sequence[Path | str], environment: dict[str, str] | None = None) -> Finished[str]:
    variables = {**os.environ, **(environment or {})}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=variables)
