import numpy as np
import pytest
from mindspore import Tensor, nn

from gsjupyter.mindir import Runner
from gsjupyter.passes import FoldBatchNorm, FoldMasks
from tests.passes.masked import FilledByMask, MaskedByParameter, MaskedChain, MaskedConv, MaskIsShared, ReadBesideMask
from tests.passes.networks import (
    assert_output,
    expected,
    normal,
    operators,
    parameters,
    randomized,
    reasons,
    standard,
    steps,
    with_statistics,
)

KEPT = [0, 2, 3]


def folded(network, x, *before):
    model = standard(network, x)
    model, results = steps(*before, FoldMasks(model), model=model)
    assert_output(model, expected(network, x), x)
    return model, results[-1]


def random(network, rng):
    return with_statistics(randomized(network, rng), rng)


@pytest.mark.parametrize("before", [(), (FoldBatchNorm(),)], ids=["batch-norm-in-place", "batch-norm-folded"])
@pytest.mark.parametrize("make", [MaskedConv, FilledByMask], ids=["scattered", "filled"])
def test_a_mask_behind_a_batch_norm_is_folded(make, before, rng):
    network = random(make(KEPT), rng)
    model, result = folded(network, normal(rng, 2, 3, 6, 6), *before)
    assert set(operators(model)) <= {"Conv2D", "BiasAdd", "BatchNorm", "TupleGetItem", "ReLU"}
    assert len(result.done) == 1
    assert "3 of 6 channels" in result.done[0].reason


def test_the_masked_channels_are_zero_in_the_weight(rng):
    network = random(MaskedConv(KEPT), rng)
    model, _ = folded(network, normal(rng, 2, 3, 6, 6), FoldBatchNorm())
    stored = parameters(model)
    weight, bias = stored["conv.weight"], stored["conv.bias"]
    assert np.flatnonzero(weight.any(axis=(1, 2, 3))).tolist() == KEPT
    assert np.flatnonzero(bias).tolist() == KEPT


def test_without_the_mask_the_network_takes_any_batch(rng):
    network = random(MaskedConv(KEPT), rng)
    x = normal(rng, 2, 3, 6, 6)
    model, _ = folded(network, x)
    np.testing.assert_allclose(Runner(model)(np.concatenate([x, x]))[2:], expected(network, x), rtol=0, atol=1e-5)


def test_how_many_channels_each_mask_drops_is_noted(rng):
    network = random(MaskedConv(KEPT), rng)
    model = standard(network, normal(rng, 2, 3, 6, 6))
    masks = FoldMasks(model)
    steps(masks, model=model)
    assert masks.dropped == {"": (3, 6)}


def test_a_mask_larger_than_what_constants_are_stored_at_is_folded(rng):
    network = random(MaskedConv(KEPT), rng)
    model, result = folded(network, normal(rng, 2, 3, 64, 64))
    assert len(result.done) == 1
    assert "TensorScatterUpdate" not in operators(model)


def test_two_layers_that_share_a_mask_are_both_folded(rng):
    network = random(MaskIsShared(KEPT), rng)
    model, result = folded(network, normal(rng, 2, 3, 6, 6))
    assert len(result.done) == 2
    assert "Mul" not in operators(model)


@pytest.mark.parametrize("activation", [None, nn.ReLU(), nn.HSwish()], ids=["none", "relu", "hswish"])
def test_a_stored_mask_behind_an_activation_is_folded(activation, rng):
    network = random(MaskedChain(nn.Conv2d(3, 6, 3, has_bias=True), activation, (1, 6, 1, 1), KEPT), rng)
    model, result = folded(network, normal(rng, 2, 3, 6, 6))
    assert len(result.done) == 1
    assert "Mul" not in operators(model)


def test_a_mask_behind_a_dense_layer_is_folded(rng):
    network = random(MaskedChain(nn.Dense(8, 6), None, (6,), KEPT), rng)
    model, result = folded(network, normal(rng, 4, 8))
    assert len(result.done) == 1
    assert operators(model) == ["MatMul", "BiasAdd"]


def test_a_mask_that_is_a_parameter_is_folded(rng):
    network = random(MaskedByParameter(), rng)
    network.mask.set_data(Tensor(np.array([1, 0, 1, 1, 0, 0], np.float32).reshape(1, 6, 1, 1)))
    model, result = folded(network, normal(rng, 2, 3, 6, 6))
    assert len(result.done) == 1
    assert "mask" not in parameters(model)


def test_factors_other_than_zero_and_one_are_no_mask(rng):
    network = random(MaskedByParameter(), rng)
    model, result = folded(network, normal(rng, 2, 3, 6, 6))
    assert not result.changes
    assert "Mul" in operators(model)


def test_a_mask_that_differs_within_a_channel_is_left_alone(rng):
    mask = np.ones((1, 6, 6, 6), np.float32)
    mask[0, 1, 2, 3] = 0
    network = random(MaskedChain(nn.Conv2d(3, 6, 3), None, mask.shape, KEPT, mask), rng)
    _, result = folded(network, normal(rng, 2, 3, 6, 6))
    assert reasons(result) == ["its mask differs within a channel"]


def test_a_mask_of_what_is_read_elsewhere_is_left_alone(rng):
    network = random(ReadBesideMask(KEPT), rng)
    _, result = folded(network, normal(rng, 2, 3, 6, 6))
    assert len(reasons(result)) == 1
    assert reasons(result)[0].startswith("what it masks is also read by ")


def test_a_mask_of_the_networks_input_is_left_alone(rng):
    network = MaskedChain(nn.ReLU(), None, (1, 6, 1, 1), KEPT)
    _, result = folded(network, normal(rng, 2, 6, 6, 6))
    assert reasons(result) == ["what it masks is no linear operator with a stored weight"]
