"""What became of each layer, put together from what the passes report."""

from collections.abc import Sequence

import numpy as np

from gsjupyter.mindir import Model
from gsjupyter.passes import Float16Weights, Pass, PassResult, QuantizeActivations, QuantizeWeights, linear_operators
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
    weights = {
        name: statistics
        for step in quantization
        if isinstance(step, QuantizeWeights | Float16Weights)
        for name, statistics in step.statistics.items()
    }
    activations = {
        name: statistics
        for step in quantization
        if isinstance(step, QuantizeActivations)
        for name, statistics in step.statistics.items()
    }
    reasons = {change.layer: change.reason for result in results for change in result.skipped}
    records: dict[str, LayerRecord] = {}
    for operator in linear_operators(float_model.graph()):
        weight, activation = weights.get(operator.name), activations.get(operator.name)
        size = operator.weight.size_bytes
        quantized = weight is not None and weight.scheme != "float16"
        records.setdefault(
            operator.name,
            LayerRecord(
                name=operator.name,
                operator=operator.node.op,
                shape=operator.weight.shape or (),
                parameters=int(np.prod(operator.weight.shape or (), dtype=np.int64)),
                weights=weight.scheme if weight else "float32",
                activations=activation.scheme if activation else "float32",
                scale_min=weight.scale_min if weight and quantized else None,
                scale_max=weight.scale_max if weight and quantized else None,
                sqnr_db=weight.sqnr_db if weight else None,
                activation_low=activation.low if activation else None,
                activation_high=activation.high if activation else None,
                bytes_before=size,
                bytes_after=weight.bytes_after if weight else size,
                note="" if weight else reasons.get(operator.node.layer, ""),
            ),
        )
    return Layers(list(records.values()))
