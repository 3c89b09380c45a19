"""Fold masks of zeros and ones into the weights in front of them: a masked channel is a channel with zero weights.

    mask * (W x + b) = (mask * W) x + mask * b        (mask along the output channel axis)

SCOP leaves such a mask behind each of its convolutions [1]_. It is made anew at every call, for one batch size; without
it the network takes any batch, and the zero channels can be removed.

.. [1] Y. Tang et al., "SCOP: Scientific Control for Reliable Neural Network Pruning", NeurIPS 2020.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import Array, Constant, Graph, Model, Node, Parameter, Value
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.constant_values import constant_nodes, values_of
from gsjupyter.passes.linear import along, linear_operator
from gsjupyter.passes.remove_dead_code import RemoveDeadCode

_Mask = npt.NDArray[np.bool_]

_MATRIX_PRODUCTS: Final = ("MatMul", "MatMulExt", "Dense")
_DENSE_BIAS: Final = 2
# What a mask of zeros and ones passes through unchanged: f(0) = 0, channel by channel.
_TRANSPARENT: Final = ("ReLU", "ReLU6", "HSwish", "SiLU", "GeLU", "Tanh")


@dataclass(frozen=True)
class _Masking:
    """A node that lets some elements of an activation through, and makes the others zero."""

    node: Node
    data: Value
    mask: Value
    fills: bool

    def passes(self, values: Array) -> Array:
        """Return where it lets elements through."""
        return ~values.astype(bool) if self.fills else values != 0


@dataclass(frozen=True)
class _Factor:
    """A stored tensor that the output channels of a feed are scaled by."""

    node: Node
    index: int
    axis: int


class FoldMasks(Pass):
    """Replace ``mask * linear(x)`` by a linear operator whose masked channels are zero.

    The mask may be stored or computed from constants. Runs before `FoldConstants`, which would store masks at the size
    of the activation.

    Left alone, with the reason in the change list: a mask that differs within a channel, and one whose input is no
    linear operator or BatchNorm with stored numbers, or has another reader.

    Parameters
    ----------
    model : Model
        The model that the graph is of: its version fields are needed to compute masks.
    """

    requires = (RemoveDeadCode,)

    def __init__(self, model: Model) -> None:
        self._model = model
        self.dropped: dict[str, tuple[int, int]] = {}
        """How many channels each folded mask drops, and of how many, by the layer that masks."""

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        constant = constant_nodes(graph)
        found = [item for node in graph.nodes() if (item := _masking(node, constant)) is not None]
        values = self._values(graph, list(dict.fromkeys(item.mask for item in found)))
        masks = [item for item in found if _is_mask(item, values[item.mask])]
        return [self._fold(graph, item, item.passes(values[item.mask])) for item in masks]

    def _values(self, graph: Graph, masks: list[Value]) -> dict[Value, Array]:
        computed = [mask for mask in masks if isinstance(mask, Node)]
        values: dict[Value, Array] = {}
        if computed:
            values.update(zip(computed, values_of(self._model, graph, computed), strict=True))
        for mask in masks:
            if isinstance(mask, Parameter):
                values[mask] = mask.array
            elif isinstance(mask, Constant) and isinstance(mask.value, np.ndarray):
                values[mask] = mask.value
        return values

    def _fold(self, graph: Graph, item: _Masking, passes: Array) -> Change:
        chain = _chain(item.data)
        factors = _factors(chain) if chain else []
        if not factors:
            return Change.skipped(item.node, "what it masks is no linear operator with a stored weight")
        axis = _channel_axis(chain[-1], len(item.node.shape or ()))
        mask = _by_channel(passes, item.node.shape or (), axis)
        if mask is None:
            return Change.skipped(item.node, "its mask differs within a channel")
        if reason := _obstacle([item.node, *chain], factors):
            return Change.skipped(item.node, reason)
        for factor in factors:
            _zero(graph, factor, mask)
        graph.replace(item.node, item.data)
        dropped = int(mask.size - np.count_nonzero(mask))
        self.dropped[item.node.layer] = (dropped, mask.size)
        return Change.done(item.node, f"{dropped} of {mask.size} channels of {_name(chain[-1])} are zero now")


def _masking(node: Node, constant: set[Node]) -> _Masking | None:
    """Return a node as one that may mask its input; whether it does is for the mask's values to say."""
    if node in constant or node.shape is None:
        return None
    if node.op == "Mul":
        pairs = [node.inputs[:2], node.inputs[1::-1]]
        for data, mask in pairs:
            if _is_constant_tensor(mask, constant) and not _is_constant_tensor(data, constant):
                return _Masking(node, data, mask, fills=False)
    if node.op == "MaskedFill" and _is_constant_tensor(node.inputs[1], constant) and _is_zero(node.inputs[2]):
        return _Masking(node, node.inputs[0], node.inputs[1], fills=True)
    return None


