"""Which operators pass a channel's factor on, and where its values lie then: ``f(s x) = s f(x)`` for ``s > 0``.

ReLU does, GELU doesn't. Pooling, sums over other axes, and whatever only moves values around do as well.
"""

import math
from collections.abc import Callable
from typing import Final, TypeAlias

from gsjupyter.mindir import Constant, Node, Parameter, Value

Place: TypeAlias = tuple[int, int]
"""The channels' axis, and how many neighbours along it belong to one channel: after Flatten, a channel's pixels."""

CHANNEL_AXIS: Final = 1
"""Where convolutions, biases and pooling have their channels."""
JOINS: Final = ("Add", "AddExt", "Maximum", "Minimum", "Sub", "SubExt")
"""Operators of two values that pass a factor on if both have it: ``max(s a, s b) = s max(a, b)``."""
_SUMS: Final = ("Add", "AddExt", "BiasAdd")
_QUOTIENTS: Final = ("Div", "Divs", "RealDiv")


def passed_on(node: Node, value: Value, place: Place) -> Place | None:
    """Return where the channels of an input are in what a node computes.

    Parameters
    ----------
    node : Node
        A node that reads the value.
    value : Value
        The input.
    place : Place
        Where its channels are.

    Returns
    -------
    Place, optional
        None if the node doesn't pass factors on. Sums do if what they add is divided too: see `offset_index`.
    """
    if node.op in _SIDES:
        return _beside(node, value, place)
    if value is not node.inputs[0]:
        return None
    if node.op in _CHANNELWISE:
        return place
    rule = _RULES.get(node.op)
    return rule(node, place) if rule is not None else None


def offset_index(node: Node, value: Value) -> int | None:
    """Return which input of a sum is added to a value; None if the node is no sum."""
    return (1 if value is node.inputs[0] else 0) if node.op in _SUMS else None


def offset_axis(node: Node, index: int, place: Place) -> int | None:
    """Return along which axis a parameter that a sum adds has the channels; None if it has them along none.

    Parameters
    ----------
    node : Node
        The sum.
    index : int
        At which input it reads the parameter.
    place : Place
        Where the channels are in the sum.
    """
    offset = node.parameter(index)
    if offset is None or offset.shape is None or node.shape is None:
        return None
    if node.op == "BiasAdd":
        return 0 if place[0] == CHANNEL_AXIS else None
    # The third input of AddExt scales the second.
    axis = place[0] - len(node.shape) + len(offset.shape)
    is_plain = len(node.inputs) == 2 or (isinstance(node.inputs[2], Constant) and node.inputs[2].value == 1)
    return axis if is_plain and axis >= 0 and offset.shape[axis] == node.shape[place[0]] else None


def _beside(node: Node, value: Value, place: Place) -> Place | None:
    """Follow a sum or product with stored numbers; the result may have more axes in front, by broadcasting."""
    other = node.inputs[1] if value is node.inputs[0] else node.inputs[0]
    is_divisor = node.op in _QUOTIENTS and value is not node.inputs[0]
    if not isinstance(other, Constant | Parameter) or is_divisor or node.shape is None or value.shape is None:
        return None
    axis = place[0] + len(node.shape) - len(value.shape)
    return (axis, place[1]) if node.shape[axis] == value.shape[place[0]] else None


def _spatial(node: Node, place: Place) -> Place | None:
    return place if place[0] == CHANNEL_AXIS and node.attributes.get("format", "NCHW") == "NCHW" else None


def _reshape(node: Node, place: Place) -> Place | None:
    """Follow the channels into other axes: they may gather the axes behind them, as Flatten does."""
    before, after = node.inputs[0].shape, node.shape
    axis, repeat = place
    if before is None or after is None or min(before[axis:]) < 1:
        return None
    for index in range(len(after)):
        behind = after[index:]
        is_cut_here = min(behind) > 0 and math.prod(behind) == math.prod(before[axis:])
        if is_cut_here and behind[0] % before[axis] == 0:
            return index, repeat * behind[0] // before[axis]
    return None


def _transpose(node: Node, place: Place) -> Place | None:
    order = node.inputs[1].value if isinstance(node.inputs[1], Constant) else None
    return (order.index(place[0]), place[1]) if isinstance(order, tuple) and place[0] in order else None


def _reduction(node: Node, place: Place) -> Place | None:
    given = node.inputs[1] if len(node.inputs) > 1 else None
    axes = given.value if isinstance(given, Constant) else None
    axes = (axes,) if isinstance(axes, int) else axes
    before, after = node.inputs[0].shape, node.shape
    if not isinstance(axes, tuple) or not axes or before is None or after is None:
        return None
    reduced = {item % len(before) for item in axes if isinstance(item, int)}
    if place[0] in reduced:
        return None
    keeps_rank = len(after) == len(before)
    return (place[0] if keeps_rank else place[0] - sum(item < place[0] for item in reduced)), place[1]


_CHANNELWISE: Final = ("Abs", "Identity", "LeakyReLU", "LeakyReLUExt", "Neg", "PReLU", "ReLU", "StopGradient")
_SIDES: Final = frozenset({"Mul", "Muls", *_SUMS, *_QUOTIENTS})
_RULES: Final[dict[str, Callable[[Node, Place], Place | None]]] = {
    **dict.fromkeys(("AdaptiveAvgPool2D", "AdaptiveMaxPool2D", "AvgPool", "AvgPool2D", "MaxPool"), _spatial),
    **dict.fromkeys(("ExpandDims", "Flatten", "FlattenExt", "Reshape", "Squeeze"), _reshape),
    **dict.fromkeys(("MeanExt", "ReduceMax", "ReduceMean", "ReduceSum", "SumExt"), _reduction),
    "Transpose": _transpose,
}
