from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from gsjupyter.quantization import from_blocks, to_blocks

GRANULARITIES = st.sampled_from(["tensor", "channel", "group:1", "group:2", "group:3", "group:7", "group:100"])


@given(
    npst.arrays(np.float32, npst.array_shapes(max_dims=4, max_side=5), elements=st.floats(-1, 1, width=32)), st.data()
)
def test_blocks_hold_every_value_once(array, data):
    axis = data.draw(st.integers(-array.ndim, array.ndim - 1))
    granularity = data.draw(GRANULARITIES)
    blocks = to_blocks(array, axis, granularity)
    np.testing.assert_array_equal(from_blocks(blocks, array.shape, axis, granularity), array)
    padding = blocks.size - array.size
    assert np.sort(blocks.ravel()).tolist() == np.sort(np.append(array.ravel(), np.zeros(padding, np.float32))).tolist()


@pytest.mark.parametrize(
    ("granularity", "expected"),
    [
        ("tensor", [[0, 1, 2, 3, 4, 5]]),
        ("channel", [[0, 3], [1, 4], [2, 5]]),
        ("group:1", [[0], [3], [1], [4], [2], [5]]),
        ("group:64", [[0, 3], [1, 4], [2, 5]]),
    ],
)
def test_channels_lie_along_the_axis(granularity, expected):
    assert to_blocks(np.arange(6).reshape(2, 3), 1, granularity).tolist() == expected


def test_the_last_group_is_filled_up_with_zeros():
    assert to_blocks(np.ones((2, 3)), 0, "group:2").tolist() == [[1, 1], [1, 0], [1, 1], [1, 0]]
