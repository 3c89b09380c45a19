"""What is predicted at a setting, against conversions with that setting."""

from __future__ import annotations

import math

import numpy as np
import pytest

import gsjupyter as gs
from gsjupyter.options import ConvertOptions
from gsjupyter.quantization.allocation import ParetoCurve
from gsjupyter.widgets.opened import open_network
from gsjupyter.widgets.settings_errors import predict
from gsjupyter.widgets.sketches import SketchStore
from tests.widgets.opened_lenet import ReadTwice

OVERRIDES = {"conv*": {"weights": "int3", "observer": "mse"}, "classifier.4": "float16", "classifier.2": "float32"}
CASES = {
    "int8": ConvertOptions(weights="int8", activations="int8"),
    "int5 in groups, clipped": ConvertOptions(weights="int5", granularity="group:16", clipping=0.8),
    "int6, asymmetric": ConvertOptions(weights="int6", symmetric=False, weight_observer="percentile"),
    "overrides": ConvertOptions(weights="int7", activations="int8", activation_observer="mse", layers=OVERRIDES),
}


def predicted(lenet, options, bits=None):
    return predict(lenet.network, lenet.sketches, lenet.sensitivity, options, bits)


@pytest.mark.parametrize("name", CASES)
def test_a_conversion_becomes_what_was_predicted(lenet, name):
    options = CASES[name]
    found = predicted(lenet, options)
    conversion = gs.convert(lenet.network.model_source, lenet.network.example[0], options=options)
    for record, layer in zip(conversion.layers, found.layers, strict=True):
        assert record.bytes_after == layer.bytes, record.name
        assert record.weights.partition(" ")[0].removeprefix("u") == layer.weights
        if layer.bits is not None:
            assert layer.sqnr_db == pytest.approx(record.sqnr_db, abs=0.3), record.name
        if layer.input_sqnr_db is None:
            assert record.activations == "float32"
        else:
            assert layer.input_sqnr_db == pytest.approx(record.activation_sqnr_db, abs=0.01)
    assert found.weight_bytes == sum(record.bytes_after for record in conversion.layers)
    assert found.compression == pytest.approx(lenet.network.float_bytes / found.weight_bytes)
    if options.weight_observer == "minmax" and not options.layers:
        # Where an observer clips a layer of few weights, its gain is another one than was measured.
        assert found.output_sqnr_db == pytest.approx(conversion.verification.sqnr_db, abs=2.0)


def test_what_was_measured_is_predicted_again(lenet):
    # What layers add was measured with quantized inputs, whose error is added once.
    for bits in range(2, 9):
        found = predicted(lenet, ConvertOptions(weights=f"int{bits}", activations="int8"))
        assert found.output_sqnr_db == pytest.approx(lenet.sensitivity.predict(bits), abs=1e-9)
        contributions = [cost.contributions[bits] for cost in lenet.sensitivity.model.layers]
        assert [layer.contribution for layer in found.layers] == pytest.approx(contributions)
        assert sum(layer.share for layer in found.layers) == pytest.approx(1.0)


def test_without_quantized_inputs_their_error_is_left_out(lenet):
    found = predicted(lenet, ConvertOptions(weights="int8"))
    assert found.output_sqnr_db > predicted(lenet, ConvertOptions(weights="int8", activations="int8")).output_sqnr_db
    assert {layer.input_sqnr_db for layer in found.layers} == {None}


def test_float32_has_no_error(lenet):
    found = predicted(lenet, ConvertOptions())
    assert found.compression == 1.0
    assert found.output_sqnr_db == math.inf
    assert {(layer.error, layer.sqnr_db, layer.share) for layer in found.layers} == {(0.0, math.inf, 0.0)}


def test_more_clipping_costs_what_its_error_costs(lenet):
    whole, clipped = (predicted(lenet, ConvertOptions(weights="int8", clipping=share)) for share in (1.0, 0.5))
    assert clipped.output_sqnr_db < whole.output_sqnr_db - 10
    for cost, layer in zip(lenet.sensitivity.model.layers, clipped.layers, strict=True):
        assert layer.contribution == cost.contribution_at(layer.error)
        assert layer.clipping == 0.5


