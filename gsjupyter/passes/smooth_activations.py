"""Move outliers from activations into weights: a few large input channels would leave all others hardly any integers.

Input channels are divided by factors and the weights that read them multiplied, so that the float network stays what
it was [1]_. The division costs nothing where it goes into what makes the input: the gamma and beta of a LayerNorm, or
the weight and bias of another layer. Elsewhere, where a sum reads the same value for example, it can be a
multiplication of its own. How much moves is chosen for each input: see `gsjupyter.quantization.smoothing`.

.. [1] G. Xiao, J. Lin, M. Seznec, H. Wu, J. Demouth, S. Han, "SmoothQuant: Accurate and Efficient Post-Training
   Quantization for Large Language Models", ICML 2023.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import Graph, Node, Value
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.fold_batch_norm import FoldBatchNorm
from gsjupyter.passes.linear import LinearOperator, along, linear_operators
from gsjupyter.passes.quantize_activations import activation_inputs
from gsjupyter.passes.rescaling import Part, Reader, Span, in_words, input_channels, span_behind, span_from
from gsjupyter.passes.selection import LayerSettings
from gsjupyter.quantization.smoothing import STRENGTHS, expected_error, smoothing_factors

Doubles = npt.NDArray[np.float64]

WORTHWHILE: Final = 0.95
"""Factors are left out unless the expected error comes down to this share, or less."""
_NORMALIZATION: Final = "LayerNorm"
_AFFINE: Final = (1, 2)
"""Where a LayerNorm has gamma and beta."""


@dataclass(frozen=True)
class _Source:
    """What makes a value, as parameters that can be divided, and where the factors go.

    Parameters
    ----------
    node : Node
        What makes it.
    name : str
        Its layer's name.
    parts : sequence of Part
        What is divided.
    span : Span
        Where the factors go.
    """

    node: Node
    name: str
    parts: Sequence[Part]
    span: Span


class SmoothActivations(Pass):
    """Scale the input channels of layers so that both inputs and weights can be rounded well.

    Left alone, with the reason in the change list: inputs that something else reads too, or that come from what can't
    take factors, and those where factors would gain nothing.

    Parameters
    ----------
    settings : LayerSettings
        How each layer will be quantized. Layers whose input stays in floating point are left alone.
    maxima : mapping of str to ndarray of shape (channels,)
        The largest absolute value of each input channel that calibration saw, by layer name.
    insert : bool
        True puts a multiplication in front of matrix products whose input can't be divided where it is made.
    """

    requires = (FoldBatchNorm,)

    def __init__(
        self, settings: LayerSettings, maxima: Mapping[str, npt.NDArray[np.floating[Any]]], *, insert: bool = False
    ) -> None:
        self.settings = settings
        self.maxima = maxima
        self.insert = insert

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        open_inputs = activation_inputs(graph, self.settings)
        todo = {operator.node: operator for group in open_inputs.values() for operator in group}
        changes: dict[Node, Change] = {}
        for source in _sources(graph):
            readers = [item for item in source.span.readers if item.operator.node in todo]
            reason = self._obstacle(source, readers, todo)
            for reader, change in self._smooth(graph, source, reason).items():
                if reader in todo and not (reader in changes and changes[reader].is_done):
                    changes[reader] = change
        if self.insert:
            for value, operators in open_inputs.items():
                rest = [item for item in operators if not (item.node in changes and changes[item.node].is_done)]
                changes.update(self._inserted(graph, value, rest))
        unknown = "what makes its input takes no factors"
        return [changes.get(node, Change.skipped(node, unknown)) for node in todo]

    def _obstacle(self, source: _Source, readers: Sequence[Reader], todo: Mapping[Node, LinearOperator]) -> str:
        if source.span.obstacle:
            return f"{in_words(source.node)}: {source.span.obstacle}"
        kept = [item.operator.name for item in source.span.readers if item.operator.node not in todo]
        if kept:
            return f"its input is also that of {kept[0]}, which isn't quantized"
        unseen = [item.operator.name for item in readers if item.operator.name not in self.maxima]
        if unseen:
            return f"calibration didn't see the input of {unseen[0]}"
        own = self.settings.setting(source.name).scheme
        if source.node.op != _NORMALIZATION and own is not None and own.granularity == "tensor":
            return f"the weight of {source.name} has one scale for all channels"
        return ""

    def _smooth(self, graph: Graph, source: _Source, reason: str) -> dict[Node, Change]:
        readers = source.span.readers
        factors = None if reason else self._factors(readers)
        if factors is None:
            why = reason or "smoothing would gain nothing"
            return {item.operator.node: Change.skipped(item.operator.node, why) for item in readers}
        for part in (*source.parts, *source.span.offsets):
            part.scale(graph, 1.0 / factors)
        return self._multiplied(graph, readers, factors, f"input divided in {in_words(source.node)}")

    def _inserted(self, graph: Graph, value: Value, operators: Sequence[LinearOperator]) -> dict[Node, Change]:
        ndim = len(value.shape or ())
        places = [(item, input_channels(item, ndim - 1, 1)) for item in operators]
        readers = [Reader(item, part) for item, part in places if part is not None and len(item.shape) == 2]
        readers = [item for item in readers if len(item.operator.weight.readers) == 1]
        factors = self._factors(readers) if readers else None
        if factors is None:
            return {}
        scope = readers[0].operator.node.scope
        inverse = graph.new_parameter(
            f"{readers[0].operator.name}.smoothing", along(ndim - 1, (1.0 / factors).astype(np.float32), ndim)
        )
        divided = graph.add("Mul", [value, inverse], scope=scope, shape=value.shape, dtype=np.float32)
        graph.replace(value, divided, readers=[item.operator.node for item in readers])
        return self._multiplied(graph, readers, factors, "input divided by a multiplication in front")

    def _multiplied(self, graph: Graph, readers: Sequence[Reader], factors: Doubles, how: str) -> dict[Node, Change]:
        for reader in readers:
            reader.weight.scale(graph, factors)
        what = f"{how}, by up to {factors.max() / factors.min():.3g} times as much as other channels"
        return {item.operator.node: Change.done(item.operator.node, what) for item in readers}

    def _factors(self, readers: Sequence[Reader]) -> Doubles | None:
        """Return the factors with which rounding is expected to cost least; None if that is without any."""
        inputs = self._inputs(readers)
        if inputs is None:
            return None
        weights = np.max([reader.weight.maxima(reader.operator.weight.array) for reader in readers], axis=0)
        best, least = None, WORTHWHILE * self._expected(readers, inputs, np.ones_like(inputs))
        for strength in STRENGTHS:
            factors = smoothing_factors(inputs, weights, strength)
            error = self._expected(readers, inputs, factors)
            if error < least:
                best, least = factors, error
        return best

    def _inputs(self, readers: Sequence[Reader]) -> Doubles | None:
        """Return the largest absolute value of each channel; None if one of the readers was never seen to have any."""
        found = []
        for reader in readers:
            maxima = self.maxima.get(reader.operator.name)
            if maxima is None:
                return None
            found.append(maxima.reshape(-1, reader.weight.repeat).max(axis=1))
        return np.asarray(np.max(found, axis=0), np.float64) if found else None

    def _expected(self, readers: Sequence[Reader], inputs: Doubles, factors: Doubles) -> float:
        smooth = inputs / factors
        return sum(
            expected_error(
                reader.weight.scaled(reader.operator.weight.array, factors),
                reader.operator.axis,
                self.settings.setting(reader.operator.name).scheme,
                reader.weight.scaled(np.ones(reader.operator.shape), smooth),
                float(smooth.max()),
            )
            for reader in readers
        )


def _sources(graph: Graph) -> Iterator[_Source]:
    """Yield what may take factors: normalizations first, since they feed most layers of a transformer."""
    for norm in graph.nodes(_NORMALIZATION):
        for index, value in norm.item_readers():
            affine = [Part(norm, position, 0) for position in _AFFINE]
            if index == 0 and value.shape is not None:
                span = span_from(value, len(value.shape) - 1)
                sizes = {part.parameter.shape for part in affine if part.parameter is not None}
                if sizes != {value.shape[-1:]} or any(part.parameter is None for part in affine):
                    span.obstacle = span.obstacle or "it has no gamma and beta for each channel"
                yield _Source(norm, norm.layer, affine, span)
    for operator in linear_operators(graph):
        weight, span = span_behind(operator)
        if weight is not None:
            yield _Source(operator.node, operator.name, [weight], span)
