"""What has to change in a graph when channels go: stored tensors, sizes in arguments, attributes."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gsjupyter.mindir import Array, Constant, Graph, Node, Parameter
from gsjupyter.passes.channels.groups import Flags, Ids


class Edit(Protocol):
    """One place that speaks of channels."""

    def apply(self, graph: Graph, kept: Flags) -> None:
        """Let the place speak of the channels only that are kept, by id."""


@dataclass(frozen=True)
class ParameterSlice:
    """A stored tensor with channels along some of its axes."""

    parameter: Parameter
    axes: dict[int, Ids]

    def apply(self, graph: Graph, kept: Flags) -> None:
        """Store the kept part under the same name, for all readers."""
        if not all(kept[ids].all() for ids in self.axes.values()):
            values = _sliced(self.parameter.array, self.axes, kept)
            graph.replace(self.parameter, Parameter.of(self.parameter.name, values))


@dataclass(frozen=True)
class ConstantSlice:
    """A constant tensor with channels along one of its axes, as one node reads it."""

    node: Node
    index: int
    axis: int
    ids: Ids

    def apply(self, graph: Graph, kept: Flags) -> None:
        """Let the node read the kept part."""
        constant = self.node.inputs[self.index]
        if isinstance(constant, Constant) and isinstance(constant.value, np.ndarray):
            self.node.set_input(self.index, Constant.of(_sliced(constant.value, {self.axis: self.ids}, kept)))


@dataclass(frozen=True)
class SizeInArgument:
    """A size in a tuple that a node takes as an argument: the shape of a Reshape, for example."""

    node: Node
    index: int
    position: int
    ids: Ids

    def apply(self, graph: Graph, kept: Flags) -> None:
        """Write the number of kept channels in its place."""
        size, given = int(kept[self.ids].sum()), self.node.inputs[self.index]
        if isinstance(given, Constant) and isinstance(given.value, tuple):
            sizes = list(given.value)
            sizes[self.position] = size
            self.node.set_input(self.index, Constant.of(tuple(sizes)))
        elif isinstance(given, Node):
            items = list(given.inputs)
            items[self.position] = Constant.of(size)
            self.node.set_input(self.index, graph.add_tuple(items))


@dataclass(frozen=True)
class SizeInAttribute:
    """An attribute of an operator that counts channels."""

    node: Node
    name: str
    ids: Ids

    def apply(self, graph: Graph, kept: Flags) -> None:
        """Write the number of kept channels, where the operator has the attribute."""
        if self.name in self.node.attributes:
            self.node.set_attribute(self.name, int(kept[self.ids].sum()))


@dataclass(frozen=True)
class ArgumentMadeExplicit:
    """An argument whose meaning would change with the number of channels, and what it means now."""

    node: Node
    index: int
    value: tuple[int, ...]

    def apply(self, graph: Graph, kept: Flags) -> None:
        """Say what was meant."""
        self.node.set_input(self.index, Constant.of(self.value))


@dataclass(frozen=True)
class GroupedWeight:
    """The weight of a convolution in groups, and the attributes that say how many groups there are.

    Parameters
    ----------
    node : Node
        The convolution.
    inputs : ndarray of shape (groups, in_channels / groups)
        The channels that each group reads.
    outputs : ndarray of shape (groups, out_channels / groups)
        The channels that each group computes.
    """

    node: Node
    inputs: Ids
    outputs: Ids

    def unbalanced(self, kept: Flags) -> Ids:
        """Return channels that have to stay as well: the groups that are left must be of one size."""
        remaining = kept[self.inputs].any(axis=1) | kept[self.outputs].any(axis=1)
        missing = [self._missing(ids[remaining], kept) for ids in (self.inputs, self.outputs)]
        return np.concatenate(missing)

    @staticmethod
    def _missing(ids: Ids, kept: Flags) -> Ids:
        counts = kept[ids].sum(axis=1)
        size = max(1, int(counts.max(initial=0)))
        missing = [row[~kept[row]][: size - count] for row, count in zip(ids, counts, strict=True)]
        return np.concatenate([*missing, np.zeros(0, np.int64)])

    def apply(self, graph: Graph, kept: Flags) -> None:
        """Store the kept part of each kept group."""
        weight = self.node.parameter(1)
        if weight is None:
            return
        remaining = kept[self.inputs].any(axis=1)
        groups = weight.array.reshape(*self.outputs.shape, *weight.array.shape[1:])
        parts = [
            group[kept[outputs]][:, kept[inputs]]
            for group, outputs, inputs in zip(groups, self.outputs, self.inputs, strict=True)
            if kept[inputs].any()
        ]
        graph.replace(weight, Parameter.of(weight.name, np.concatenate(parts)))
        for name in ("group", "groups"):
            if name in self.node.attributes:
                self.node.set_attribute(name, int(remaining.sum()))


def _sliced(values: Array, axes: dict[int, Ids], kept: Flags) -> Array:
    for axis, ids in axes.items():
        values = np.compress(kept[ids], values, axis=axis)
    return values
