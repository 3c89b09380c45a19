import pytest
from mindspore import Tensor, nn

from gsjupyter.mindir import model_from_cell
from gsjupyter.passes import (
    FoldBatchNorm,
    FoldMasks,
    Functionalize,
    InferenceMode,
    Pipeline,
    RemoveChannels,
    RemoveDeadCode,
)
from gsjupyter.pruning_table import pruning_of
from tests.passes.masked import MaskedConv, ReadBesideMask
from tests.passes.networks import normal, randomized, with_statistics
from tests.passes.pruned import AddsInPlace, Classifier, Depthwise, SharedLayer, without


def pruned(network, *inputs):
    source = model_from_cell(network, inputs)
    standard = [InferenceMode(), Functionalize(), RemoveDeadCode()]
    passes = [*standard, FoldBatchNorm(), FoldMasks(source), RemoveChannels()]
    model, results = Pipeline(passes).run(source)
    return pruning_of(source, model, results)


def test_each_layer_says_what_it_lost(rng):
    network = randomized(Classifier("flatten"), rng)
    without(network.conv2, 2, 7)
    report = pruned(network, normal(rng, 2, 3, 8, 8))
    rows = {layer.name: layer for layer in report.layers}
    assert list(rows) == ["conv1", "conv2", "fc1", "fc2"]
    assert (rows["conv2"].shape_before, rows["conv2"].shape_after) == ((8, 6, 3, 3), (6, 6, 3, 3))
    assert (rows["fc1"].parameters_before, rows["fc1"].parameters_after) == (320, 240)
    assert rows["conv1"].shape_after == rows["conv1"].shape_before
    assert report.is_pruned
    assert report.masks_left == 0


def test_multiply_adds_are_those_of_one_sample(rng):
    network = randomized(Classifier("flatten"), rng)
    for batch in (1, 5):
        report = pruned(network, normal(rng, batch, 3, 8, 8))
        assert [layer.multiply_adds_before for layer in report.layers] == [8 * 8 * 162, 4 * 4 * 432, 320, 50]
        assert report.multiply_adds_before == 8 * 8 * 162 + 4 * 4 * 432 + 370


def test_a_depthwise_convolution_takes_a_multiply_add_for_each_number_and_place(rng):
    report = pruned(randomized(Depthwise(), rng), normal(rng, 2, 3, 8, 8))
    assert [layer.multiply_adds_before for layer in report.layers] == [64 * 36, 64 * 108, 64 * 48]


def test_a_transposed_convolution_uses_its_weight_once_for_each_input_place(rng):
    network = nn.SequentialCell(nn.Conv2d(3, 4, 1), nn.Conv2dTranspose(4, 5, 3, stride=2))
    report = pruned(randomized(network, rng), normal(rng, 2, 3, 8, 8))
    assert report.layers[1].multiply_adds_before == 64 * 4 * 5 * 9


def test_a_network_with_side_effects_at_first_is_told_too(rng):
    report = pruned(randomized(AddsInPlace(), rng), normal(rng, 2, 3, 8, 8))
    assert [layer.name for layer in report.layers] == ["conv1", "conv2"]


def test_a_layer_that_runs_twice_counts_twice(rng):
    report = pruned(randomized(SharedLayer(), rng), normal(rng, 2, 3, 8, 8))
    shared = next(layer for layer in report.layers if layer.name == "shared")
    assert shared.parameters_before == 8 * 8 * 9
    assert shared.multiply_adds_before == 2 * 64 * 8 * 8 * 9


def test_a_dynamic_image_leaves_multiply_adds_open(rng):
    network = randomized(nn.SequentialCell(nn.Conv2d(3, 4, 3)), rng)
    report = pruned(network, Tensor(shape=[None, 3, None, None], dtype=network[0].weight.dtype))
    assert report.multiply_adds_before is None


def test_channels_that_stay_are_noted(rng):
    network = randomized(Classifier("flatten"), rng)
    without(network.fc2, 3)
    report = pruned(network, normal(rng, 2, 3, 8, 8))
    assert report.layers[-1].note == "1 output channels are zero, but stay: they are the network's output"


@pytest.mark.parametrize(("make", "left"), [(MaskedConv, 0), (ReadBesideMask, 1)])
def test_masks_that_are_left_are_counted(make, left, rng):
    network = with_statistics(randomized(make([0, 2]), rng), rng)
    assert pruned(network, normal(rng, 2, 3, 6, 6)).masks_left == left
