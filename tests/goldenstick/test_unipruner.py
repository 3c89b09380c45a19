from __future__ import annotations

import numpy as np
import pytest

import gsjupyter as gs
from gsjupyter.goldenstick.unipruner import ChannelMasks, ZeroMaskedChannels, channel_masks, pruning_in_words
from tests.goldenstick.pruned import IMAGE, converted, output, wrapped_by_unipruner
from tests.passes.networks import assert_output, normal, parameters, randomized


def kept(size, *dropped):
    mask = np.ones(size, np.int8)
    mask[list(dropped)] = 0
    return mask


@pytest.fixture
def network(rng, tmp_path):
    """Give a wrapped network whose masks drop channels of every layer but the last."""
    network = randomized(wrapped_by_unipruner(tmp_path), rng, scales=[0.3])
    network.conv1.set_out_mask(kept(8, 1, 5))
    network.conv2.set_in_mask(kept(8, 1, 5))
    network.conv2.set_out_mask(kept(12, 0, 2, 11))
    network.fc1.set_in_mask(kept(12, 0, 2, 11))
    network.fc1.set_out_mask(kept(16, *range(6)))
    network.fc2.set_in_mask(kept(16, *range(6)))
    return network


def test_masked_channels_are_removed(network, rng):
    x = normal(rng, *IMAGE)
    masks = channel_masks(network)
    assert list(masks) == ["conv1", "conv2", "fc1", "fc2"]
    source, model, results, _ = converted(network, x, ZeroMaskedChannels(masks))
    zeroed = next(result for result in results if result.name == "ZeroMaskedChannels")
    assert [change.reason for change in zeroed.done] == [
        "3 of 3 input and 6 of 8 output channels are kept",
        "6 of 8 input and 9 of 12 output channels are kept",
        "9 of 12 input and 10 of 16 output channels are kept",
        "10 of 16 input and 10 of 10 output channels are kept",
    ]
    shapes = {name: array.shape for name, array in parameters(model).items()}
    assert shapes["masked_conv1.weight"] == (6, 3, 5, 5)
    assert shapes["masked_conv2.weight"] == (9, 6, 5, 5)
    assert shapes["masked_fc1.weight"] == (10, 9)
    assert shapes["masked_fc2.weight"] == (10, 10)
    assert pruning_in_words(source.graph(), masks) == ["UniPruner, 4 layers, 11 of 46 output channels masked"]
    for cell in (network.conv1, network.conv2, network.fc1, network.fc2):
        zero(cell)
    assert_output(model, output(network, x), x)


def zero(cell):
    """Zero what the masks of a cell drop, as Golden Stick's own `zeroing` means to."""
    inputs, outputs = cell.in_mask.asnumpy() == 1, cell.out_mask.asnumpy() == 1
    weight = cell.handler.weight.asnumpy().copy()
    weight[~outputs] = 0
    weight[:, ~inputs] = 0
    cell.handler.weight.asnumpy()[...] = weight
    if cell.handler.has_bias:
        cell.handler.bias.asnumpy()[~outputs] = 0


def test_a_conversion_honours_the_masks_and_shows_what_they_save(network, rng):
    x = normal(rng, *IMAGE)
    conversion = gs.convert(network, x)
    for cell in (network.conv1, network.conv2, network.fc1, network.fc2):
        zero(cell)
    wanted = output(network, x)
    np.testing.assert_allclose(conversion(x), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
    assert conversion.recognised == ("UniPruner, 4 layers, 11 of 46 output channels masked",)
    assert conversion.pruning.masks_left == 0
    assert conversion.pruning.layers[0].shape_after == (6, 3, 5, 5)


def test_masks_that_keep_everything_are_none(rng, tmp_path):
    network = wrapped_by_unipruner(tmp_path)
    x = normal(rng, *IMAGE)
    assert channel_masks(network) == {}
    source, model, _, _ = converted(network, x)
    assert_output(model, output(network, x), x)
    assert pruning_in_words(source.graph()) == ["UniPruner, 4 layers"]


def test_masks_are_taken_from_a_checkpoint(rng, tmp_path):
    network = wrapped_by_unipruner(tmp_path)
    masks = channel_masks(network, {network.conv1.out_mask.name: kept(8, 2)})
    assert list(masks) == ["conv1"]
    assert np.flatnonzero(~masks["conv1"].outputs).tolist() == [2]
    assert masks["conv1"].inputs.all()


def test_weights_that_were_zeroed_without_masks_are_removed_too(rng, tmp_path):
    network = randomized(wrapped_by_unipruner(tmp_path), rng, scales=[0.3])
    network.conv1.set_out_mask(kept(8, 1, 5))
    zero(network.conv1)
    network.conv1.set_out_mask(kept(8))
    x = normal(rng, *IMAGE)
    wanted = output(network, x)
    _, model, _, _ = converted(network, x)
    assert_output(model, wanted, x)
    assert parameters(model)["masked_conv1.weight"].shape == (6, 3, 5, 5)


def test_masks_that_do_not_fit_are_reported(network, rng):
    masks = {
        "conv1": ChannelMasks(np.ones(3, bool), np.ones(9, bool)),
        "conv9": ChannelMasks(np.ones(3, bool), np.ones(9, bool)),
    }
    _, _, results, _ = converted(network, normal(rng, *IMAGE), ZeroMaskedChannels(masks))
    zeroed = next(result for result in results if result.name == "ZeroMaskedChannels")
    assert [change.reason for change in zeroed.skipped] == [
        "its weight isn't stored in float32, or of another size than its masks",
        "the graph has no such layer with a weight",
    ]
