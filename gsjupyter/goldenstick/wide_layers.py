"""Layers that compute in float16, made to compute in float32: a backend without float16 kernels is slower with them."""

import numpy as np

from gsjupyter.mindir import TYPE_IDS, Constant, Graph, Node, Scope, Value

FLOAT16, FLOAT32 = np.dtype(np.float16), np.dtype(np.float32)


def cast(graph: Graph, value: Value, dtype: np.dtype[np.generic], scope: Scope) -> Value:
    """Return a value in another data type; itself, if it is of that type."""
    if value.dtype == dtype:
        return value
    return graph.add("Cast", [value, Constant.of(TYPE_IDS[dtype])], scope=scope, shape=value.shape, dtype=dtype)


def widened(graph: Graph, node: Node) -> Node:
    """Return a layer that computes in float32, put in the place of one that may compute in float16.

    Its readers get the type that they had. Inputs of other types stay as they are.
    """
    if node.dtype != FLOAT16:
        return node
    inputs = [cast(graph, value, FLOAT32, node.scope) if value.dtype == FLOAT16 else value for value in node.inputs]
    wide = graph.add(node.op, inputs, scope=node.scope, shape=node.shape, dtype=FLOAT32)
    wide.primitive = node.primitive
    graph.replace(node, cast(graph, wide, FLOAT16, node.scope))
    return wide
