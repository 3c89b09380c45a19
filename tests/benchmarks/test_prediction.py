"""A setting is predicted while a slider is dragged: in a thousandth of the time that a frame has for everything."""

import numpy as np
import pytest

from gsjupyter.quantization.allocation import LayerChoices, best_allocation, pareto_curve
from gsjupyter.quantization.sensitivity import BITS, ErrorModel, LayerCost

pytestmark = pytest.mark.bench

LAYERS = 160


@pytest.fixture(scope="module")
def costs():
    rng = np.random.default_rng(0)
    errors = {bits: 4.0**-bits for bits in BITS}
    gains = 10.0 ** rng.normal(0, 1, LAYERS)
    return [
        LayerCost((f"layer{index}",), errors, {bits: gain * errors[bits] * rng.uniform(0.5, 2) for bits in (2, 3, 5)})
        for index, gain in enumerate(gains)
    ]


@pytest.fixture(scope="module")
def choices(costs):
    weights = np.random.default_rng(1).integers(1_000, 2_000_000, LAYERS)
    return [
        LayerChoices(
            cost.names,
            BITS,
            tuple(int(size) * bits // 8 for bits in BITS),
            tuple(cost.contributions[bits] for bits in BITS),
        )
        for cost, size in zip(costs, weights, strict=True)
    ]


def test_a_prediction_takes_well_under_a_millisecond(benchmark, costs):
    model = ErrorModel(tuple(costs))
    setting = {cost.name: 2 + index % 7 for index, cost in enumerate(costs)}
    benchmark(model.sqnr_db, setting)
    assert benchmark.stats.stats.median < 0.2e-3


def test_the_whole_curve_takes_milliseconds(benchmark, choices):
    benchmark(pareto_curve, choices)
    assert benchmark.stats.stats.median < 20e-3


def test_the_best_setting_takes_less_than_a_second(benchmark, choices):
    limit = sum(item.size_bytes(4) for item in choices) + 12_345
    assert benchmark.pedantic(best_allocation, (choices, limit), rounds=3).is_optimal
    assert benchmark.stats.stats.max < 1
