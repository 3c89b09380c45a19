"""From pseudo-quantization to what a device runs: integer weights, and activations computed, noted, or both."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import ParameterError
from gsjupyter.goldenstick import fake_quant_param, lsq, simqat, slb
from gsjupyter.goldenstick.fake_quant import FakeQuant
from gsjupyter.goldenstick.fused_batch_norm import UnfuseBatchNorm
from gsjupyter.mindir import Graph, Node, Parameter, Value
from gsjupyter.passes import ActivationStatistics, Change, Pass, RemoveDeadCode, linear_operators
from gsjupyter.passes.simulation import note_input, simulate_quantization
from gsjupyter.passes.stored_weight import store_weight
from gsjupyter.quantization import QuantizedArray
from gsjupyter.quantization.statistics import WeightStatistics, weight_statistics

_TRAINING_FORMS: Final[dict[str, Callable[[Node], FakeQuant]]] = {
    **dict.fromkeys(simqat.OPERATORS, simqat.read),
    **dict.fromkeys(lsq.OPERATORS, lsq.read),
}
_OPERATORS: Final = (*_TRAINING_FORMS, *fake_quant_param.OPERATORS)
# What only moves numbers, or picks some of them: a grid before it is a grid behind it.
_KEEPS_VALUES: Final = ("Reshape", "Flatten", "Squeeze", "ExpandDims", "Transpose", "MaxPool", "StridedSlice")


@dataclass(frozen=True)
class QuantizedWeight:
    """A weight that an algorithm had quantized.

    Parameters
    ----------
    algorithm : str
        ``SimQAT``, ``LSQ`` or ``SLB``.
    bits : int
        Bits of an integer.
    granularity : str
        ``channel`` or ``tensor``.
    is_converted : bool
        Whether the algorithm's own convert had been called.
    """

    algorithm: str
    bits: int
    granularity: str
    is_converted: bool


class SimulateFakeQuantization(Pass):
    """Compute pseudo-quantization with ordinary operators, weights and activations alike.

    It makes a network in training form run on any backend with nothing else changed: what a conversion is held against.
    """

    requires = (RemoveDeadCode, UnfuseBatchNorm)

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        changes = []
        for node, _ in slb.final_weights(graph):
            graph.replace(node, node.inputs[0])
            changes.append(Change.done(node, "removed: the levels are final"))
        for node, found in fake_quants(graph):
            graph.replace(node, _simulated(graph, node, found))
            changes.append(Change.done(node, "computed with ordinary operators"))
        return changes


class LowerFakeQuantization(Pass):
    """Turn pseudo-quantization into the standard form: weights as integers, activations computed or only noted.

    Parameters
    ----------
    simulate : bool
        Whether quantized activations are computed. If not, their operators are dropped. The layers behind them carry
        ``input_scale`` and ``input_zero_point`` either way.

    Raises
    ------
    ParameterError
        If a weight holds NaN.
    UnsupportedError
        If an operator's scale can't be read.
    """

    requires = (RemoveDeadCode, UnfuseBatchNorm)

    def __init__(self, *, simulate: bool = True) -> None:
        self.simulate = simulate
        self.found: list[QuantizedWeight] = []
        """The weights that the algorithm had quantized."""
        self.activation_bits: set[int] = set()
        """The bits of the activations that it had quantized; empty if it had not."""
        self.untrained = 0
        """How many ranges are still those that training starts from."""
        self._weights: dict[Value, WeightStatistics] = {}
        self._inputs: dict[Node, ActivationStatistics] = {}
        self.statistics: dict[str, WeightStatistics] = {}
        """What became of each layer's weight, by layer name."""
        self.activation_statistics: dict[str, ActivationStatistics] = {}
        """How each layer's input is quantized, by layer name."""

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        changes = self._levels(graph)
        changes += [self._lower(graph, node, found) for node, found in fake_quants(graph)]
        for operator in linear_operators(graph):
            if operator.stored is not None and operator.stored.output in self._weights:
                self.statistics[operator.name] = self._weights[operator.stored.output]
            if operator.node in self._inputs:
                self.activation_statistics[operator.name] = self._inputs[operator.node]
        return changes

    def _levels(self, graph: Graph) -> list[Change]:
        changes = []
        for node, candidates, weight in slb.picked_weights(graph):
            bits = (candidates.array.shape[-1] - 1).bit_length()
            changes.append(self._store_levels(graph, node, candidates.name, weight, bits, is_converted=False))
        for node, parameter in slb.final_weights(graph):
            weight = parameter.array.astype(np.float32)
            bits, name = int(node.number("num_bits")), parameter.name.removesuffix("_4d")
            changes.append(self._store_levels(graph, node, name, weight, bits, is_converted=True))
        return changes

    def _store_levels(
        self, graph: Graph, node: Node, name: str, weight: npt.NDArray[np.float32], bits: int, *, is_converted: bool
    ) -> Change:
        self.found.append(QuantizedWeight("SLB", bits, "tensor", is_converted))
        quantized = slb.as_levels(weight, bits)
        if quantized is None:
            graph.replace(node, Parameter.of(name, weight))
            return Change.done(node, "weight kept in float32: its values are not evenly spaced levels")
        self._store(graph, node, name, weight, quantized)
        return Change.done(node, f"weight stored as {quantized.scheme}")

    def _lower(self, graph: Graph, node: Node, found: FakeQuant) -> Change:
        self.untrained += found.is_untrained
        weight = node.parameter(0)
        if weight is None:
            return self._lower_activation(graph, node, found)
        self.found.append(
            QuantizedWeight(
                found.algorithm, found.bits, "channel" if found.is_per_channel else "tensor", found.is_converted
            )
        )
        numbers = weight.array.astype(np.float32)
        if np.isnan(numbers).any():
            raise ParameterError(
                f"{weight.name} holds {int(np.isnan(numbers).sum()):,} NaN of {numbers.size:,} values, "
                "so it has no integers.",
                advice="Train or load it again.",
            )
        if not found.fits_a_byte:
            graph.replace(node, _simulated(graph, node, found))
            return Change.done(node, f"computed: {found.bits} bits don't fit int8")
        self._store(graph, node, weight.name, numbers, found.quantize(numbers))
        return Change.done(node, f"weight stored as {found.scheme}")

    def _store(
        self, graph: Graph, node: Node, name: str, numbers: npt.NDArray[np.float32], quantized: QuantizedArray
    ) -> None:
        stored = store_weight(graph, name, quantized, node.scope)
        graph.replace(node, stored)
        self._weights[stored] = weight_statistics(numbers, quantized)

    def _lower_activation(self, graph: Graph, node: Node, found: FakeQuant) -> Change:
        self.activation_bits.add(found.bits)
        if not found.is_per_channel:
            self._note(graph, node, found)
        graph.replace(node, _simulated(graph, node, found) if self.simulate else node.inputs[0])
        return Change.done(node, f"activation {'computed' if self.simulate else 'noted'} as {found.scheme}")

    def _note(self, graph: Graph, node: Node, found: FakeQuant) -> None:
        scale, zero_point = (float(numbers.ravel()[0]) for numbers in found.broadcast(0))
        scheme = found.scheme if self.simulate else f"float32, noted as {found.scheme}"
        low, high = ((end - zero_point) * scale for end in (found.lowest, found.highest))
        statistics = ActivationStatistics(scheme, low, high, scale, int(zero_point))
        for reader in _readers_behind(node):
            note_input(reader, scale, int(zero_point) - found.lowest, found.highest - found.lowest)
            self._inputs[reader] = statistics


