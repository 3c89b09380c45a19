"""Pooling to a given size as ONNX: with it a network takes images of any size.

Window i of ``count`` covers the places ``floor(i * size / count)`` to ``ceil((i + 1) * size / count)``. Where the count
divides the size these are ordinary windows; elsewhere a mean is a product with a matrix, axis by axis, and a maximum
that of the places that windows gather.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.builder import Lowered
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.pooling import averages, maxima
from gsjupyter.formats.onnx.pooling_windows import Windows
from gsjupyter.mindir import Array


def _counts(operation: Operation, axes: int) -> tuple[int, ...]:
    """Return how many windows each axis is to have."""
    wanted = operation.setting("output_size", 1)
    values = np.asarray(wanted).tolist() if isinstance(wanted, np.ndarray) else wanted
    given = list(values) if isinstance(values, Sequence) else [values] * axes
    sizes = operation.input_shape(0)[-axes:]
    return tuple(
        size if count is None or count < 0 else int(count)
        for count, size in zip(given * axes if len(given) == 1 else given, sizes, strict=True)
    )


def _even_windows(sizes: tuple[int, ...], counts: tuple[int, ...]) -> Windows | None:
    """Return the windows, if all are of one size and none overlap."""
    if min(sizes) < 0 or any(size % count for size, count in zip(sizes, counts, strict=True)):
        return None
    kernel = tuple(size // count for size, count in zip(sizes, counts, strict=True))
    return Windows(sizes, kernel, kernel, (1,) * len(sizes), [0] * (2 * len(sizes)))


def _bounds(operation: Operation, size: int, count: int) -> list[tuple[int, int]]:
    if size < 0:
        raise operation.unsupported("the windows of an axis of free size can't be told")
    return [(index * size // count, -(-(index + 1) * size // count)) for index in range(count)]


def _average(axes: int) -> Lowering:
    def lower(operation: Operation) -> ir.Value:
        sizes, counts = operation.input_shape(0)[-axes:], _counts(operation, axes)
        has_batch = operation.rank(0) == axes + 2
        if has_batch and set(counts) == {1}:
            return operation.add("GlobalAveragePool", operation.tensor(0))
        windows = _even_windows(sizes, counts)
        if has_batch and windows is not None:
            return averages(operation, windows, includes_padding=False, divisor=None)
        value = operation.tensor(0)
        for axis, (size, count) in enumerate(zip(sizes, counts, strict=True)):
            if size != count:
                value = _averaged(operation, value, axis - axes, _bounds(operation, size, count), size)
        return value

    return lower


def _averaged(operation: Operation, value: ir.Value, axis: int, bounds: list[tuple[int, int]], size: int) -> ir.Value:
    matrix = np.zeros((len(bounds), size), operation.dtype)
    for row, (begin, end) in zip(matrix, bounds, strict=True):
        row[begin:end] = 1 / (end - begin)
    if axis == -1:
        return operation.add("MatMul", value, matrix.T)
    if axis == -2:
        return operation.add("MatMul", matrix, value)
    order = [*range(operation.rank(0))]
    order[axis], order[-1] = order[-1], order[axis]
    last = operation.add("Transpose", value, perm=order)
    return operation.add("Transpose", operation.add("MatMul", last, matrix.T), perm=order)


def _maximum(axes: int) -> Lowering:
    def lower(operation: Operation) -> Lowered:
        sizes, counts = operation.input_shape(0)[-axes:], _counts(operation, axes)
        windows = _even_windows(sizes, counts)
        if operation.rank(0) == axes + 2 and windows is not None:
            return maxima(operation, windows)
        if operation.shape is None and operation.reads_beyond_first():
            raise operation.unsupported("where its maxima lie is read, and its windows are of different sizes")
        value = operation.tensor(0)
        for axis, (size, count) in enumerate(zip(sizes, counts, strict=True)):
            if size != count:
                place = operation.rank(0) - axes + axis
                indices = _indices(_bounds(operation, size, count))
                gathered = operation.add("Gather", value, indices, axis=place)
                value = operation.add("ReduceMax", gathered, np.array([place + 1]), keepdims=0)
        return (value, None) if operation.shape is None else value

    return lower


def _indices(bounds: list[tuple[int, int]]) -> Array:
    """Return the places of each window, of shape (windows, longest); shorter ones name their last place again."""
    longest = max(end - begin for begin, end in bounds)
    return np.array([[min(begin + step, end - 1) for step in range(longest)] for begin, end in bounds])


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "AdaptiveAvgPool1D": _average(1),
    "AdaptiveAvgPool2D": _average(2),
    "AdaptiveAvgPool2DExt": _average(2),
    "AdaptiveAvgPool3D": _average(3),
    "AdaptiveAvgPool3DExt": _average(3),
    "AdaptiveMaxPool1D": _maximum(1),
    "AdaptiveMaxPool2D": _maximum(2),
    "AdaptiveMaxPool3D": _maximum(3),
}
