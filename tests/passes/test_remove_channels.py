import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mindspore import Tensor, nn

from gsjupyter.mindir import Runner, model_from_cell
from gsjupyter.passes import FoldBatchNorm, RemoveChannels, RemoveDeadCode, apply
from tests.passes.networks import (
    OneWeightTwoNorms,
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
from tests.passes.pruned import (
    Branches,
    Chain,
    Classifier,
    Depthwise,
    Function,
    Grouped,
    InputBesideLayer,
    PooledClassifier,
    Residual,
    SharedLayer,
    SharedWeightWithAnother,
    SqueezeExcite,
    TwoOutputs,
    sparse,
    without,
)

IMAGE = (2, 3, 8, 8)


def removed(network, x, *before, relative=1e-5):
    """Remove a network's zero channels, and check that its output is as before and that each shape in it fits."""
    model, results = steps(*before, RemoveChannels(), model=standard(network, x))
    assert_output(model, expected(network, x), x, relative=relative)
    assert_shapes_are_true(model, x)
    again, result = apply(RemoveChannels(), model)
    assert not result.done
    assert operators(again) == operators(model)
    return model, results[-1]


def assert_shapes_are_true(model, x):
    """Check that the shapes noted in a model are those that MindSpore computes."""
    nodes = [node for node in model.graph().nodes() if node.shape is not None]
    graph = model.graph()
    inner = [node for node in graph.nodes() if node.shape is not None]
    graph.output = graph.add_tuple([graph.output, *inner])
    values = Runner(model.with_graph(graph, output_keys=()))(x)[1:]
    assert [node.shape for node in nodes] == [value.shape for value in values]


def shapes(model):
    return {name: array.shape for name, array in parameters(model).items()}


def random(network, rng):
    return with_statistics(randomized(network, rng), rng)


def test_a_zero_channel_goes_with_its_bias_and_what_reads_it(rng):
    network = random(nn.SequentialCell(nn.Conv2d(3, 6, 3, has_bias=True), nn.ReLU(), nn.Conv2d(6, 4, 3)), rng)
    without(network[0], 1, 4)
    model, result = removed(network, normal(rng, *IMAGE))
    assert shapes(model) == {"0.weight": (4, 3, 3, 3), "0.bias": (4,), "2.weight": (4, 4, 3, 3)}
    np.testing.assert_array_equal(parameters(model)["0.bias"], network[0].bias.asnumpy()[[0, 2, 3, 5]])
    assert [str(change) for change in result.done] == [
        "0 (Conv2D): weight of shape 6 x 3 x 3 x 3 is now 4 x 3 x 3 x 3",
        "2 (Conv2D): weight of shape 4 x 6 x 3 x 3 is now 4 x 4 x 3 x 3",
    ]
    assert not result.skipped


def test_the_operator_says_how_many_channels_are_left(rng):
    network = random(nn.SequentialCell(nn.Conv2d(3, 6, 3), nn.Conv2d(6, 4, 3)), rng)
    without(network[0], 1, 4)
    model, _ = removed(network, normal(rng, *IMAGE))
    first, last = model.graph().nodes("Conv2D")
    assert (first.attributes["out_channel"], last.attributes["out_channel"]) == (4, 4)


def test_a_network_without_zero_channels_is_left_as_it_is(rng):
    network = random(nn.SequentialCell(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 3)), rng)
    model, result = removed(network, normal(rng, *IMAGE))
    assert not result.changes
    assert shapes(model) == shapes(standard(network, normal(rng, *IMAGE)))


def test_a_channel_with_a_bias_is_not_zero(rng):
    network = random(nn.SequentialCell(nn.Conv2d(3, 6, 3, has_bias=True), nn.Conv2d(6, 4, 3)), rng)
    bias = np.abs(network[0].bias.asnumpy()) + 1
    without(network[0], 1, 4)
    network[0].bias.set_data(Tensor(bias))
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["0.weight"] == (6, 3, 3, 3)


def test_a_channel_that_a_relu_makes_zero_goes(rng):
    network = random(nn.SequentialCell(nn.Conv2d(3, 6, 3, has_bias=True), nn.ReLU(), nn.Conv2d(6, 4, 3)), rng)
    without(network[0], 1, 4)
    network[0].bias.set_data(Tensor(-np.ones(6, np.float32)))
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["0.weight"] == (4, 3, 3, 3)


