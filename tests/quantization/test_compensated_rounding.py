from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.errors import ParameterError
from gsjupyter.quantization import Scheme, quantize_weight
from gsjupyter.quantization.compensated_rounding import DAMPING, output_error, quantize_compensated

GRANULARITIES = ["tensor", "channel", "group:1", "group:3", "group:5", "group:64"]
SCHEMES = st.builds(Scheme, st.integers(2, 8), st.booleans(), st.booleans(), st.sampled_from(GRANULARITIES))
SHAPES = [((6, 7), 0), ((7, 6), 1), ((4, 3, 2, 2), 0), ((3, 5, 2), 1), ((1, 1), 0), ((5, 1), 0)]
CHANNEL_INT3 = Scheme(3)


def rows(array, axis):
    return np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)


def correlated(rng, samples, inputs):
    """Return inputs that have much in common, and differ in size."""
    common = rng.standard_normal((samples, 2)) @ rng.standard_normal((2, inputs))
    return (common + 0.3 * rng.standard_normal((samples, inputs))) * np.exp(rng.standard_normal(inputs))


def output_noise(weight, quantized, axis, x):
    """Return the power of the change of each output channel, from the outputs themselves."""
    return np.square(x @ rows(weight - quantized.dequantize(), axis).T.astype(np.float64)).sum(axis=0)


@st.composite
def cases(draw):
    """Draw a weight, its axis, a scheme, and inputs: as many as a layer has at least, or fewer, or some dead."""
    shape, axis = draw(st.sampled_from(SHAPES))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    weight = rng.standard_normal(shape).astype(np.float32)
    inputs = weight.size // shape[axis]
    x = correlated(rng, draw(st.sampled_from([1, 2, 5, 200])), inputs)
    x[:, rng.random(inputs) < draw(st.sampled_from([0.0, 0.3, 1.0]))] = 0.0
    return weight, axis, draw(SCHEMES), x


@given(cases(), st.sampled_from([1.0, 0.8]))
def test_no_channel_is_worse_than_rounded_to_nearest(case, clipping):
    weight, axis, scheme, x = case
    nearest = quantize_weight(weight, axis, scheme, clipping)
    compensated = quantize_compensated(weight, axis, scheme, x.T @ x, clipping)
    before, after = (output_noise(weight, item, axis, x) for item in (nearest, compensated))
    assert (after <= before * (1 + 1e-6) + 1e-9).all()


@given(cases())
def test_only_the_integers_differ_from_rounding_to_nearest(case):
    weight, axis, scheme, x = case
    nearest = quantize_weight(weight, axis, scheme)
    compensated = quantize_compensated(weight, axis, scheme, x.T @ x)
    np.testing.assert_array_equal(compensated.scale, nearest.scale)
    np.testing.assert_array_equal(compensated.zero_point, nearest.zero_point)
    assert compensated.values.dtype == nearest.values.dtype
    assert compensated.values.shape == nearest.values.shape
    assert (compensated.scheme, compensated.shape, compensated.axis) == (nearest.scheme, nearest.shape, nearest.axis)
    assert scheme.lowest <= compensated.values.min()
    assert compensated.values.max() <= scheme.highest


@given(cases(), st.floats(1e-3, 1e3))
def test_inputs_with_nothing_in_common_leave_the_nearest_integers(case, power):
    weight, axis, scheme, x = case
    moment = power * np.diag(1.0 + np.arange(x.shape[1]))
    nearest = quantize_weight(weight, axis, scheme)
    np.testing.assert_array_equal(quantize_compensated(weight, axis, scheme, moment).values, nearest.values)


@given(cases())
def test_a_weight_on_the_grid_stays_as_it_is(case):
    weight, axis, scheme, x = case
    on_grid = quantize_weight(weight, axis, scheme).dequantize()
    again = quantize_weight(on_grid, axis, scheme).dequantize()
    compensated = quantize_compensated(on_grid, axis, scheme, x.T @ x).dequantize()
    np.testing.assert_array_equal(compensated, again)


def naive(weight, scale, scheme, moment):
    """Round one channel by the definition: after each weight, the best that those still to come can do about it."""
    power = np.diag(moment)
    damped = moment + DAMPING * power.mean() * np.eye(len(power))
    order = list(np.argsort(-power, kind="stable"))
    remaining, integers = weight.astype(np.float64), np.zeros(len(weight))
    for position, index in enumerate(order):
        integers[index] = np.clip(np.rint(remaining[index] / scale), scheme.lowest, scheme.highest)
        error, later = remaining[index] - integers[index] * scale, order[position + 1 :]
        if later:
            # The minimum of the output error over the later weights, with this one's error given.
            remaining[later] += np.linalg.solve(damped[np.ix_(later, later)], damped[later, index]) * error
    return integers


