"""Store parameters in half precision: half the bytes on any backend, since computation stays in float32.

``parameter = Cast(stored, float32)``. Vectors (biases, statistics, scales) stay in float32: they are few, and their
errors don't average out.
"""

import numpy as np

from gsjupyter.mindir import Graph, Parameter
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.casting import cast
from gsjupyter.passes.linear import LinearOperator, linear_operators
from gsjupyter.passes.quantize_weights import check_finite
from gsjupyter.passes.remove_dead_code import RemoveDeadCode
from gsjupyter.passes.selection import LayerSettings
from gsjupyter.quantization.statistics import WeightStatistics, half_statistics

HALF_FORMAT = "float16"
_FLOAT32 = np.dtype(np.float32)
_LARGEST = float(np.finfo(np.float16).max)


class Float16Weights(Pass):
    """Store float32 parameters of two and more axes as float16.

    Left alone, with the reason in the change list: layers to keep, and parameters with values beyond float16's range.

    Parameters
    ----------
    settings : LayerSettings
        Which layers are to be ``float16``. Parameters that are no layer's weight follow the default.

    Raises
    ------
    ParameterError
        If a weight holds NaN or infinite values.
    """

    requires = (RemoveDeadCode,)

    def __init__(self, settings: LayerSettings) -> None:
        self.settings = settings
        self.statistics: dict[str, WeightStatistics] = {}
        """What became of each layer's weight, by layer name."""

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        by_weight: dict[Parameter, list[LinearOperator]] = {}
        scales = set()
        for operator in linear_operators(graph):
            if operator.stored is None:
                by_weight.setdefault(operator.weight, []).append(operator)
            else:
                scales.add(operator.stored.scale)
        floats = [item for item in graph.parameters() if item.dtype == _FLOAT32 and item not in scales]
        wide = [item for item in floats if item in by_weight or not _is_vector(item)]
        return [self._store(graph, parameter, by_weight.get(parameter, [])) for parameter in wide]

    def _store(self, graph: Graph, parameter: Parameter, operators: list[LinearOperator]) -> Change:
        reader = parameter.readers[0]
        chosen = {self.settings.of(operator.name) for operator in operators} or {self.settings.default.weights}
        if chosen != {HALF_FORMAT}:
            return Change.skipped(reader, f"kept in {', '.join(sorted(chosen - {HALF_FORMAT}))}, as asked")
        for operator in operators:
            check_finite(operator)
        values = parameter.array
        if not (np.abs(values) <= _LARGEST).all():
            return Change.skipped(reader, f"{parameter.name} has values beyond float16's {_LARGEST:,.0f}")
        half = values.astype(np.float16)
        graph.replace(parameter, cast(graph, Parameter.of(parameter.name, half), _FLOAT32, reader.scope))
        for operator in operators:
            self.statistics[operator.name] = half_statistics(values, half)
        return Change.done(reader, f"{parameter.name} stored as float16")


def _is_vector(parameter: Parameter) -> bool:
    # In the shape that broadcasts, (channels, 1), it is one as well.
    return sum(size > 1 for size in parameter.shape or ()) < 2
