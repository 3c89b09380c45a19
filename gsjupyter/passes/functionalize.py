"""Turn ``a += b`` into ``a = a + b``: a network that writes into its activations has side effects, and stays as it is.

MindSpore exports Python's ``+=`` on tensors as an operator that overwrites its first input, in an order kept by tokens.
Half of the usual ResNets add their shortcuts so. Where nobody else reads what is overwritten, the operator that makes a
new tensor gives the same [1]_.

.. [1] PyTorch calls this functionalization, and does it before it compiles.
"""

from typing import Final

import numpy as np

from gsjupyter.mindir import Constant, Graph, Input, Node, Value
from gsjupyter.passes.base import Change, Pass

_FUNCTIONAL: Final = {
    "InplaceAddExt": "Add",
    "InplaceAddsExt": "Add",
    "InplaceDiv": "Div",
    "InplaceDivs": "Div",
    "InplaceMul": "Mul",
    "InplaceMuls": "Mul",
    "InplaceSubExt": "Sub",
    "InplaceSubScalar": "Sub",
}
_WITH_ALPHA: Final = ("InplaceAddExt", "InplaceAddsExt", "InplaceSubExt", "InplaceSubScalar")
_ALPHA: Final = 2


class Functionalize(Pass):
    """Replace arithmetic that overwrites its first input by the operator that doesn't.

    Runs before passes that let readers of one value read another, after which it isn't seen who meant which.

    Left alone, with the reason in the change list: what overwrites a parameter, a view, or a value that has another
    reader, which may have to see the change; and what mixes data types or scales its second input.
    """

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        return [self._functionalize(graph, node) for node in graph.nodes(*_FUNCTIONAL)]

    def _functionalize(self, graph: Graph, node: Node) -> Change:
        target, operand = node.inputs[0], second_operand(node)
        if operand is None:
            return Change.skipped(node, "its second input has another data type")
        if reason := _obstacle(node, target):
            return Change.skipped(node, reason)
        operator = _FUNCTIONAL[node.op]
        result = graph.add(operator, [target, operand], scope=node.scope, shape=node.shape, dtype=node.dtype)
        graph.replace(node, result)
        return Change.done(node, f"made {operator}: nobody else reads what it overwrites")


def second_operand(node: Node) -> Value | None:
    """Return a node's second input as a tensor of the first one's type; None if it is of another."""
    operand, dtype = node.inputs[1], node.inputs[0].dtype
    if isinstance(operand, Constant) and dtype is not None:
        number = operand.value
        if isinstance(number, int | float) and np.issubdtype(dtype, np.floating):
            return Constant.of(np.asarray(number, dtype))
    return operand if dtype is not None and operand.dtype == dtype else None


def _obstacle(node: Node, target: Value) -> str:
    if not isinstance(target, Node | Input) or (isinstance(target, Node) and target.op == "Load"):
        return "it overwrites a parameter"
    if isinstance(target, Node) and target.op.endswith("View"):
        return "it overwrites a view"
    if node.op in _WITH_ALPHA and not (isinstance(node.inputs[_ALPHA], Constant) and node.inputs[_ALPHA].value == 1):
        return "its second input is scaled"
    others = [reader for reader in _readers(target) if reader is not node and reader.op != "UpdateState"]
    if others:
        return f"what it overwrites is also read by {others[0].op} ({others[0].layer or 'network'})"
    return ""


def _readers(value: Value) -> list[Node]:
    """Return the nodes that read a value; for an item of a tuple also those that read it through the tuple."""
    if not isinstance(value, Node) or value.op != "TupleGetItem" or not isinstance(value.inputs[0], Node):
        return list(value.readers)
    source = value.inputs[0]
    items = {item: index for index, item in source.item_readers()}
    same = [item for item, index in items.items() if index == items.get(value)]
    whole = [reader for reader in source.readers if reader not in items]
    return [*whole, *(reader for item in same for reader in item.readers)]
