import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from mindspore import Tensor, mint, nn

from gsjupyter.mindir import model_from_cell
from gsjupyter.passes import FoldBatchNorm, RemoveDeadCode, apply
from tests.passes.networks import (
    Counting,
    OneWeightTwoNorms,
    ReadTwice,
    assert_output,
    expected,
    normal,
    operators,
    reasons,
    standard,
    steps,
    with_statistics,
)


def assert_folded(network, x, count=1, relative=1e-5):
    """Check that every BatchNorm of a network is folded, with the same output."""
    model, (result,) = steps(FoldBatchNorm(), model=standard(network, x))
    assert not result.skipped
    assert len(result.done) == count
    assert "BatchNorm" not in operators(model)
    assert_output(model, expected(network, x), x, relative=relative)
    return model


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (nn.SequentialCell(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), (2, 3, 6, 6)),
        (nn.SequentialCell(nn.Conv2d(3, 4, 3, has_bias=True), nn.BatchNorm2d(4)), (2, 3, 6, 6)),
        (nn.SequentialCell(nn.Conv2d(4, 4, 3, group=4), nn.BatchNorm2d(4)), (2, 4, 6, 6)),
        (nn.SequentialCell(nn.Conv2d(4, 6, 3, group=2, has_bias=True), nn.BatchNorm2d(6)), (2, 4, 6, 6)),
        (nn.SequentialCell(nn.Conv2d(3, 4, 3, pad_mode="pad", padding=2), nn.BatchNorm2d(4)), (2, 3, 6, 6)),
        (nn.SequentialCell(nn.Conv2dTranspose(3, 4, 3), nn.BatchNorm2d(4)), (2, 3, 5, 5)),
        (nn.SequentialCell(nn.Conv2dTranspose(3, 4, 3, stride=2, has_bias=True), nn.BatchNorm2d(4)), (2, 3, 5, 5)),
        (nn.SequentialCell(nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4)), (2, 3, 6)),
        (nn.SequentialCell(nn.Conv1d(3, 4, 3, has_bias=True), nn.BatchNorm1d(4)), (2, 3, 6)),
        (nn.SequentialCell(nn.Conv3d(2, 3, 2), nn.BatchNorm3d(3)), (2, 2, 3, 4, 4)),
        (nn.SequentialCell(nn.Conv3d(2, 3, 2, has_bias=True), nn.BatchNorm3d(3)), (2, 2, 3, 4, 4)),
        (nn.SequentialCell(nn.Conv3dTranspose(2, 3, 2), nn.BatchNorm3d(3)), (2, 2, 3, 4, 4)),
        (nn.SequentialCell(nn.Dense(8, 5), nn.BatchNorm1d(5)), (4, 8)),
        (nn.SequentialCell(nn.Dense(8, 5, has_bias=False), nn.BatchNorm1d(5)), (4, 8)),
        (nn.SequentialCell(mint.nn.Linear(8, 5), nn.BatchNorm1d(5)), (4, 8)),
        (nn.SequentialCell(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, affine=False)), (2, 3, 6, 6)),
        (nn.SequentialCell(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, eps=0.1)), (2, 3, 6, 6)),
    ],
    ids=[
        "conv",
        "conv-bias",
        "depthwise",
        "grouped-bias",
        "padded",
        "transposed",
        "transposed-bias",
        "conv1d",
        "conv1d-bias",
        "conv3d",
        "conv3d-bias",
        "transposed3d",
        "dense",
        "dense-without-bias",
        "mint-linear",
        "not-affine",
        "large-epsilon",
    ],
)
def test_the_output_is_unchanged(network, shape, rng):
    assert_folded(with_statistics(network, rng), normal(rng, *shape))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.tuples(*[st.integers(1, 3)] * 3),
    kernel=st.tuples(*[st.integers(1, 3)] * 2),
    transposed=st.booleans(),
    bias=st.booleans(),
    epsilon=st.sampled_from([1e-5, 1e-3, 0.5]),
    random=st.integers(0, 1000).map(np.random.default_rng),
)
def test_the_output_is_unchanged_for_any_convolution(*, sizes, kernel, transposed, bias, epsilon, random):
    groups, inputs, outputs = sizes
    # MindSpore's CPU has no transposed convolution in groups but the depthwise one.
    assume(not transposed or groups == 1 or inputs == outputs == 1)
    kind = nn.Conv2dTranspose if transposed else nn.Conv2d
    linear = kind(groups * inputs, groups * outputs, kernel, group=groups, has_bias=bias)
    network = with_statistics(nn.SequentialCell(linear, nn.BatchNorm2d(groups * outputs, eps=epsilon)), random)
    assert_folded(network, normal(random, 2, groups * inputs, 5, 5), relative=2e-5)


