"""UniPruner: its masks never reach the graph, and its own convert removes nothing, so they are read from the cells.

Each convolution or dense layer is wrapped in a cell with two parameters, int8 zeros and ones: ``in_mask`` for the input
channels, ``out_mask`` for the output channels. The wrapped layer computes as if there were none. What a mask means is
that rows and columns of the weight are zero, and the bias too; then the channels can be removed like any others.

Source: mindspore_gs 1.4.1, ``pruner/uni_pruning/unipruning_masked_layer.py``, ``pruner/ops/masked_cell.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsjupyter.goldenstick.cells import current_value
from gsjupyter.goldenstick.recognition import plural
from gsjupyter.mindir import Array, Graph, Node, Parameter
from gsjupyter.passes import Change, LinearOperator, Pass, linear_operators

MASKED_CELLS: Final = ("UniPruningMaskedConv2d", "UniPruningMaskedDense")

_WRAPPED: Final = "handler"
_PREFIX: Final = "masked_"
_SUFFIX: Final = ".weight"
_DENSE_BIAS: Final = 2


@dataclass(frozen=True)
class ChannelMasks:
    """Which channels of a layer are kept.

    Parameters
    ----------
    inputs : ndarray of bool of shape (in_channels,)
        The input channels.
    outputs : ndarray of bool of shape (out_channels,)
        The output channels.
    """

    inputs: npt.NDArray[np.bool_]
    outputs: npt.NDArray[np.bool_]


def pruning_in_words(graph: Graph, masks: Mapping[str, ChannelMasks] | None = None) -> list[str]:
    """Return what UniPruner did to a network: ``UniPruner, 4 layers, 12 of 30 output channels masked``.

    Parameters
    ----------
    graph : Graph
        The network as it was exported.
    masks : mapping of str to ChannelMasks, optional
        What `channel_masks` gives.
    """
    layers = _wrapped_layers(graph)
    if not layers:
        return []
    found = [item.outputs for item in (masks or {}).values()]
    dropped, channels = sum(int((~item).sum()) for item in found), sum(item.size for item in found)
    told = f", {dropped:,} of {channels:,} output channels masked" if dropped else ""
    return [f"UniPruner, {plural(len(layers), 'layer')}{told}"]


def _wrapped_layers(graph: Graph) -> list[str]:
    """Return the layers that are wrapped: `apply` runs the network first, so their scopes may be those of before.

    What it leaves for certain is that the weight of a layer is called after the layer, with ``masked_`` before it.
    """
    names = [name for item in graph.parameters() if (name := item.name).startswith(_PREFIX) and name.endswith(_SUFFIX)]
    stems = [name[len(_PREFIX) : -len(_SUFFIX)] for name in names]
    layers = {node.layer.removesuffix(f".{_WRAPPED}") for node in graph.nodes()}
    return [stem for stem in stems if stem in layers]


def channel_masks(network: Any, checkpoint: Mapping[str, Any] | None = None) -> dict[str, ChannelMasks]:
    """Return the masks of the layers that mask anything.

    Parameters
    ----------
    network : nn.Cell
        The network; left as it is.
    checkpoint : mapping of str to array, Tensor or Parameter, optional
        Values by parameter name that are meant instead of the network's own.

    Returns
    -------
    dict of str to ChannelMasks
        By the layer's name. Empty if nothing is masked.
    """
    masks = {}
    for layer, cell in network.cells_and_names():
        if type(cell).__name__ in MASKED_CELLS:
            inputs, outputs = (current_value(item, checkpoint) == 1 for item in (cell.in_mask, cell.out_mask))
            if not (inputs.all() and outputs.all()):
                masks[layer] = ChannelMasks(inputs, outputs)
    return masks


class ZeroMaskedChannels(Pass):
    """Make rows and columns of weights zero, and biases, where UniPruner's masks say so.

    Runs before `FoldBatchNorm`, as the masks speak of the weights alone.

    Left alone, with the reason in the change list: a layer that isn't in the graph, and one whose weight is of another
    size.

    Parameters
    ----------
    masks : mapping of str to ChannelMasks
        What to keep, by layer, as `channel_masks` gives it.
    """

    def __init__(self, masks: Mapping[str, ChannelMasks]) -> None:
        self.masks = dict(masks)

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        operators: dict[str, LinearOperator] = {item.node.layer: item for item in linear_operators(graph)}
        return [
            self._zero(graph, layer, operators.get(f"{layer}.{_WRAPPED}", operators.get(layer))) for layer in self.masks
        ]

    def _zero(self, graph: Graph, layer: str, operator: LinearOperator | None) -> Change:
        masks = self.masks[layer]
        if operator is None:
            return Change(layer, "UniPruner", False, "the graph has no such layer with a weight")
        node, weight = operator.node, _weight(operator)
        axes = (operator.axis, 1 - operator.axis)
        if weight is None or [weight.shape[axis] for axis in axes] != [masks.outputs.size, masks.inputs.size]:
            return Change.skipped(node, "its weight isn't stored in float32, or of another size than its masks")
        rows = _masked(weight, axes[0], masks.outputs)
        _replace(graph, node, operator.weight_index, _masked(rows, axes[1], masks.inputs))
        for reader, index in _biases(node):
            bias = reader.parameter(index)
            if bias is not None:
                _replace(graph, reader, index, _masked(bias.array, 0, masks.outputs))
        kept = f"{int(masks.inputs.sum())} of {masks.inputs.size} input and "
        return Change.done(node, f"{kept}{int(masks.outputs.sum())} of {masks.outputs.size} output channels are kept")


def _weight(operator: LinearOperator) -> Array | None:
    stored = operator.node.parameter(operator.weight_index)
    return stored.array if stored is not None and stored.dtype == np.float32 else None


def _masked(values: Array, axis: int, kept: npt.NDArray[np.bool_]) -> Array:
    shape = [-1 if index == axis else 1 for index in range(values.ndim)]
    return np.where(kept.reshape(shape), values, np.zeros((), values.dtype))


def _biases(node: Node) -> list[tuple[Node, int]]:
    readers = [(reader, 1) for reader in node.readers if reader.op == "BiasAdd"]
    return [(node, _DENSE_BIAS)] if node.op == "Dense" else readers


def _replace(graph: Graph, node: Node, index: int, values: Array) -> None:
    old = node.parameter(index)
    if old is not None:
        new = Parameter.of(old.name, values) if len(old.readers) == 1 else graph.new_parameter(old.name, values)
        node.set_input(index, new)
