"""Convolutions as ONNX: most of what most networks compute.

Each becomes one Conv, which takes the bias that a BiasAdd behind it adds (`gsjupyter.formats.onnx.bias`), so that
integer kernels find the form that they want.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import onnx_ir as ir

from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sliding_window import Sizes, both_sides, extent, pairs_apart, per_axis, same_padding

# MindSpore's names, and the numbers by which its newer operators mean the same.
_CHANNELS_FIRST: Final = ("NCHW", "NCDHW", 0, 14)
# What MindIR writes for "same" where the mode of padding is an input.
_SAME: Final = 1


def has_channels_first(operation: Operation, index: int | None = None) -> bool:
    """Say whether channels come before the other axes, as everywhere but on GPUs.

    Parameters
    ----------
    operation : Operation
        What is being lowered.
    index : int, optional
        The input that says so, where no attribute does.
    """
    return operation.setting("format", index, "NCHW") in _CHANNELS_FIRST


def check_format(operation: Operation, index: int | None = None) -> None:
    """Check that channels come before the other axes.

    Raises
    ------
    UnsupportedError
        If they come last.
    """
    if not has_channels_first(operation, index):
        raise operation.unsupported("its channels come last")


def check_batched(operation: Operation, axes: int) -> None:
    """Check that data have a batch and channels besides the axes that windows move along.

    Raises
    ------
    UnsupportedError
        If they haven't.
    """
    if operation.rank(0) != axes + 2:
        raise operation.unsupported("its data have no batch axis")


def strides_and_dilations(operation: Operation, axes: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the attributes of an operator that holds them, in two dimensions by other names than in three."""
    attributes = operation.node.attributes
    strides = attributes.get("strides", attributes.get("stride", 1))
    dilations = attributes.get("dilations", attributes.get("dilation", 1))
    return per_axis(strides, axes), per_axis(dilations, axes)


def _convolution(operation: Operation) -> ir.Value:
    groups = operation.setting("group", default=1)
    return _convolved(operation, operation.tensor(1), operation.input_shape(1)[2:], groups)


def _depthwise(operation: Operation) -> ir.Value:
    """Lower the older depthwise convolution, whose weight has the shape (multiplier, channels, height, width)."""
    multiplier, channels, *kernel = operation.input_shape(1)
    if multiplier != 1:
        raise operation.unsupported(f"it makes {multiplier} channels of each")
    return _convolved(operation, operation.add("Transpose", operation.tensor(1), perm=(1, 0, 2, 3)), kernel, channels)


def _convolved(operation: Operation, weight: ir.Value, kernel: Sizes, groups: int) -> ir.Value:
    check_format(operation)
    strides, dilations = strides_and_dilations(operation, len(kernel))
    return operation.add(
        "Conv",
        operation.tensor(0),
        weight,
        kernel_shape=kernel,
        strides=strides,
        dilations=dilations,
        group=groups,
        **_padding(operation, kernel, strides, dilations),
    )


def _padding(operation: Operation, kernel: Sizes, strides: Sizes, dilations: Sizes) -> dict[str, Any]:
    mode = str(operation.setting("pad_mode")).upper()
    if mode == "VALID":
        return {}
    if mode != "SAME":
        return {"pads": pairs_apart(operation.setting("pad_list"))}
    pads = same_padding(operation.input_shape(0)[2:], kernel, strides, dilations)
    if pads is not None:
        return {"pads": pads}
    if max(dilations) > 1:
        raise operation.unsupported("it is dilated, and how much to pad an axis of free size can't be told")
    return {"auto_pad": "SAME_UPPER"}


def _with_settings_as_inputs(groups_index: int, pads: Callable[[Any, Sizes], list[int]]) -> Lowering:
    """Return the lowering of what mint's convolutions become: data, weight, bias, stride, padding, dilation, ..."""

    def lower(operation: Operation) -> ir.Value:
        if groups_index == 8 and operation.setting("transposed", 6):
            raise operation.unsupported("it is a transposed convolution")
        kernel = operation.input_shape(1)[2:]
        check_batched(operation, len(kernel))
        dilations = per_axis(operation.setting("dilation", 5), len(kernel))
        return operation.add(
            "Conv",
            operation.tensor(0),
            operation.tensor(1),
            operation.optional(2),
            kernel_shape=kernel,
            strides=per_axis(operation.setting("stride", 3), len(kernel)),
            dilations=dilations,
            group=operation.setting("groups", groups_index),
            pads=pads(operation.setting("padding", 4), list(map(extent, kernel, dilations))),
        )

    return lower


def _padding_in_numbers(padding: Any, extents: Sizes) -> list[int]:
    return both_sides(per_axis(padding, len(extents)))


def _padding_by_name(padding: Any, extents: Sizes) -> list[int]:
    if padding not in (_SAME, "same"):
        return [0] * (2 * len(extents))
    totals = [length - 1 for length in extents]
    return [*(total // 2 for total in totals), *(total - total // 2 for total in totals)]


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "Conv1DExt": _with_settings_as_inputs(6, _padding_in_numbers),
    "Conv2DExt": _with_settings_as_inputs(6, _padding_in_numbers),
    "Conv3DExt": _with_settings_as_inputs(6, _padding_in_numbers),
    "Convolution": _with_settings_as_inputs(8, _padding_in_numbers),
    "ConvolutionStr": _with_settings_as_inputs(8, _padding_by_name),
}