def test_a_channel_that_nobody_weighs_goes(rng):
    network = random(nn.SequentialCell(nn.Conv2d(3, 6, 3), nn.Sigmoid(), nn.Conv2d(6, 4, 3)), rng)
    weight = network[2].weight.asnumpy().copy()
    weight[:, [0, 3]] = 0
    network[2].weight.set_data(Tensor(weight))
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model) == {"0.weight": (4, 3, 3, 3), "2.weight": (4, 4, 3, 3)}


def test_what_only_a_removed_channel_read_goes_as_well(rng):
    network = random(nn.SequentialCell(nn.Conv2d(3, 6, 1), nn.Conv2d(6, 5, 1), nn.Conv2d(5, 4, 1)), rng)
    weight = network[1].weight.asnumpy().copy()
    weight[1:, 2] = 0
    network[1].weight.set_data(Tensor(weight))
    without(network[1], 0)
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model) == {"0.weight": (5, 3, 1, 1), "1.weight": (4, 5, 1, 1), "2.weight": (4, 4, 1, 1)}


def test_one_channel_is_kept_where_all_are_zero(rng):
    network = random(nn.SequentialCell(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 3, has_bias=True)), rng)
    without(network[0], *range(6))
    model, result = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["0.weight"] == (1, 3, 3, 3)
    assert "no layer can do without any channel" in reasons(result)[0]


@pytest.mark.parametrize(
    "operator",
    [
        *(nn.ReLU6(), nn.HSwish(), nn.PReLU(6), nn.LeakyReLU(), nn.Tanh(), nn.ELU(), nn.GELU(), nn.SiLU(), nn.Mish()),
        *(nn.MaxPool2d(2, 2), nn.MaxPool2d(3, 2, pad_mode="pad", padding=1), nn.AvgPool2d(2, 2), nn.Dropout(p=0.5)),
        *(Function(name) for name in ("scaled", "halved", "twice", "padded", "scaled_by_constant")),
    ],
    ids=lambda operator: getattr(operator, "name_of_function", type(operator).__name__),
)
def test_channels_go_through_operators_that_keep_zero(operator, rng):
    network = random(Chain(operator), rng)
    without(network.first, 0, 5)
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["first.weight"] == (4, 3, 3, 3)
    assert shapes(model)["last.weight"] == (4, 4, 3, 3)


@pytest.mark.parametrize(
    ("operator", "reason"),
    [
        (nn.Sigmoid(), "Conv2D (last) reads other numbers in their place"),
        (Function("shifted"), "Conv2D (last) reads other numbers in their place"),
        (Function("softmax"), "Softmax (operator) reads them, and may need all of them"),
        (Function("split"), "Split (operator) reads them, and may need all of them"),
        (Function("spatial_attention"), "ReduceMean (operator) reduces over them"),
    ],
    ids=lambda value: getattr(value, "name_of_function", type(value).__name__),
)
def test_zero_channels_that_are_needed_stay_with_the_reason(operator, reason, rng):
    network = random(Chain(operator), rng)
    without(network.first, 0, 5)
    model, result = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["first.weight"] == (6, 3, 3, 3)
    assert reasons(result) == [f"2 output channels are zero, but stay: {reason}"]
    assert [change.layer for change in result.skipped] == ["first"]


def test_channels_of_the_networks_output_stay(rng):
    network = random(nn.SequentialCell(nn.Conv2d(3, 6, 3), nn.ReLU()), rng)
    without(network[0], 0)
    _, result = removed(network, normal(rng, *IMAGE))
    assert reasons(result) == ["1 output channels are zero, but stay: they are the network's output"]


def test_channels_of_one_of_several_outputs_stay(rng):
    network = random(TwoOutputs(), rng)
    without(network.conv1, 0)
    without(network.conv2, 1)
    x = normal(rng, *IMAGE)
    model, (result,) = steps(RemoveChannels(), model=standard(network, x))
    for actual, wanted in zip(Runner(model)(x), network(Tensor(x)), strict=True):
        np.testing.assert_allclose(actual, wanted.asnumpy(), rtol=0, atol=1e-4)
    assert shapes(model)["conv1.weight"] == (6, 3, 3, 3)
    assert reasons(result)[0] == "1 output channels are zero, but stay: they are the network's output"


