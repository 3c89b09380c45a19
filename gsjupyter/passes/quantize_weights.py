"""Store weights as integers, with ordinary operators behind them that any backend can run."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from gsjupyter.errors import ParameterError
from gsjupyter.mindir import Graph, Parameter
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.fold_batch_norm import FoldBatchNorm
from gsjupyter.passes.linear import LinearOperator, linear_operator, linear_operators
from gsjupyter.passes.selection import LayerSetting, LayerSettings
from gsjupyter.passes.stored_weight import store_weight
from gsjupyter.quantization import QuantizedArray, Scheme, WeightSketch, quantize_weight, weight_clipping
from gsjupyter.quantization.statistics import WeightStatistics, weight_statistics


class QuantizeWeights(Pass):
    """Store the weights of convolutions, matrix products and embeddings as integers.

    Left alone, with the reason in the change list: layers to keep, and weights that other operators read as numbers.

    Parameters
    ----------
    settings : LayerSettings
        How each layer's weight is quantized; those in floating point are left alone.
    rounded : mapping of str to QuantizedArray, optional
        Weights that were quantized before, by layer name, in a way that needs more than the weight. All others are
        rounded to the nearest.

    Raises
    ------
    ParameterError
        If a weight holds NaN or infinite values.
    OptionError
        If a override means no layer.
    """

    requires = (FoldBatchNorm,)

    def __init__(self, settings: LayerSettings, rounded: Mapping[str, QuantizedArray] | None = None) -> None:
        self.settings = settings
        self._rounded = rounded or {}
        self.statistics: dict[str, WeightStatistics] = {}
        """What became of each layer's weight, by layer name."""

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        operators = linear_operators(graph)
        self.settings.check(operators)
        by_weight: dict[Parameter, list[LinearOperator]] = defaultdict(list)
        for operator in operators:
            by_weight[operator.weight].append(operator)
        return [change for group in by_weight.values() for change in self._quantize(graph, group)]

    def _quantize(self, graph: Graph, group: list[LinearOperator]) -> list[Change]:
        first = group[0]
        scheme = self.settings.setting(first.name).scheme
        reason = self._obstacle(group, scheme)
        if reason or scheme is None:
            return [Change.skipped(operator.node, reason) for operator in group]
        check_finite(first)
        quantized = self._rounded.get(first.name) or quantized_weight(first, self.settings.setting(first.name), scheme)
        dequantized = store_weight(graph, first.weight.name, quantized, first.node.scope)
        grid = (scheme.lowest, scheme.highest)
        statistics = weight_statistics(first.weight.array, quantized, first.axis, grid)
        for operator in group:
            operator.node.set_input(operator.weight_index, dequantized)
            self.statistics[operator.name] = statistics
        return [Change.done(operator.node, f"weight stored as {scheme}") for operator in group]

    def _obstacle(self, group: list[LinearOperator], scheme: Scheme | None) -> str:
        stored = group[0].stored
        if stored is not None:
            return f"already stored as {stored.scheme}"
        settings = [self.settings.setting(operator.name) for operator in group]
        kept = next((setting for setting in settings if setting.scheme is None), None)
        if kept is not None:
            return f"kept in {kept.weights}, as asked"
        weight = group[0].weight
        if any(setting.scheme != scheme for setting in settings):
            return f"{weight.name} is shared by layers with different settings"
        return obstacle_of_readers(group, has_one_scale=scheme is not None and scheme.granularity == "tensor")


def obstacle_of_readers(group: Sequence[LinearOperator], *, has_one_scale: bool = False) -> str:
    """Return why a weight can't be stored as integers because of what reads it; empty if nothing hinders it.

    Parameters
    ----------
    group : sequence of LinearOperator
        The linear operators that read the weight.
    has_one_scale : bool
        Whether all of it is to have one scale.
    """
    weight = group[0].weight
    # A weight that is shared along different axes has no per-channel scale that serves all of its readers.
    if not has_one_scale and len({operator.axis for operator in group}) > 1:
        return f"{weight.name} is shared by layers with different channel axes"
    others = [reader for reader in weight.readers if linear_operator(reader) is None]
    return f"{weight.name} is also read by {others[0].op} ({others[0].layer or 'network'})" if others else ""


def check_finite(operator: LinearOperator) -> None:
    """Check that a weight holds numbers only.

    Raises
    ------
    ParameterError
        If it doesn't; the message counts them and says what to do.
    """
    values = operator.weight.array
    finite = np.isfinite(values)
    if finite.all():
        return
    count = int(values.size - np.count_nonzero(finite))
    kind = "NaN" if np.isnan(values).any() else "infinite"
    cell = operator.node.scope.cell_class or operator.node.op
    raise ParameterError(
        f"layer {operator.name} ({cell}) holds {count:,} {kind} weights of {values.size:,}, "
        "so no scale can be computed.",
        advice=f"Train or load it again, or leave it in float: --keep {operator.name}",
    )


def clipping_of(operator: LinearOperator, setting: LayerSetting, scheme: Scheme) -> float:
    """Return the share of a weight's range that the grid covers: what was asked for, or what the observer chooses."""
    if setting.clipping is not None or setting.observer == "minmax":
        return setting.clipping or 1.0
    weight = operator.weight.array
    sketch = WeightSketch.of(weight, operator.axis, scheme.granularity, symmetric=scheme.symmetric)
    return weight_clipping(sketch, scheme, setting.observer)


def quantized_weight(operator: LinearOperator, setting: LayerSetting, scheme: Scheme) -> QuantizedArray:
    """Return the weight of a layer in integers, each rounded to the nearest."""
    return quantize_weight(operator.weight.array, operator.axis, scheme, clipping_of(operator, setting, scheme))
