"""Sensitivities to show."""

from __future__ import annotations

from gsjupyter.quantization.allocation import LayerChoices
from gsjupyter.quantization.sensitivity import BITS, ErrorModel, LayerCost
from gsjupyter.report.sensitivity import Measurement, Sensitivity


def sensitivity_of(gains, weights, **settings):
    """Return a sensitivity of layers with constant gains, whose weights have an error of a quarter for each bit."""
    errors = {bits: 4.0**-bits for bits in BITS}
    costs = [LayerCost((name,), errors, {3: gain * errors[3], 5: gain * errors[5]}) for name, gain in gains.items()]
    choices = [
        LayerChoices(
            (cost.name,),
            BITS,
            tuple(-(-weights[cost.name] * bits // 8) for bits in BITS),
            tuple(cost.contributions[bits] for bits in BITS),
        )
        for cost in costs
    ]
    known = {"name": "Net", "fixed_bytes": 0, "float_size_bytes": 4 * sum(weights.values())} | settings
    return Sensitivity(
        model=ErrorModel(tuple(costs)),
        choices=tuple(choices),
        parameters=tuple(weights.values()),
        measurement=Measurement(11, 2.25, 4, "given"),
        **known,
    )


SENSITIVITY = sensitivity_of({"conv1": 30.0, "fc": 1.0}, {"conv1": 1_000, "fc": 100_000})
