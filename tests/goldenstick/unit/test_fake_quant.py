import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.goldenstick.fake_quant import FakeQuant, grid_of

RANGES = st.floats(-50, 50, width=32)


def linear(low, high, *, bits=8, signed=False):
    lowest, highest = grid_of(bits, is_signed=signed, narrow_range=False)
    scale = (np.asarray(high, np.float64) - low) / (highest - lowest)
    zero_point = np.zeros_like(scale) if signed else np.round(lowest - low / scale)
    return FakeQuant("SimQAT", bits, scale, zero_point, lowest, highest)


@pytest.mark.parametrize(
    ("bits", "signed", "narrow", "grid"),
    [
        (8, True, False, (-128, 127)),
        (8, True, True, (-127, 127)),
        (8, False, False, (0, 255)),
        (8, False, True, (1, 255)),
        (4, True, False, (-8, 7)),
        (1, False, False, (0, 1)),
    ],
)
def test_the_grid_is_golden_sticks(bits, signed, narrow, grid):
    assert grid_of(bits, is_signed=signed, narrow_range=narrow) == grid


@given(low=st.floats(-50, -0.01), high=st.floats(0.01, 50), values=st.lists(RANGES, min_size=1, max_size=20))
def test_integers_stand_for_the_nearest_numbers_of_the_range(low, high, values):
    found = linear(np.array([low]), np.array([high]))
    quantized = found.quantize(np.array(values))
    step = float(found.scale[0])
    ends = [(end - float(found.zero_point[0])) * step for end in (found.lowest, found.highest)]
    error = np.abs(quantized.dequantize() - np.clip(values, *ends))
    assert error.max() <= 0.5 * step * (1 + 1e-4) + 1e-5


@given(weight=st.lists(st.lists(RANGES, min_size=3, max_size=3), min_size=2, max_size=5))
def test_each_channel_has_its_own_scale(weight):
    array = np.array(weight)
    scale = np.linspace(0.1, 0.9, len(array))
    found = FakeQuant("LSQ", 8, scale, np.zeros_like(scale), -127, 127)
    expected = np.clip(np.rint(array / scale[:, None]), -127, 127) * scale[:, None]
    np.testing.assert_allclose(found.quantize(array).dequantize(), expected, rtol=1e-5)


def test_a_channel_of_no_range_is_zero():
    found = FakeQuant("SimQAT", 8, np.array([0.1, 0.0]), np.array([0.0, 0.0]), -128, 127)
    quantized = found.quantize(np.array([[0.3, -0.2], [5.0, -4.0]]))
    np.testing.assert_allclose(quantized.dequantize(), [[0.3, -0.2], [0, 0]], rtol=1e-6)
    assert (quantized.scale > 0).all()


@pytest.mark.parametrize(("signed", "dtype", "scheme"), [(True, np.int8, "int8"), (False, np.uint8, "uint8")])
def test_the_integers_have_the_type_of_their_grid(signed, dtype, scheme):
    found = linear(np.array([-1.0]), np.array([1.0]), signed=signed)
    assert found.quantize(np.zeros((2, 2))).values.dtype == dtype
    assert found.scheme == f"{scheme} per tensor"


def test_the_range_that_training_starts_from_is_known():
    assert linear(np.array([-6.0]), np.array([6.0])).is_untrained
    assert linear(np.array([-6.0, -6.0]), np.array([6.0, 6.0]), signed=True).is_untrained
    assert not linear(np.array([-6.0, -3.0]), np.array([6.0, 3.0]), signed=True).is_untrained