def test_a_residual_channel_goes_only_if_it_is_zero_in_both_branches(rng):
    network = random(Residual(8), rng)
    without(network.conv1, 0, 1, 2)
    without(network.conv2, 1, 2, 3)
    model, result = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["conv1.weight"] == (6, 3, 3, 3)
    assert shapes(model)["conv2.weight"] == (6, 6, 3, 3)
    assert shapes(model)["conv3.weight"] == (4, 6, 1, 1)
    assert {change.layer for change in result.skipped} == {"conv1", "conv2"}


def test_channels_that_lie_side_by_side_go_one_by_one(rng):
    network = random(Branches(), rng)
    without(network.left, 0, 4)
    without(network.right, 1, 2, 3)
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["left.weight"][0] == 3
    assert shapes(model)["right.weight"][0] == 3
    assert shapes(model)["last.weight"] == (4, 6, 3, 3)


def test_the_networks_input_beside_a_layer_keeps_its_channels(rng):
    network = random(InputBesideLayer(), rng)
    without(network.conv, 0, 4)
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["last.weight"] == (4, 6, 3, 3)


def test_a_depthwise_convolution_loses_a_channel_that_is_zero_before_and_after(rng):
    network = random(Depthwise(), rng)
    without(network.expand, 0, 1, 2)
    without(network.depthwise, 1, 2, 3)
    model, _ = removed(network, normal(rng, *IMAGE))
    # Channel 3 is dropped too: the depthwise weight ignores what it reads there.
    assert shapes(model)["expand.weight"] == (9, 3, 1, 1)
    assert shapes(model)["depthwise.weight"] == (9, 1, 3, 3)
    assert shapes(model)["project.weight"] == (4, 9, 1, 1)
    assert model.graph().nodes("Conv2D")[1].attributes["group"] == 9


def test_groups_lose_as_many_channels_as_all_can(rng):
    network = random(Grouped(4), rng)
    without(network.first, 0, 1, 4, 8, 12)
    without(network.grouped, 0, 1, 6, 12, 13, 18)
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["first.weight"] == (12, 3, 1, 1)
    assert shapes(model)["grouped.weight"] == (20, 3, 3, 3)
    assert shapes(model)["last.weight"] == (5, 20, 1, 1)
    assert model.graph().nodes("Conv2D")[1].attributes["group"] == 4


def test_a_whole_group_goes(rng):
    network = random(Grouped(4), rng)
    without(network.first, *range(4, 8))
    without(network.grouped, *range(6, 12))
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["first.weight"] == (12, 3, 1, 1)
    assert shapes(model)["grouped.weight"] == (18, 4, 3, 3)
    assert model.graph().nodes("Conv2D")[1].attributes["group"] == 3


@pytest.mark.parametrize("flatten", [None, "sizes", "flatten"])
def test_a_dense_layer_behind_a_flattened_image_loses_all_positions_of_a_channel(flatten, rng):
    network = random(Classifier(flatten), rng)
    without(network.conv1, 0)
    without(network.conv2, 2, 7)
    without(network.fc1, 4, 5, 6)
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["conv2.weight"] == (6, 5, 3, 3)
    assert shapes(model)["fc1.weight"] == (7, 6 * 4)
    assert shapes(model)["fc2.weight"] == (5, 7)


@pytest.mark.parametrize("pooling", ["mean", "mean_keeping_axes", "squeeze", "tokens", "max"])
def test_channels_go_through_pooling_over_the_image(pooling, rng):
    network = random(PooledClassifier(pooling), rng)
    without(network.conv, 2, 3)
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["conv.weight"] == (6, 3, 3, 3)
    assert shapes(model)["fc.weight"] == (5, 6)


def test_squeezing_keeps_the_axis_of_the_only_channel_that_is_left(rng):
    network = random(PooledClassifier("squeeze"), rng)
    without(network.conv, *range(1, 8))
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["fc.weight"] == (5, 1)


def test_what_weighs_a_zero_channel_goes_with_it(rng):
    network = random(SqueezeExcite(), rng)
    without(network.conv, 0, 5)
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["conv.weight"] == (6, 3, 3, 3)
    assert shapes(model)["reduce.weight"] == (4, 6)
    assert shapes(model)["expand.weight"] == (6, 4)
    assert shapes(model)["last.weight"] == (4, 6, 1, 1)


