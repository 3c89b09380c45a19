"""Pooling as ONNX: without it no convolutional network gets from pixels to a class."""

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.builder import Lowered
from gsjupyter.formats.onnx.convolution import check_batched, check_format
from gsjupyter.formats.onnx.kernels import kernel_type, settled
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.pooling_windows import Windows
from gsjupyter.formats.onnx.sliding_window import both_sides, pairs_apart, per_axis, same_padding

_SAME: Final = ("SAME", 1)
_VALID: Final = ("VALID", 2)


def maxima(operation: Operation, windows: Windows, plane_axis: int = 2) -> Lowered:
    """Return the largest value of each window, and where it lies, counted from `plane_axis` on.

    One value for an operator of one output, a tuple for one of two.
    """
    data = operation.tensor(0)
    if operation.shape is not None:
        return operation.add("MaxPool", data, **windows.attributes())
    if not operation.reads_beyond_first():
        return operation.add("MaxPool", data, **windows.attributes()), None
    values, places = operation.add_many("MaxPool", data, outputs=2, **windows.attributes())
    return values, _within_plane(operation, data, places, plane_axis)


def _within_plane(operation: Operation, data: ir.Value, places: ir.Value, axis: int) -> ir.Value:
    """Return places in the whole tensor, as ONNX counts them, as places in what lies behind an axis."""
    shape = operation.input_shape(0)[axis:]
    if min(shape) >= 0:
        size = operation.builder.initializer(np.array(math.prod(shape)))
    else:
        size = operation.add("ReduceProd", operation.add("Shape", data, start=axis), keepdims=0)
    within = operation.add("Mod", places, size)
    return operation.cast(within, np.int32) if operation.node.op == "MaxPoolWithArgmax" else within


def averages(operation: Operation, windows: Windows, *, includes_padding: bool, divisor: int | None) -> ir.Value:
    """Return the mean of each window.

    Parameters
    ----------
    operation : Operation
        The operator that is lowered.
    windows : Windows
        Its windows.
    includes_padding : bool
        Whether zeros of the padding count.
    divisor : int, optional
        What sums are divided by instead of the number of places.
    """
    kernel = kernel_type("AveragePool", operation.dtype)
    data = operation.tensor(0, kernel)
    result = _averages(operation, data, windows, includes_padding=includes_padding, divisor=divisor)
    return settled(operation, result, kernel)


def _averages(
    operation: Operation, data: ir.Value, windows: Windows, *, includes_padding: bool, divisor: int | None
) -> ir.Value:
    if windows.is_global and not divisor:
        return operation.add("GlobalAveragePool", data)
    counts_zeros = bool(divisor) or includes_padding
    result = operation.add("AveragePool", data, **windows.attributes(), count_include_pad=int(counts_zeros))
    if divisor:
        return operation.add("Mul", result, operation.number(math.prod(windows.kernel) / divisor))
    if includes_padding and windows.is_known and (shares := windows.shares()).min() < 1:
        return operation.add("Div", result, shares)
    return result


def _windows(operation: Operation, kernel: int | None, strides: int | None, mode: int | None) -> Windows:
    """Return the windows of an older operator, which knows "same", "valid", and padding in pairs."""
    rank = operation.rank(0) - 2
    sizes = operation.input_shape(0)[2:]
    lengths = per_axis(operation.setting("kernel_size", kernel), rank)
    steps = per_axis(operation.setting("strides", strides), rank)
    padding = operation.setting("pad_mode", mode)
    name = padding.upper() if isinstance(padding, str) else padding
    ones = (1,) * rank
    if name in _SAME:
        pads = same_padding(sizes, lengths, steps, ones)
    else:
        pads = [0] * (2 * rank) if name in _VALID else pairs_apart(operation.setting("pad_list"))
    return Windows(sizes, lengths, steps, ones, pads, bool(operation.setting("ceil_mode", default=False)))


def _max_pool(operation: Operation) -> Lowered:
    check_format(operation)
    return maxima(operation, _windows(operation, None, None, None))


