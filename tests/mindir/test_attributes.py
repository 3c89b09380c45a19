from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.mindir.attributes import (
    Opaque,
    decode,
    dtype_of,
    encode,
    is_monad,
    item_abstract,
    shape_of,
    tensor_abstract,
    tuple_abstract,
)

INT64 = st.integers(-(2**63), 2**63 - 1)
# MindIR keeps floats in single precision.
FLOAT = st.floats(width=32, allow_nan=False)
SCALAR = st.none() | st.booleans() | INT64 | FLOAT | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUE = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=8)
ARRAY = npst.arrays(
    st.sampled_from([np.float32, np.float16, np.int8, np.uint8, np.int32, np.int64, np.bool_]),
    npst.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=4),
)


@given(VALUE)
def test_a_value_survives_the_file_with_its_type(value):
    stored = pb.AttributeProto.FromString(encode(value).SerializeToString())
    assert typed(decode(stored)) == typed(value)


@given(ARRAY)
def test_an_array_survives_the_file_bit_for_bit(array):
    stored = pb.AttributeProto.FromString(encode(array).SerializeToString())
    decoded = decode(stored)
    assert (decoded.dtype, decoded.shape) == (array.dtype, array.shape)
    assert decoded.tobytes() == array.tobytes()


def test_an_attribute_carries_its_name():
    assert encode((1, 2), "pads").name == "pads"


def test_a_scalar_in_a_tuple_lies_where_the_loader_looks_for_it():
    items = encode((True, 7, 0.5, "valid")).values
    assert [list(items[0].ints), list(items[1].ints), list(items[2].floats)] == [[1], [7], [0.5]]
    assert list(items[3].strings) == [b"valid"]


@pytest.mark.parametrize("value", [object(), [1, 2], {"a": 1}, b"bytes", 1j])
def test_what_mindir_has_no_attribute_for_is_refused(value):
    with pytest.raises(TypeError, match="MindIR has no attribute"):
        encode(value)


def test_lists_and_tuples_of_the_file_are_both_tuples():
    items = [pb.AttributeProto(type=pb.AttributeProto.INT64, ints=[3])]
    for kind in (pb.AttributeProto.LIST, pb.AttributeProto.TUPLE):
        assert decode(pb.AttributeProto(type=kind, values=items)) == (3,)


@pytest.mark.parametrize("kind", [pb.AttributeProto.UMONAD, pb.AttributeProto.IOMONAD])
def test_a_monad_is_carried_along_unread(kind):
    attribute = pb.AttributeProto(type=kind)
    assert is_monad(attribute)
    assert isinstance(decode(attribute), Opaque)


def test_a_tensor_abstract_tells_shape_and_type():
    abstract = tensor_abstract((-1, 3), np.float16)
    assert (shape_of(abstract), dtype_of(abstract)) == ((-1, 3), np.float16)


def test_a_tuple_abstract_gives_its_items_back():
    nested = tuple_abstract([tensor_abstract((2,), np.int8), tuple_abstract([tensor_abstract((), np.float32)])])
    assert shape_of(nested) is None
    assert shape_of(item_abstract(nested, 0)) == (2,)
    assert dtype_of(item_abstract(item_abstract(nested, 1), 0)) == np.float32
    assert item_abstract(nested, 2) is None


def test_a_tuple_with_an_unknown_item_has_no_abstract():
    assert tuple_abstract([tensor_abstract((2,), np.int8), None]) is None


def typed(value):
    """Return a value with its type, since ``1 == True == 1.0`` in Python."""
    return (tuple, [typed(item) for item in value]) if isinstance(value, tuple) else (type(value), value)
