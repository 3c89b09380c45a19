"""Reads MindIR files in a process of its own: a process that measures and advises has no MindSpore in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gsjupyter.benchmarking.advice.mindir_network import read_mindir
from gsjupyter.engines.messages import Array
from gsjupyter.engines.serving import Answer, serve

MODULE: Final = "gsjupyter.benchmarking.advice.mindir_worker"


def _read(_: Sequence[Array], *, path: str) -> Answer:
    return read_mindir(Path(path)).to_json(), ()


def main(descriptor: int) -> None:
    """Answer requests until the other end is closed."""
    serve(descriptor, {"read": _read})
