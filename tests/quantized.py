"""Networks in float and quantized, by the passes alone: for the tests of what compares the two."""

from __future__ import annotations

from typing import NamedTuple

from gsjupyter.calibration import observe
from gsjupyter.mindir import Model
from gsjupyter.passes import (
    Float16Weights,
    FoldBatchNorm,
    LayerSetting,
    LayerSettings,
    Pass,
    PassResult,
    QuantizeActivations,
    QuantizeWeights,
)
from gsjupyter.quantization import ACTIVATION_UINT8
from tests.passes.networks import standard, steps


class Quantized(NamedTuple):
    """A network in float, what was made of it, and by which passes."""

    float_model: Model
    model: Model
    passes: list[Pass]
    results: tuple[PassResult, ...]


def quantized(network, *inputs, setting=None, overrides=None, simulate=True) -> Quantized:
    """Quantize a network: by default weights and inputs to 8 bits, calibrated on the input."""
    settings = LayerSettings(setting or LayerSetting("int8", "int8"), overrides or {})
    float_model, _ = steps(FoldBatchNorm(), model=standard(network, *inputs))
    sketches = observe(float_model, [inputs], settings)
    passes = [
        QuantizeActivations(ACTIVATION_UINT8, sketches, settings, simulate=simulate),
        QuantizeWeights(settings),
        Float16Weights(settings),
    ]
    model, results = steps(FoldBatchNorm(), *passes, model=float_model)
    return Quantized(float_model, model, passes, results)
