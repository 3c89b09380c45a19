"""Remove what computes nothing: half the nodes of an exported network only order reads of parameters nobody writes.

MindSpore threads a token (a monad) through every read: Load takes it, UpdateState passes it on, Depend ties it to the
output. In a network without side effects the order is irrelevant, and a node can read a parameter directly.
"""

from gsjupyter.mindir import Constant, Graph, Node, Value
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.inference_mode import InferenceMode

_TOKENS = ("Load", "UpdateState", "Depend", "MakeTuple")
_IDENTITIES = ("Identity", "StopGradient")


class RemoveDeadCode(Pass):
    """Remove the ordering of parameter reads, and operators that return their input.

    Left alone, with the reason in the change list: all ordering, if any operator has a side effect.
    """

    requires = (InferenceMode,)

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        changes = []
        for node in graph.nodes(*_IDENTITIES):
            changes.append(Change.done(node, "removed: it returns its input"))
            graph.replace(node, node.inputs[0])
        effects = [node for node in graph.nodes() if _has_side_effect(node)]
        if effects:
            return [*changes, *(Change.skipped(node, "it has a side effect, so order is kept") for node in effects)]
        for node in graph.nodes("Load", "Depend"):
            if node.op == "Load":
                changes.append(Change.done(node, "read directly"))
            graph.replace(node, node.inputs[0])
        return changes


def _has_side_effect(node: Node) -> bool:
    if node.op in _TOKENS:
        return False
    attributes = node.attributes
    marked = any(attributes.get(name) for name in ("side_effect_mem", "side_effect_io"))
    return marked or any(_is_token(value) for value in node.inputs)


def _is_token(value: Value) -> bool:
    if isinstance(value, Constant):
        return value.is_monad
    return isinstance(value, Node) and value.op == "UpdateState"
