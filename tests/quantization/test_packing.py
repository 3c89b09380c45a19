import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.errors import ParameterError
from gsjupyter.quantization.packing import IntegerGrid, PackedIntegers, pack, packed_size_bytes, unpacked

BITS = range(1, 9)


@st.composite
def integers(draw):
    """Give int8 or uint8 of any shape, evenly spaced or not, in any number of bits."""
    dtype = draw(st.sampled_from([np.int8, np.uint8]))
    limits = np.iinfo(dtype)
    lowest = draw(st.integers(limits.min, limits.max))
    step = draw(st.integers(1, 9))
    count = draw(st.integers(1, min(256, (limits.max - lowest) // step + 1)))
    shape = tuple(draw(st.lists(st.integers(0, 7), max_size=4)))
    digits = np.random.default_rng(draw(st.integers(0, 99))).integers(0, count, shape)
    return np.asarray(lowest + step * digits, dtype)


def as_numbers(digits, bits, words):
    """Return the words as whole numbers, added up digit by digit, as one would on paper."""
    padded = [*digits, *[0] * (words * math.lcm(bits, 8) // bits - len(digits))]
    return [sum(digit << (bits * index) for index, digit in enumerate(padded[word::words])) for word in range(words)]


@given(values=integers())
def test_what_is_packed_comes_back_whatever_its_shape(values):
    back = pack(values).unpack()
    assert back.dtype == values.dtype
    assert back.shape == values.shape
    np.testing.assert_array_equal(back, values)


@given(values=integers())
def test_digits_lie_one_behind_the_other_in_words_of_whole_bytes(values):
    packed = pack(values)
    grid = packed.grid
    digits = [(int(value) - grid.lowest) // grid.step for value in values.ravel()]
    wanted = as_numbers(digits, grid.bits, packed.data.shape[1])
    found = [int.from_bytes(packed.data[:, word].tobytes(), "little") for word in range(packed.data.shape[1])]
    assert found == wanted


@given(values=integers())
def test_the_grid_is_the_coarsest_that_holds_all_values(values):
    grid = IntegerGrid.of(values)
    found = sorted({int(value) for value in values.ravel()})
    steps = [step for step in range(1, 256) if all((value - found[0]) % step == 0 for value in found)]
    if len(found) > 1:
        assert (grid.lowest, grid.step) == (found[0], max(steps))
    largest = (found[-1] - found[0]) // grid.step if found else 0
    assert grid.bits == max(1, math.ceil(math.log2(largest + 1)))


@given(values=integers())
def test_a_digit_takes_its_bits_and_a_word_is_filled_up(values):
    packed = pack(values)
    bits = packed.grid.bits
    assert packed_size_bytes(values) == packed.data.nbytes
    assert 0 <= 8 * packed.data.nbytes - bits * values.size < math.lcm(bits, 8)


@pytest.mark.parametrize(
    ("values", "grid"),
    [
        ([-1, 1, 1, -1], IntegerGrid(1, -1, 2)),
        ([-3, -1, 1, 3], IntegerGrid(2, -3, 2)),
        (range(-15, 16, 2), IntegerGrid(4, -15, 2)),
        (range(-7, 8), IntegerGrid(4, -7)),
        (range(-8, 8), IntegerGrid(4, -8)),
        ([-1, 0, 1], IntegerGrid(2, -1)),
        (range(-64, 64), IntegerGrid(7, -64)),
        (range(-64, 65), IntegerGrid(8, -64)),
        ([-128, 127], IntegerGrid(1, -128, 255)),
        ([5, 5, 5], IntegerGrid(1, 5)),
        ([0], IntegerGrid(1)),
        ([], IntegerGrid(1)),
    ],
    ids=str,
)
def test_bits_are_those_that_the_values_need(values, grid):
    assert IntegerGrid.of(np.array(values, np.int8)) == grid


@pytest.mark.parametrize("bits", BITS)
def test_a_million_integers_take_their_bits_exactly(bits, rng):
    values = rng.integers(0, 1 << bits, (1000, 1000)).astype(np.uint8)
    assert packed_size_bytes(values) == 1000 * 1000 * bits // 8


@pytest.mark.parametrize("rounded", [np.float32, np.float16], ids=["float32", "float16"])
@pytest.mark.parametrize("step", [1, 2, 17])
@pytest.mark.parametrize("bits", BITS)
def test_two_products_unpack_even_where_the_factors_are_rounded(bits, step, rounded, rng):
    grid = IntegerGrid(bits, 0, step)
    data = rng.integers(0, 256, (grid.word_bytes, 300)).astype(np.uint8)
    split, join = (matrix.astype(rounded).astype(np.float32) for matrix in grid.matrices())
    digits = join @ np.floor(split @ data).astype(rounded).astype(np.float32)
    wanted = PackedIntegers(data, IntegerGrid(bits), (digits.size,), np.dtype(np.uint8)).unpack()
    np.testing.assert_array_equal(digits.ravel(), wanted)
    scaled = (join * step).astype(rounded).astype(np.float32) @ np.floor(split @ data)
    np.testing.assert_array_equal(scaled.ravel(), wanted.astype(np.float32) * step)


def test_a_view_that_is_not_contiguous_is_packed_as_it_is_seen(rng):
    values = rng.integers(-4, 4, (10, 12)).astype(np.int8).T[::2]
    np.testing.assert_array_equal(pack(values).unpack(), values)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.bool_])
def test_other_data_types_are_refused(dtype):
    with pytest.raises(ParameterError, match=rf"from int8 or uint8, not from {np.dtype(dtype)}\."):
        pack(np.zeros(4, dtype))


@pytest.mark.parametrize(("bits", "lowest", "step"), [(0, 0, 1), (9, 0, 1), (4, -129, 1), (4, 256, 1), (4, 0, 0)])
def test_a_grid_out_of_range_is_refused(bits, lowest, step):
    with pytest.raises(ParameterError, match="no array of int8 or uint8 lies on"):
        IntegerGrid(bits, lowest, step)


@pytest.mark.parametrize("shape", [(15,), (25,), (-4, -4), (1 << 62,), (3, 1 << 62), (*[1] * 33, 18)])
def test_bytes_that_do_not_fit_the_shape_are_refused(shape):
    with pytest.raises(ParameterError, match="don't hold 4-bit integers of shape"):
        PackedIntegers(np.zeros((1, 9), np.uint8), IntegerGrid(4), shape, np.dtype(np.int8))


@pytest.mark.parametrize(("lowest", "step", "dtype"), [(120, 1, np.int8), (-1, 1, np.uint8), (0, 20, np.uint8)])
def test_integers_beyond_their_data_type_are_refused(lowest, step, dtype):
    packed = PackedIntegers(np.full((1, 8), 255, np.uint8), IntegerGrid(4, lowest, step), (16,), np.dtype(dtype))
    with pytest.raises(ParameterError, match=rf"packed integers from {lowest} to \d+ are beyond {np.dtype(dtype)}\."):
        packed.unpack()


def test_golden_sticks_pairs_are_neighbours_with_the_first_in_the_lower_half():
    packed = np.array([[0x21, 0xF8], [0x07, 0x9A]], np.uint8)
    np.testing.assert_array_equal(unpacked(packed), [[1, 2, -8, -1], [7, 0, -6, -7]])
