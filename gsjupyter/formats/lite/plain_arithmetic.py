"""Arithmetic of a tensor and a number in the operators that every release of MindSpore Lite knows.

Newer versions of MindSpore have operators of their own for ``x / 8``; Lite's converters know ``Div`` of two tensors.
"""

from typing import Final

from gsjupyter.mindir import Graph
from gsjupyter.passes import Change, Pass
from gsjupyter.passes.functionalize import second_operand

_PLAIN: Final = {"Divs": "Div", "Muls": "Mul"}


class PlainArithmetic(Pass):
    """Replace operators of a tensor and a number by those of two tensors.

    Left alone, with the reason in the change list: what mixes data types.
    """

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        changes = []
        for node in graph.nodes(*_PLAIN):
            operand = second_operand(node)
            if operand is None:
                changes.append(Change.skipped(node, "its second input has another data type"))
                continue
            plain = _PLAIN[node.op]
            inputs = [node.inputs[0], operand]
            graph.replace(node, graph.add(plain, inputs, scope=node.scope, shape=node.shape, dtype=node.dtype))
            changes.append(Change.done(node, f"made {plain}"))
        return changes
