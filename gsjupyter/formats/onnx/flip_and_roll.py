"""Flip and roll as ONNX: what shifted windows and layers that read backwards need."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import ints_of, size_of
from gsjupyter.formats.onnx.slicing import FIRST, LAST


def reversed_along(operation: Operation, value: ir.Value, axes: tuple[int, ...]) -> ir.Value:
    """Return a value with the order of some axes reversed."""
    starts, ends = (np.full(len(axes), number, np.int64) for number in (-1, FIRST))
    return operation.add("Slice", value, starts, ends, np.array(axes, np.int64), starts)


def _reverse(operation: Operation) -> ir.Value:
    rank, value = operation.rank(0), operation.tensor(0)
    axes = tuple(axis % rank for axis in ints_of(operation.setting("axis", 1)))
    return reversed_along(operation, value, axes) if axes else value


def _rolled(operation: Operation, value: ir.Value, shift: int, axis: int, size: int) -> ir.Value:
    place = np.array([axis], np.int64)
    if size < 0:
        length = size_of(operation, value, axis)
        cut = operation.add("Mod", np.array([-shift], np.int64), operation.add("Max", length, np.ones(1, np.int64)))
        head = operation.add("Slice", value, np.zeros(1, np.int64), cut, place)
        tail = operation.add("Slice", value, cut, np.array([LAST], np.int64), place)
        return operation.add("Concat", tail, head, axis=axis)
    if size == 0 or shift % size == 0:
        return value
    cut_at = size - shift % size
    parts = np.array([cut_at, size - cut_at], np.int64)
    head, tail = operation.add_many("Split", value, parts, outputs=2, axis=axis)
    return operation.add("Concat", tail, head, axis=axis)


def _roll(operation: Operation) -> ir.Value:
    value, sizes = operation.tensor(0), operation.input_shape(0)
    shifts = ints_of(operation.setting("shifts", 1))
    axes = operation.setting("dims", 2, None)
    if axes is None:
        flat = operation.add("Reshape", value, np.array([-1], np.int64))
        rolled = _rolled(operation, flat, shifts[0], 0, -1)
        return operation.add("Reshape", rolled, operation.add("Shape", value))
    for shift, axis in zip(shifts, ints_of(axes), strict=True):
        place = axis % len(sizes)
        is_free = place == 0 and operation.builder.batch is not None
        value = _rolled(operation, value, shift, place, -1 if is_free else sizes[place])
    return value


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "ReverseV2": _reverse,
    "Roll": _roll,
}
