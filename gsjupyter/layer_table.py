"""What became of each layer, put together from what the passes report."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from gsjupyter.goldenstick.lowering import LowerFakeQuantization
from gsjupyter.mindir import Model
from gsjupyter.passes import (
    ActivationStatistics,
    Float16Weights,
    LinearOperator,
    PackWeights,
    Pass,
    PassResult,
    QuantizeActivations,
    QuantizeWeights,
    linear_operators,
)
from gsjupyter.passes.simulation import is_simulated, noted_input
from gsjupyter.passes.stored_weight import ZERO_POINT_SUFFIX, StoredWeight
from gsjupyter.quantization import ACTIVATION_UINT8
from gsjupyter.quantization.statistics import WeightStatistics, channel_ranges, weight_statistics
from gsjupyter.report import LayerRecord, Layers


def layers_of(
    float_model: Model,
    quantization: Sequence[Pass],
    results: Sequence[PassResult],
    shares: Mapping[str, float] | None = None,
) -> Layers:
    """Return the table of the layers with weights.

    Parameters
    ----------
    float_model : Model
        The network before anything was quantized.
    quantization : sequence of Pass
        The passes that quantized it, and packed what they stored; they keep statistics by name.
    results : sequence of PassResult
        What they changed, and what they left alone.
    shares : mapping of str to float, optional
        The predicted share of the output's error power that each layer makes, by name, where that was measured.
    """
    weights: dict[str, WeightStatistics] = {}
    activations: dict[str, ActivationStatistics] = {}
    saved: dict[str, int] = {}
    for step in quantization:
        if isinstance(step, QuantizeWeights | Float16Weights | LowerFakeQuantization):
            weights.update(step.statistics)
        if isinstance(step, QuantizeActivations):
            activations.update(step.statistics)
        if isinstance(step, LowerFakeQuantization):
            activations.update(step.activation_statistics)
        if isinstance(step, PackWeights):
            saved.update(step.saved_bytes)
    reasons = {change.layer: change.reason for result in results for change in result.skipped}
    records: dict[str, LayerRecord] = {}
    for operator in linear_operators(float_model.graph()):
        if operator.name in records:
            continue
        note = "" if operator.name in weights else reasons.get(operator.node.layer, "")
        activation = activations.get(operator.name) or _noted(operator)
        record = _record(operator, weights.get(operator.name), activation, note)
        packed = sum(saved.get(operator.weight.name + part, 0) for part in ("", ZERO_POINT_SUFFIX))
        records[operator.name] = replace(record, bytes_after=record.bytes_after - packed)
    layers = Layers(list(records.values()))
    return layers.with_shares(shares) if shares is not None else layers


def _record(
    operator: LinearOperator, weight: WeightStatistics | None, activation: ActivationStatistics | None, note: str
) -> LayerRecord:
    stored, parameters = operator.stored, int(np.prod(operator.shape, dtype=np.int64))
    size = parameters * np.dtype(np.float32).itemsize
    size_after = stored.size_bytes if stored is not None else weight.bytes_after if weight is not None else size
    scheme = stored.scheme if stored is not None else weight.scheme if weight is not None else "float32"
    numbers = _numbers(operator)
    integers = weight if stored is None else _came_stored(operator, stored, numbers)
    is_integer = integers is not None and integers.scheme != "float16"
    return LayerRecord(
        name=operator.name,
        operator=operator.node.op,
        shape=operator.shape,
        parameters=parameters,
        weights=scheme,
        activations=activation.scheme if activation is not None else "float32",
        scale_min=integers.scale_min if integers is not None and is_integer else None,
        scale_max=integers.scale_max if integers is not None and is_integer else None,
        zero_point_min=integers.zero_point_min if integers is not None else None,
        zero_point_max=integers.zero_point_max if integers is not None else None,
        levels_used=integers.levels_used if integers is not None else None,
        outlier_ratio=integers.outlier_ratio if integers is not None else None,
        clipped_share=weight.clipped_share if weight is not None else None,
        sqnr_db=weight.sqnr_db if weight is not None else None,
        rmse_over_scale=weight.rmse_over_scale if weight is not None else None,
        cosine=weight.cosine if weight is not None else None,
        channel_ranges=channel_ranges(numbers, operator.axis),
        bytes_before=size,
        bytes_after=size_after,
        note=note,
        **_of_input(activation),
    )


class _InputFigures(TypedDict, total=False):
    activation_low: float
    activation_high: float
    activation_observed_low: float | None
    activation_observed_high: float | None
    activation_scale: float
    activation_zero_point: int
    activation_sqnr_db: float | None
    activation_clipped_share: float | None
    activation_outlier_ratio: float | None


def _of_input(found: ActivationStatistics | None) -> _InputFigures:
    if found is None:
        return {}
    return {
        "activation_low": found.low,
        "activation_high": found.high,
        "activation_observed_low": found.observed_low,
        "activation_observed_high": found.observed_high,
        "activation_scale": found.scale,
        "activation_zero_point": found.zero_point,
        "activation_sqnr_db": found.sqnr_db,
        "activation_clipped_share": found.clipped_share,
        "activation_outlier_ratio": _outlier_ratio(found),
    }


def _outlier_ratio(found: ActivationStatistics) -> float | None:
    """Return the largest absolute value over the root mean square, of what calibration saw."""
    if found.sketch is None or found.sketch.is_empty:
        return None
    power = found.sketch.signal_power
    return max(-found.sketch.low, found.sketch.high) / math.sqrt(power) if power > 0 else 1.0


def _noted(operator: LinearOperator) -> ActivationStatistics | None:
    """Return how an input is quantized that came so: from a checkpoint, or from a file that was converted before."""
    found = noted_input(operator.node)
    if found is None:
        return None
    (scale, zero_point), scheme = found, ACTIVATION_UINT8
    described = str(scheme) if is_simulated(operator.data) else f"float32, noted as {scheme}"
    low, high = ((end - zero_point) * scale for end in (scheme.lowest, scheme.highest))
    return ActivationStatistics(described, low, high, scale, zero_point)


def _numbers(operator: LinearOperator) -> npt.NDArray[np.float32]:
    """Return the numbers that a weight stands for."""
    stored = operator.stored
    if stored is not None and stored.is_integer:
        return stored.quantized.dequantize()
    return operator.weight.array.astype(np.float32, copy=False)


def _came_stored(
    operator: LinearOperator, stored: StoredWeight, numbers: npt.NDArray[np.float32]
) -> WeightStatistics | None:
    """Return the figures of a weight that came quantized: of its integers, as nothing is left of what they were."""
    return weight_statistics(numbers, stored.quantized, operator.axis) if stored.is_integer else None
