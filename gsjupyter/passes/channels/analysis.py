"""Follow channels through a graph: which belong together, which are always zero, and where the graph speaks of them.

Every output channel of a convolution or dense layer with a stored weight is a channel. Operators that treat channels
one by one hand them on; an addition joins those of its inputs; a Concat puts them side by side; a linear operator that
reads them can do without those that are zero, or that its weights ignore. What no rule describes needs all that it
reads. A channel can go if nothing needs it and nothing needs any channel that it is joined with.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from gsjupyter.mindir import Constant, Graph, Node, Parameter, Value
from gsjupyter.passes.channels.edits import ConstantSlice, Edit, GroupedWeight, ParameterSlice
from gsjupyter.passes.channels.groups import ChannelGroups, Channels, Doubles, Flags, Ids

Rule: TypeAlias = Callable[["ChannelAnalysis", Node], Channels | None]


@dataclass(frozen=True)
class Layer:
    """A linear operator whose output channels may go.

    Parameters
    ----------
    node : Node
        The operator.
    outputs : ndarray of shape (out_channels,)
        Its output channels.
    """

    node: Node
    outputs: Ids


@dataclass(frozen=True)
class _Claim:
    node: Node
    index: int
    axes: dict[int, Ids]


class ChannelAnalysis:
    """What is known of a graph's channels.

    Parameters
    ----------
    graph : Graph
        The graph; it is edited by `apply` only.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.groups = ChannelGroups()
        self.channels: dict[Value, Channels] = {}
        self.layers: list[Layer] = []
        self.edits: list[Edit] = []
        self.grouped: list[GroupedWeight] = []
        self._claims: dict[Parameter, list[_Claim]] = defaultdict(list)

    def of(self, value: Value) -> Channels | None:
        """Return the channels of a value, None if it has none that can be followed."""
        return self.channels.get(value)

    def along(self, node: Node, index: int, axis: int) -> Channels | None:
        """Return the channels of an input if they lie along an axis; along another one they are kept."""
        channels = self.of(node.inputs[index])
        if channels is not None and channels.axis != axis:
            self.keep(channels.ids, f"{title(node)} has its channels along another axis")
            return None
        return channels

    def new(self, axis: int, constants: Doubles) -> Channels:
        """Make new channels, each of which may go as long as nothing is said against it."""
        return Channels(axis, self.groups.new(len(constants)), constants)

    def keep(self, ids: Ids, reason: str) -> None:
        """Keep channels, for a reason."""
        self.groups.keep(ids, reason)

    def keep_inputs(self, node: Node, reason: str) -> None:
        """Keep all channels that a node reads, also through a tuple."""
        for value in node.inputs:
            items = value.inputs if isinstance(value, Node) and value.op == "MakeTuple" else (value,)
            for item in items:
                if (channels := self.of(item)) is not None:
                    self.keep(channels.ids, reason)

    def claim(self, node: Node, index: int, axes: Mapping[int, Ids]) -> bool:
        """Say that a stored tensor has channels along its axes; return False if the input is none."""
        value = node.inputs[index]
        if isinstance(value, Parameter) and value.is_readable:
            self._claims[value].append(_Claim(node, index, dict(axes)))
            return True
        if isinstance(value, Constant) and isinstance(value.value, np.ndarray):
            self.edits.extend(ConstantSlice(node, index, axis, ids) for axis, ids in axes.items())
            return True
        return False

    def finish(self) -> None:
        """Take in what can be said only when all is known."""
        for parameter, claims in self._claims.items():
            self._share(parameter, claims)
        while missing := self._missing(self.kept()):
            for ids, reason in missing:
                self.keep(ids, reason)

    def _share(self, parameter: Parameter, claims: list[_Claim]) -> None:
        claimed = {(claim.node, claim.index) for claim in claims}
        reads = {(node, i) for node in parameter.readers for i, item in enumerate(node.inputs) if item is parameter}
        others = sorted({title(node) for node, index in reads - claimed})
        axes = {axis: ids for claim in claims for axis, ids in claim.axes.items()}
        for axis, ids in axes.items():
            for claim in claims:
                if others or axis not in claim.axes:
                    reader = others[0] if others else title(claim.node)
                    self.keep(ids, f"{parameter.name} is also read by {reader}")
                else:
                    self.groups.join(ids, claim.axes[axis])
        self.edits.append(ParameterSlice(parameter, axes))

    def _missing(self, kept: Flags) -> list[tuple[Ids, str]]:
        """Return channels that have to stay for the sake of those that do, with the reasons."""
        sets = {channels.ids.tobytes(): channels.ids for channels in self.channels.values()}
        missing = [(ids[:1], "no layer can do without any channel") for ids in sets.values() if not kept[ids].any()]
        for grouped in self.grouped:
            ids = grouped.unbalanced(kept)
            if len(ids):
                missing.append((ids, f"{title(grouped.node)} computes in groups, which must be of one size"))
        return missing

    def kept(self) -> Flags:
        """Return which channels stay, by id."""
        return self.groups.kept()

    def zero(self) -> Flags:
        """Return which channels are known to be zero somewhere before they are joined with others, by id."""
        zero = np.zeros(len(self.groups.kept()), bool)
        for channels in self.channels.values():
            zero[channels.ids[channels.is_zero]] = True
        return zero

    def apply(self) -> None:
        """Remove from the graph all channels that don't have to stay."""
        kept = self.kept()
        for edit in [*self.edits, *self.grouped]:
            edit.apply(self.graph, kept)
        for value, channels in self.channels.items():
            if isinstance(value, Node):
                _resize(value, channels.axis, int(kept[channels.ids].sum()))
        for node in self.graph.nodes("MakeTuple"):
            shapes = [item.shape for item in node.inputs if item.shape is not None]
            if any(item in self.channels for item in node.inputs) and len(shapes) == len(node.inputs):
                node.resize(*shapes)


def analyse(graph: Graph, rules: Mapping[str, Rule]) -> ChannelAnalysis:
    """Follow all channels of a graph.

    Parameters
    ----------
    graph : Graph
        The graph, left as it is.
    rules : mapping of str to Rule
        How each operator treats channels. A rule returns the channels of the node's value, None if they can't be
        followed; then it has kept those that the node reads.
    """
    analysis = ChannelAnalysis(graph)
    for node in graph.nodes():
        rule = rules.get(node.op)
        if rule is None:
            analysis.keep_inputs(node, f"{title(node)} reads them, and may need all of them")
        elif (channels := rule(analysis, node)) is not None:
            analysis.channels[node] = channels
    output = analysis.of(graph.output)
    if output is not None:
        analysis.keep(output.ids, "they are the network's output")
    analysis.finish()
    return analysis


def title(node: Node) -> str:
    """Return how to speak of a node: ``Softmax (attention)``."""
    return f"{node.op} ({node.layer or 'network'})"


def _resize(node: Node, axis: int, size: int) -> None:
    if node.op == "BatchNorm":
        shape = list(node.inputs[0].shape or ())
        shape[axis] = size
        node.resize(shape, *[[size]] * 4)
    elif node.shape is not None:
        shape = list(node.shape)
        shape[axis] = size
        node.resize(shape)
