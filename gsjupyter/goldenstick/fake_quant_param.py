"""What the algorithms' own ``convert`` leaves: FakeQuantParam, which carries scales and computes nothing.

Not everything on it is true: SimQAT writes -1 for a channel axis that is 0. LSQ writes a scale for each channel and
says "not per channel"; its scale comes from two numbers of which it trains only one (``max``, the threshold), so once
trained it may be too large by what the other kept. SLB's scale and zero point don't describe its levels, and its
weight is final. So only what is true is read: scales, zero points and the grid, for LSQ the threshold, and the number
of scales tells that they lie along axis 0.

Source: mindspore_gs 1.4.1, ``quantization/fake_quantizer.py`` (quant_params), ``slb/slb_fake_quantizer.py``.
"""

from typing import Final

import numpy as np

from gsjupyter.errors import UnsupportedError
from gsjupyter.goldenstick.fake_quant import Doubles, FakeQuant, grid_of
from gsjupyter.mindir import Graph, Node

OPERATORS: Final = ("FakeQuantParam",)
_LINEAR, _LEVELS = "linear_quant_algo", "SLBQuant"
# LSQ quantizes activations of these cells, and leaves them to SimQAT's operators elsewhere.
_NEVER_LEARNED: Final = "ActQuant"


def learned_nodes(graph: Graph) -> frozenset[Node]:
    """Return the nodes that LSQ has left: the weights betray it, for activations look like SimQAT's."""
    nodes = graph.nodes(*OPERATORS)
    if not any(_is_learned_weight(node) for node in nodes):
        return frozenset()
    return frozenset(node for node in nodes if node.scope.parent_class != _NEVER_LEARNED)


def read(node: Node, *, is_learned: bool) -> FakeQuant:
    """Return what a FakeQuantParam stands for.

    Parameters
    ----------
    node : Node
        The operator.
    is_learned : bool
        Whether LSQ has left it.

    Raises
    ------
    UnsupportedError
        If it is of an unknown algorithm, or its scales are missing.
    """
    attributes = node.attributes
    algorithm = attributes.get("quant_algo_name")
    if algorithm != _LINEAR:
        raise UnsupportedError(
            f"layer {node.layer or '(network)'} is quantized by {algorithm!r}, whose parameters can't be read.",
            advice="Convert the network in training form, before the algorithm's own convert.",
        )
    bits = int(node.number("num_bits"))
    is_signed, narrow_range = bool(node.argument("signed")), bool(node.argument("narrow_range"))
    lowest, highest = grid_of(bits, is_signed=is_signed, narrow_range=narrow_range)
    if is_learned:
        scale = np.abs(_numbers(node, "max")) / highest
        return FakeQuant("LSQ", bits, scale, np.zeros_like(scale), -highest, highest, is_converted=True)
    scale, zero_point = _numbers(node, "linear_quant_scale"), _numbers(node, "linear_quant_zero_point")
    return FakeQuant("SimQAT", bits, scale, zero_point, lowest, highest, is_converted=True)


def has_levels(node: Node) -> bool:
    """Say whether it stands for SLB's levels: then the weight is final as it is."""
    return node.attributes.get("quant_algo_name") == _LEVELS


def _is_learned_weight(node: Node) -> bool:
    if node.parameter(0) is None or node.attributes.get("quant_algo_name") != _LINEAR:
        return False
    low, high = _numbers(node, "min"), _numbers(node, "max")
    is_mislabelled = high.size > 1 and not node.attributes.get("is_per_channel")
    return is_mislabelled or bool((low > high).any())


def _numbers(node: Node, name: str) -> Doubles:
    values = node.argument(name)
    if not isinstance(values, tuple):
        raise UnsupportedError(f"{name} of {node.op} in layer {node.layer or '(network)'} is no list of numbers.")
    return np.array([value for value in values if isinstance(value, int | float)], np.float64)