def _avg_pool(operation: Operation) -> ir.Value:
    check_format(operation, 4)
    return averages(operation, _windows(operation, 1, 2, 3), includes_padding=False, divisor=None)


def _avg_pool_3d(operation: Operation) -> ir.Value:
    check_format(operation)
    return averages(
        operation,
        _windows(operation, None, None, None),
        includes_padding=operation.setting("count_include_pad", default=True),
        divisor=operation.setting("divisor_override", default=0),
    )


def _max_pool_with_argmax(operation: Operation) -> Lowered:
    """Lower the oldest one, whose attributes speak of channels that come last while its data have them first.

    Its "same" padding is all at the end.
    """
    check_format(operation)
    sizes = operation.input_shape(0)[2:]
    kernel = tuple(operation.setting("kernel_size"))[1:3]
    strides = tuple(operation.setting("strides"))[1:3]
    is_same = str(operation.setting("pad_mode")).upper() in _SAME
    both = (same_padding(sizes, kernel, strides, (1, 1)) if is_same else None) or [0] * 4
    pads = [0, 0, both[0] + both[2], both[1] + both[3]]
    return maxima(operation, Windows(sizes, kernel, strides, (1, 1), pads), plane_axis=1)


def _max_pool_with_pads(kernel: str) -> Lowering:
    def lower(operation: Operation) -> Lowered:
        sizes = operation.input_shape(0)[2:]
        lengths, strides, dilations, padding = (
            per_axis(operation.setting(name), len(sizes)) for name in (kernel, "strides", "dilation", "pads")
        )
        is_ceiled = bool(operation.setting("ceil_mode"))
        return maxima(operation, Windows(sizes, lengths, strides, dilations, both_sides(padding), is_ceiled))

    return lower


def _max_pool_of_mint(operation: Operation) -> Lowered:
    """Lower data, kernel, strides, padding, dilation, ceil_mode."""
    check_batched(operation, 2)
    sizes = operation.input_shape(0)[2:]
    names = ("kernel_size", "strides", "pads", "dilation")
    kernel, strides, padding, dilations = (
        per_axis(operation.setting(name, index), len(sizes)) for index, name in enumerate(names, start=1)
    )
    is_ceiled = bool(operation.setting("ceil_mode", 5))
    return maxima(operation, Windows(sizes, kernel, strides, dilations, both_sides(padding), is_ceiled))


def _avg_pool_of_mint(axes: int) -> Callable[[Operation], ir.Value]:
    """Return the lowering of data, kernel, strides, padding, ceil_mode, count_include_pad, and perhaps a divisor."""

    def lower(operation: Operation) -> ir.Value:
        check_batched(operation, axes)
        sizes = operation.input_shape(0)[2:]
        kernel = per_axis(operation.setting("kernel_size", 1), axes)
        strides = operation.setting("stride", 2)
        padding = both_sides(per_axis(operation.setting("padding", 3), axes))
        windows = Windows(
            sizes,
            kernel,
            per_axis(strides, axes) if strides else kernel,
            (1,) * axes,
            padding,
            bool(operation.setting("ceil_mode", 4)),
        )
        includes_padding = bool(operation.setting("count_include_pad", 5))
        divisor = operation.setting("divisor_override", 6, None)
        return averages(operation, windows, includes_padding=includes_padding, divisor=divisor)

    return lower


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "MaxPool": _max_pool,
    "MaxPool3D": _max_pool,
    "MaxPoolWithArgmax": _max_pool_with_argmax,
    "MaxPoolWithArgmaxV2": _max_pool_with_pads("kernel_size"),
    "MaxPool3DWithArgmax": _max_pool_with_pads("ksize"),
    "MaxPoolWithMask": _max_pool_of_mint,
    "MaxPoolWithIndices": _max_pool_of_mint,
    "AvgPool": _avg_pool,
    "AvgPool3D": _avg_pool_3d,
    "AvgPool1D": _avg_pool_of_mint(1),
    "AvgPool2D": _avg_pool_of_mint(2),
    "AvgPool3DExt": _avg_pool_of_mint(3),
}
