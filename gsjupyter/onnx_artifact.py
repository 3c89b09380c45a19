"""A conversion as an ONNX file, run in ONNX Runtime before it counts as exported: nobody wants to find out later.

A file from another lowering, another engine and other kernels is another program. So it is held against the network's
source on the input that the conversion was verified on; and it must give the same for it when as many other samples
come along, if it is to take any number of them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gsjupyter.conversion import Conversion
from gsjupyter.engines import OnnxRuntimeModel, is_onnxruntime_installed
from gsjupyter.errors import EngineError, InputError
from gsjupyter.formats import onnx
from gsjupyter.formats.onnx.builder import batch_size_of
from gsjupyter.mindir import Array, flat_output
from gsjupyter.quantization import sqnr_db
from gsjupyter.report import Verification, verify
from gsjupyter.sources import sample_count

_SAME_DB: Final = 30.0
"""Outputs of the same samples in another batch differ by less: kernels may add up in another order, and a value that
lies between two integers may then be rounded the other way."""


@dataclass(frozen=True)
class Written:
    """What a file holds and how it was found to run.

    Parameters
    ----------
    files : tuple of Path
        The files, the one to load first.
    verification : Verification, optional
        The file against the network's source; None where it wasn't run.
    notes : tuple of str
        What the user should know.
    """

    files: tuple[Path, ...]
    verification: Verification | None = None
    notes: tuple[str, ...] = ()


def save_onnx(conversion: Conversion, path: Path, *, float16: bool = False, fixed_batch: bool = False) -> Written:
    """Write a conversion as ONNX, and run the file.

    Parameters
    ----------
    conversion : Conversion
        What to write.
    path : Path
        Where.
    float16 : bool
        Whether to compute in float16, for GPUs.
    fixed_batch : bool
        Whether the first axis is to stay as long as it was exported. Otherwise it takes any length, if the network
        does; ONNX Runtime finds that out.

    Raises
    ------
    UnsupportedError
        If an operator has no counterpart in ONNX.
    WriteError
        If the file can't be written.
    EngineError
        If ONNX Runtime can't run it.
    """
    batch = None if fixed_batch else batch_size_of(conversion.model.graph().inputs)
    float_type = np.float16 if float16 else np.float32

    def write(*, free_batch: bool) -> tuple[Path, ...]:
        return onnx.save(onnx.to_onnx(conversion.model, float_type=float_type, free_batch=free_batch), path)

    if not is_onnxruntime_installed():
        note = "Not run, and the batch size left as it is: onnxruntime isn't installed (pip install onnxruntime)."
        return Written(write(free_batch=False), None, (note,))
    files = write(free_batch=batch is not None)
    reason = _dependence_on_batch(path, conversion.example) if batch is not None else ""
    if reason:
        files = write(free_batch=False)
    with OnnxRuntimeModel(path) as model:
        actual = flat_output(model(*conversion.example))
    verification = verify(
        conversion.expected, actual, sample_count(conversion.example), conversion.verification.input_kind
    )
    notes = (f"The file takes batches of {batch} only: with another size {reason}.",) if reason else ()
    return Written(files, verification, notes)


def _dependence_on_batch(path: Path, example: tuple[Array, ...]) -> str:
    """Say why a file with a free batch gives something else when other samples come along; nothing if it doesn't."""
    in_company = [np.concatenate([array, np.flip(array, -1)]) for array in example]
    try:
        with OnnxRuntimeModel(path) as model:
            alone, together = flat_output(model(*example)), flat_output(model(*in_company))
    except (EngineError, InputError) as error:
        return f"it can't run ({error.message.rstrip('.')})"
    samples = sample_count(example)
    for name, expected in alone.items():
        found = together[name]
        if found.shape != (2 * samples, *expected.shape[1:]):
            return f"output {name!r} has shape {found.shape}"
        if expected.dtype.kind == "f" and not sqnr_db(expected, found[:samples]) >= _SAME_DB:
            return f"output {name!r} differs"
    return ""