def _is_constant_tensor(value: Value, constant: set[Node]) -> bool:
    """Say whether a value is known, of one dimension or more, and of numbers that numpy has."""
    known = isinstance(value, Constant | Parameter) or value in constant
    return known and value.dtype is not None and any(size != 1 for size in value.shape or ())


def _is_zero(value: Value) -> bool:
    if isinstance(value, Constant):
        return isinstance(value.value, np.ndarray | int | float) and not np.any(value.value)
    return False


def _is_mask(item: _Masking, values: Array) -> bool:
    return item.fills or bool(((values == 0) | (values == 1)).all())


def _chain(value: Value) -> list[Node]:
    """Return what leads from the mask's input back to what has the weights; nothing if something else is there."""
    chain: list[Node] = []
    while isinstance(value, Node):
        chain.append(value)
        if value.op == "BatchNorm" or linear_operator(value) is not None:
            return chain
        is_item = value.op == "TupleGetItem" and isinstance(value.inputs[1], Constant) and value.inputs[1].value == 0
        if value.op not in (*_TRANSPARENT, "BiasAdd") and not is_item:
            return []
        value = value.inputs[0]
    return []


def _factors(chain: list[Node]) -> list[_Factor]:
    """Return where the scale of the output channels is stored; nothing if it isn't."""
    feed = chain[-1]
    biases = [_Factor(node, 1, 0) for node in chain if node.op == "BiasAdd"]
    if feed.op == "BatchNorm":
        return [*biases, _Factor(feed, 1, 0), _Factor(feed, 2, 0)] if _is_inference(feed) else []
    operator = linear_operator(feed)
    if operator is None or feed.op.endswith("Transpose") or operator.is_embedding:
        return []
    if feed.op == "Dense" and not isinstance(feed.inputs[_DENSE_BIAS], Constant):
        biases.append(_Factor(feed, _DENSE_BIAS, 0))
    return [*biases, _Factor(feed, operator.weight_index, operator.axis)]


def _is_inference(norm: Node) -> bool:
    return norm.argument("is_training") is False


def _channel_axis(feed: Node, ndim: int) -> int:
    return ndim - 1 if feed.op in _MATRIX_PRODUCTS else 1


def _by_channel(passes: Array, shape: tuple[int, ...], axis: int) -> _Mask | None:
    """Return which channels a mask lets through, None if it lets parts of a channel through."""
    full = passes.reshape([1] * (len(shape) - passes.ndim) + list(passes.shape))
    rows = np.moveaxis(full, axis, 0).reshape(full.shape[axis], -1)
    if not (rows == rows[:, :1]).all() or shape[axis] < 0:
        return None
    return np.broadcast_to(rows[:, 0], (shape[axis],)).astype(bool)


def _obstacle(chain: list[Node], factors: list[_Factor]) -> str:
    for reader, node in pairwise(chain):
        others = [other for other in node.readers if other is not reader]
        if others:
            return f"what it masks is also read by {others[0].op} ({others[0].layer or 'network'})"
    for factor in factors:
        stored = factor.node.parameter(factor.index)
        if stored is None or stored.dtype != np.float32:
            return f"{_name(factor.node)} doesn't store its weight as float32"
    return ""


def _zero(graph: Graph, factor: _Factor, mask: _Mask) -> None:
    """Make masked channels zero in a stored tensor, for this node alone."""
    old = factor.node.parameter(factor.index)
    if old is None or mask.all():
        return
    # Where, not a product: a masked channel is zero even if training left NaN in it.
    values = np.where(along(factor.axis, mask, old.array.ndim), old.array, np.float32(0))
    new = Parameter.of(old.name, values) if len(old.readers) == 1 else graph.new_parameter(old.name, values)
    factor.node.set_input(factor.index, new)


def _name(node: Node) -> str:
    operator = linear_operator(node)
    return operator.name if operator is not None else node.layer or "network"
