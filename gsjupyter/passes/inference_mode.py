"""Switch a model exported in training mode to inference: without it Dropout drops and BatchNorm sees only the batch."""

from gsjupyter.mindir import Constant, Graph, Node
from gsjupyter.passes.base import Change, Pass

_DROPOUTS = ("Dropout", "DropoutExt", "Dropout2D", "Dropout3D")
_TRAINING_INPUT = 5
_INFERENCE_INPUTS = 9


class InferenceMode(Pass):
    """Let BatchNorm use its running statistics, and Dropout pass its input on.

    MindSpore's Dropout scales by ``1 / keep_prob`` while it trains, so at inference it is the identity.

    Left alone, with the reason in the change list: a Dropout whose mask is read.
    """

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        changes = [self._dropout(graph, node) for node in graph.nodes(*_DROPOUTS)]
        norms = [node for node in graph.nodes("BatchNorm") if _is_training(node)]
        return changes + [self._batch_norm(graph, node) for node in norms]

    def _dropout(self, graph: Graph, dropout: Node) -> Change:
        items = list(dropout.item_readers())
        others = set(dropout.readers) - {node for _, node in items} - set(graph.nodes("UpdateState"))
        if others or any(index != 0 for index, _ in items):
            return Change.skipped(dropout, "its mask is read")
        for _, item in items:
            graph.replace(item, dropout.inputs[0])
        return Change.done(dropout, "removed")

    def _batch_norm(self, graph: Graph, norm: Node) -> Change:
        inputs = list(norm.inputs[:_INFERENCE_INPUTS])
        inputs[_TRAINING_INPUT] = Constant.of(False)
        inference = graph.add("BatchNorm", inputs, scope=norm.scope)
        inference.abstract = norm.abstract
        inference.primitive.prim_type = norm.primitive.prim_type
        graph.replace(norm, inference)
        return Change.done(norm, "set to use its running statistics")


def _is_training(norm: Node) -> bool:
    return norm.argument("is_training") is True
