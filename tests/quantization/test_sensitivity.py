import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.errors import InputError, OptionError
from gsjupyter.quantization.sensitivity import (
    BITS,
    ErrorModel,
    LayerCost,
    decibel,
    output_error_power,
    reference_bits,
)

ERRORS = {bits: 4.0**-bits for bits in BITS}


def linear(name, gain, references=(3, 5)):
    """Return a layer whose gain is a constant."""
    return LayerCost((name,), ERRORS, {bits: gain * ERRORS[bits] for bits in references})


def test_with_constant_gains_errors_are_gain_times_weight_error():
    model = ErrorModel((linear("a", 2.0), linear("b", 30.0)))
    assert model.error_power({"a": 2, "b": 7}) == pytest.approx(2 * ERRORS[2] + 30 * ERRORS[7])
    assert model.error_power(4) == pytest.approx(32 * ERRORS[4])
    assert model.sqnr_db(4) == pytest.approx(-10 * math.log10(32 * ERRORS[4]))


def test_layers_left_out_stay_in_floating_point():
    model = ErrorModel((linear("a", 2.0), linear("b", 30.0)))
    assert model.error_power({"b": 4}) == pytest.approx(30 * ERRORS[4])
    assert model.error_power({}) == 0.0
    assert model.sqnr_db({}) == math.inf


def test_between_two_references_the_logarithm_of_the_gain_is_interpolated():
    layer = LayerCost(("a",), ERRORS, {3: 1.0 * ERRORS[3], 5: 4.0 * ERRORS[5]})
    # Weight errors fall by the same factor from bit to bit, so 4 bits lie halfway.
    assert layer.gain(4) == pytest.approx(2.0)
    assert [layer.gain(bits) for bits in (2, 3)] == pytest.approx([1.0, 1.0])
    assert [layer.gain(bits) for bits in (5, 8)] == pytest.approx([4.0, 4.0])


def test_any_error_of_a_weight_has_a_contribution():
    layer = LayerCost(("a",), ERRORS, {3: 1.0 * ERRORS[3], 5: 4.0 * ERRORS[5]})
    assert [layer.contribution_at(ERRORS[bits]) for bits in BITS] == pytest.approx(list(layer.contributions.values()))
    # A quarter of the way between the references, in the logarithm.
    between = ERRORS[3] ** 0.75 * ERRORS[5] ** 0.25
    assert layer.contribution_at(between) == pytest.approx(2**0.5 * between)
    assert layer.contribution_at(0.0) == 0.0


def test_what_was_measured_is_what_is_predicted_for_a_layer_alone():
    layer = LayerCost(("a",), ERRORS, {3: 0.3, 5: 0.007, 6: 0.01})
    model = ErrorModel((layer, linear("b", 1.0)))
    for bits, error in layer.measured.items():
        assert model.error_power({"a": bits}) == error


@given(
    st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=6).flatmap(
        lambda gains: st.tuples(st.just(gains), st.lists(st.integers(2, 8), min_size=len(gains), max_size=len(gains)))
    )
)
def test_any_setting_is_the_sum_of_its_layers(drawn):
    gains, bits = drawn
    model = ErrorModel(tuple(linear(str(index), gain) for index, gain in enumerate(gains)))
    setting = {str(index): chosen for index, chosen in enumerate(bits)}
    expected = sum(gain * ERRORS[chosen] for gain, chosen in zip(gains, bits, strict=True))
    assert model.error_power(setting) == pytest.approx(expected)


def test_the_coarsest_setting_is_predicted_as_it_was_measured():
    layers = [linear("a", 20.0), linear("b", 50.0)]
    assert ErrorModel(tuple(layers)).error_power(2) > 4
    model = ErrorModel.with_ceiling(layers, 1.5)
    assert model.error_power(2) == pytest.approx(1.5)
    # Where errors are small nothing saturates.
    assert model.error_power(8) == pytest.approx(70 * ERRORS[8], rel=1e-4)


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9))
def test_saturation_keeps_the_order_of_settings(left, right):
    model = ErrorModel.with_ceiling([linear("a", 1e3)], 2.0)
    smaller, larger = sorted((left, right))
    assert model.saturated(smaller) <= model.saturated(larger)
    assert model.saturated(larger) <= min(larger, model.ceiling) * (1 + 1e-12)


