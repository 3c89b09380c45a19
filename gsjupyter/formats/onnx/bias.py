"""The bias as an input of its linear operator: MindSpore adds it apart, and integer kernels take it no other way."""

from typing import Final

import onnx_ir as ir

from gsjupyter.formats.onnx.operation import Operation
from gsjupyter.mindir import Node

_WITH_BIAS: Final = frozenset({"Conv", "ConvTranspose", "Gemm"})
# Operators whose output is always one that their own lowering has made, which nothing but their readers can read.
_CONVOLUTIONS: Final = frozenset({"Conv2D", "Conv3D", "Conv2DTranspose", "Conv2DBackpropInput", "Conv3DTranspose"})
_PRODUCTS: Final = frozenset({"MatMul", "MatMulExt", "Mm"})


def with_bias(operation: Operation, linear: int, bias: int) -> ir.Value | None:
    """Let the linear operator that an input is add a vector to its output channels.

    Parameters
    ----------
    operation : Operation
        The addition.
    linear : int
        Which of its inputs is the linear operator.
    bias : int
        Which of its inputs is the vector, of shape (out_channels,).

    Returns
    -------
    Value or None
        The sum; None if the input is no such operator, has other readers, or has a bias already.
    """
    node = operation.node.inputs[linear]
    if not isinstance(node, Node) or node.op not in _CONVOLUTIONS | _PRODUCTS or node.readers != (operation.node,):
        return None
    value, vector = operation.tensor(linear), operation.tensor(bias)
    producer = value.producer()
    is_free = producer is not None and producer.op_type in _WITH_BIAS and len(producer.inputs) == 2
    if producer is None or not is_free or operation.node.inputs[bias].dtype != node.dtype:
        return None
    producer.resize_inputs(3)
    producer.replace_input_with(2, vector)
    if vector.producer() is not None:
        # A computed bias stands after the operator so far, and nothing has read the operator yet.
        operation.builder.nodes.remove(producer)
        operation.builder.nodes.append(producer)
    return value


def has_bias(product: Node) -> bool:
    """Say whether all that becomes of a product of two matrices is that a vector is added to its rows."""
    reader = product.readers[0] if len(product.readers) == 1 else None
    if reader is None or product.op not in _PRODUCTS or len(product.shape or ()) != 2:
        return False
    return reader.op == "BiasAdd" or _adds_vector(reader, product)


def with_added_vector(operation: Operation) -> ir.Value | None:
    """Let a product of two matrices add the vector that an Add adds to its rows; None if that isn't what it adds."""
    for index, node in enumerate(operation.node.inputs[:2]):
        if isinstance(node, Node) and has_bias(node):
            return with_bias(operation, index, 1 - index)
    return None


def _adds_vector(reader: Node, product: Node) -> bool:
    if reader.op != "Add" or len(reader.inputs) != 2:
        return False
    other = reader.inputs[1] if reader.inputs[0] is product else reader.inputs[0]
    return other.shape == (product.shape or ())[-1:]
