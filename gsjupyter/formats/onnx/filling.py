"""Tensors made of nothing but a shape as ONNX: ranges, ones and zeros, triangles of what is there."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.builder import Lowered
from gsjupyter.formats.onnx.kernels import computed, computed_around
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import ints_of


def _filled(operation: Operation, shape: int, value: ir.Value) -> ir.Value:
    """Return a value without axes, in the shape that an input is."""
    single = operation.add("Reshape", value, np.zeros(0, np.int64)) if operation.builder.is_variable(value) else value
    if operation.is_constant(shape):
        return operation.expand(single, ints_of(operation.constant(shape)))
    return operation.add("Expand", single, operation.ints(shape))


def _with(number: float, shape: int) -> Lowering:
    """Lower an operator that fills the shape that an input is with a number."""
    return lambda operation: _filled(operation, shape, _number(operation, number))


def _with_input(value: int, shape: int) -> Lowering:
    return lambda operation: _filled(operation, shape, _single(operation, value))


def _single(operation: Operation, index: int) -> ir.Value:
    """Return an input with one number, without axes and in the output's data type."""
    if operation.is_constant(index):
        return _number(operation, float(np.asarray(operation.constant(index)).item()))
    return operation.add("Reshape", operation.tensor(index, operation.dtype), np.zeros(0, np.int64))


def _number(operation: Operation, number: float) -> ir.Value:
    return operation.builder.initializer(np.asarray(number, operation.dtype))


def _like(number: float) -> Lowering:
    """Lower an operator that fills the shape of its first input with a number."""

    def lower(operation: Operation) -> ir.Value:
        shape = operation.add("Shape", operation.tensor(0))
        return operation.add("Expand", _number(operation, number), shape)

    return lower


def _full_like(operation: Operation) -> ir.Value:
    return operation.add("Expand", _single(operation, 1), operation.add("Shape", operation.tensor(0)))


def _eye(operation: Operation) -> Lowered:
    rows, columns = ints_of(operation.setting("n", 0))[0], ints_of(operation.setting("m", 1))[0]
    return np.eye(rows, columns, dtype=operation.dtype)


def _range(operation: Operation) -> Lowered:
    if all(operation.is_constant(index) for index in range(3)):
        start, end, step = (np.asarray(operation.constant(index)).item() for index in range(3))
        return np.arange(start, end, step).astype(operation.dtype)
    values = [_single(operation, index) for index in range(3)]
    return computed_around(operation, "Range", operation.dtype, partial(operation.add, "Range"), *values)


def _linspace(operation: Operation) -> Lowered:
    (count,) = ints_of(operation.setting("num", 2))
    steps = np.arange(count) / max(count - 1, 1)
    if operation.is_constant(0) and operation.is_constant(1):
        start, end = (float(np.asarray(operation.constant(index)).item()) for index in (0, 1))
        return (start + (end - start) * steps).astype(operation.dtype)
    start_value, end_value = _single(operation, 0), _single(operation, 1)
    span = operation.add("Sub", end_value, start_value)
    offsets = operation.add("Mul", span, steps.astype(operation.dtype))
    return operation.add("Add", start_value, offsets)


def _triangle(*, upper: bool) -> Lowering:
    def lower(operation: Operation) -> ir.Value:
        (diagonal,) = ints_of(operation.setting("diagonal", 1, 0))
        return computed(operation, "Trilu", 0, operation.number(diagonal, np.int64), upper=int(upper))

    return lower


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "Zeros": _with(0, 0),
    "Ones": _with(1, 0),
    "NewZeros": _with(0, 1),
    "NewOnes": _with(1, 1),
    "FillScalar": _with_input(1, 0),
    "FillTensor": _with_input(1, 0),
    "FillV2": _with_input(1, 0),
    "NewFull": _with_input(2, 1),
    "FullLike": _full_like,
    "ZerosLike": _like(0),
    "ZerosLikeExt": _like(0),
    "OnesLike": _like(1),
    "OnesLikeExt": _like(1),
    "Eye": _eye,
    "Range": _range,
    "Arange": _range,
    "LinSpace": _linspace,
    "LinSpaceExt": _linspace,
    "Tril": _triangle(upper=False),
    "TrilExt": _triangle(upper=False),
    "Triu": _triangle(upper=True),
}
