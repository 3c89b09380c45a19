"""Operators that treat each channel on its own: activations, arithmetic, normalization, pooling, padding."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeAlias

import numpy as np

from gsjupyter.mindir import Constant, Node, Parameter, Value
from gsjupyter.passes.channels.analysis import ChannelAnalysis, Rule, title
from gsjupyter.passes.channels.groups import Channels, Doubles
from gsjupyter.passes.fold_batch_norm import affine_of

_Function: TypeAlias = Callable[[Doubles], Doubles]
_Combination: TypeAlias = Callable[[Doubles, Doubles], Doubles]

_CHANNEL_AXIS: Final = 1


def zero_stays(constants: Doubles) -> Doubles:
    """Return what is known of ``f(x)`` if ``f(0) = 0``."""
    return np.where(constants == 0.0, 0.0, np.nan)


def nothing(constants: Doubles) -> Doubles:
    """Return what is known of ``f(x)`` for any other ``f``: nothing."""
    return np.full(len(constants), np.nan)


def _unary(function: _Function) -> Rule:
    def rule(analysis: ChannelAnalysis, node: Node) -> Channels | None:
        channels = analysis.of(node.inputs[0])
        return None if channels is None else replace(channels, constants=function(channels.constants))

    return rule


def _spatial(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    channels = analysis.along(node, 0, _CHANNEL_AXIS)
    if channels is None:
        return None
    if "C" in (layout := str(node.attributes.get("format", "NC"))) and not layout.startswith("NC"):
        analysis.keep(channels.ids, f"{title(node)} has its channels along another axis")
        return None
    return replace(channels, constants=zero_stays(channels.constants))


def _item(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    channels, index = analysis.of(node.inputs[0]), node.inputs[1]
    if channels is None:
        return None
    if isinstance(index, Constant) and index.value == 0:
        return channels
    analysis.keep(channels.ids, f"{title(node)} reads another output of theirs")
    return None


def _clamp(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    channels = analysis.of(node.inputs[0])
    bounds = [value.value if isinstance(value, Constant) else np.nan for value in node.inputs[1:3]]
    if channels is None:
        return None
    low, high = (bound if isinstance(bound, int | float) else np.nan for bound in bounds)
    return replace(channels, constants=np.clip(channels.constants, low, high))


def _padding(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    channels = analysis.of(node.inputs[0])
    if channels is None or node.inputs[0].shape is None:
        return None
    if not _is_zero_padding_elsewhere(node, channels.axis, len(node.inputs[0].shape)):
        analysis.keep(channels.ids, f"{title(node)} pads them")
        return None
    return replace(channels, constants=zero_stays(channels.constants))


def _is_zero_padding_elsewhere(node: Node, axis: int, ndim: int) -> bool:
    if node.op == "Pad":
        paddings = node.attributes.get("paddings")
        return isinstance(paddings, tuple) and paddings[axis] == (0, 0)
    # PadV3 gives pairs from the last axis to the front.
    pairs, value = node.inputs[1], node.inputs[2] if len(node.inputs) > 2 else None
    if not isinstance(pairs, Constant) or not isinstance(pairs.value, tuple):
        return False
    fills_zero = isinstance(value, Constant) and isinstance(value.value, np.ndarray | int | float) and value.value == 0
    is_constant = node.attributes.get("mode") == "constant" and node.attributes.get("paddings_contiguous", True)
    return bool(fills_zero and is_constant and len(pairs.value) // 2 < ndim - axis)


def _binary(combine: _Combination) -> Rule:
    def rule(analysis: ChannelAnalysis, node: Node) -> Channels | None:
        operands = node.inputs[:2]
        found = [channels for value in operands if (channels := analysis.of(value)) is not None]
        if not found:
            return None
        lead = _lead(analysis, node)
        if lead is None:
            analysis.keep_inputs(node, f"{title(node)} combines them with what has other channels")
            return None
        for index in (0, 1):
            _follow(analysis, node, index, lead)
        first, second = (_known(analysis, value, node, lead) for value in operands)
        with np.errstate(all="ignore"):
            return replace(lead, constants=combine(first, second))

    return rule


def _lead(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    """Return the operands' channels as they lie in the result; None if their axes differ."""
    if node.shape is None or (len(node.inputs) > 2 and not _is_plain(node)):
        return None
    leads = []
    for value in node.inputs[:2]:
        channels = analysis.of(value)
        if channels is not None and value.shape is not None:
            axis = channels.axis + len(node.shape) - len(value.shape)
            leads.append(replace(channels, axis=axis))
    full = [item for item in leads if len(item.ids) == node.shape[item.axis]]
    return full[0] if len(full) == len(leads) and len({item.axis for item in full}) == 1 else None


def _is_plain(node: Node) -> bool:
    # The third input of AddExt and SubExt scales the second.
    return isinstance(node.inputs[2], Constant) and node.inputs[2].value == 1


def _follow(analysis: ChannelAnalysis, node: Node, index: int, lead: Channels) -> None:
    """Let an operand lose the same channels as the result, or keep these if it can't."""
    value, ndim = node.inputs[index], len(node.shape or ())
    channels = analysis.of(value)
    if channels is not None:
        analysis.groups.join(channels.ids, lead.ids)
        return
    shape = _shape(value)
    axis = lead.axis - ndim + len(shape)
    if _is_number(value) or (value.shape is not None and (axis < 0 or shape[axis] == 1)):
        return
    if value.shape is None or not analysis.claim(node, index, {axis: lead.ids}):
        analysis.keep(lead.ids, f"{title(node)} combines them with what can't lose channels")


