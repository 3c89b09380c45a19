"""Transposed convolutions as ONNX: the upward half of autoencoders and of networks that label pixels.

MindSpore says how large the output is to be and how the convolution that it is the gradient of pads; ONNX wants to
know what is missing at the end:

    output_padding = result - (stride * (size - 1) + extent of the kernel - padding)
"""

from collections.abc import Mapping
from typing import Final

import onnx_ir as ir

from gsjupyter.formats.onnx.convolution import check_batched, check_format, strides_and_dilations
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sliding_window import both_sides, extent, pairs_apart, per_axis, same_padding
from gsjupyter.mindir import Constant, Node, Value

_ANY_SIZE: Final = 64
"""What a free size is taken for while working out what doesn't depend on it."""


def _transposed(operation: Operation) -> ir.Value:
    check_format(operation)
    kernel = operation.input_shape(1)[2:]
    strides, dilations = strides_and_dilations(operation, len(kernel))
    least = [length - stride for stride, length in zip(strides, map(extent, kernel, dilations), strict=True)]
    sizes, results = _sizes(operation, strides, least)
    pads = _padding(operation) or same_padding(results, kernel, strides, dilations) or []
    missing = [
        result - (stride * size + rest - begin - end)
        for result, stride, size, rest, begin, end in zip(
            results, strides, sizes, least, pads[: len(sizes)], pads[len(sizes) :], strict=True
        )
    ]
    return operation.add(
        "ConvTranspose",
        operation.tensor(0),
        operation.tensor(1),
        kernel_shape=kernel,
        strides=strides,
        dilations=dilations,
        group=operation.setting("group", default=1),
        pads=pads,
        output_padding=missing,
    )


def _padding(operation: Operation) -> list[int] | None:
    """Return the padding, as ONNX's; None if it follows from the sizes."""
    mode = str(operation.setting("pad_mode")).upper()
    pairs = operation.setting("pad_list")
    if mode == "SAME":
        return None
    return [0] * len(pairs) if mode == "VALID" else pairs_apart(pairs)


def _sizes(operation: Operation, strides: tuple[int, ...], least: list[int]) -> tuple[list[int], list[int]]:
    """Return the sizes of data and output; of free ones, two that belong together."""
    sizes, results = list(operation.input_shape(0)[2:]), list((operation.shape or ())[2:])
    for axis, (size, result) in enumerate(zip(sizes, results, strict=True)):
        if min(size, result) < 0:
            sizes[axis] = _ANY_SIZE
            results[axis] = _result(operation, axis, strides[axis], least[axis])
    return sizes, results


def _result(operation: Operation, axis: int, stride: int, least: int) -> int:
    """Return the size of the output where that of the data is free."""
    if len(operation.node.inputs) > 2:
        slope, shift = _line(operation, operation.node.inputs[2], 2 + axis)
        if slope == stride:
            return slope * _ANY_SIZE + shift
        raise operation.unsupported("the size of its output doesn't follow from that of its input")
    pads = _padding(operation)
    if pads is None:
        return stride * _ANY_SIZE
    begin, end = pads[axis], pads[axis + len(pads) // 2]
    more = per_axis(operation.setting("output_padding", default=0), len(pads) // 2)[axis]
    return stride * _ANY_SIZE + least - begin - end + more


def _line(operation: Operation, sizes: Value, axis: int) -> tuple[int, int]:
    """Return (a, b) where the size of the output is ``a * size of the data + b``; (0, 0) if it isn't.

    nn.Conv2dTranspose computes it so, by operators on numbers.
    """
    if not isinstance(sizes, Node) or sizes.op != "MakeTuple":
        return 0, 0
    chain: list[tuple[str, int]] = []
    value = sizes.inputs[axis]
    while isinstance(value, Node) and value.op in ("ScalarAdd", "ScalarSub", "ScalarMul"):
        number = value.inputs[1]
        if not isinstance(number, Constant) or not isinstance(number.value, int):
            return 0, 0
        chain.append((value.op, number.value))
        value = value.inputs[0]
    if not _is_size_of(value, operation.node.inputs[0], axis):
        return 0, 0
    slope, shift = 1, 0
    for operator, operand in reversed(chain):
        if operator == "ScalarMul":
            slope, shift = slope * operand, shift * operand
        else:
            shift += operand if operator == "ScalarAdd" else -operand
    return slope, shift


def _is_size_of(value: Value, data: Value, axis: int) -> bool:
    if not isinstance(value, Node) or value.op != "TupleGetItem":
        return False
    shape, index = value.inputs
    is_shape = isinstance(shape, Node) and shape.op == "Shape" and shape.inputs[0] is data
    return is_shape and isinstance(index, Constant) and index.value == axis


def _with_settings_as_inputs(operation: Operation) -> ir.Value:
    """Lower what mint's becomes: data, weight, bias, stride, padding, output_padding, groups, dilation."""
    kernel = operation.input_shape(1)[2:]
    axes = len(kernel)
    check_batched(operation, axes)
    return operation.add(
        "ConvTranspose",
        operation.tensor(0),
        operation.tensor(1),
        operation.optional(2),
        kernel_shape=kernel,
        strides=per_axis(operation.setting("stride", 3), axes),
        pads=both_sides(per_axis(operation.setting("padding", 4), axes)),
        output_padding=per_axis(operation.setting("output_padding", 5), axes),
        group=operation.setting("groups", 6),
        dilations=per_axis(operation.setting("dilation", 7), axes),
    )


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "Conv2DTranspose": _transposed,
    "Conv2DBackpropInput": _transposed,
    "Conv3DTranspose": _transposed,
    "ConvTranspose2D": _with_settings_as_inputs,
}
