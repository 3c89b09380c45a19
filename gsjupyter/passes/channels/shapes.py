"""Operators that move channels without changing them: reshaping, transposing, joining, reducing over other axes."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from gsjupyter.mindir import Constant, Node, Value
from gsjupyter.passes.channels.analysis import ChannelAnalysis, Rule, title
from gsjupyter.passes.channels.edits import ArgumentMadeExplicit, SizeInArgument
from gsjupyter.passes.channels.elementwise import zero_stays
from gsjupyter.passes.channels.groups import Channels

_TARGET: Final = 1


def _reshape(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    channels, before = analysis.of(node.inputs[0]), node.inputs[0].shape
    if channels is None:
        return None
    moved = _moved(channels, before, node.shape) if before is not None and node.shape is not None else None
    if moved is None or not _has_known_sizes(node, moved.axis):
        analysis.keep(channels.ids, f"{title(node)} mixes them with other axes")
        return None
    if node.op == "Reshape" and _size_at(node.inputs[_TARGET], moved.axis) != -1:
        analysis.edits.append(SizeInArgument(node, _TARGET, moved.axis, moved.ids))
    if node.op == "Squeeze" and _size_at(node.inputs[1], 0) is None:
        # Without axes it drops all of size one: the channels too, if one of them is left.
        dropped = tuple(axis for axis, size in enumerate(before or ()) if size == 1)
        analysis.edits.append(ArgumentMadeExplicit(node, 1, dropped))
    return moved


def _moved(channels: Channels, before: Sequence[int], after: Sequence[int]) -> Channels | None:
    """Return the channels where a reshape puts them; None if no axis of the result is theirs alone, or theirs first.

    They may be merged with the axes behind them, so that an index for each position belongs to a channel, and be taken
    apart again.
    """
    outer, size = _size(before[: channels.axis]), len(channels.ids)
    for axis, merged in enumerate(after):
        if _size(after[:axis]) != outer or merged < 1:
            continue
        if merged % size == 0:
            count = merged // size
            return Channels(axis, np.repeat(channels.ids, count), np.repeat(channels.constants, count))
        blocks = channels.ids.reshape(merged, -1) if size % merged == 0 else np.zeros((1, 0), np.int64)
        if blocks.shape[1] and (blocks == blocks[:, :1]).all():
            constants = channels.constants.reshape(merged, -1)
            same = (constants == constants[:, :1]).all(axis=1)
            return Channels(axis, blocks[:, 0], np.where(same, constants[:, 0], np.nan))
    return None


def _size(shape: Sequence[int]) -> tuple[int, int]:
    """Return the number of dynamic axes, and the product of the others."""
    return sum(size < 0 for size in shape), math.prod(size for size in shape if size >= 0)


def _size_at(target: Value, position: int) -> object:
    """Return a constant size in a shape; None if it is computed."""
    if isinstance(target, Node) and target.op == "MakeTuple" and position < len(target.inputs):
        item = target.inputs[position]
        return item.value if isinstance(item, Constant) else None
    if isinstance(target, Constant) and isinstance(target.value, tuple) and position < len(target.value):
        return target.value[position]
    return None


def _has_known_sizes(node: Node, position: int) -> bool:
    if node.op == "Squeeze":
        return len(node.inputs) > 1 and isinstance(node.inputs[1], Constant)
    return node.op != "Reshape" or isinstance(_size_at(node.inputs[_TARGET], position), int)


def _transpose(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    channels, order = analysis.of(node.inputs[0]), node.inputs[1]
    if channels is None:
        return None
    if not isinstance(order, Constant) or not isinstance(order.value, tuple):
        analysis.keep(channels.ids, f"{title(node)} moves their axis in an order that is computed")
        return None
    axes = [item % len(order.value) for item in order.value if isinstance(item, int)]
    return replace(channels, axis=axes.index(channels.axis))


def _reduction(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    channels, shape = analysis.of(node.inputs[0]), node.inputs[0].shape
    if channels is None or shape is None:
        return None
    axes = _axes(node, len(shape))
    if axes is None or channels.axis in axes:
        analysis.keep(channels.ids, f"{title(node)} reduces over them")
        return None
    keeps_rank = node.shape is not None and len(node.shape) == len(shape)
    axis = channels.axis if keeps_rank else channels.axis - sum(item < channels.axis for item in axes)
    return Channels(axis, channels.ids, zero_stays(channels.constants))


def _axes(node: Node, ndim: int) -> set[int] | None:
    given = node.inputs[1] if len(node.inputs) > 1 else None
    if not isinstance(given, Constant):
        return None
    items = given.value if isinstance(given.value, tuple) else (given.value,)
    axes = {item % ndim for item in items if isinstance(item, int)}
    return axes if axes and len(axes) == len(items) else None


def _concat(analysis: ChannelAnalysis, node: Node) -> Channels | None:
    parts, given = node.inputs[0], node.inputs[1] if len(node.inputs) > 1 else None
    along = given.value if isinstance(given, Constant) else None
    if not isinstance(parts, Node) or parts.op != "MakeTuple" or not isinstance(along, int) or node.shape is None:
        analysis.keep_inputs(node, f"{title(node)} joins them along an axis that is computed")
        return None
    values = parts.inputs
    found = [channels for value in values if (channels := analysis.of(value)) is not None]
    if not found:
        return None
    axis = along % len(node.shape)
    if all(channels.axis == axis for channels in found):
        return _side_by_side(analysis, node, values, axis)
    if len(found) == len(values) and len({channels.axis for channels in found}) == 1:
        return _on_top_of_each_other(analysis, found)
    analysis.keep_inputs(node, f"{title(node)} joins them with what has other channels")
    return None


def _side_by_side(analysis: ChannelAnalysis, node: Node, values: Sequence[Value], axis: int) -> Channels | None:
    if any(value.shape is None or value.shape[axis] < 0 for value in values):
        analysis.keep_inputs(node, f"{title(node)} joins them with a dynamic number of channels")
        return None
    joined = []
    for value in values:
        channels = analysis.of(value)
        if channels is None:
            channels = analysis.new(axis, np.full((value.shape or ())[axis], np.nan))
            analysis.keep(channels.ids, f"{title(node)} joins them with what can't lose channels")
        joined.append(channels)
    ids, constants = ([getattr(item, name) for item in joined] for name in ("ids", "constants"))
    return Channels(axis, np.concatenate(ids), np.concatenate(constants))


def _on_top_of_each_other(analysis: ChannelAnalysis, found: Sequence[Channels]) -> Channels:
    first = found[0]
    constants = first.constants
    for other in found[1:]:
        analysis.groups.join(first.ids, other.ids)
        constants = np.where(constants == other.constants, constants, np.nan)
    return replace(first, constants=constants)


def _tuple(analysis: ChannelAnalysis, node: Node) -> None:
    others = [reader for reader in node.readers if reader.op != "Concat"]
    if others:
        reason = "they are the network's output" if others[0].op == "Return" else f"{title(others[0])} reads them"
        analysis.keep_inputs(node, reason)


def _shape(analysis: ChannelAnalysis, node: Node) -> None:
    channels = analysis.of(node.inputs[0])
    items = dict(node.item_readers())
    if channels is not None and (channels.axis in items or len(items) != len(node.readers)):
        analysis.keep(channels.ids, f"{title(node)} counts them")


SHAPES: Final[dict[str, Rule]] = {
    **dict.fromkeys(("ExpandDims", "Flatten", "FlattenExt", "Reshape", "Squeeze"), _reshape),
    **dict.fromkeys(("MeanExt", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "SumExt"), _reduction),
    "Concat": _concat,
    "MakeTuple": _tuple,
    "Shape": _shape,
    "Transpose": _transpose,
}
"""How each of these operators treats channels."""
