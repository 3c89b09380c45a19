from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.quantization import layer_input
from gsjupyter.quantization.layer_input import ConvolutionInput, MatrixInput

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
WAYS = st.builds(ConvolutionInput, PAIRS, PAIRS, PAIRS, st.tuples(PAIRS, PAIRS), st.sampled_from([1, 2, 4]))


def naive(images, way, before, outputs):
    """Return the windows one by one, by counting: of shape (groups, windows, window size)."""
    batch, channels, height, width = images.shape
    share = channels // way.groups
    groups = []
    for group in range(way.groups):
        windows = []
        for sample, row, column in np.ndindex(batch, *outputs):
            window = []
            for channel, i, j in np.ndindex(share, *way.kernel):
                y = row * way.stride[0] + i * way.dilation[0] - before[0]
                x = column * way.stride[1] + j * way.dilation[1] - before[1]
                inside = 0 <= y < height and 0 <= x < width
                window.append(images[sample, group * share + channel, y, x] if inside else 0.0)
            windows.append(window)
        groups.append(windows)
    return np.asarray(groups, np.float32)


def vectors_of(way, array):
    return np.concatenate(list(way.vectors(array)), axis=1)


@given(WAYS, st.integers(0, 99))
def test_windows_are_those_of_a_convolution(way, seed):
    images = np.random.default_rng(seed).standard_normal((2, 4, 7, 8)).astype(np.float32)
    padding = way.padding
    outputs = [
        (size + sum(sides) - (length - 1) * far - 1) // step + 1
        for size, sides, length, far, step in zip((7, 8), padding, way.kernel, way.dilation, way.stride, strict=True)
    ]
    expected = naive(images, way, [sides[0] for sides in padding], outputs)
    np.testing.assert_array_equal(vectors_of(way, images), expected)


def test_memory_is_bounded_by_taking_few_samples_at_a_time(monkeypatch, rng):
    images = rng.standard_normal((5, 2, 6, 6)).astype(np.float32)
    way = ConvolutionInput((3, 3))
    at_once = list(way.vectors(images))
    monkeypatch.setattr(layer_input, "_CHUNK_BYTES", 2 * 16 * 18 * 4)
    in_parts = list(way.vectors(images))
    assert [len(part[0]) for part in at_once] == [5 * 16]
    assert [len(part[0]) for part in in_parts] == [2 * 16, 2 * 16, 16]
    np.testing.assert_array_equal(np.concatenate(in_parts, axis=1), at_once[0])


@pytest.mark.parametrize("shape", [(6, 4), (2, 3, 4), (2, 3, 5, 4)])
def test_the_vectors_of_a_matrix_product_are_rows(shape, rng):
    array = rng.standard_normal(shape).astype(np.float32)
    np.testing.assert_array_equal(vectors_of(MatrixInput(), array), array.reshape(1, -1, 4))


def test_the_vectors_of_a_transposed_matrix_are_columns(rng):
    array = rng.standard_normal((6, 4)).astype(np.float32)
    np.testing.assert_array_equal(vectors_of(MatrixInput(is_transposed=True), array), array.T[np.newaxis])
