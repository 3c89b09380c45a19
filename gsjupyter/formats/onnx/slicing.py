"""Slices and single items as ONNX: StridedSlice with its five masks is how MindIR writes ``x[1:, None, ..., -1]``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.builder import Lowered
from gsjupyter.formats.onnx.constant_values import known_value
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import axis_of, ints_of, size_of

FIRST: Final = np.iinfo(np.int64).min
"""Where a slice ends that goes backwards through the whole axis."""
LAST: Final = np.iinfo(np.int64).max
"""Where a slice ends that goes forwards through the whole axis."""


@dataclass
class _Selection:
    """What is taken of a tensor, axis by axis of its input."""

    slices: list[tuple[int, Lowered, Lowered, int]] = field(default_factory=list)
    """Axis, start, end and step of those that are cut."""
    items: list[tuple[int, Lowered]] = field(default_factory=list)
    """Axis and index of those of which one item is taken, and which go away."""
    new_axes: list[int] = field(default_factory=list)
    """Where the output has axes of one that the input lacks."""

    def apply(self, operation: Operation, value: ir.Value) -> ir.Value:
        """Return what it takes of a value."""
        known = [(axis, index) for axis, index in self.items if isinstance(index, int)]
        if self.slices or len(known) > 1:
            # One slice takes all of it, and what is left of the single items is dropped.
            taken = [(axis, index, index + 1 if index != -1 else LAST, 1) for axis, index in known]
            value = _sliced(operation, value, sorted([*self.slices, *taken], key=lambda item: item[0]))
            if known:
                value = operation.add("Squeeze", value, np.array([axis for axis, _ in known], np.int64))
            rest = [
                (axis - sum(other < axis for other, _ in known), index)
                for axis, index in self.items
                if not isinstance(index, int)
            ]
        else:
            rest = self.items
        for axis, index in sorted(rest, key=lambda item: item[0], reverse=True):
            place = index if isinstance(index, ir.Value) else operation.number(index, np.int64)  # type: ignore[arg-type]
            value = operation.add("Gather", value, place, axis=axis)
        return operation.add("Unsqueeze", value, np.array(self.new_axes, np.int64)) if self.new_axes else value


def _sliced(operation: Operation, value: ir.Value, slices: Sequence[tuple[int, Lowered, Lowered, int]]) -> ir.Value:
    axes, starts, ends, steps = zip(*slices, strict=True)
    return operation.add(
        "Slice",
        value,
        operation.int_vector(starts),
        operation.int_vector(ends),
        np.array(axes, np.int64),
        np.array(steps, np.int64),
    )


@dataclass(frozen=True)
class _Masks:
    """The masks of StridedSlice: one bit for each entry of begin, end and strides."""

    begin: int
    end: int
    ellipsis: int
    new_axis: int
    shrink_axis: int

    def names(self, entry: int) -> frozenset[str]:
        """Return which masks have the bit of an entry set."""
        return frozenset(name for name, mask in vars(self).items() if mask >> entry & 1)


def _strided_slice(operation: Operation) -> ir.Value:
    begin, end, strides = (_entries(operation, index) for index in (1, 2, 3))
    names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    masks = _Masks(*(int(operation.setting(name, 4 + index, 0)) for index, name in enumerate(names)))
    if not all(isinstance(stride, int) for stride in strides):
        raise operation.unsupported("its strides are computed while the model runs")
    entries = list(zip(begin, end, strides, strict=True))
    taken = _selection(operation.input_shape(0), entries, masks).apply(operation, operation.tensor(0))
    return _for_any_sample(operation, taken)


def _for_any_sample(operation: Operation, value: ir.Value) -> ir.Value:
    """Return a constant that holds the same for each sample of a free batch once, so that it fits any number of them.

    So the state that a recurrent layer begins with is made: as zeros for as many samples as the example had.
    """
    builder, shape = operation.builder, operation.shape
    if builder.batch is None or not shape or shape[0] != builder.batch:
        return value
    known = known_value(builder, value)
    row = builder.common_row(known) if known is not None else None
    return value if row is None else builder.initializer(row)


def _entries(operation: Operation, index: int) -> tuple[Lowered, ...]:
    lowered = operation.builder.get(operation.node.inputs[index])
    if isinstance(lowered, tuple):
        return lowered
    if isinstance(lowered, ir.Value):
        (count,) = operation.input_shape(index)
        return tuple(operation.add("Gather", lowered, operation.number(item, np.int64)) for item in range(count))
    return ints_of(lowered)


def _selection(sizes: Sequence[int], entries: Sequence[tuple[Lowered, Lowered, Lowered]], masks: _Masks) -> _Selection:
    selection, axis, place = _Selection(), 0, 0
    has_ellipsis = False
    for number, (begin, end, stride) in enumerate(entries):
        bits = masks.names(number)
        if "ellipsis" in bits and not has_ellipsis:
            has_ellipsis = True
            left = sum(not masks.names(later) & {"new_axis"} for later in range(number + 1, len(entries)))
            place += len(sizes) - left - axis
            axis = len(sizes) - left
        elif "new_axis" in bits:
            selection.new_axes.append(place)
            place += 1
        elif "shrink_axis" in bits:
            selection.items.append((axis, 0 if "begin" in bits else begin))
            axis += 1
        else:
            ends = _ends(begin, end, stride, bits, sizes[axis])
            if ends is not None:
                selection.slices.append((axis, *ends))
            axis += 1
            place += 1
    return selection


def _ends(
    begin: Lowered, end: Lowered, stride: Lowered, bits: frozenset[str], size: int
) -> tuple[Lowered, Lowered, int] | None:
    """Return start, end and step of a slice; None if it takes the whole axis."""
    step = stride if isinstance(stride, int) else 1
    forwards = step > 0
    start: Lowered = (0 if forwards else LAST) if "begin" in bits else begin
    # An end at the size of the axis is no end: the axis may be the batch.
    is_open = "end" in bits or (forwards and isinstance(end, int) and 0 <= size <= end)
    stop: Lowered = (LAST if forwards else FIRST) if is_open else end
    return None if (start, stop, step) == (0, LAST, 1) else (start, stop, step)


def _slice(operation: Operation) -> ir.Value:
    value, sizes = operation.tensor(0), operation.input_shape(0)
    begins, lengths = _entries(operation, 1), _entries(operation, 2)
    slices: list[tuple[int, Lowered, Lowered, int]] = []
    for axis, (begin, length, size) in enumerate(zip(begins, lengths, sizes, strict=True)):
        stop = _stop(operation, begin, length, size)
        if begin != 0 or stop != LAST:
            slices.append((axis, begin, stop, 1))
    return _sliced(operation, value, slices) if slices else value


def _stop(operation: Operation, begin: Lowered, length: Lowered, size: int) -> Lowered:
    if isinstance(begin, int) and isinstance(length, int):
        return LAST if length == -1 or begin + length == size else begin + length
    if isinstance(length, int) and length == -1:
        return LAST
    return operation.add("Add", operation.int_vector(begin), operation.int_vector(length))


def _narrow(operation: Operation) -> ir.Value:
    axis = axis_of(operation, "dim", 1, operation.rank(0))
    start, length = (operation.builder.get(operation.node.inputs[index]) for index in (2, 3))
    size, value = operation.input_shape(0)[axis], operation.tensor(0)
    if isinstance(start, int) and start < 0:
        start = start + size if size >= 0 else operation.add("Add", size_of(operation, value, axis), np.array([start]))
    stop = _stop(operation, start, length, size)
    return value if (start, stop) == (0, LAST) else _sliced(operation, value, [(axis, start, stop, 1)])


def _slice_axis(operation: Operation) -> ir.Value:
    axis = axis_of(operation, "dim", 1, operation.rank(0))
    start, end, step = (operation.builder.get(operation.node.inputs[index]) for index in (2, 3, 4))
    if not isinstance(step, int):
        raise operation.unsupported("its step is computed while the model runs")
    ends = _ends(start, end, step, frozenset(), operation.input_shape(0)[axis])
    return operation.tensor(0) if ends is None else _sliced(operation, operation.tensor(0), [(axis, *ends)])


def _select(operation: Operation) -> ir.Value:
    axis = axis_of(operation, "dim", 1, operation.rank(0))
    index = operation.builder.get(operation.node.inputs[2])
    return _Selection(items=[(axis, index)]).apply(operation, operation.tensor(0))


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "StridedSlice": _strided_slice,
    "Slice": _slice,
    "SliceExt": _slice_axis,
    "SliceExtView": _slice_axis,
    "Narrow": _narrow,
    "NarrowView": _narrow,
    "SelectExt": _select,
    "SelectExtView": _select,
}
