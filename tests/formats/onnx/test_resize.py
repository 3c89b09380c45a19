"""Resizing up and down, by whole and by odd factors: the numbers are MindSpore's, place by place."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, mint, ops

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx import to_onnx
from gsjupyter.formats.onnx.resize_places import Axis
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import Function, assert_agrees, lowered, run_onnx
from tests.formats.onnx.twins import assert_same_as, operators
from tests.passes.networks import normal

SIZES = ((18, 16), (5, 17), (1, 1), (9, 3), (4, 82), (13, 8), (27, 4))
"""From 9 x 8: some of them where ONNX Runtime rounds to another place than MindSpore."""


def test_nearest_neighbours(rng):
    def network(x):
        results = ()
        for size in SIZES:
            results += (
                ops.ResizeNearestNeighbor(size)(x),
                ops.ResizeNearestNeighbor(size, True)(x),
                ops.ResizeNearestNeighbor(size, False, True)(x),
                ops.ResizeNearestNeighborV2(False, False)(x, size),
                ops.ResizeNearestNeighborV2(True, False)(x, size),
                ops.ResizeNearestNeighborV2(False, True)(x, size),
            )
        return results

    assert_agrees(network, normal(rng, 2, 3, 9, 8), tolerance=0)


def test_sizes_that_programs_disagree_about(rng):
    def network(x, line):
        return (
            ops.ResizeNearestNeighborV2(False, False)(x, (82, 47)),
            ops.ResizeNearestNeighborV2(False, True)(x, (41, 47)),
            ops.ResizeNearestNeighborV2(True, False)(x, (41, 47)),
            ops.ResizeNearestNeighbor((122, 82))(x),
            mint.nn.functional.interpolate(line, (4,), mode="nearest"),
        )

    assert_agrees(network, normal(rng, 2, 3, 2, 8), normal(rng, 2, 3, 56), tolerance=0)


def test_upsampled_neighbours(rng):
    def network(line, x, volume):
        interpolate = mint.nn.functional.interpolate
        return (
            interpolate(x, (5, 17), mode="nearest"),
            interpolate(x, scale_factor=(2.0, 1.7), mode="nearest"),
            interpolate(line, (17,), mode="nearest"),
            interpolate(line, scale_factor=2.3, mode="nearest"),
            interpolate(volume, (7, 3, 12), mode="nearest"),
            interpolate(volume, scale_factor=(1.3, 0.6, 3.1), mode="nearest"),
            ops.interpolate(line, (17,), mode="nearest-exact"),
        )

    assert_agrees(network, *(normal(rng, *shape) for shape in ((2, 3, 8), (2, 3, 9, 8), (2, 3, 4, 5, 6))), tolerance=0)


def test_lines_between_places(rng):
    def network(line, x, volume):
        results = ()
        for size in SIZES:
            results += (
                ops.ResizeBilinearV2(False, False)(x, size),
                ops.ResizeBilinearV2(True, False)(x, size),
                ops.ResizeBilinearV2(False, True)(x, size),
            )
        interpolate = mint.nn.functional.interpolate
        return (
            *results,
            ops.interpolate(line, 17, mode="linear"),
            ops.interpolate(line, 5, mode="linear", align_corners=True),
            interpolate(volume, (7, 3, 12), mode="trilinear"),
            interpolate(volume, (7, 3, 12), mode="trilinear", align_corners=True),
            interpolate(volume, scale_factor=(1.3, 0.6, 3.1), mode="trilinear"),
            interpolate(volume, scale_factor=(1.3, 0.6, 3.1), mode="trilinear", align_corners=True),
        )

    assert_agrees(network, *(normal(rng, *shape) for shape in ((2, 3, 8), (2, 3, 9, 8), (2, 3, 4, 5, 6))))


def test_curves_between_places(rng):
    def network(x):
        results = ()
        for size in SIZES:
            results += (
                ops.ResizeBicubic(False, False)(x, size),
                ops.ResizeBicubic(True, False)(x, size),
                ops.ResizeBicubic(False, True)(x, size),
            )
        return results

    assert_agrees(network, normal(rng, 2, 3, 9, 8))


def test_those_of_mint(rng):
    def network(line, x):
        interpolate = mint.nn.functional.interpolate
        return (
            interpolate(x, (5, 17), mode="bilinear"),
            interpolate(x, (5, 17), mode="bilinear", align_corners=True),
            interpolate(line, (17,), mode="linear"),
            interpolate(line, (5,), mode="linear", align_corners=True),
        )

    def twin(line, x):
        return (
            ops.interpolate(x, (5, 17), mode="bilinear"),
            ops.interpolate(x, (5, 17), mode="bilinear", align_corners=True),
            ops.interpolate(line, 17, mode="linear"),
            ops.interpolate(line, 5, mode="linear", align_corners=True),
        )

    assert_same_as(network, twin, normal(rng, 2, 3, 8), normal(rng, 2, 3, 9, 8))


def test_cubic_curves_of_mint_meet_the_places():
    def network(x):
        return mint.nn.functional.interpolate(x, (17, 15), mode="bicubic", align_corners=True)

    x = np.arange(72, dtype=np.float32).reshape(1, 1, 9, 8) ** 2
    actual = run_onnx(lowered(network, x), x)["output"]
    np.testing.assert_allclose(actual[:, :, ::2, ::2], x, rtol=1e-4, atol=0.1)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_data_types(rng, dtype):
    def network(x):
        return (
            ops.ResizeNearestNeighborV2(False, False)(x, (5, 17)),
            ops.ResizeBilinearV2(False, True)(x, (5, 17)),
            ops.ResizeBicubic(False, True)(x, (5, 17)),
        )

    assert_agrees(network, normal(rng, 2, 3, 9, 8).astype(dtype), tolerance=4e-3 if dtype == np.float16 else 1e-5)


def test_integers(rng):
    def network(x, y):
        return ops.ResizeNearestNeighbor((5, 17))(x), ops.ResizeNearestNeighborV2(False, True)(y, (5, 17))

    assert_agrees(network, *(rng.integers(0, 200, (2, 3, 9, 8)).astype(dtype) for dtype in (np.int32, np.uint8)))


def test_axes_and_batches_of_free_size(rng):
    def network(x):
        return (
            ops.ResizeNearestNeighborV2(False, False)(x, (5, 17)),
            ops.ResizeBilinearV2(False, True)(x, (5, 17)),
        )

    x = normal(rng, 3, 4, 9, 8)
    expected = [value.asnumpy() for value in network(Tensor(x))]
    free = model_from_cell(Function(network), (Tensor(shape=[None, 4, None, None], dtype=mindspore.float32),))
    for name, value in run_onnx(to_onnx(free), x).items():
        np.testing.assert_allclose(value, expected[int(name)], rtol=0, atol=1e-5)
    fixed = model_from_cell(Function(network), (Tensor(x[:2]),))
    for name, value in run_onnx(to_onnx(fixed, free_batch=True, float_type=np.float16), x).items():
        np.testing.assert_allclose(value, expected[int(name)], rtol=0, atol=5e-3)


def test_cubic_weights_of_a_free_size_are_refused():
    def network(x):
        return ops.ResizeBicubic(False, True)(x, (5, 17))

    free = Tensor(shape=[1, 4, None, 8], dtype=mindspore.float32)
    with pytest.raises(UnsupportedError, match="free size"):
        lowered(network, free)


def test_usual_sizes_are_one_operator(rng):
    def network(x):
        return ops.ResizeNearestNeighbor((28, 56))(x), ops.ResizeNearestNeighborV2(False, True)(x, (7, 14))

    assert operators(network, normal(rng, 1, 3, 14, 28)) == ["Resize", "Resize"]


def test_places_are_certain_where_both_ways_to_compute_them_agree():
    assert Axis(14, 28).is_certain()
    assert Axis(7, 224).is_certain()
    assert not Axis(2, 82).is_certain()
    assert not Axis(4, 75, aligned=True).is_certain()
    assert not Axis(14, 1, half_pixel=True).is_certain()
