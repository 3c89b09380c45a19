"""Simulate integer activations with ordinary operators, so that what a device will lose can be measured anywhere.

The input of a layer is quantized and dequantized with the scale and zero point of its calibrated range, on the grid of
`gsjupyter.quantization`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gsjupyter.mindir import Graph, Value
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.fold_batch_norm import FoldBatchNorm
from gsjupyter.passes.linear import LinearOperator, linear_operators
from gsjupyter.passes.selection import LayerFormats
from gsjupyter.passes.simulation import has_noted_input, note_input, simulate_quantization
from gsjupyter.quantization import MinMaxObserver, Scheme, scale_and_zero_point

_FLOAT32 = np.dtype(np.float32)


@dataclass(frozen=True)
class ActivationStatistics:
    """How the input of one layer is quantized.

    Parameters
    ----------
    scheme : str
        The scheme, in words.
    low, high : float
        The range that calibration saw.
    scale : float
    zero_point : int
    """

    scheme: str
    low: float
    high: float
    scale: float
    zero_point: int


def activation_inputs(graph: Graph, formats: LayerFormats) -> dict[Value, list[LinearOperator]]:
    """Return the values to calibrate, each with the layers that read it: float32 inputs of layers with weights.

    Layers whose input is quantized already are not among them.
    """
    found: dict[Value, list[LinearOperator]] = {}
    for operator in linear_operators(graph):
        is_open = operator.data.dtype == _FLOAT32 and not has_noted_input(operator.node)
        if is_open and not operator.is_embedding and not formats.is_kept(operator.name):
            found.setdefault(operator.data, []).append(operator)
    return found


class QuantizeActivations(Pass):
    """Quantize the inputs of convolutions and matrix products.

    Left alone, with the reason in the change list: inputs that calibration never saw.

    Parameters
    ----------
    scheme : Scheme
        How to quantize, per tensor.
    observers : sequence of MinMaxObserver
        What calibration saw of each of the graph's `activation_inputs`.
    formats : LayerFormats
        Layers that it keeps in floating point keep their inputs so too.
    simulate : bool
        True puts the operators into the graph. False leaves the computation in float and only annotates the layers
        with ``input_scale`` and ``input_zero_point``, for tools that read them.
    """

    requires = (FoldBatchNorm,)

    def __init__(
        self,
        scheme: Scheme,
        observers: Sequence[MinMaxObserver],
        formats: LayerFormats,
        *,
        simulate: bool = True,
    ) -> None:
        self.scheme = scheme
        self.observers = observers
        self.formats = formats
        self.simulate = simulate
        self.statistics: dict[str, ActivationStatistics] = {}
        """How each layer's input is quantized, by layer name; the widest, if a layer is applied several times."""

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        groups = activation_inputs(graph, self.formats).items()
        return [
            change
            for (value, operators), observer in zip(groups, self.observers, strict=True)
            for change in self._quantize(graph, value, operators, observer)
        ]

    def _quantize(
        self, graph: Graph, value: Value, operators: list[LinearOperator], observer: MinMaxObserver
    ) -> list[Change]:
        if observer.is_empty:
            return [Change.skipped(operator.node, "calibration saw no values") for operator in operators]
        scales, zero_points = scale_and_zero_point(observer.low, observer.high, self.scheme)
        scale, zero_point = float(scales), int(zero_points)
        if self.simulate:
            quantized = simulate_quantization(
                graph,
                value,
                operators[0].node.scope,
                scale=scale,
                zero_point=zero_point,
                lowest=self.scheme.lowest,
                highest=self.scheme.highest,
            )
            graph.replace(value, quantized, readers=[operator.node for operator in operators])
        for operator in operators:
            note_input(operator.node, scale, zero_point)
            scheme = str(self.scheme) if self.simulate else f"float32, noted as {self.scheme}"
            found = ActivationStatistics(scheme, observer.low, observer.high, scale, zero_point)
            widest = self.statistics.get(operator.name, found)
            self.statistics[operator.name] = found if found.scale >= widest.scale else widest
        what = f"input {'simulated' if self.simulate else 'annotated'} as {self.scheme}"
        return [Change.done(operator.node, what) for operator in operators]
