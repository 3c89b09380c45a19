"""Allocation against brute force on small instances: the exact one, the curve, and the bound."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.errors import OptionError
from gsjupyter.quantization.allocation import Allocation, LayerChoices, best_allocation, pareto_curve


@st.composite
def layers(draw):
    """Draw layers as they are: sizes grow with bits, errors mostly fall, over many orders of magnitude."""
    made = []
    for index in range(draw(st.integers(1, 5))):
        bits = sorted(draw(st.sets(st.integers(2, 8), min_size=1, max_size=4)))
        weights, scales = draw(st.integers(1, 100_000)), draw(st.integers(0, 64))
        gain = 10.0 ** draw(st.floats(-6, 2))
        errors = [gain * 4.0**-choice * draw(st.floats(0.2, 5)) for choice in bits]
        sizes = [-(-weights * choice // 8) + 4 * scales for choice in bits]
        made.append(LayerChoices((f"layer{index}",), tuple(bits), tuple(sizes), tuple(errors)))
    return made


@st.composite
def problems(draw):
    choices = draw(layers())
    smallest, largest = (sum(end(item.sizes_bytes) for item in choices) for end in (min, max))
    return choices, draw(st.integers(smallest, largest + 10))


def every_setting(choices):
    """Return (size, error, bits) of all settings there are."""
    for chosen in itertools.product(*(range(len(item.bits)) for item in choices)):
        pairs = list(zip(choices, chosen, strict=True))
        size = sum(item.sizes_bytes[index] for item, index in pairs)
        error = sum(item.error_powers[index] for item, index in pairs)
        yield size, error, {item.name: item.bits[index] for item, index in pairs}


def least_error(choices, limit):
    return min(error for size, error, _ in every_setting(choices) if size <= limit)


def worth(choices, bits):
    size = sum(item.size_bytes(bits[item.name]) for item in choices)
    error = sum(item.error_powers[item.bits.index(bits[item.name])] for item in choices)
    return size, error


@given(problems())
def test_the_best_allocation_is_that_of_brute_force(problem):
    choices, limit = problem
    best = best_allocation(choices, limit)
    assert worth(choices, best.bits) == (best.size_bytes, pytest.approx(best.error_power))
    assert best.size_bytes <= limit
    assert best.error_power == pytest.approx(least_error(choices, limit), rel=1e-12)
    assert best.is_optimal
    assert best.gap_db == 0.0


@given(problems())
def test_the_hulls_allocation_fits_and_its_bound_holds(problem):
    choices, limit = problem
    found, least = pareto_curve(choices).within(limit), least_error(choices, limit)
    assert worth(choices, found.bits) == (found.size_bytes, pytest.approx(found.error_power))
    assert found.size_bytes <= limit
    assert found.least_error_power <= least * (1 + 1e-9)
    assert least <= found.error_power * (1 + 1e-9)


@given(layers())
def test_each_setting_on_the_curve_is_the_best_of_its_size(choices):
    for setting in pareto_curve(choices):
        assert worth(choices, setting.bits) == (setting.size_bytes, pytest.approx(setting.error_power, rel=1e-9))
        assert setting.error_power == pytest.approx(least_error(choices, setting.size_bytes), rel=1e-9)
        assert setting.is_optimal


@given(layers())
def test_the_curve_is_monotone_and_convex(choices):
    curve = pareto_curve(choices)
    sizes, errors = np.diff(curve.sizes_bytes), np.diff(curve.error_powers)
    assert (sizes > 0).all()
    assert (errors <= 0).all()
    slopes = errors / sizes
    # Errors span many orders of magnitude, and a difference of two large ones is exact to their own precision only.
    precision = 1e-12 * curve.error_powers[0] / sizes.min(initial=1)
    assert (np.diff(slopes) >= -precision).all()


@given(layers())
def test_the_curve_goes_from_the_smallest_setting_to_the_most_exact(choices):
    curve = pareto_curve(choices)
    assert curve[0].size_bytes == min(size for size, _, _ in every_setting(choices))
    assert curve[-1].error_power == pytest.approx(min(error for _, error, _ in every_setting(choices)), rel=1e-12)


def layer(name, errors, weights=800):
    bits = tuple(sorted(errors))
    return LayerChoices(
        (name,), bits, tuple(weights * item // 8 for item in bits), tuple(errors[item] for item in bits)
    )


def test_bits_go_where_they_help():
    sensitive, dull = layer("sensitive", {2: 1.0, 4: 0.1, 8: 0.001}), layer("dull", {2: 0.001, 4: 1e-4, 8: 1e-6})
    assert best_allocation([sensitive, dull], 1000).bits == {"sensitive": 8, "dull": 2}


def test_what_the_hull_leaves_unused_is_used():
    # On the hull 8 bits come next, which don't fit; 5 bits lie above the line from 2 to 8, and do.
    only = layer("only", {2: 1.0, 5: 0.6, 8: 0.0})
    assert only.hull == (0, 2)
    best = best_allocation([only], 500)
    assert best.bits == {"only": 5}
    assert best.is_optimal


def test_layers_that_share_a_weight_have_the_same_bits():
    shared = LayerChoices(("a", "b"), (2, 4), (10, 20), (1.0, 0.1))
    assert best_allocation([shared], 20).bits == {"a": 4, "b": 4}


def test_what_is_fixed_counts():
    only = layer("only", {2: 1.0, 4: 0.1})
    assert best_allocation([only], 1400, fixed_bytes=1000).size_bytes == 1400
    assert best_allocation([only], 1399, fixed_bytes=1000).bits == {"only": 2}
    with pytest.raises(OptionError):
        best_allocation([only], 1199, fixed_bytes=1000)


def test_a_budget_that_nothing_fits_is_refused_with_what_is_possible():
    with pytest.raises(OptionError, match=r"no setting fits 10 bytes: the smallest takes 200 bytes, .* exact 800"):
        best_allocation([layer("only", {2: 1.0, 8: 0.1})], 10)


def test_more_room_than_needed_gives_the_most_exact_setting():
    # More bits aren't always more exact.
    best = best_allocation([layer("only", {2: 1.0, 7: 0.01, 8: 0.02})], 10**9)
    assert best.bits == {"only": 7}


def test_errors_of_zero_are_no_trouble():
    zeros = layer("zeros", {2: 0.0, 8: 0.0})
    other = layer("other", {2: 1e-3, 8: 0.0})
    assert best_allocation([zeros, other], 1000).bits == {"zeros": 2, "other": 8}
    assert best_allocation([zeros], 1000) == Allocation({"zeros": 2}, 200, 0.0, 0.0)


def test_with_little_effort_the_bound_says_how_far_from_the_best_it_can_be(rng):
    choices = [
        LayerChoices(
            (str(index),),
            tuple(range(2, 9)),
            tuple(int(weights * bits / 8) for bits in range(2, 9)),
            tuple(gain * 4.0**-bits for bits in range(2, 9)),
        )
        for index, (weights, gain) in enumerate(
            zip(rng.integers(10_000, 10_000_000, 200), np.exp(rng.normal(0, 3, 200)), strict=True)
        )
    ]
    limit = int(sum(item.size_bytes(4) for item in choices)) + 12_345
    hurried, exact = best_allocation(choices, limit, effort=3), best_allocation(choices, limit)
    assert hurried.size_bytes <= limit
    assert hurried.least_error_power <= exact.error_power
    assert exact.is_optimal
    assert not hurried.is_optimal
    assert exact.error_power <= hurried.error_power
    assert 0 <= hurried.gap_db < 0.1


def test_a_layer_without_choices_is_refused():
    with pytest.raises(OptionError, match="layer fc has no number of bits"):
        LayerChoices(("fc",), (), (), ())
