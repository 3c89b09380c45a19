"""What became of each layer, put together from what the passes report."""

from collections.abc import Sequence

import numpy as np

from gsjupyter.goldenstick.lowering import LowerFakeQuantization
from gsjupyter.mindir import Model
from gsjupyter.passes import (
    ActivationStatistics,
    Float16Weights,
    LinearOperator,
    Pass,
    PassResult,
    QuantizeActivations,
    QuantizeWeights,
    WeightStatistics,
    linear_operators,
)
from gsjupyter.passes.simulation import is_simulated, noted_input
from gsjupyter.passes.stored_weight import StoredWeight
from gsjupyter.quantization import ACTIVATION_UINT8
from gsjupyter.report import LayerRecord, Layers


def layers_of(float_model: Model, quantization: Sequence[Pass], results: Sequence[PassResult]) -> Layers:
    """Return the table of the layers with weights.

    Parameters
    ----------
    float_model : Model
        The network before anything was quantized.
    quantization : sequence of Pass
        The passes that quantized it; they keep statistics by layer name.
    results : sequence of PassResult
        What they changed, and what they left alone.
    """
    weights: dict[str, WeightStatistics] = {}
    activations: dict[str, ActivationStatistics] = {}
    for step in quantization:
        if isinstance(step, QuantizeWeights | Float16Weights | LowerFakeQuantization):
            weights.update(step.statistics)
        if isinstance(step, QuantizeActivations):
            activations.update(step.statistics)
        if isinstance(step, LowerFakeQuantization):
            activations.update(step.activation_statistics)
    reasons = {change.layer: change.reason for result in results for change in result.skipped}
    records: dict[str, LayerRecord] = {}
    for operator in linear_operators(float_model.graph()):
        note = "" if operator.name in weights else reasons.get(operator.node.layer, "")
        activation = activations.get(operator.name) or _noted(operator)
        found = _record(operator, weights.get(operator.name), activation, note)
        records.setdefault(operator.name, found)
    return Layers(list(records.values()))


def _record(
    operator: LinearOperator, weight: WeightStatistics | None, activation: ActivationStatistics | None, note: str
) -> LayerRecord:
    stored, parameters = operator.stored, int(np.prod(operator.shape, dtype=np.int64))
    scales = _scale_range(stored, weight)
    size = parameters * np.dtype(np.float32).itemsize
    size_after = stored.size_bytes if stored is not None else weight.bytes_after if weight is not None else size
    scheme = stored.scheme if stored is not None else weight.scheme if weight is not None else "float32"
    return LayerRecord(
        name=operator.name,
        operator=operator.node.op,
        shape=operator.shape,
        parameters=parameters,
        weights=scheme,
        activations=activation.scheme if activation is not None else "float32",
        scale_min=scales[0] if scales is not None else None,
        scale_max=scales[1] if scales is not None else None,
        sqnr_db=weight.sqnr_db if weight is not None else None,
        activation_low=activation.low if activation is not None else None,
        activation_high=activation.high if activation is not None else None,
        bytes_before=size,
        bytes_after=size_after,
        note=note,
    )


def _noted(operator: LinearOperator) -> ActivationStatistics | None:
    """Return how an input is quantized that came so: from a checkpoint, or from a file that was converted before."""
    found = noted_input(operator.node)
    if found is None:
        return None
    (scale, zero_point), scheme = found, ACTIVATION_UINT8
    described = str(scheme) if is_simulated(operator.data) else f"float32, noted as {scheme}"
    low, high = ((end - zero_point) * scale for end in (scheme.lowest, scheme.highest))
    return ActivationStatistics(described, low, high, scale, zero_point)


def _scale_range(stored: StoredWeight | None, weight: WeightStatistics | None) -> tuple[float, float] | None:
    """Return the smallest and largest scale; BatchNorm may have changed those of a weight that came quantized."""
    if stored is not None:
        scale = stored.scale.array.astype(np.float64) if stored.scale is not None else None
        return (float(scale.min()), float(scale.max())) if scale is not None else None
    is_integer = weight is not None and weight.scheme != "float16"
    return (weight.scale_min, weight.scale_max) if weight is not None and is_integer else None
