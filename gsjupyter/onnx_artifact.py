"""A conversion as an ONNX file, run in ONNX Runtime before it counts as exported: nobody wants to find out later.

A file from another lowering, another engine and other kernels is another program. So it is held against the network's
source on the input that the conversion was verified on; and it must give the same for it when as many other samples
come along, if it is to take any number of them.
"""

import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.conversion import Conversion
from gsjupyter.engines import OnnxRuntimeModel, is_onnxruntime_installed, onnxruntime_version
from gsjupyter.errors import EngineError, InputError, OptionError
from gsjupyter.formats import onnx
from gsjupyter.formats.onnx.builder import batch_size_of
from gsjupyter.mindir import Array, flat_output
from gsjupyter.quantization import sqnr_db
from gsjupyter.report import verify
from gsjupyter.signature import sample_count
from gsjupyter.written import Written

_BITS: Final = re.compile(r"u?int(\d+)")
_SAME_DB: Final = 30.0
"""Outputs of the same samples in another batch differ by less: kernels may add up in another order, and a value that
lies between two integers may then be rounded the other way."""


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
    OptionError
        If float16 is asked for and activations are integers.
    WriteError
        If the file can't be written.
    EngineError
        If ONNX Runtime can't run it.
    """
    batch = None if fixed_batch else batch_size_of(conversion.model.inputs)
    float_type = np.float16 if float16 else np.float32

    def write(*, free_batch: bool) -> tuple[Path, ...]:
        lowered = onnx.to_onnx(conversion.model, float_type=float_type, free_batch=free_batch)
        if float16:
            _check_float16(lowered)
        return onnx.save(lowered, path)

    settings = {name: True for name, is_set in (("float16", float16), ("fixed_batch", fixed_batch)) if is_set}
    notes = _storage_notes(conversion)
    if not is_onnxruntime_installed():
        note = "Not run, and the batch size left as it is: onnxruntime isn't installed (pip install onnxruntime)."
        return Written(write(free_batch=False), None, (*notes, note), settings, _versions())
    files = write(free_batch=batch is not None)
    actual, reason = _outputs(path, conversion.example, in_company=batch is not None)
    if reason:
        notes.append(f"The file takes batches of {batch} only: {reason}.")
        files = write(free_batch=False)
        actual, _ = _outputs(path, conversion.example, in_company=False)
    if float16 and _overflows(conversion.expected, actual):
        notes.append("Numbers grow beyond 65,504, where float16 ends: export this network in float32.")
    verification = verify(
        conversion.expected, actual, sample_count(conversion.example), conversion.verification.input_kind
    )
    return Written(files, verification, tuple(notes), settings, _versions())


def _versions() -> dict[str, str]:
    return {"onnx": version("onnx"), "onnxruntime": onnxruntime_version()}


def _check_float16(lowered: ir.Model) -> None:
    if any(node.op_type == "QuantizeLinear" for node in lowered.graph):
        raise OptionError(
            "float16 is for networks that compute in floating point; this one's activations are int8, "
            "and ONNX Runtime has no integer kernels beside float16.",
            advice="Leave float16 out, or convert without activations in int8.",
        )


def _storage_notes(conversion: Conversion) -> list[str]:
    """Say which weights take more bits than they were given: ONNX has integers of 4 and of 8."""
    found = {int(match[1]) for record in conversion.layers if (match := _BITS.match(record.weights)) is not None}
    odd = sorted(found - {4, 8})
    if not odd:
        return []
    named = ", ".join(str(bits) for bits in odd)
    return [f"ONNX stores integers in 4 and in 8 bits, so weights in {named} bits take more than in .mindir."]


def _outputs(path: Path, example: tuple[Array, ...], *, in_company: bool) -> tuple[dict[str, Array], str]:
    """Return a file's outputs, and why they are others when other samples come along; nothing if they aren't."""
    others = tuple(np.flip(array, -1) for array in example)
    with OnnxRuntimeModel(path) as model:
        if not in_company:
            return flat_output(model(*example)), ""
        try:
            alone, apart = flat_output(model(*example)), flat_output(model(*others))
            both = map(np.concatenate, zip(example, others, strict=True))
            together = flat_output(model(*both))
        except (EngineError, InputError):
            return {}, "it has this size built in, and can't run with another"
    return alone, _difference(alone, apart, together)


def _difference(alone: Mapping[str, Array], apart: Mapping[str, Array], together: Mapping[str, Array]) -> str:
    """Say what is another output for samples together than for two halves of them, one after the other."""
    for name, first in alone.items():
        if not first.ndim:
            return f"output {name!r} is one for all samples"
        expected, found = np.concatenate([first, apart[name]]), together[name]
        if found.shape != expected.shape:
            return f"with twice as many, output {name!r} has shape {found.shape}, and not {expected.shape}"
        if expected.dtype.kind == "f" and sqnr_db(np.nan_to_num(expected), np.nan_to_num(found)) < _SAME_DB:
            return f"with twice as many, output {name!r} is another for the same samples"
    return ""


def _overflows(expected: Mapping[str, Array], actual: Mapping[str, Array]) -> bool:
    finite = (np.isfinite(array).all() for array in expected.values() if array.dtype.kind == "f")
    return all(finite) and not all(np.isfinite(array).all() for array in actual.values() if array.dtype.kind == "f")
