"""Layers that compute in float16, made to compute in float32: a backend without float16 kernels is slower with them."""

import numpy as np

from gsjupyter.mindir import Graph, Node
from gsjupyter.passes.casting import cast

FLOAT16, FLOAT32 = np.dtype(np.float16), np.dtype(np.float32)


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
