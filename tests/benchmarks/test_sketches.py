"""What sketches cost, and what they spare: budgets of the design, and ratios between two things timed in one run.

Run by ``make bench``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from gsjupyter.quantization import (
    ACTIVATION_UINT8,
    OBSERVERS,
    ActivationSketch,
    Scheme,
    WeightSketch,
    activation_range,
    quantize_weight,
    sqnr_db,
    weight_clipping,
)

pytestmark = pytest.mark.bench

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
ACTIVATION_VALUES = 802_816
"""Values of the largest inner tensor for one image, 64 x 112 x 112; all that layers read are 11 million."""


def resnet50_shapes():
    """Yield the shapes of ResNet-50's 54 weights."""
    yield 64, 3, 7, 7
    channels = 64
    for width, blocks in STAGES:
        for block in range(blocks):
            yield width, channels, 1, 1
            yield width, width, 3, 3
            yield 4 * width, width, 1, 1
            if block == 0:
                yield 4 * width, channels, 1, 1
            channels = 4 * width
    yield 1000, channels


@pytest.fixture(scope="module")
def resnet50():
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(shape, np.float32) for shape in resnet50_shapes()]
    assert len(weights) == 54
    assert sum(weight.size for weight in weights) == pytest.approx(25.5e6, rel=0.01)
    return weights


@pytest.fixture(scope="module")
def sketches(resnet50):
    return [WeightSketch.of(weight, 0, "channel") for weight in resnet50]


@pytest.fixture
def settings():
    """Give settings that nothing has computed before, different for each layer."""
    rng = np.random.default_rng(1)
    return lambda: [(int(bits), float(rng.uniform(0.5, 1))) for bits in rng.integers(2, 9, 54)]


def seconds(function, *arguments, times=5):
    """Return the shortest of several durations."""
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        function(*arguments)
        durations.append(time.perf_counter() - start)
    return min(durations)


@pytest.mark.parametrize(
    ("granularity", "symmetric"), [("channel", True), ("channel", False), ("tensor", True), ("group:64", True)]
)
def test_sketching_takes_a_second_at_most(benchmark, resnet50, granularity, symmetric):
    benchmark.pedantic(
        lambda: [WeightSketch.of(weight, 0, granularity, symmetric=symmetric) for weight in resnet50], rounds=5
    )
    benchmark.extra_info["ns per weight"] = benchmark.stats.stats.min / 25.5e6 * 1e9
    assert benchmark.stats.stats.min <= 1.0


def test_all_layers_at_a_new_setting_take_five_milliseconds_at_most(benchmark, sketches, settings):
    def all_layers(new):
        return [sketch.error_power(*setting) for sketch, setting in zip(sketches, new, strict=True)]

    benchmark.pedantic(all_layers, setup=lambda: ((settings(),), {}), rounds=100)
    assert benchmark.stats.stats.median <= 5e-3


def test_one_new_setting_for_all_layers_takes_a_fifth_of_one_for_each(benchmark, sketches, settings):
    def all_layers(setting):
        return [sketch.error_power(*setting) for sketch in sketches]

    benchmark.pedantic(all_layers, setup=lambda: ((settings()[0],), {}), rounds=100)
    each = seconds(lambda: [sketch.error_power(*new) for sketch, new in zip(sketches, settings(), strict=True)])
    assert benchmark.stats.stats.median <= each / 5


def test_a_sketch_costs_less_than_quantizing_and_measuring_three_times(resnet50):
    def measured():
        for weight in resnet50[-10:]:
            sqnr_db(weight, quantize_weight(weight, 0, Scheme(4)).dequantize())

    def sketched():
        for weight in resnet50[-10:]:
            WeightSketch.of(weight, 0, "channel")

    ratio = seconds(sketched) / seconds(measured)
    print(f"sketching / (quantizing and measuring) = {ratio:.2f}")
    assert ratio < 3


def test_predicting_is_ten_times_faster_than_measuring(resnet50, sketches, settings):
    def measured():
        for weight in resnet50:
            sqnr_db(weight, quantize_weight(weight, 0, Scheme(4), 0.8).dequantize())

    def predicted():
        for sketch, setting in zip(sketches, settings(), strict=True):
            sketch.sqnr_db(*setting)

    ratio = seconds(measured, times=2) / seconds(predicted)
    print(f"measuring / predicting = {ratio:.0f}")
    assert ratio > 10


@pytest.mark.parametrize("name", ["normal", "ReLU"])
def test_activations_take_five_nanoseconds_a_value_at_most(benchmark, name):
    values = np.random.default_rng(0).standard_normal(ACTIVATION_VALUES, np.float32)
    if name == "ReLU":
        np.maximum(values, 0, out=values)
    sketch = ActivationSketch()
    benchmark.pedantic(sketch.update, args=(values,), rounds=20, warmup_rounds=1)
    benchmark.extra_info["ns per value"] = benchmark.stats.stats.min / values.size * 1e9
    assert benchmark.stats.stats.median <= 5e-9 * values.size


@pytest.mark.parametrize("observer", OBSERVERS)
def test_choosing_a_range_takes_as_long_as_sketching_ten_images_at_most(benchmark, observer):
    values = np.random.default_rng(0).standard_normal(ACTIVATION_VALUES, np.float32)
    sketch = ActivationSketch()
    sketched = seconds(sketch.update, values)
    benchmark.pedantic(activation_range, args=(sketch, ACTIVATION_UINT8, observer), rounds=10, warmup_rounds=1)
    assert benchmark.stats.stats.median <= max(10 * sketched, 0.03)


@pytest.mark.parametrize("observer", OBSERVERS)
def test_choosing_the_clipping_of_all_layers_takes_half_a_second_at_most(benchmark, sketches, observer):
    benchmark.pedantic(
        lambda: [weight_clipping(sketch, Scheme(4), observer) for sketch in sketches], rounds=3, warmup_rounds=1
    )
    assert benchmark.stats.stats.min <= 0.5
