"""The chart of a conversion: what each layer's weights are and the grid they lie on, from the networks alone."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import Graph, Model
from gsjupyter.passes import LinearOperator, UnpackWeights, linear_operators
from gsjupyter.report.layer_record import LayerRecord
from gsjupyter.report.layers_block import Histogram, LayerBar, LayersBlock
from gsjupyter.report.weight_histogram import weight_histogram


def layer_chart(records: Sequence[LayerRecord], float_model: Model, model: Model) -> LayersBlock:
    """Return the chart of a conversion.

    Parameters
    ----------
    records : sequence of LayerRecord
        The per-layer table.
    float_model : Model
        The network before anything was quantized.
    model : Model
        The converted one.
    """
    converted = model.graph()
    # On the graph that is read anyway: a model of its own would be written and read once more.
    UnpackWeights().run(converted)
    before, after = _by_name(float_model.graph()), _by_name(converted)
    # Layers may share a weight, and it is looked through once.
    found: dict[str, tuple[float | None, float | None, Histogram | None]] = {}
    bars = []
    for record in records:
        operator = before.get(record.name)
        if operator is None:
            bars.append(LayerBar(record))
            continue
        key = operator.weight.name
        if key not in found:
            found[key] = _spread(operator, after.get(record.name))
        bars.append(LayerBar(record, *found[key]))
    return LayersBlock("Layer by layer", bars)


def _by_name(graph: Graph) -> dict[str, LinearOperator]:
    operators: dict[str, LinearOperator] = {}
    for operator in linear_operators(graph):
        operators.setdefault(operator.name, operator)
    return operators


def _spread(
    before: LinearOperator, after: LinearOperator | None
) -> tuple[float | None, float | None, Histogram | None]:
    """Return a layer's smallest and largest weight, and their histogram on the grid that they came to lie on."""
    weight = _numbers(before)
    ends = [float(weight.min(initial=math.inf)), float(weight.max(initial=-math.inf))]
    if not all(map(math.isfinite, ends)):
        return None, None, None
    stored = after.stored if after is not None else None
    quantized = stored.quantized if stored is not None and stored.is_integer else None
    return ends[0], ends[1], weight_histogram(weight, quantized, before.axis)


def _numbers(operator: LinearOperator) -> npt.NDArray[np.float32]:
    stored = operator.stored
    if stored is not None and stored.is_integer:
        return stored.quantized.dequantize()
    return operator.weight.array.astype(np.float32, copy=False)
