"""Changes of data type as ONNX, where devices would differ about fractions that don't fit an integer."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.operation import Lowering, Operation


def _cast(operation: Operation) -> ir.Value:
    target = operation.dtype
    if target.kind == "c":
        raise operation.unsupported("ONNX Runtime computes with no complex numbers")
    if operation.is_constant(0):
        return operation.tensor(0, target)
    source = operation.input_dtype(0)
    value = operation.tensor(0)
    if operation.builder.type_of(source) == operation.builder.type_of(target):
        return value
    return operation.cast(_through_integers(operation, value, source, target), target)


def _through_integers(
    operation: Operation, value: ir.Value, source: np.dtype[np.generic], target: np.dtype[np.generic]
) -> ir.Value:
    """Return a fraction as an integer that holds it, for a narrow target.

    What doesn't fit wraps around in MindSpore; of a fraction ONNX leaves that open, and devices differ.
    """
    is_narrow = target.kind in "iu" and target not in (np.int32, np.int64)
    if source.kind != "f" or not is_narrow:
        return value
    return operation.cast(value, np.int32 if target.itemsize < 4 else np.int64)


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "Cast": _cast,
}