def _known(analysis: ChannelAnalysis, value: Value, node: Node, lead: Channels) -> Doubles:
    """Return what is known of an operand, channel by channel."""
    channels = analysis.of(value)
    if channels is not None:
        return channels.constants
    unknown = np.full(len(lead.ids), np.nan)
    numbers = value.array if isinstance(value, Parameter) and value.is_readable else None
    if isinstance(value, Constant) and isinstance(value.value, np.ndarray | int | float):
        numbers = np.asarray(value.value)
    if numbers is None or not np.issubdtype(numbers.dtype, np.number):
        return unknown
    ndim = len(node.shape or ())
    full = numbers.reshape([1] * (ndim - numbers.ndim) + list(numbers.shape))
    rows = np.moveaxis(full, lead.axis, 0).reshape(full.shape[lead.axis], -1).astype(np.float64)
    uniform = np.where((rows == rows[:, :1]).all(axis=1), rows[:, 0], np.nan)
    return np.broadcast_to(uniform, unknown.shape)


def _shape(value: Value) -> tuple[int, ...]:
    return value.shape or ()


def _is_number(value: Value) -> bool:
    return isinstance(value, Constant) and isinstance(value.value, int | float)


def _product(first: Doubles, second: Doubles) -> Doubles:
    return np.where((first == 0.0) | (second == 0.0), 0.0, first * second)


def _bias(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    channels = analysis.along(node, 0, _CHANNEL_AXIS)
    if channels is None:
        return None
    if not analysis.claim(node, 1, {0: channels.ids}):
        analysis.keep(channels.ids, f"the bias of {title(node)} is computed")
        return None
    bias = node.parameter(1)
    known = bias.array.astype(np.float64) if bias is not None else np.full(len(channels.ids), np.nan)
    return replace(channels, constants=channels.constants + known)


def _batch_norm(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    channels = analysis.along(node, 0, _CHANNEL_AXIS)
    if channels is None:
        return None
    parameters = [item for item in node.inputs[1:5] if isinstance(item, Parameter) and item.is_readable]
    if node.argument("is_training") or len(parameters) < 4:
        analysis.keep(channels.ids, f"{title(node)} computes its statistics")
        return None
    for index in range(1, 5):
        analysis.claim(node, index, {0: channels.ids})
    factor, shift = affine_of(node)
    constants = np.where(factor == 0.0, shift, channels.constants * factor + shift)
    return replace(channels, constants=constants)


def _prelu(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    channels = analysis.along(node, 0, _CHANNEL_AXIS)
    if channels is None:
        return None
    if node.inputs[1].shape != (1,) and not analysis.claim(node, 1, {0: channels.ids}):
        analysis.keep(channels.ids, f"the weight of {title(node)} is computed")
        return None
    return replace(channels, constants=zero_stays(channels.constants))


_ZERO_STAYS: Final = (
    *("Abs", "Cast", "Elu", "EluExt", "Erf", "Floor", "GeLU", "GELU", "GeluExt", "HSwish", "HSwishOpt", "Identity"),
    *("LeakyReLU", "LeakyReLUExt", "Mish", "MishExt", "Neg", "Relu", "Rint", "Round", "SeLU", "SeLUExt", "SiLU"),
    *("Sign", "Sin", "Softsign", "Sqrt", "Square", "StopGradient", "Tan", "Tanh"),
)
_NOTHING: Final = ("Cos", "Exp", "HSigmoid", "Log", "LogSigmoid", "Reciprocal", "Rsqrt", "Sigmoid", "Softplus")
_SPATIAL: Final = (
    *("AdaptiveAvgPool2D", "AdaptiveMaxPool2D", "AvgPool", "AvgPool2D", "AvgPool3D", "MaxPool", "MaxPool3D"),
    *("MaxPool3DWithArgmax", "MaxPoolWithArgmaxV2", "ResizeBilinearV2", "ResizeNearestNeighborV2"),
)
_SUMS: Final[dict[str, _Combination]] = {"Add": np.add, "AddExt": np.add, "Sub": np.subtract, "SubExt": np.subtract}
_QUOTIENTS: Final = ("Div", "Divs", "RealDiv")

ELEMENTWISE: Final[dict[str, Rule]] = {
    **dict.fromkeys(_ZERO_STAYS, _unary(zero_stays)),
    **dict.fromkeys(_NOTHING, _unary(nothing)),
    **dict.fromkeys(_SPATIAL, _spatial),
    "ReLU": _unary(lambda constants: np.maximum(constants, 0.0)),
    "ReLU6": _unary(lambda constants: np.clip(constants, 0.0, 6.0)),
    "ClampScalar": _clamp,
    "Pad": _padding,
    "PadV3": _padding,
    **{name: _binary(combine) for name, combine in _SUMS.items()},
    **dict.fromkeys(("Mul", "Muls"), _binary(_product)),
    **dict.fromkeys(_QUOTIENTS, _binary(lambda first, second: first / second)),
    "Maximum": _binary(np.maximum),
    "Minimum": _binary(np.minimum),
    "BiasAdd": _bias,
    "BatchNorm": _batch_norm,
    "PReLU": _prelu,
    "TupleGetItem": _item,
}
"""How each of these operators treats channels."""
