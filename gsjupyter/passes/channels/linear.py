"""Convolutions and matrix products: what makes channels, and what can do without some."""

from typing import Final

import numpy as np

from gsjupyter.mindir import Array, Constant, Node, Parameter
from gsjupyter.passes.channels.analysis import ChannelAnalysis, Layer, Rule, title
from gsjupyter.passes.channels.edits import GroupedWeight, SizeInArgument, SizeInAttribute
from gsjupyter.passes.channels.groups import Channels, Doubles, Flags
from gsjupyter.passes.linear import LinearOperator, linear_operator

_CHANNEL_AXIS: Final = 1
_SIZE_INPUT: Final = 2
_BIAS_INPUT: Final = 2


def _convolution(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    operator = _with_numbers(node)
    if operator is None or not str(node.attributes.get("format", "NC")).startswith("NC"):
        return _unknown(analysis, node)
    if node.attributes.get("group", 1) != 1:
        return _grouped_convolution(analysis, operator)
    outputs = _linear(analysis, operator, (0, 1), _CHANNEL_AXIS)
    analysis.edits.append(SizeInAttribute(node, "out_channel", outputs.ids))
    return outputs


def _transposed_convolution(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    operator = _with_numbers(node)
    if operator is None or node.attributes.get("group", 1) != 1 or not _has_size(node):
        return _unknown(analysis, node)
    outputs = _linear(analysis, operator, (1, 0), _CHANNEL_AXIS)
    analysis.edits.append(SizeInArgument(node, _SIZE_INPUT, _CHANNEL_AXIS, outputs.ids))
    inputs = analysis.of(node.inputs[0])
    if inputs is not None:
        # It is described as the gradient of a convolution, whose outputs are its inputs.
        analysis.edits.append(SizeInAttribute(node, "out_channel", inputs.ids))
    return outputs


def _has_size(node: Node) -> bool:
    size = node.inputs[_SIZE_INPUT]
    return isinstance(size, Constant) or (isinstance(size, Node) and size.op == "MakeTuple")


def _matrix_product(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    operator = _with_numbers(node)
    if operator is None or operator.weight.array.ndim != 2 or node.shape is None or _is_transposed(node):
        return _unknown(analysis, node)
    if node.op == "Dense" and isinstance(node.inputs[_BIAS_INPUT], Node):
        return _unknown(analysis, node)
    axes = (operator.axis, 1 - operator.axis)
    outputs = _linear(analysis, operator, axes, len(node.shape) - 1)
    bias = node.parameter(_BIAS_INPUT) if node.op == "Dense" else None
    if bias is None:
        return outputs
    analysis.claim(node, _BIAS_INPUT, {0: outputs.ids})
    return Channels(outputs.axis, outputs.ids, outputs.constants + bias.array.astype(np.float64))


def _is_transposed(node: Node) -> bool:
    return node.op in ("MatMul", "BatchMatMul") and bool(node.argument("transpose_a"))


def _linear(analysis: ChannelAnalysis, operator: LinearOperator, axes: tuple[int, int], axis: int) -> Channels:
    """Return the output channels of a linear operator, and say what it needs of its input.

    Parameters
    ----------
    analysis : ChannelAnalysis
        What is known.
    operator : LinearOperator
        The operator.
    axes : tuple of int
        The weight's output and input channel axes.
    axis : int
        The channel axis of the output, and of the input as well.
    """
    node, weight = operator.node, operator.weight.array
    inputs = analysis.along(node, 0, axis)
    is_zero = inputs.is_zero if inputs is not None else np.zeros(weight.shape[axes[1]], bool)
    outputs = analysis.new(axis, _constants(weight, axes, is_zero))
    claimed = {axes[0]: outputs.ids}
    if inputs is not None:
        needed = ~is_zero & _used(weight, axes[1])
        analysis.keep(inputs.ids[needed], f"{title(node)} reads other numbers in their place")
        claimed[axes[1]] = inputs.ids
    analysis.claim(node, operator.weight_index, claimed)
    analysis.layers.append(Layer(node, outputs.ids))
    return outputs


def _constants(weight: Array, axes: tuple[int, int], is_zero: Flags) -> Doubles:
    """Return 0 for each output channel that no input reaches."""
    reached = weight if not is_zero.any() else np.compress(~is_zero, weight, axis=axes[1])
    return np.where(_used(reached, axes[0]), np.nan, 0.0)


def _used(weight: Array, axis: int) -> Flags:
    """Return where a weight has a number other than zero, along one axis."""
    others = tuple(index for index in range(weight.ndim) if index != axis)
    return np.asarray(np.any(weight, axis=others), bool)


def _grouped_convolution(analysis: ChannelAnalysis, operator: LinearOperator) -> Channels | None:
    node, weight = operator.node, operator.weight.array
    groups = int(node.number("group"))
    inputs = analysis.along(node, 0, _CHANNEL_AXIS)
    if inputs is None or len(operator.weight.readers) > 1:
        # Without channels that can go in front of it, all of its groups stay.
        return _unknown(analysis, node)
    by_group = weight.reshape(groups, -1, weight.shape[1], int(np.prod(weight.shape[2:])))
    is_zero = inputs.is_zero.reshape(groups, -1)
    reached = ((by_group != 0) & ~is_zero[:, None, :, None]).any(axis=(2, 3))
    needed = ~is_zero & by_group.any(axis=(1, 3))
    analysis.keep(inputs.ids[needed.ravel()], f"{title(node)} reads other numbers in their place")
    outputs = analysis.new(_CHANNEL_AXIS, np.where(reached.ravel(), np.nan, 0.0))
    edit = GroupedWeight(node, inputs.ids.reshape(groups, -1), outputs.ids.reshape(groups, -1))
    analysis.grouped.append(edit)
    analysis.edits.append(SizeInAttribute(node, "out_channel", outputs.ids))
    analysis.layers.append(Layer(node, outputs.ids))
    return outputs


def _with_numbers(node: Node) -> LinearOperator | None:
    """Return a linear operator whose weight is stored as float32, None for any other."""
    operator = linear_operator(node)
    if operator is None:
        return None
    stored = node.inputs[operator.weight_index]
    return operator if isinstance(stored, Parameter) and stored.dtype == np.float32 else None


def _unknown(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    analysis.keep_inputs(node, f"{title(node)} reads them, and may need all of them")
    return None


LINEAR: Final[dict[str, Rule]] = {
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "Conv2DTranspose": _transposed_convolution,
    **dict.fromkeys(("MatMul", "BatchMatMul", "MatMulExt", "Dense"), _matrix_product),
}
"""How each of these operators treats channels."""
