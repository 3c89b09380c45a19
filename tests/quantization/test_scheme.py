from __future__ import annotations

import numpy as np
import pytest

from gsjupyter.errors import OptionError
from gsjupyter.quantization import ACTIVATION_UINT8, WEIGHT_INT8, Scheme


@pytest.mark.parametrize(
    ("bits", "symmetric", "narrow", "lowest", "highest"),
    [
        (8, True, True, -127, 127),
        (8, True, False, -128, 127),
        (8, False, False, 0, 255),
        (8, False, True, 1, 255),
        (4, True, True, -7, 7),
        (4, False, False, 0, 15),
        (2, True, True, -1, 1),
        (2, True, False, -2, 1),
    ],
)
def test_the_grid_is_what_the_bits_hold(bits, symmetric, narrow, lowest, highest):
    scheme = Scheme(bits, symmetric, narrow)
    assert (scheme.lowest, scheme.highest) == (lowest, highest)
    info = np.iinfo(scheme.dtype)
    assert info.min <= lowest < highest <= info.max


@pytest.mark.parametrize("bits", [-1, 0, 1, 9, 16])
def test_bits_out_of_range_are_refused(bits):
    with pytest.raises(OptionError, match=f"bits must be 2 to 8, not {bits}"):
        Scheme(bits)


@pytest.mark.parametrize("granularity", ["row", "group", "group:0", "group:-4", "group:x", "group:4 ", 64, None])
def test_an_unknown_granularity_is_refused(granularity):
    with pytest.raises(OptionError, match=f"granularity must be tensor, channel or group:N, not {granularity!r}"):
        Scheme(granularity=granularity)


def test_groups_say_how_many_values_share_a_scale():
    assert Scheme(4, granularity="group:64").group_size == 64
    assert WEIGHT_INT8.group_size is None


def test_a_scheme_cannot_be_changed():
    with pytest.raises(AttributeError):
        WEIGHT_INT8.bits = 4


def test_a_scheme_prints_as_the_code_that_makes_it():
    written = "Scheme(bits=4, symmetric=True, narrow_range=True, granularity='tensor')"
    assert repr(Scheme(4, granularity="tensor")) == written


def test_a_scheme_is_told_in_words():
    assert (str(WEIGHT_INT8), str(ACTIVATION_UINT8)) == ("int8 per channel", "uint8 per tensor")
    assert str(Scheme(4, granularity="group:64")) == "int4 per group:64"