def test_a_layer_that_is_applied_twice_stays_one_layer(rng):
    network = random(SharedLayer(), rng)
    without(network.first, 1, 2, 3)
    without(network.shared, 2, 3, 4)
    model, _ = removed(network, normal(rng, *IMAGE), relative=2e-5)
    assert shapes(model)["shared.weight"] == (6, 6, 3, 3)
    assert shapes(model)["first.weight"] == (6, 3, 3, 3)


def test_layers_that_share_a_weight_lose_the_same_channels_or_none(rng):
    network = random(OneWeightTwoNorms(), rng)
    without(network.conv1, 1)
    removed(network, normal(rng, *IMAGE))


def test_a_weight_that_something_else_reads_stays(rng):
    network = random(SharedWeightWithAnother(), rng)
    without(network.conv, 0, 1)
    model, result = removed(network, normal(rng, *IMAGE))
    assert shapes(model)["conv.weight"] == (8, 3, 3, 3)
    assert "conv.weight is also read by ReduceSum (network)" in reasons(result)[0]


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (nn.SequentialCell(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 3)), IMAGE),
        (nn.SequentialCell(nn.Dense(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dense(6, 4)), (4, 8)),
        (nn.SequentialCell(nn.Conv3d(3, 6, 3), nn.BatchNorm3d(6), nn.ReLU(), nn.Conv3d(6, 4, 3)), (2, 3, 4, 4, 4)),
        (nn.SequentialCell(nn.Conv1d(3, 6, 3), nn.BatchNorm1d(6), nn.ReLU(), nn.Conv1d(6, 4, 3)), (2, 3, 8)),
        (
            nn.SequentialCell(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2dTranspose(6, 4, 3, stride=2)),
            IMAGE,
        ),
    ],
    ids=["conv", "dense", "conv3d", "conv1d", "transposed"],
)
@pytest.mark.parametrize("before", [(), (FoldBatchNorm(),)], ids=["in-place", "folded"])
def test_a_batch_norm_that_makes_channels_zero_loses_them(network, shape, before, rng):
    random(network, rng)
    without(network[1], 0, 3)
    model, _ = removed(network, normal(rng, *shape), *before)
    assert next(array.shape for name, array in parameters(model).items() if "0.weight" in name)[0] == 4
    assert sum(array.size for array in parameters(model).values() if array.shape == (6,)) == 0


def test_channels_between_transposed_convolutions_go(rng):
    network = random(nn.SequentialCell(nn.Conv2dTranspose(3, 6, 3, stride=2), nn.ReLU(), nn.Conv2d(6, 4, 3)), rng)
    weight = network[0].weight.asnumpy().copy()
    weight[:, [1, 2]] = 0
    network[0].weight.set_data(Tensor(weight))
    model, _ = removed(network, normal(rng, *IMAGE))
    assert shapes(model) == {"0.weight": (3, 4, 3, 3), "2.weight": (4, 4, 3, 3)}


def test_a_network_with_a_dynamic_batch_is_pruned_for_any_batch(rng):
    network = random(Classifier("flatten"), rng)
    without(network.conv2, 2, 7)
    network.set_train(False)
    source = model_from_cell(network, [Tensor(shape=[None, 3, 8, 8], dtype=network.conv1.weight.dtype)])
    model, _ = apply(RemoveChannels(), apply(RemoveDeadCode(), source)[0])
    assert shapes(model)["fc1.weight"] == (10, 6 * 4)
    for batch in (1, 3):
        x = normal(rng, batch, 3, 8, 8)
        assert_output(model, expected(network, x), x)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    make=st.sampled_from([Residual, Branches, Depthwise, Grouped, Classifier, SqueezeExcite, SharedLayer]),
    share=st.floats(0.0, 1.0),
    fold=st.booleans(),
    random=st.integers(0, 1000).map(np.random.default_rng),
)
def test_any_sparsity_keeps_the_output(*, make, share, fold, random):
    network = sparse(randomized(make(), random), random, share)
    removed(network, normal(random, *IMAGE), *([FoldBatchNorm()] if fold else []), relative=2e-5)
