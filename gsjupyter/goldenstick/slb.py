"""SLB: each weight is one of ``2 ** bits`` levels, the one whose candidate has won the training.

In training form a weight has an axis more, with a number for each level, and at inference the graph picks the level of
the largest: ReduceSum(OneHot(Argmax(candidates)) * levels). After the algorithm's own ``convert`` the picked levels are
the weight, with a FakeQuantParam behind it. Both are stored as the odd integers -(n - 1), ..., n - 1 with the scale
``1 / (n - 1)`` for n levels: evenly from -1 to 1, and none at 0.

Source: mindspore_gs 1.4.1, ``quantization/slb/slb_fake_quantizer.py``, ``slb_quant.py``. Z. Yang et al., "Searching for
Low-Bit Weights in Quantized Neural Networks", NeurIPS 2020.
"""

import numpy as np
import numpy.typing as npt

from gsjupyter.goldenstick.fake_quant_param import has_levels
from gsjupyter.mindir import Graph, Node, Parameter, Value
from gsjupyter.quantization import QuantizedArray

_BITS = (1, 2, 4)
_TOLERANCE = 1e-6


def picked_weights(graph: Graph) -> list[tuple[Node, Parameter, npt.NDArray[np.float32]]]:
    """Return (node, candidates, weight) of each weight in training form: the node gives the weight."""
    found = []
    for node in graph.nodes("ReduceSum"):
        parts = _parts_of(node)
        if parts is not None:
            candidates, levels = parts
            found.append((node, candidates, levels[candidates.array.argmax(-1)].astype(np.float32)))
    return found


def is_final(node: Node) -> bool:
    """Say whether a node passes on a weight whose levels are picked already."""
    return node.op == "FakeQuantParam" and has_levels(node)


def final_weights(graph: Graph) -> list[tuple[Node, Parameter]]:
    """Return (node, weight) of each weight after the algorithm's own convert: the node passes the weight on."""
    return [
        (node, weight)
        for node in graph.nodes("FakeQuantParam")
        if is_final(node) and (weight := node.parameter(0)) is not None
    ]


def as_levels(weight: npt.NDArray[np.float32], bits: int) -> QuantizedArray | None:
    """Return a weight as integers; None if its values are not the levels of so many bits."""
    last = (1 << bits) - 1
    integers = np.rint(weight.astype(np.float64) * last)
    is_odd = (np.abs(integers) % 2 == 1).all() and (np.abs(integers) <= last).all()
    if bits not in _BITS or not is_odd or not np.allclose(integers / last, weight, rtol=0, atol=_TOLERANCE):
        return None
    scale = np.asarray(1 / last, np.float32)
    return QuantizedArray(integers.astype(np.int8), scale, np.zeros((), np.int32), f"int{bits} per tensor")


def _parts_of(node: Node) -> tuple[Parameter, npt.NDArray[np.float32]] | None:
    """Return the candidates and the levels, if a sum picks one level for each weight."""
    product = _computed(node.inputs[0], "Mul")
    chosen = _computed(product.inputs[0], "OneHot") if product is not None else None
    winner = _computed(chosen.inputs[0], "Argmax") if chosen is not None else None
    if product is None or winner is None:
        return None
    candidates, levels = winner.parameter(0), product.parameter(1)
    if candidates is None or levels is None or candidates.shape is None:
        return None
    count = candidates.shape[-1]
    is_last = winner.argument("axis") in (-1, len(candidates.shape) - 1) and node.shape == candidates.shape[:-1]
    return (candidates, levels.array.astype(np.float32).ravel()) if is_last and levels.shape == (count,) else None


def _computed(value: Value, operator: str) -> Node | None:
    return value if isinstance(value, Node) and value.op == operator else None