def test_awkward_statistics_are_folded_exactly(rng):
    network = with_statistics(nn.SequentialCell(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6)), rng)
    norm = network[1]
    norm.gamma.set_data(Tensor(np.array([0, 1, -2, 1e-8, 1, 50], np.float32)))
    norm.moving_variance.set_data(Tensor(np.array([1, 0, 1e-30, 1e-6, 1e6, 2], np.float32)))
    norm.moving_mean.set_data(Tensor(np.array([5, 0.01, -0.02, 1, -300, 0], np.float32)))
    model = assert_folded(network, normal(rng, 2, 3, 6, 6))
    channel = next(item.array for item in model.graph().parameters() if item.name == "0.weight")
    assert not channel[0].any()


def test_a_chain_of_layers_is_folded_at_once(rng):
    network = nn.SequentialCell(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU()
    )
    model = assert_folded(with_statistics(network, rng), normal(rng, 2, 3, 6, 6), count=2)
    assert operators(model) == ["Conv2D", "BiasAdd", "ReLU", "Conv2D", "BiasAdd", "ReLU"]


def test_a_convolution_with_another_reader_is_left_alone(rng):
    x = normal(rng, 2, 3, 6, 6)
    network = with_statistics(ReadTwice(), rng)
    model, (result,) = steps(FoldBatchNorm(), model=standard(network, x))
    assert len(reasons(result)) == 1
    assert reasons(result)[0].startswith("conv1 is also read by ")
    assert reasons(result)[0].endswith("(network)")
    assert "BatchNorm" in operators(model)
    assert_output(model, expected(network, x), x)


def test_layers_that_share_a_weight_each_get_their_own(rng):
    assert_folded(with_statistics(OneWeightTwoNorms(), rng), normal(rng, 2, 3, 6, 6), count=2)


def test_a_batch_norm_without_a_linear_layer_before_it_is_left_alone(rng):
    x = normal(rng, 2, 3, 6, 6)
    network = with_statistics(nn.SequentialCell(nn.ReLU(), nn.BatchNorm2d(3)), rng)
    model, (result,) = steps(FoldBatchNorm(), model=standard(network, x))
    assert reasons(result) == ["what feeds it is no linear operator with a stored weight"]
    assert_output(model, expected(network, x), x)


def test_two_batch_norms_in_a_row_keep_the_output(rng):
    x = normal(rng, 2, 3, 6, 6)
    network = with_statistics(nn.SequentialCell(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4)), rng)
    model, _ = steps(FoldBatchNorm(), model=standard(network, x))
    assert_output(model, expected(network, x), x)


def test_a_batch_norm_in_training_mode_is_left_alone(rng):
    network = nn.SequentialCell(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, use_batch_statistics=True))
    model, _ = apply(RemoveDeadCode(), model_from_cell(network, [normal(rng, 2, 3, 6, 6)]))
    _, result = apply(FoldBatchNorm(), model)
    assert not result.done
    assert len(result.skipped) == 1


@pytest.mark.parametrize("outputs", [3, 5])
def test_a_batch_norm_over_another_axis_than_the_output_channels_is_left_alone(outputs, rng):
    x = normal(rng, 4, 3, 8)
    network = with_statistics(nn.SequentialCell(mint.nn.Linear(8, outputs), nn.BatchNorm1d(3)), rng)
    model, (result,) = steps(FoldBatchNorm(), model=standard(network, x))
    assert_output(model, expected(network, x), x)
    assert reasons(result) == ["it normalizes another axis than 0's output channels"]


def test_parameters_whose_order_of_reading_matters_are_left_alone(rng):
    x = normal(rng, 4, 8)
    network = with_statistics(nn.SequentialCell(Counting(), nn.BatchNorm1d(5)), rng)
    _, (result,) = steps(FoldBatchNorm(), model=standard(network, x))
    assert not result.done
    assert len(result.skipped) == 1
