from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.errors import CalibrationError
from gsjupyter.quantization import MinMaxObserver

BATCHES = st.lists(st.lists(st.floats(-1e9, 1e9), max_size=5), max_size=5)


@given(BATCHES)
def test_the_range_is_that_of_all_batches(batches):
    observer = MinMaxObserver()
    for batch in batches:
        observer.update(batch)
    values = [value for batch in batches for value in batch]
    assert observer.is_empty == (not values)
    if values:
        assert (observer.low, observer.high) == (min(values), max(values))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_refused_and_not_counted(value):
    observer = MinMaxObserver()
    observer.update([1.0, 2.0])
    with pytest.raises(CalibrationError, match="NaN or infinite"):
        observer.update(np.array([5.0, value], np.float32))
    assert (observer.low, observer.high) == (1.0, 2.0)