def fake_quants(graph: Graph) -> list[tuple[Node, FakeQuant]]:
    """Return the pseudo-quantization operators of a graph, each with what it computes.

    Raises
    ------
    UnsupportedError
        If an operator's scale can't be read.
    """
    learned = fake_quant_param.learned_nodes(graph)
    training = [(node, _TRAINING_FORMS[node.op](node)) for node in graph.nodes(*_TRAINING_FORMS)]
    converted = [
        (node, fake_quant_param.read(node, is_learned=node in learned))
        for node in graph.nodes(*fake_quant_param.OPERATORS)
        if not slb.is_final(node)
    ]
    return training + converted


def _simulated(graph: Graph, node: Node, found: FakeQuant) -> Node:
    value = node.inputs[0]
    scale, zero_point = found.broadcast(len(value.shape or ()))
    return simulate_quantization(
        graph,
        value,
        node.scope,
        scale=scale,
        zero_point=zero_point,
        lowest=found.lowest,
        highest=found.highest,
    )


def _readers_behind(node: Node) -> list[Node]:
    """Return the nodes that read a value, directly or after it was only moved."""
    found: list[Node] = []
    pending = list(node.readers)
    while pending:
        reader = pending.pop()
        if reader.op in _KEEPS_VALUES:
            pending.extend(reader.readers)
        elif reader.op not in _OPERATORS:
            found.append(reader)
    return found
