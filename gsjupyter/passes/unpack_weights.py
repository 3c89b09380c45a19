"""Unpack the integers of a file: without it no other pass would know that they are weights."""

import numpy as np

from gsjupyter.errors import GsError
from gsjupyter.mindir import Graph, Node, Parameter
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.casting import cast
from gsjupyter.passes.packed_integers import is_said_to_be_packed, packed_integers


class UnpackWeights(Pass):
    """Replace packed bytes, and what unpacks them, by ``Cast(integers, float32)``: the inverse of `PackWeights`.

    The first pass on a graph that comes from a file.

    Left alone, with the reason in the change list: what is said to be packed, but isn't just as `PackWeights` writes
    it. The network still computes the same, with what unpacks it taken for operators of its own.
    """

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        return [_unpack(graph, node) for node in graph.nodes() if is_said_to_be_packed(node)]


def _unpack(graph: Graph, node: Node) -> Change:
    found = packed_integers(node)
    if found is None:
        return Change.skipped(node, "said to be packed integers, but not in the form that is known")
    stored, packed = found
    try:
        integers = packed.unpack()
    except GsError as error:
        return Change.skipped(node, str(error))
    graph.replace(node, cast(graph, Parameter.of(stored.name, integers), np.dtype(np.float32), node.scope))
    return Change.done(node, f"{stored.name} unpacked, {packed.grid.bits} bits each")
