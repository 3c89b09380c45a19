"""Casts in the graph, written in one place: MindSpore names the type by a number of its own."""

import numpy as np

from gsjupyter.mindir import TYPE_IDS, Constant, Graph, Scope, Value


def cast(graph: Graph, value: Value, dtype: np.dtype[np.generic], scope: Scope) -> Value:
    """Return a value in another data type; itself, if it is of that type."""
    if value.dtype == dtype:
        return value
    return graph.add("Cast", [value, Constant.of(TYPE_IDS[dtype])], scope=scope, shape=value.shape, dtype=dtype)
