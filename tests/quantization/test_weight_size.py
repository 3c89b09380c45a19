import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.quantization import Scheme, quantize_weight
from gsjupyter.quantization.packing import packed_size_bytes
from gsjupyter.quantization.weight_size import UNPACKING_BYTES, weight_size_bytes

GRANULARITIES = ["tensor", "channel", "group:1", "group:4", "group:7", "group:1000"]


@given(
    st.lists(st.integers(1, 9) | st.just(60), min_size=2, max_size=3),
    st.integers(0, 3),
    st.integers(2, 8),
    st.booleans(),
    st.sampled_from(GRANULARITIES),
)
def test_a_weight_takes_what_was_foretold(shape, axis, bits, symmetric, granularity):
    axis %= len(shape)
    scheme = Scheme(bits, symmetric=symmetric, narrow_range=symmetric, granularity=granularity)
    weight = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    stored = quantize_weight(weight, axis, scheme)
    zero_points = 0 if symmetric else stored.scale.size
    packed, unpacked = -(-stored.values.size * bits // 8), stored.values.size
    integers = packed if unpacked - packed >= UNPACKING_BYTES else unpacked
    assert weight_size_bytes(shape, axis, scheme) == integers + stored.scale.nbytes + zero_points


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 7])
def test_integers_take_as_much_when_they_are_packed(bits, rng):
    weight = rng.standard_normal((160, 640)).astype(np.float32)
    scheme = Scheme(bits, narrow_range=False, granularity="tensor")
    values = quantize_weight(weight, 0, scheme).values
    assert weight_size_bytes(weight.shape, 0, scheme) == packed_size_bytes(values) + 4


@pytest.mark.parametrize(("rows", "saved"), [(49, 0), (160, 160 * 64 // 2)])
def test_what_is_not_worth_packing_takes_a_byte_for_each_integer(rows, saved):
    sizes = {bits: weight_size_bytes((rows, 64), 0, Scheme(bits)) for bits in (8, 4)}
    assert sizes[8] - sizes[4] == saved
