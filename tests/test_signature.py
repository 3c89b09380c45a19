from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsjupyter.signature import flat_output, nested_output

ARRAY = st.builds(np.float32, st.integers(0, 1000))
TUPLES = st.recursive(ARRAY, lambda inner: st.lists(inner, min_size=1, max_size=4).map(tuple), max_leaves=12)
KEYS = st.text(min_size=1, max_size=5).filter(lambda key: not key[-1].isdigit())
OUTPUTS = st.one_of(TUPLES, st.dictionaries(KEYS, TUPLES, min_size=1, max_size=4))


@settings(max_examples=40)
@given(output=OUTPUTS)
def test_an_output_made_flat_is_nested_as_it_was(output):
    assert nested_output(flat_output(output)) == output


def test_a_tuple_of_more_than_ten_keeps_its_order():
    output = tuple(np.float32(number) for number in range(12))
    assert nested_output(flat_output(output)) == output


def test_numbers_within_a_key_are_part_of_it():
    output = {"layer1": np.float32(1), "layer.2x": (np.float32(2), np.float32(3))}
    assert nested_output(flat_output(output)) == output


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["0", "2"], "gaps"),
        (["1", "0"], "gaps"),
        (["0", "0.0"], "at once"),
        (["a", "a.0"], "at once"),
        (["0", "a"], "some outputs have keys"),
        ([".".join("0" * 40)], "40 deep"),
    ],
)
def test_names_that_no_output_has_are_refused(names, reason):
    with pytest.raises(ValueError, match=reason):
        nested_output(dict.fromkeys(names, np.float32(0)))
