"""The batch size of rows that nobody gave one for: else a file for batches of 8 runs beside one that takes any on 1."""

import logging
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import onnx

from gsjupyter.benchmarking.protocol.batches import written_batch
from gsjupyter.benchmarking.protocol.plan import Limits
from gsjupyter.benchmarking.protocol.processes import Start, measured_model
from gsjupyter.benchmarking.protocol.rows import Row
from gsjupyter.engines.lite_structure import read_lite_structure
from gsjupyter.errors import GsError
from gsjupyter.signature import InputSpec

_log = logging.getLogger(__name__)


def batch_for_free_files(rows: Iterable[Row], limits: Limits, start: Start = measured_model) -> int:
    """Return how many samples files run on that take any number of them: what the others are written for.

    ONNX files are asked first, since ONNX Runtime takes nothing but what is written there. The others are asked only if
    an ONNX file takes any batch: those of MindSpore Lite without starting anything, as ONNX files, and last MindIR
    files, whose engine takes seconds to start.

    Parameters
    ----------
    rows : iterable of Row
        Rows without a batch size; others aren't asked.
    limits : Limits
        How long a file may take to load.
    start : callable, optional
        What gives a row's model.

    Returns
    -------
    int
        The first batch size that a file names; 1 if none does.
    """
    files: dict[Path, Row] = {}
    for row in rows:
        if row.is_open and row.planned.batch is None:
            files.setdefault(row.planned.subject.files[row.planned.engine].path, row)
    if len(files) < 2:
        return 1
    in_onnx = [_written_in_onnx(path) for path, row in files.items() if row.planned.engine == "onnxruntime"]
    if not in_onnx or any(in_onnx):
        return next(filter(None, in_onnx), 1)
    in_lite = (_written_in_lite(path) for path, row in files.items() if row.planned.engine == "lite")
    in_mindir = (_written_in_mindir(row, limits, start) for row in files.values() if row.planned.engine == "mindspore")
    return next(filter(None, chain(in_lite, in_mindir)), 1)


def note_on_batches(rows: Iterable[Row]) -> str:
    """Return what to say if rows that nobody gave a batch size for have different ones; empty if they don't."""
    labels: dict[int, list[str]] = {}
    for row in rows:
        if row.outputs is not None and row.planned.batch is None:
            labels.setdefault(row.batch, []).append(row.name)
    if len(labels) < 2:
        return ""
    sizes = "; ".join(f"{batch} for {', '.join(dict.fromkeys(names))}" for batch, names in labels.items())
    return f"Batch sizes differ, as they are written in the files: {sizes}. Give batches to compare at the same."


def _written_in_onnx(path: Path) -> int | None:
    """Return the batch size that an ONNX file names; None if it takes any, or can't be read."""
    try:
        graph = onnx.load_model(path, load_external_data=False).graph
        stored = {tensor.name for tensor in graph.initializer}
        return written_batch([_spec(value) for value in graph.input if value.name not in stored])
    except Exception as error:  # noqa: BLE001 - a file from anywhere; what is wrong with it, its row will say
        _log.debug("no batch size from %s: %s", path, error)
        return None


def _written_in_lite(path: Path) -> int | None:
    """Return the batch size that a file of MindSpore Lite's names; None if it takes any, or can't be read."""
    try:
        return written_batch([InputSpec(item.name, item.shape, "") for item in read_lite_structure(path).inputs])
    except GsError as error:
        _log.debug("no batch size from %s: %s", path, error)
        return None


def _written_in_mindir(row: Row, limits: Limits, start: Start) -> int | None:
    """Return the batch size that a MindIR file names; None if it takes any, or can't be loaded."""
    file = row.planned.subject.files[row.planned.engine]
    try:
        if "mindspore" in sys.modules:
            from gsjupyter.mindir import load_model

            specs = load_model(file.path).inputs
        else:
            with start(row.planned) as model:
                specs = model.start(limits.load(file.size_bytes, compiles=row.planned.compiles)).inputs
    except GsError as error:
        _log.debug("no batch size from %s: %s", file.path, error)
        return None
    return written_batch(specs)


def _spec(value: onnx.ValueInfoProto) -> InputSpec:
    axes: Iterable[onnx.TensorShapeProto.Dimension] = value.type.tensor_type.shape.dim
    return InputSpec(value.name, tuple(axis.dim_value if axis.HasField("dim_value") else -1 for axis in axes), "")