@pytest.mark.parametrize("budget", ["4x", "6.2x", "10x", "30KB", "61706"])
def test_a_budget_gets_the_bits_of_the_sweep(lenet, budget):
    found = predicted(lenet, ConvertOptions(budget=budget, activations="int8"))
    curve = ParetoCurve(lenet.sensitivity.choices, 0)
    sizes = {"4x": 245_880 // 4, "6.2x": int(245_880 / 6.2), "10x": 24_588, "30KB": 30_000, "61706": 61_706}
    expected = curve.within(sizes[budget])
    assert [layer.bits for layer in found.layers] == list(expected.bits.values())
    assert found.weight_bytes == expected.size_bytes
    assert found.output_sqnr_db == pytest.approx(lenet.sensitivity.predict(expected.bits))
    assert found.within_budget


def test_a_budget_that_is_too_small_gets_the_smallest_setting(lenet):
    found = predicted(lenet, ConvertOptions(budget="1KB"))
    assert not found.within_budget
    assert found.weight_bytes == found.smallest_bytes
    assert found.largest_bytes == predicted(lenet, ConvertOptions(weights="int8")).weight_bytes


def test_formats_that_are_given_are_no_matter_of_the_budget(lenet):
    layers = {"conv1": "int2", "conv2": "float16", "classifier.4": {"clipping": 0.9}}
    found = predicted(lenet, ConvertOptions(budget="8x", layers=layers))
    assert [layer.weights for layer in found.layers[:2]] == ["int2", "float16"]
    assert found.layers[4].clipping == 0.9
    assert found.layers[4].bits is not None
    assert found.weight_bytes <= 245_880 / 8
    conversion = gs.convert(
        lenet.network.model_source, lenet.network.example[0], options=ConvertOptions(budget="8x", layers=layers)
    )
    assert sum(record.bytes_after for record in conversion.layers) == pytest.approx(found.weight_bytes, rel=0.05)


def test_bits_of_the_exact_search_are_taken(lenet):
    found = predicted(lenet, ConvertOptions(budget="8x"), {0: 8, 1: 7, 2: 3, 3: 4, 4: 5})
    assert [layer.bits for layer in found.layers] == [8, 7, 3, 4, 5]


def test_an_allowed_drop_gets_the_smallest_setting_that_is_good_enough(lenet):
    found = predicted(lenet, ConvertOptions(max_drop="20dB"))
    assert found.output_sqnr_db >= 20
    smaller = predicted(lenet, ConvertOptions(max_drop="15dB"))
    assert 15 <= smaller.output_sqnr_db < found.output_sqnr_db
    assert smaller.weight_bytes < found.weight_bytes
    largest = predicted(lenet, ConvertOptions(max_drop="80dB"))
    assert largest.weight_bytes == found.largest_bytes


@pytest.mark.parametrize("options", [ConvertOptions(budget="6x"), ConvertOptions(max_drop="20dB")])
def test_nothing_is_chosen_before_it_was_measured(lenet, options):
    found = predict(lenet.network, lenet.sketches, None, options)
    assert all(layer.pending and layer.bits is None and layer.error is None for layer in found.layers)
    assert found.output_sqnr_db is None
    assert found.weight_bytes == lenet.network.float_bytes


def test_what_accuracy_loses_is_not_predicted(lenet):
    assert all(layer.pending for layer in predicted(lenet, ConvertOptions(max_drop="1%")).layers)


def test_without_a_measurement_weights_have_errors_and_the_output_has_none(lenet):
    found = predict(lenet.network, lenet.sketches, None, ConvertOptions(weights="int4"))
    assert found.output_sqnr_db is None
    assert all(layer.error > 0 and layer.contribution is None and layer.share is None for layer in found.layers)


def test_layers_that_share_a_weight_and_disagree_stay_in_float(rng):
    network, x = ReadTwice(), rng.standard_normal((2, 8)).astype(np.float32)
    opened = open_network(network, x)
    sketches = SketchStore(opened)
    for layers, expected in (
        ({}, "int8"),
        ({"third": "int4"}, "float32"),
        ({"third": "float16"}, "float16"),
        ({"third": {"granularity": "tensor"}}, "float32"),
        ({"third": {"clipping": 0.5}}, "int8"),
    ):
        options = ConvertOptions(weights="int8", layers=layers)
        fixed, shared = predict(opened, sketches, None, options).layers
        assert (fixed.weights, fixed.fixed, fixed.bytes) == ("float32", True, 256)
        assert shared.weights == expected
