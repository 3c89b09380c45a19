"""Padding as ONNX: constants, mirrors, edges and the other end, in each of the orders that MindSpore counts axes in."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.flip_and_roll import reversed_along
from gsjupyter.formats.onnx.kernels import computed_around
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import ints_of
from gsjupyter.formats.onnx.slicing import LAST
from gsjupyter.mindir import Array

_MODES: Final = {"constant": "constant", "reflect": "reflect", "edge": "edge", "circular": "wrap"}


def _padded(
    operation: Operation, pads: ir.Value | Array, axes: tuple[int, ...], mode: str, value: ir.Value | None = None
) -> ir.Value:
    """Return the first input padded: `pads` holds what is added before each of `axes`, then what is added after."""
    places = np.array(axes, np.int64)
    inputs = [operation.tensor(0), *([] if value is None else [value])]

    def compute(data: ir.Value, number: ir.Value | None = None) -> ir.Value:
        return operation.add("Pad", data, pads, number, places, mode=mode)

    return computed_around(operation, "Pad", operation.input_dtype(0), compute, *inputs)


def _from_first(pairs: tuple[tuple[int, int], ...]) -> Array:
    return np.array(pairs, np.int64).T.reshape(-1)


def _pad(operation: Operation) -> ir.Value:
    pairs = operation.setting("paddings")
    return _padded(operation, _from_first(pairs), tuple(range(operation.rank(0))), "constant")


def _number(operation: Operation, index: int) -> ir.Value | None:
    """Return the number to pad with, if there is one, without axes and in the data type of the first input."""
    lowered = operation.builder.get(operation.node.inputs[index]) if index < len(operation.node.inputs) else None
    if lowered is None:
        return None
    dtype = operation.input_dtype(0)
    if isinstance(lowered, ir.Value):
        return operation.add("Reshape", operation.tensor(index, dtype), np.zeros(0, np.int64))
    return operation.builder.initializer(np.asarray(np.asarray(lowered).item(), dtype))


def _pad_from_last(
    operation: Operation, mode: str, *, in_pairs: bool = True, value: ir.Value | None = None
) -> ir.Value:
    """Pad by what input 1 holds: the last axis first, before and after it, or all befores and then all afters."""
    rank = operation.rank(0)
    if operation.is_constant(1):
        numbers = np.array(ints_of(operation.constant(1)), np.int64)
        count = len(numbers) // 2
        pads: ir.Value | Array = numbers.reshape(count, 2).T.reshape(-1) if in_pairs else numbers
    else:
        count, pads = _count(operation) // 2, operation.ints(1)
        if in_pairs:
            table = operation.add("Reshape", pads, np.array([count, 2], np.int64))
            pads = operation.add("Reshape", operation.add("Transpose", table, perm=[1, 0]), np.array([-1], np.int64))
    return _padded(operation, pads, tuple(rank - 1 - place for place in range(count)), mode, value)


def _count(operation: Operation) -> int:
    lowered = operation.builder.get(operation.node.inputs[1])
    if isinstance(lowered, tuple):
        return len(lowered)
    (count,) = operation.input_shape(1)
    return count


def _pad_v3(operation: Operation) -> ir.Value:
    mode = _MODES.get(operation.setting("mode", default="constant"))
    if mode is None:
        raise operation.unsupported(f"its mode is {operation.setting('mode')!r}")
    in_pairs = bool(operation.setting("paddings_contiguous", default=True))
    value = _number(operation, 2) if mode == "constant" else None
    return _pad_from_last(operation, mode, in_pairs=in_pairs, value=value)


def _pad_constant(operation: Operation) -> ir.Value:
    return _pad_from_last(operation, "constant", value=_number(operation, 2))


def _of_mode(mode: str) -> Lowering:
    return lambda operation: _pad_from_last(operation, mode)


def _mirror(operation: Operation) -> ir.Value:
    pairs = np.asarray(operation.constant(1)).reshape(-1, 2)
    if operation.setting("mode") == "REFLECT":
        return _padded(operation, pairs.astype(np.int64).T.reshape(-1), tuple(range(len(pairs))), "reflect")
    value = operation.tensor(0)
    for axis, (before, after) in enumerate(pairs.tolist()):
        value = _symmetric(operation, value, axis, before, after)
    return value


def _symmetric(operation: Operation, value: ir.Value, axis: int, before: int, after: int) -> ir.Value:
    """Return a value with its ends mirrored along an axis, the outermost items with them."""
    place = np.array([axis], np.int64)

    def mirrored(start: int, end: int) -> ir.Value:
        part = operation.add("Slice", value, np.array([start], np.int64), np.array([end], np.int64), place)
        return reversed_along(operation, part, (axis,))

    parts = [
        *([mirrored(0, before)] if before else []),
        value,
        *([mirrored(-after, LAST)] if after else []),
    ]
    return operation.add("Concat", *parts, axis=axis) if len(parts) > 1 else value


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "Pad": _pad,
    "PadV3": _pad_v3,
    "ConstantPadND": _pad_constant,
    "MirrorPad": _mirror,
    **{f"ReflectionPad{count}D": _of_mode("reflect") for count in (1, 2, 3)},
    **{f"ReplicationPad{count}D": _of_mode("edge") for count in (1, 2, 3)},
}
