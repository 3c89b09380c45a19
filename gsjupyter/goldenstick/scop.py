"""SCOP: recognise its two phases, and mend masks that a checkpoint has left behind.

In the knockoff phase each pruned convolution is a `KfConv2d`, which at inference is its convolution and BatchNorm. In
the fine-tune phase it is a `MaskedConv2dbn`, which multiplies its output by a mask. That cell notes the channels to
keep twice: in the parameter ``out_index``, which a checkpoint loads, and in the Python list ``mask``, which it doesn't,
and which the graph is made from. After loading a checkpoint the two may disagree; the parameter is right.

Source: mindspore_gs 1.4.1, ``pruner/scop/scop_pruner.py``. Y. Tang et al., "SCOP: Scientific Control for Reliable
Neural Network Pruning", NeurIPS 2020.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import ParameterError
from gsjupyter.goldenstick.cells import cells_of_class, current_value
from gsjupyter.goldenstick.recognition import plural
from gsjupyter.mindir import Array, Constant, Graph, Node
from gsjupyter.passes import Change, FoldMasks, Pass

KNOCKOFF_CELL: Final = "KfConv2d"
MASKED_CELL: Final = "MaskedConv2dbn"

_CHANNEL_AXIS: Final = 1
_MASK_INPUT: Final = 1


def pruning_in_words(graph: Graph, masks: FoldMasks | None = None) -> list[str]:
    """Return what SCOP did to a network: ``SCOP fine-tune, 5 masked convolutions, 40 of 96 channels dropped``.

    Parameters
    ----------
    graph : Graph
        The network as it was exported.
    masks : FoldMasks, optional
        The pass, after it has run: it knows how many channels the masks drop.
    """
    lines = []
    if knockoffs := cells_of_class(graph, KNOCKOFF_CELL):
        lines.append(f"SCOP knockoff, {plural(len(knockoffs), 'convolution')}, nothing is pruned yet")
    if masked := cells_of_class(graph, MASKED_CELL):
        counts = [masks.dropped[layer] for layer in masked if layer in masks.dropped] if masks is not None else []
        dropped, channels = (sum(numbers) for numbers in zip(*counts, strict=True)) if counts else (0, 0)
        told = f", {dropped:,} of {channels:,} channels dropped" if counts else ""
        lines.append(f"SCOP fine-tune, {plural(len(masked), 'masked convolution')}{told}")
    return lines


def stale_masks(network: Any, checkpoint: Mapping[str, Any] | None = None) -> dict[str, npt.NDArray[np.int64]]:
    """Return the channels to keep of each layer whose mask says something else.

    Parameters
    ----------
    network : nn.Cell
        The network; left as it is.
    checkpoint : mapping of str to array, Tensor or Parameter, optional
        Values by parameter name that are meant instead of the network's own.

    Returns
    -------
    dict of str to ndarray
        The kept channels in ascending order, by the layer's name. Empty if all masks are right.

    Raises
    ------
    ParameterError
        If an ``out_index`` names channels that its convolution doesn't have.
    """
    stale = {}
    for layer, cell in network.cells_and_names():
        if type(cell).__name__ == MASKED_CELL:
            kept = np.unique(current_value(cell.out_index, checkpoint)).astype(np.int64)
            _check(layer, kept, int(cell.conv.out_channels))
            if not np.array_equal(kept, np.unique(np.asarray(cell.mask, np.int64))):
                stale[layer] = kept
    return stale


def _check(layer: str, kept: npt.NDArray[np.int64], channels: int) -> None:
    if not kept.size or kept[0] < 0 or kept[-1] >= channels:
        named = f"{kept[0]} to {kept[-1]}" if kept.size else "none"
        raise ParameterError(
            f"out_index of layer {layer} names channels {named}, and the convolution has {channels}.",
            advice="Load a checkpoint of this network, saved in the same phase.",
        )


class RenewMasks(Pass):
    """Let SCOP's masks keep the channels that the checkpoint says.

    Runs before `FoldMasks`. Left alone, with the reason in the change list: a layer without a mask in the graph.

    Parameters
    ----------
    kept : mapping of str to sequence of int
        The channels to keep, by layer, as `stale_masks` gives them.
    """

    def __init__(self, kept: Mapping[str, Sequence[int] | npt.NDArray[np.int64]]) -> None:
        self.kept = {layer: np.asarray(channels, np.int64) for layer, channels in kept.items()}

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        masked = {node.layer: node for node in graph.nodes("Mul", "MaskedFill") if node.scope.cell_class == MASKED_CELL}
        return [self._renew(layer, masked.get(layer)) for layer in self.kept]

    def _renew(self, layer: str, node: Node | None) -> Change:
        kept = self.kept[layer]
        channels = node.shape[_CHANNEL_AXIS] if node is not None and node.shape is not None else -1
        if node is None or channels <= int(kept.max()):
            return Change(layer, MASKED_CELL, False, f"the graph has no mask with channel {kept.max()}")
        node.set_input(_MASK_INPUT, Constant.of(_mask(node, channels, kept)))
        return Change.done(node, f"mask renewed: {kept.size} of {channels} channels are kept")


def _mask(node: Node, channels: int, kept: npt.NDArray[np.int64]) -> Array:
    is_kept = np.isin(np.arange(channels), kept).reshape(1, -1, 1, 1)
    # MaskedFill has True where it fills with zeros.
    return ~is_kept if node.op == "MaskedFill" else is_kept.astype(np.float32)