@pytest.mark.parametrize("inputs", [5, 40, 300])
def test_the_later_weights_make_up_for_the_earlier_ones(inputs, rng):
    weight = rng.standard_normal((6, inputs)).astype(np.float32)
    x = correlated(rng, 500, inputs)
    moment = x.T @ x
    compensated = quantize_compensated(weight, 0, CHANNEL_INT3, moment)
    nearest = quantize_weight(weight, 0, CHANNEL_INT3)
    for channel, scale in enumerate(compensated.scale.ravel()):
        expected = naive(weight[channel], scale, CHANNEL_INT3, moment)
        candidates = [expected, nearest.values[channel]]
        errors = [output_error([weight[channel] - item * scale], moment).item() for item in candidates]
        assert compensated.values[channel].tolist() == candidates[int(np.argmin(errors))].tolist()


@pytest.mark.parametrize("granularity", ["tensor", "channel", "group:32"])
def test_new_inputs_gain_too(granularity, rng):
    weight = rng.standard_normal((32, 96)).astype(np.float32)
    scheme = Scheme(4, granularity=granularity)
    x = correlated(rng, 2000, 96)
    quantized = [quantize_weight(weight, 0, scheme), quantize_compensated(weight, 0, scheme, x[:1000].T @ x[:1000])]
    before, after = (output_noise(weight, item, 0, x[1000:]).sum() for item in quantized)
    assert before > 10 * after


def test_each_group_of_a_convolution_has_a_moment_of_its_own(rng):
    weight = rng.standard_normal((6, 2, 3, 3)).astype(np.float32)
    moments = np.stack([x.T @ x for x in (correlated(rng, 100, 18) for _ in range(3))])
    together = quantize_compensated(weight, 0, CHANNEL_INT3, moments)
    for group, moment in enumerate(moments):
        part = slice(2 * group, 2 * group + 2)
        alone = quantize_compensated(weight[part], 0, CHANNEL_INT3, moment)
        np.testing.assert_array_equal(together.values[part], alone.values)


def test_an_input_that_is_always_zero_is_rounded_to_nearest(rng):
    weight, x = rng.standard_normal((8, 6)).astype(np.float32), correlated(rng, 50, 6)
    x[:, 2] = 0.0
    compensated = quantize_compensated(weight, 0, CHANNEL_INT3, x.T @ x)
    np.testing.assert_array_equal(compensated.values[:, 2], quantize_weight(weight, 0, CHANNEL_INT3).values[:, 2])


def test_moments_may_be_of_any_size(rng):
    weight, x = rng.standard_normal((8, 6)).astype(np.float32), correlated(rng, 50, 6)
    values = [quantize_compensated(weight, 0, CHANNEL_INT3, size * (x.T @ x)).values for size in (1.0, 2e-20, 2e20)]
    assert values[0].tolist() == values[1].tolist() == values[2].tolist()


@pytest.mark.parametrize("shape", [(5, 5), (6, 5), (6,), (3, 6, 6), (0, 6, 6), (1, 1, 6, 6)])
def test_a_moment_of_another_layer_is_refused(shape):
    with pytest.raises(ParameterError, match=r"8 channels of 6 inputs can't have second moments of shape"):
        quantize_compensated(np.ones((8, 6), np.float32), 0, CHANNEL_INT3, np.ones(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_moment_that_is_not_finite_is_refused(value):
    moment = np.eye(6)
    moment[2, 3] = value
    with pytest.raises(ParameterError, match="not finite"):
        quantize_compensated(np.ones((8, 6), np.float32), 0, CHANNEL_INT3, moment)


def test_a_matrix_that_is_no_moment_is_refused():
    with pytest.raises(ParameterError, match="negative eigenvalues"):
        quantize_compensated(np.ones((2, 2), np.float32), 0, CHANNEL_INT3, [[1.0, 9.0], [9.0, 1.0]])


def test_a_weight_that_is_not_finite_is_refused():
    with pytest.raises(ParameterError, match="not finite"):
        quantize_compensated([[1.0, np.nan]], 0, CHANNEL_INT3, np.eye(2))
