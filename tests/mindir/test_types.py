from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as npst
from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.errors import ModelFileError, UnsupportedError
from gsjupyter.mindir.types import array_of, numpy_dtype, tensor_of, type_code

DTYPES = [
    *(np.float16, np.float32, np.float64, np.bool_, np.complex64, np.complex128),
    *(np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64),
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_has_a_code_that_means_it(dtype):
    assert numpy_dtype(type_code(dtype)) == dtype


@pytest.mark.parametrize("dtype", ["U5", "datetime64[s]", ">f4", object])
def test_a_type_that_mindir_lacks_is_refused(dtype):
    with pytest.raises(UnsupportedError, match="no data type"):
        type_code(dtype)


@given(npst.arrays(np.float32, npst.array_shapes(min_dims=0, min_side=0)))
def test_an_array_survives_as_a_tensor(array):
    restored = array_of(tensor_of(array, "x"))
    assert restored.shape == array.shape
    assert restored.tobytes() == array.tobytes()


def test_an_array_in_any_memory_order_is_stored_in_rows():
    array = np.arange(24, dtype=np.int32).reshape(2, 3, 4).transpose(2, 0, 1)[::2]
    np.testing.assert_array_equal(array_of(tensor_of(array)), array)


def test_the_values_of_a_tensor_are_read_only():
    assert not array_of(tensor_of(np.zeros(3, np.float32))).flags.writeable


def test_a_type_that_numpy_lacks_is_named():
    with pytest.raises(UnsupportedError, match="w holds BFLOAT16 values"):
        array_of(pb.TensorProto(name="w", dims=[1], data_type=pb.TensorProto.BFLOAT16, raw_data=b"\0\0"))


@pytest.mark.parametrize(
    ("dims", "raw"),
    [
        ([2], b"\0" * 4),
        ([1], b"\0" * 5),
        ([-1], b""),
        ([-1, -1], b"\0" * 4),
        ([2**40, 2**40], b""),
        ([2**62], b""),
        ([0, 2**62], b""),
        ([1] * 40, b"\0" * 4),
    ],
)
def test_a_shape_that_the_bytes_do_not_fill_is_refused(dims, raw):
    with pytest.raises(ModelFileError, match="tensor w"):
        array_of(pb.TensorProto(name="w", dims=dims, data_type=pb.TensorProto.FLOAT, raw_data=raw))
