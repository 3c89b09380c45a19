"""Give the channels between two layers weights of like size: with one scale for a tensor, small ones would vanish.

Between two layers a channel can be divided by a factor if what follows is multiplied by it, as long as what lies
between them passes factors on. Cross-layer equalization [1]_ chooses it so that the channel's largest weight is the
same on both sides,

    s_i = sqrt(max|W1_i| / max|W2_i|)        W1_i' = W1_i / s_i        W2_i' = W2_i * s_i

again and again over all pairs of layers, until nothing changes. The float network stays what it was.

Where each channel has a scale of its own there is nothing to gain: on trained networks that lost as often as it won.

.. [1] M. Nagel, M. van Baalen, T. Blankevoort, M. Welling, "Data-Free Quantization Through Weight Equalization and Bias
   Correction", ICCV 2019, section 4.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import Graph, Parameter
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.fold_batch_norm import FoldBatchNorm
from gsjupyter.passes.linear import LinearOperator, linear_operators
from gsjupyter.passes.rescaling import Part, Span, span_behind
from gsjupyter.passes.selection import LayerSettings

Doubles = npt.NDArray[np.float64]

_SWEEPS: Final = 40
_TOLERANCE: Final = 0.01


@dataclass(frozen=True)
class _Pair:
    """A layer, and the layers that read its outputs.

    Parameters
    ----------
    operator : LinearOperator
        The layer.
    weight : Part
        Its weight, by output channels.
    span : Span
        What lies behind it.
    """

    operator: LinearOperator
    weight: Part
    span: Span


class EqualizeLayers(Pass):
    """Equalize the weights of layers that follow each other, where the first will have one scale for its whole tensor.

    Left alone, with the reason in the change list: all others, layers whose output something else reads as well, behind
    which an activation doesn't pass factors on (ReLU6, GELU), or whose weight is shared or stored in integers.

    Parameters
    ----------
    settings : LayerSettings
        How each layer will be quantized.
    """

    requires = (FoldBatchNorm,)

    def __init__(self, settings: LayerSettings) -> None:
        self.settings = settings

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        changes, pairs = [], []
        for operator in linear_operators(graph):
            if operator.is_embedding:
                continue
            weight, span = span_behind(operator)
            reason = self._obstacle(operator) or span.obstacle
            if weight is None or reason:
                changes.append(Change.skipped(operator.node, reason))
            else:
                pairs.append(_Pair(operator, weight, span))
        for pair, factors in zip(pairs, _equalizing_factors(pairs), strict=True):
            for part in (pair.weight, *pair.span.offsets):
                part.scale(graph, 1.0 / factors)
            for reader in pair.span.readers:
                reader.weight.scale(graph, factors)
            names = ", ".join(reader.operator.name for reader in pair.span.readers)
            changes.append(Change.done(pair.operator.node, f"equalized with {names}"))
        return changes

    def _obstacle(self, operator: LinearOperator) -> str:
        scheme = self.settings.setting(operator.name).scheme
        if scheme is None:
            return f"its weight stays in {self.settings.of(operator.name)}"
        return "" if scheme.granularity == "tensor" else "its channels have scales of their own"


def _equalizing_factors(pairs: Sequence[_Pair]) -> list[Doubles]:
    """Return what the channels of each pair are divided by, after all sweeps."""
    weights: dict[Parameter, Doubles] = {}
    for pair in pairs:
        for part in (pair.weight, *(reader.weight for reader in pair.span.readers)):
            if part.parameter is not None:
                weights[part.parameter] = part.parameter.array.astype(np.float64)
    total = [np.ones(len(_maxima(pair.weight, weights))) for pair in pairs]
    for _ in range(_SWEEPS):
        largest = 0.0
        for index, pair in enumerate(pairs):
            readers = [reader.weight for reader in pair.span.readers]
            before, after = _maxima(pair.weight, weights), np.max([_maxima(part, weights) for part in readers], axis=0)
            factors = equalizing_factors(before, after)
            _scale(pair.weight, weights, 1.0 / factors)
            for part in readers:
                _scale(part, weights, factors)
            total[index] = total[index] * factors
            largest = max(largest, float(np.abs(np.log(factors)).max(initial=0.0)))
        if largest < _TOLERANCE:
            break
    return total


def equalizing_factors(before: Doubles, after: Doubles) -> Doubles:
    """Return the factors that make the largest weights of each channel equal on both sides; 1 where one side is 0.

    Parameters
    ----------
    before, after : ndarray of shape (channels,)
        The largest absolute weight that makes each channel, and that reads it.
    """
    alive = (before > 0.0) & (after > 0.0)
    return np.asarray(np.sqrt(np.where(alive, before, 1.0) / np.where(alive, after, 1.0)))


def _maxima(part: Part, weights: dict[Parameter, Doubles]) -> Doubles:
    parameter = part.parameter
    return part.maxima(weights[parameter]) if parameter is not None else np.zeros(0)


def _scale(part: Part, weights: dict[Parameter, Doubles], factors: Doubles) -> None:
    parameter = part.parameter
    if parameter is not None:
        weights[parameter] = part.scaled(weights[parameter], factors)
