"""The operators by which a MindIR tells MindSpore Lite's converter what to compute in integers.

FakeQuantParam passes a value on. The converter takes it away again, and what stood around it knows the value's grid
from then on: a kernel for integers is chosen where that is known of all that it reads and of what it writes. Of the
attributes it reads scale and zero point; all are written as MindSpore's own class for the operator has them.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import AttributeValue, Constant, Graph, Node, Scope, Value

FAKE_QUANT_PARAM: Final = "FakeQuantParam"
MATRIX_PRODUCT: Final = "MatMulFusion"
"""Lite's own matrix product. It adds a bias itself; one added behind a quantized MatMul would stay float."""

_INT8: Final = 7
_LARGEST: Final = np.finfo(np.float32).max


def add_fake_quant_param(
    graph: Graph, value: Value, scale: npt.NDArray[np.float32], zero_point: npt.NDArray[np.int32], scope: Scope
) -> Node:
    """Add what says on which grid of int8 a value is; return it.

    Parameters
    ----------
    graph : Graph
        The graph.
    value : Value
        The value, in float32.
    scale : ndarray of float32, of shape () or (channels,)
        One for the tensor, or one for each output channel of a weight.
    zero_point : ndarray of int, in the shape of `scale`
        The int8 that stands for 0.0.
    scope : Scope
        The layer that it is to belong to.
    """
    attributes: dict[str, AttributeValue] = {
        "quant_dtype": _INT8,
        "quant_algo_name": "linear_quant_algo",
        "is_per_channel": scale.ndim > 0,
        "linear_quant_scale": tuple(map(float, scale.reshape(-1))),
        "linear_quant_zero_point": tuple(map(int, zero_point.reshape(-1))),
    }
    return graph.add(
        FAKE_QUANT_PARAM, [value], scope=scope, shape=value.shape, dtype=value.dtype, attributes=attributes
    )


def add_shield(graph: Graph, value: Node) -> Node:
    """Add an operator that changes nothing and has no kernel for integers; return it.

    Without it between them, whatever makes a value would take the value's grid for that of its own output.
    """
    largest = Constant.of(np.asarray(_LARGEST, np.float32))
    return graph.add("Minimum", [value, largest], scope=value.scope, shape=value.shape, dtype=value.dtype)


def add_matrix_product(graph: Graph, inputs: Sequence[Value], *, like: Node, is_transposed: bool) -> Node:
    """Add a matrix product with a weight and a bias; return it.

    Parameters
    ----------
    graph : Graph
        The graph.
    inputs : sequence of Value
        What is multiplied, the weight, and what is added if anything is, of shape (out_channels,).
    like : Node
        What gives the same: its layer, shape and data type are taken over.
    is_transposed : bool
        Whether the weight's first axis is that of the output channels.
    """
    attributes: dict[str, AttributeValue] = {"transpose_a": False, "transpose_b": is_transposed, "activation_type": 0}
    return graph.add(
        MATRIX_PRODUCT, inputs, scope=like.scope, shape=like.shape, dtype=like.dtype, attributes=attributes
    )


def tell_apart(graph: Graph) -> None:
    """Give each operator a description of its own.

    In a file operators that do the same share one. Grids are noted there, and of those of all that share it a converter
    that doesn't copy it first keeps the last. Release 2.0.0 copies it.
    """
    for number, node in enumerate(graph.nodes()):
        node.set_attribute("instance_name", f"{node.op}_{number}")