def test_there_is_no_ceiling_where_errors_add_up_to_more_than_predicted():
    assert ErrorModel.with_ceiling([linear("a", 1.0)], 1.0).ceiling == math.inf


def test_quantized_activations_add_their_error_whatever_the_bits():
    model = ErrorModel((linear("a", 1.0),), activation_error=0.01)
    assert model.error_power({}) == 0.01
    assert model.error_power({"a": 5}) == pytest.approx(0.01 + ERRORS[5])


def test_layers_that_share_a_weight_count_once():
    shared = LayerCost(("a", "b"), ERRORS, {3: ERRORS[3]})
    model = ErrorModel((shared,))
    assert model.error_power({"a": 4, "b": 4}) == model.error_power({"a": 4}) == model.error_power(4)


def test_a_layer_without_effect_costs_nothing():
    dead = LayerCost(("dead",), ERRORS, {3: 0.0, 5: 0.0})
    zeros = LayerCost(("zeros",), dict.fromkeys(BITS, 0.0), {3: 0.0, 5: 0.0})
    assert ErrorModel((dead, zeros)).error_power(4) == 0.0
    assert dead.gain(4) == zeros.gain(4) == 0.0
    # Seen with few bits only, an effect fades in between.
    assert LayerCost(("half",), ERRORS, {3: ERRORS[3], 5: 0.0}).gain(4) == pytest.approx(0.5)


def test_the_same_bits_for_all_means_all_that_may_have_them():
    fixed = LayerCost(("fixed",), {8: ERRORS[8]}, {8: ERRORS[8]})
    model = ErrorModel((fixed, linear("free", 1.0)))
    assert model.error_power(4) == pytest.approx(ERRORS[4])
    assert model.error_power(8) == pytest.approx(2 * ERRORS[8])


@pytest.mark.parametrize(
    ("bits", "message"),
    [
        ({"c": 4}, r"no layer 'c' was measured; a, b were"),
        ({"a": 9}, "bits must be 2 to 8, not 9"),
        ({"a": 1}, "bits must be 2 to 8, not 1"),
        ({"a": -1}, "bits must be 2 to 8, not -1"),
        ({"b": 4}, "layer b was measured for 8 bits, not for 4"),
        (16, "bits must be 2 to 8, not 16"),
    ],
)
def test_what_was_not_measured_is_refused(bits, message):
    model = ErrorModel((linear("a", 1.0), LayerCost(("b",), {8: ERRORS[8]}, {8: ERRORS[8]})))
    with pytest.raises(OptionError, match=message):
        model.error_power(bits)


def test_many_layers_are_measured_at_three_numbers_of_bits_and_few_at_all():
    assert reference_bits(5) == BITS
    assert reference_bits(100) == (2, 3, 5)
    assert reference_bits(100, range(3, 9)) == (3, 5)
    assert reference_bits(100, (8,)) == (8,)
    assert reference_bits(100, (8, 4)) == (4, 8)
    assert reference_bits(100, (2, 6, 8)) == (2, 6)
    assert reference_bits(5, (8, 4)) == (4, 8)


def test_each_output_counts_by_its_own_power(rng):
    small, large = rng.standard_normal(50), 1000 * rng.standard_normal(70)
    reference = [small, large, np.zeros(3)]
    actual = [1.1 * small, 1.3 * large, np.ones(3)]
    assert output_error_power(reference, actual) == pytest.approx((0.01 + 0.09) / 2)
    assert output_error_power(reference, reference) == 0.0


def test_an_output_that_overflows_is_worse_than_any_other():
    assert output_error_power([np.ones(3)], [np.array([1, np.inf, 1])]) >= 1e6
    assert output_error_power([np.ones(3)], [np.full(3, np.nan)]) >= 1e6
    assert math.isfinite(output_error_power([np.ones(3)], [np.full(3, 1e30)]))


@pytest.mark.parametrize(
    ("output", "message"), [(np.zeros(4), "the output is 0"), (np.array([1, np.nan]), "holds NaN or infinite")]
)
def test_an_output_without_a_power_is_refused(output, message):
    with pytest.raises(InputError, match=message):
        output_error_power([output], [output])


def test_decibel():
    assert decibel(0.001) == pytest.approx(30)
    assert decibel(0.0) == math.inf
