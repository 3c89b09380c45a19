"""Fold BatchNorm into the linear operator before it.

At inference BatchNorm is an affine map per channel, so it can be absorbed by the weight and bias of the
convolution or dense layer that feeds it [1]_: with ``k = gamma / sqrt(var + eps)``,

    weight' = weight * k        (k along the output channel axis)
    bias'   = (bias - mean) * k + beta

.. [1] B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
   Integer-Arithmetic-Only Inference", CVPR 2018, section 3.2.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import Constant, Graph, Node, Parameter, Value
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.linear import LinearOperator, along, linear_operator
from gsjupyter.passes.remove_dead_code import RemoveDeadCode
from gsjupyter.passes.stored_weight import StoredWeight, store_weight

_CHANNEL_AXIS = 1
_STATISTICS = 4
_MATRIX_PRODUCTS = ("MatMul", "Dense")
_FOLDABLE = ("Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose", *_MATRIX_PRODUCTS)
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Feed:
    """What leads to a BatchNorm.

    The linear operator; what adds its bias (itself, if the bias is an input of its own); and what makes four axes of
    theirs for Conv1d, BatchNorm1d and 3d.
    """

    linear: LinearOperator
    output: Node
    bias: Parameter | None
    reshapes: list[Node]

    @property
    def chain(self) -> list[Node]:
        """From the linear operator to the BatchNorm's input, each node once."""
        return list(dict.fromkeys([self.linear.node, self.output, *self.reshapes]))


class FoldBatchNorm(Pass):
    """Replace ``BatchNorm(linear(x))`` by one linear operator with the same output.

    Left alone, with the reason in the change list: a BatchNorm in training mode, one whose input has
    another reader or is no linear operator, one whose statistics are not constant.
    """

    requires = (RemoveDeadCode,)

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        return [self._fold(graph, norm) for norm in graph.nodes("BatchNorm")]

    def _fold(self, graph: Graph, norm: Node) -> Change:
        feed = _feed_of(norm.inputs[0])
        if feed is None:
            return Change.skipped(norm, "what feeds it is no linear operator with a stored weight")
        if reason := _obstacle(feed, norm):
            return Change.skipped(norm, reason)
        factor, shift = affine_of(norm)
        weight = _scaled_weight(graph, feed.linear, factor)
        bias = shift + factor * (feed.bias.array.astype(np.float64) if feed.bias is not None else 0.0)
        output = _rebuilt(graph, feed, weight, bias.astype(np.float32))
        if feed.reshapes:
            feed.reshapes[0].set_input(0, output)
            output = feed.reshapes[-1]
        for _, item in list(norm.item_readers()):
            graph.replace(item, output)
        return Change.done(norm, f"folded into {feed.linear.name}")


def _feed_of(value: Value) -> _Feed | None:
    reshapes: list[Node] = []
    while isinstance(value, Node) and _keeps_channels(value):
        reshapes.insert(0, value)
        value = value.inputs[0]
    if not isinstance(value, Node):
        return None
    linear, bias = value, None
    if value.op == "BiasAdd":
        bias = value.parameter(1)
        if bias is None or not isinstance(value.inputs[0], Node):
            return None
        linear = value.inputs[0]
    elif value.op == "Dense":
        bias = value.parameter(2)
        if isinstance(value.inputs[2], Node):
            return None
    operator = linear_operator(linear) if linear.op in _FOLDABLE else None
    return _Feed(operator, value, bias, reshapes) if operator is not None else None


def _keeps_channels(node: Node) -> bool:
    if node.op not in ("Reshape", "Squeeze", "ExpandDims"):
        return False
    before, after = node.inputs[0].shape, node.shape
    return before is not None and after is not None and len(before) > 1 and before[:2] == after[:2] and before[1] > 0


