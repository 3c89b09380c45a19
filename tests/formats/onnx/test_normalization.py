"""Normalization: statistics that are stored or computed, every axis that they may be taken along, every output."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, mint, nn, ops

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx import to_onnx
from gsjupyter.formats.onnx.lowering import lowered_graph
from gsjupyter.mindir import model_from_cell
from tests.formats.onnx.agreement import Function, assert_agrees, lowered, run_onnx
from tests.formats.onnx.twins import Several, assert_same_as, operators
from tests.passes.networks import normal


def statistics(rng, channels):
    """Return gamma, beta, mean and variance."""
    return [*(normal(rng, channels) for _ in range(3)), rng.uniform(0.1, 3, channels).astype(np.float32)]


def test_batches(rng):
    def network(x, gamma, beta, mean, variance):
        return ops.batch_norm(x, mean, variance, gamma, beta, eps=1e-3), ops.batch_norm(x, mean, variance, gamma, beta)

    arrays = statistics(rng, 4)
    assert_agrees(network, normal(rng, 2, 4, 5, 3), *arrays)
    half = [array.astype(np.float16) for array in (normal(rng, 2, 4, 5, 3), *arrays)]
    assert_agrees(network, *half, tolerance=2e-3)
    assert_agrees(network, half[0], *arrays, tolerance=2e-3)


def test_batches_of_every_rank(rng):
    assert_agrees(nn.BatchNorm1d(4), normal(rng, 3, 4))
    assert_agrees(nn.BatchNorm3d(4), normal(rng, 2, 4, 3, 2, 5))


def test_batches_by_mint(rng):
    def network(*arrays):
        x, flat, gamma, beta, mean, variance = arrays
        batch_norm = mint.nn.functional.batch_norm
        return batch_norm(x, mean, variance, gamma, beta, eps=1e-3), batch_norm(flat, mean, variance, gamma, beta)

    def twin(*arrays):
        x, flat, gamma, beta, mean, variance = arrays
        return (
            ops.batch_norm(x, mean, variance, gamma, beta, eps=1e-3),
            ops.batch_norm(flat[:, :, None, None], mean, variance, gamma, beta)[:, :, 0, 0],
        )

    assert_same_as(network, twin, normal(rng, 2, 4, 5, 3), normal(rng, 3, 4), *statistics(rng, 4))
    model = model_from_cell(mint.nn.BatchNorm2d(4, affine=False), (Tensor(normal(rng, 2, 4, 5, 3)),))
    assert "BatchNormalization" in [node.op_type for node in to_onnx(model).graph]


def test_training_is_refused(rng):
    def network(x, gamma, beta, mean, variance):
        return ops.BatchNorm(is_training=True)(x, gamma, beta, mean, variance)[0]

    tensors = tuple(map(Tensor, (normal(rng, 2, 4, 5, 3), *statistics(rng, 4))))
    model = model_from_cell(Function(network), tensors)
    with pytest.raises(UnsupportedError, match="training mode"):
        lowered_graph(model, model.graph())


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
def test_layers(rng, dtype):
    def network(x, last, two, three):
        return (
            ops.LayerNorm(-1, -1)(x, last, last),
            ops.LayerNorm(2, 2, 1e-3)(x, two, two)[0],
            ops.LayerNorm(1, 1)(x, three, three)[1:],
            ops.LayerNorm(1, 2)(x, two, two)[0],
            ops.LayerNorm(2, 1)(x, three, three)[0],
        )

    arrays = [normal(rng, *shape).astype(dtype) for shape in ((2, 4, 5, 3), (3,), (5, 3), (4, 5, 3))]
    assert_agrees(network, *arrays, tolerance=4e-3 if dtype == np.float16 else 1e-5)


def test_layers_by_mint(rng):
    def network(x, last, two):
        layer_norm = mint.nn.functional.layer_norm
        return (
            layer_norm(x, (5, 3), two, two, 1e-3),
            layer_norm(x, (3,), last),
            layer_norm(x, (5, 3)),
            ops.auto_generate.LayerNormV3(2, 2, 1e-3)(x, two, two),
            ops.auto_generate.layer_norm_ext_op(x, (5, 3), two, two, 1e-3)[1:],
        )

    def twin(x, last, two):
        zeros, ones = ops.zeros_like(two), ops.ones_like(two)
        y, mean, variance = ops.LayerNorm(2, 2, 1e-3)(x, two, two)
        root = ops.rsqrt(variance + 1e-3)
        plain = ops.LayerNorm(3, 3, 1e-5)(x, last, ops.zeros_like(last))[0]
        return y, plain, ops.LayerNorm(2, 2, 1e-5)(x, ones, zeros)[0], (y, mean, root), (mean, root)

    assert_same_as(network, twin, normal(rng, 2, 4, 5, 3), normal(rng, 3), normal(rng, 5, 3))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
def test_groups(rng, dtype):
    def network(x, flat, volume, gamma, beta):
        return (
            ops.group_norm(x, 2, gamma, beta),
            ops.group_norm(x, 1, gamma, beta, 1e-3),
            ops.group_norm(x, 6, gamma, beta),
            ops.group_norm(flat, 3, gamma, beta),
            ops.group_norm(volume, 3, gamma, beta),
            ops.auto_generate.GroupNorm()(x, 3, gamma, beta, 1e-3)[0],
        )

    shapes = (2, 6, 5, 3), (2, 6), (2, 6, 4, 3, 2), (6,), (6,)
    arrays = [normal(rng, *shape).astype(dtype) for shape in shapes]
    assert_agrees(network, *arrays, tolerance=4e-3 if dtype == np.float16 else 1e-5)


def test_statistics_of_groups_and_groups_far_from_zero(rng):
    def network(x, gamma, beta):
        return ops.auto_generate.GroupNorm()(x, 3, gamma, beta, 1e-3)

    assert_agrees(network, normal(rng, 2, 6, 5, 3), normal(rng, 6), normal(rng, 6))
    assert_agrees(network, normal(rng, 2, 6, 5, 3) + 30, normal(rng, 6), normal(rng, 6), tolerance=1e-4)


def test_groups_of_any_batch_and_size(rng):
    network = nn.GroupNorm(2, 4)
    x = normal(rng, 3, 4, 5, 7)
    expected = network(Tensor(x)).asnumpy()
    free = model_from_cell(network, (Tensor(shape=[None, 4, None, None], dtype=mindspore.float32),))
    np.testing.assert_allclose(run_onnx(to_onnx(free), x)["output"], expected, rtol=0, atol=1e-5)
    fixed = model_from_cell(network, (Tensor(x[:2]),))
    np.testing.assert_allclose(run_onnx(to_onnx(fixed, free_batch=True), x)["output"], expected, rtol=0, atol=1e-5)


def test_instances_and_root_mean_squares(rng):
    def network(x, weight):
        return ops.rms_norm(x, weight, 1e-3), ops.RmsNorm(1e-3)(x, weight[0])

    def twin(x, weight):
        root = ops.sqrt(ops.mean(x * x, (-2, -1), True) + 1e-3)
        last = ops.sqrt(ops.mean(x * x, -1, True) + 1e-3)
        return (x / root * weight, 1 / root), (x / last * weight[0], 1 / last)

    assert_same_as(network, twin, normal(rng, 2, 4, 5, 3), normal(rng, 5, 3))
    x = normal(rng, 2, 4, 5, 3)
    instances = lowered(nn.InstanceNorm2d(4), x)
    expected = nn.GroupNorm(4, 4)(Tensor(x)).asnumpy()
    np.testing.assert_allclose(run_onnx(instances, x)["output"], expected, rtol=0, atol=1e-5)


def test_local_response(rng):
    def network(x):
        return ops.LRN(2, 1.5, 0.3, 0.6)(x), ops.lrn(x), ops.lrn(x, 1, 2.0, 0.5, 0.75)

    assert_agrees(network, normal(rng, 2, 7, 5, 3))
    assert_agrees(network, normal(rng, 2, 7, 5, 3).astype(np.float16), tolerance=2e-3)


def test_each_is_one_operator_where_onnx_runtime_has_a_kernel(rng):
    network = Several(nn.BatchNorm2d(4), nn.LayerNorm((3,)), nn.GroupNorm(4, 4))
    network.set_train(False)
    found = operators(network, normal(rng, 2, 4, 5, 3))
    assert found == ["BatchNormalization", "LayerNormalization", "InstanceNormalization"]
