"""Simulate integer activations with ordinary operators, so that what a device will lose can be measured anywhere.

The input of a layer is quantized and dequantized with the scale and zero point of a range that an observer chooses from
what calibration saw, on the grid of `gsjupyter.quantization`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from gsjupyter.mindir import Graph, Value
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.fold_batch_norm import FoldBatchNorm
from gsjupyter.passes.linear import LinearOperator, linear_operators
from gsjupyter.passes.simulation import has_noted_input, note_input, simulate_quantization
from gsjupyter.quantization import (
    ActivationSketch,
    Scheme,
    activation_range,
    check_observer,
    scale_and_zero_point,
)

_FLOAT32 = np.dtype(np.float32)


@dataclass(frozen=True)
class ActivationStatistics:
    """How the input of one layer is quantized.

    Parameters
    ----------
    scheme : str
        The scheme, in words.
    low, high : float
        The range that was chosen.
    scale : float
    zero_point : int
    observed_low, observed_high : float, optional
        The smallest and the largest value that calibration saw; None where nothing was calibrated.
    sqnr_db : float, optional
        Signal to quantization noise ratio of what calibration saw, in decibel.
    clipped_share : float, optional
        The share of it that lies beyond the range.
    observer : str
        What chose the range; empty where nothing was calibrated.
    sketch : ActivationSketch, optional
        What calibration saw, for histograms and other ranges.
    """

    scheme: str
    low: float
    high: float
    scale: float
    zero_point: int
    observed_low: float | None = None
    observed_high: float | None = None
    sqnr_db: float | None = None
    clipped_share: float | None = None
    observer: str = ""
    sketch: ActivationSketch | None = field(default=None, repr=False, compare=False)


class KeptInputs(Protocol):
    """Says which layers keep their inputs in floating point."""

    def is_kept(self, name: str) -> bool:
        """Say whether a layer does."""


def activation_inputs(graph: Graph, formats: KeptInputs) -> dict[Value, list[LinearOperator]]:
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
    sketches : sequence of ActivationSketch
        What calibration saw of each of the graph's `activation_inputs`.
    formats : KeptInputs
        Which layers keep their inputs in floating point.
    observer : {"minmax", "percentile", "mse", "entropy"}
        What chooses each range.
    simulate : bool
        True puts the operators into the graph. False leaves the computation in float and only annotates the layers
        with ``input_scale`` and ``input_zero_point``, for tools that read them.

    Raises
    ------
    OptionError
        If there is no such observer.
    """

    requires = (FoldBatchNorm,)

    def __init__(
        self,
        scheme: Scheme,
        sketches: Sequence[ActivationSketch],
        formats: KeptInputs,
        *,
        observer: str = "minmax",
        simulate: bool = True,
    ) -> None:
        check_observer(observer)
        self.scheme = scheme
        self.sketches = sketches
        self.formats = formats
        self.observer = observer
        self.simulate = simulate
        self.statistics: dict[str, ActivationStatistics] = {}
        """How each layer's input is quantized, by layer name; the widest, if a layer is applied several times."""

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        groups = activation_inputs(graph, self.formats).items()
        return [
            change
            for (value, operators), sketch in zip(groups, self.sketches, strict=True)
            for change in self._quantize(graph, value, operators, sketch)
        ]

    def _quantize(
        self, graph: Graph, value: Value, operators: list[LinearOperator], sketch: ActivationSketch
    ) -> list[Change]:
        if sketch.is_empty:
            return [Change.skipped(operator.node, "calibration saw no values") for operator in operators]
        found = self._statistics(sketch)
        if self.simulate:
            quantized = simulate_quantization(
                graph,
                value,
                operators[0].node.scope,
                scale=found.scale,
                zero_point=found.zero_point,
                lowest=self.scheme.lowest,
                highest=self.scheme.highest,
            )
            graph.replace(value, quantized, readers=[operator.node for operator in operators])
        for operator in operators:
            note_input(operator.node, found.scale, found.zero_point)
            widest = self.statistics.get(operator.name, found)
            self.statistics[operator.name] = found if found.scale >= widest.scale else widest
        what = f"input {'simulated' if self.simulate else 'annotated'} as {self.scheme}"
        return [Change.done(operator.node, what) for operator in operators]

    def _statistics(self, sketch: ActivationSketch) -> ActivationStatistics:
        low, high = activation_range(sketch, self.scheme, self.observer)
        scale, zero_point = scale_and_zero_point(low, high, self.scheme)
        return ActivationStatistics(
            scheme=str(self.scheme) if self.simulate else f"float32, noted as {self.scheme}",
            low=low,
            high=high,
            scale=float(scale),
            zero_point=int(zero_point),
            observed_low=sketch.low,
            observed_high=sketch.high,
            sqnr_db=sketch.sqnr_db(low, high, self.scheme),
            clipped_share=sketch.clipped_share(low, high),
            observer=self.observer,
            sketch=sketch,
        )