def _obstacle(feed: _Feed, norm: Node) -> str:
    if norm.argument("is_training"):
        return "it is in training mode"
    if feed.linear.node.op in _MATRIX_PRODUCTS and len(feed.linear.node.shape or ()) != 2:
        return f"it normalizes another axis than {feed.linear.name}'s output channels"
    if len(_statistics(norm)) != _STATISTICS:
        return "its statistics are not constant"
    if any(index != 0 for index, _ in norm.item_readers()) or len(list(norm.item_readers())) != len(norm.readers):
        return "its statistics are read as outputs"
    if feed.linear.stored is not None and not _can_be_rescaled(feed.linear, feed.linear.stored):
        return f"the weight of {feed.linear.name} is stored as {feed.linear.stored.scheme}"
    for node, reader in pairwise([*feed.chain, norm]):
        others = [other for other in node.readers if other is not reader]
        if others:
            names = ", ".join(f"{other.op} ({other.layer or 'network'})" for other in others)
            return f"{feed.linear.name} is also read by {names}"
    return ""


def affine_of(norm: Node) -> tuple[Doubles, Doubles]:
    """Return what a BatchNorm does at inference, as a factor and a shift for each channel."""
    gamma, beta, mean, variance = _statistics(norm)
    factor = gamma / np.sqrt(variance + norm.number("epsilon"))
    return factor, beta - mean * factor


def _statistics(norm: Node) -> list[Doubles]:
    """Return gamma, beta, mean and variance; fewer, if not all of them are stored numbers."""
    parameters = [norm.parameter(index) for index in range(1, 1 + _STATISTICS)]
    return [item.array.astype(np.float64) for item in parameters if item is not None and item.is_readable]


def _can_be_rescaled(linear: LinearOperator, stored: StoredWeight) -> bool:
    is_own = stored.values.shape == linear.shape and len(stored.output.readers) == 1
    return stored.is_integer and is_own and not linear.node.op.endswith("Transpose")


def _scaled_weight(graph: Graph, linear: LinearOperator, factor: Doubles) -> Value:
    """Return the weight times a factor for each output channel; integers stay, and their scales take it."""
    if linear.stored is None:
        return _renewed(graph, linear.weight, _scaled_numbers(linear, factor))
    quantized = linear.stored.quantized
    rescaled = quantized.rescaled(along(linear.axis, factor, quantized.values.ndim))
    return store_weight(graph, linear.weight.name, rescaled, linear.node.scope)


def _scaled_numbers(linear: LinearOperator, factor: Doubles) -> npt.NDArray[np.float32]:
    weight = linear.weight.array.astype(np.float64)
    if linear.node.op.endswith("Transpose"):
        # (in, out / groups, ...): the output channels of a group are those of its share of the input channels.
        groups = factor.size // weight.shape[_CHANNEL_AXIS]
        grouped = weight.reshape(groups, -1, *weight.shape[1:])
        scaled = grouped * factor.reshape(groups, 1, -1, *[1] * (weight.ndim - 2))
        return scaled.reshape(weight.shape).astype(np.float32)
    return np.asarray(weight * along(linear.axis, factor, weight.ndim), np.float32)


def _rebuilt(graph: Graph, feed: _Feed, weight: Value, bias: npt.NDArray[np.float32]) -> Node:
    linear = feed.linear
    stem = linear.weight.name.rpartition(".")[0]
    bias_name = feed.bias.name if feed.bias is not None else f"{stem}.bias" if stem else f"{linear.weight.name}.bias"
    linear.node.set_input(linear.weight_index, weight)
    if linear.node.op == "Dense":
        linear.node.set_input(2, graph.new_parameter(bias_name, bias))
        return linear.node
    if feed.output is not linear.node and feed.bias is not None:
        feed.output.set_input(1, _renewed(graph, feed.bias, bias))
        return feed.output
    shape, dtype = linear.node.shape, linear.node.dtype
    data_format = Constant.of(0)
    parameter = graph.new_parameter(bias_name, bias)
    inputs = [linear.node, parameter, data_format]
    return graph.add("BiasAdd", inputs, scope=linear.node.scope, shape=shape, dtype=dtype)


def _renewed(graph: Graph, old: Parameter, array: npt.NDArray[np.float32]) -> Parameter:
    """Return a parameter with new values; under the old name, unless others go on reading the old one."""
    return Parameter.of(old.name, array) if len(old.readers) == 1 else graph.new_parameter(old.name, array)
