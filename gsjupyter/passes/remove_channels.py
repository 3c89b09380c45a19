"""Remove channels that are always zero: a pruned network stays as large and slow as it was until that is done.

Pruning leaves channels with zero weights and zero bias [1]_. Such a channel can go, with its rows in the weight and its
columns in the weights that read it, wherever everything that the channel is joined with can do without it too: every
branch of a residual addition, every reader. Where that isn't so, it stays.

.. [1] H. Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017.
"""

from collections import Counter, defaultdict

from gsjupyter.mindir import Graph, Node
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.channels import RULES, ChannelAnalysis, analyse
from gsjupyter.passes.linear import linear_operator
from gsjupyter.passes.remove_dead_code import RemoveDeadCode


class RemoveChannels(Pass):
    """Remove channels that can't change the output, exactly: what is left computes the same.

    The network's inputs and outputs keep their shapes, and every layer at least one channel.

    Left alone, with the reason in the change list: channels that are zero, but joined with others that aren't, or read
    by an operator that needs all of its input.
    """

    requires = (RemoveDeadCode,)

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        analysis = analyse(graph, RULES)
        before = {layer.node: _shape(layer.node) for layer in analysis.layers}
        # What lost its last reader only now can go in the next round.
        while not analysis.kept().all():
            analysis.apply()
            analysis = analyse(graph, RULES)
        done = [_done(node, shape) for node, shape in before.items() if shape != _shape(node)]
        return [*done, *_stayed(analysis)]


def _shape(node: Node) -> tuple[int, ...]:
    operator = linear_operator(node)
    return operator.weight.shape or () if operator is not None else ()


def _done(node: Node, before: tuple[int, ...]) -> Change:
    return Change.done(node, f"weight of shape {_words(before)} is now {_words(_shape(node))}")


def _words(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _stayed(analysis: ChannelAnalysis) -> list[Change]:
    zero, reasons = analysis.zero(), analysis.groups.reasons()
    layers: dict[Node, Counter[str]] = defaultdict(Counter)
    for layer in analysis.layers:
        for channel in layer.outputs[zero[layer.outputs]].tolist():
            layers[layer.node][reasons[channel]] += 1
    return [
        Change.skipped(node, f"{count} output channels are zero, but stay: {reason}")
        for node, found in layers.items()
        for reason, count in found.items()
    ]
