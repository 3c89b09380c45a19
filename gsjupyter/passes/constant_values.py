"""What in a graph depends on no input, and its value: MindSpore itself computes it, so nothing is written twice."""

from collections.abc import Sequence

import numpy as np

from gsjupyter.errors import EngineError
from gsjupyter.mindir import Array, Constant, Graph, Model, Node, Parameter, Runner

_RANDOM = ("Random", "Dropout", "StandardNormal", "StandardLaplace", "Uniform", "Normal", "Multinomial", "Bernoulli")
_ORDERING = ("Load", "UpdateState", "Depend")


def constant_nodes(graph: Graph) -> set[Node]:
    """Return the nodes whose value is the same at every call."""
    constant: set[Node] = set()
    for node in graph.nodes():
        fixed = all(isinstance(value, Constant | Parameter) or value in constant for value in node.inputs)
        random = node.op.startswith(_RANDOM) or node.op.endswith("Random")
        tokens = any(isinstance(value, Constant) and value.is_monad for value in node.inputs)
        if fixed and not random and not tokens and node.op not in _ORDERING:
            constant.add(node)
    return constant


def values_of(model: Model, graph: Graph, nodes: Sequence[Node]) -> list[Array]:
    """Return the values of constant nodes.

    Parameters
    ----------
    model : Model
        The model that the graph is of: its version fields are needed to run a part of it.
    graph : Graph
        The graph, left as it is.
    nodes : sequence of Node
        Constant nodes of that graph.

    Raises
    ------
    EngineError
        If MindSpore can't compute them.
    """
    part = Graph([], graph.add_tuple(nodes))
    try:
        values = Runner(model.with_graph(part, output_keys=()))()
    finally:
        # The tuple must not count as a reader of the nodes any longer.
        part.output = Constant.of(None)
    if not isinstance(values, tuple) or len(values) != len(nodes):
        raise EngineError(f"MindSpore didn't give the values of {len(nodes)} constant operators.")
    return [np.asarray(value) for value in values]
