from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor

import gsjupyter as gs
from gsjupyter.errors import ParameterError
from gsjupyter.goldenstick.scop import RenewMasks, pruning_in_words, stale_masks
from gsjupyter.mindir import Runner
from gsjupyter.passes import FoldMasks
from gsjupyter.pruning_table import pruning_of
from tests.goldenstick.pruned import (
    IMAGE,
    converted,
    in_fine_tune_phase,
    in_knockoff_phase,
    masked_cells,
    output,
)
from tests.passes.networks import assert_output, normal, operators, parameters

MASKED_LAYERS = 9


@pytest.mark.parametrize("target", ["CPU", "ASCEND"])
@pytest.mark.parametrize("prune_rate", [0.3, 0.5])
def test_a_masked_network_loses_its_masks_and_its_channels(prune_rate, target, rng):
    network = in_fine_tune_phase(rng, prune_rate)
    x = normal(rng, *IMAGE)
    wanted = output(network, x)
    for cell in masked_cells(network).values():
        cell.target = target
    source, model, results, passes = converted(network, x)
    assert_output(model, wanted, x)
    assert set(operators(model)) == {"Add", "BiasAdd", "Conv2D", "MatMul", "ReLU", "ReduceMean"}
    report = pruning_of(source, model, results)
    assert report.masks_left == 0
    assert report.parameters_after < (1 - prune_rate) * report.parameters_before
    assert report.multiply_adds_after < (1 - prune_rate) * report.multiply_adds_before
    for name, cell in masked_cells(network).items():
        kept = len(cell.mask)
        stored = parameters(model)[cell.conv.weight.name].shape[0]
        assert stored == (cell.conv.out_channels if name.endswith("conv3") else kept)
    masks = next(step for step in passes if isinstance(step, FoldMasks))
    dropped = sum(cell.conv.out_channels - len(cell.mask) for cell in masked_cells(network).values())
    assert pruning_in_words(source.graph(), masks) == [
        f"SCOP fine-tune, {MASKED_LAYERS} masked convolutions, {dropped} of 128 channels dropped"
    ]


def test_a_checkpoint_with_other_channels_gives_what_its_network_gave(rng, tmp_path):
    trained, other = in_fine_tune_phase(rng, 0.5), in_fine_tune_phase(rng, 0.5)
    x = normal(rng, *IMAGE)
    mindspore.save_checkpoint(trained, str(tmp_path / "trained.ckpt"))
    conversion = gs.convert(other, x, ckpt=tmp_path / "trained.ckpt")
    wanted = output(trained, x)
    np.testing.assert_allclose(conversion(x), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
    assert conversion.pruning.masks_left == 0
    assert conversion.pruning.parameters_after < 0.5 * conversion.pruning.parameters_before
    assert any("out_index" in note for note in conversion.notes)
    assert conversion.recognised[0].startswith("SCOP fine-tune, 9 masked convolutions, ")


def test_channels_that_the_shortcut_needs_stay_with_the_reason(rng):
    _, _, results, _ = converted(in_fine_tune_phase(rng, 0.5), normal(rng, *IMAGE))
    skipped = next(result for result in results if result.name == "RemoveChannels").skipped
    assert [change.layer for change in skipped] == ["layer1.0.conv3.conv", "layer1.1.conv3.conv", "layer2.0.conv3.conv"]
    assert skipped[0].reason.startswith("8 output channels are zero, but stay: Conv2D (layer1.")


def test_without_masks_the_network_takes_any_batch(rng):
    network = in_fine_tune_phase(rng, 0.3)
    x = normal(rng, *IMAGE)
    wanted = output(network, x)
    _, model, _, _ = converted(network, x)
    actual = Runner(model)(np.concatenate([x, x, x]))
    np.testing.assert_allclose(actual[2:4], wanted, rtol=0, atol=1e-5)


def test_the_knockoff_phase_needs_nothing(rng):
    network = in_knockoff_phase(rng)
    x = normal(rng, *IMAGE)
    wanted = output(network, x)
    source, model, _, _ = converted(network, x)
    assert_output(model, wanted, x)
    assert pruning_in_words(source.graph()) == ["SCOP knockoff, 9 convolutions, nothing is pruned yet"]


def test_a_network_that_has_not_seen_scop_is_not_called_so(rng):
    source, _, _, _ = converted(mindspore.nn.SequentialCell(mindspore.nn.Conv2d(3, 4, 3)), normal(rng, *IMAGE))
    assert pruning_in_words(source.graph()) == []


def test_fresh_masks_are_not_stale(rng):
    assert stale_masks(in_fine_tune_phase(rng, 0.3)) == {}


def test_masks_that_a_checkpoint_left_behind_are_renewed(rng, tmp_path):
    trained, other = in_fine_tune_phase(rng, 0.5), in_fine_tune_phase(np.random.default_rng(5), 0.5)
    x = normal(rng, *IMAGE)
    wanted = output(trained, x)
    path = str(tmp_path / "scop.ckpt")
    mindspore.save_checkpoint(trained, path)
    mindspore.load_checkpoint(path, other)
    # The trap: the parameters are those of the trained network, and the output isn't.
    assert np.abs(output(other, x) - wanted).max() > 1e-2
    kept = stale_masks(other)
    assert kept
    for name, channels in kept.items():
        assert channels.tolist() == sorted(masked_cells(trained)[name].mask)
    _, model, results, _ = converted(other, x, RenewMasks(kept))
    renewed = next(result for result in results if result.name == "RenewMasks")
    assert len(renewed.done) == len(kept)
    assert_output(model, wanted, x)


@pytest.mark.parametrize("target", ["CPU", "ASCEND"])
def test_a_checkpoint_is_read_without_loading_it(target, rng):
    trained, other = in_fine_tune_phase(rng, 0.5), in_fine_tune_phase(np.random.default_rng(5), 0.5)
    checkpoint = {parameter.name: parameter.asnumpy() for parameter in trained.get_parameters()}
    kept = stale_masks(other, checkpoint)
    assert kept
    assert stale_masks(other) == {}
    for name, channels in kept.items():
        assert channels.tolist() == sorted(masked_cells(trained)[name].mask)
    x = normal(rng, *IMAGE)
    wanted = output(trained, x)
    mindspore.load_param_into_net(other, {name: mindspore.Parameter(Tensor(item)) for name, item in checkpoint.items()})
    for cell in masked_cells(other).values():
        cell.target = target
    _, model, _, _ = converted(other, x, RenewMasks(kept))
    assert_output(model, wanted, x)


def test_channels_that_a_layer_does_not_have_are_refused(rng):
    network = in_fine_tune_phase(rng, 0.5)
    name, cell = next(iter(masked_cells(network).items()))
    with pytest.raises(ParameterError, match=f"out_index of layer {name} names channels 3 to 99"):
        stale_masks(network, {cell.out_index.name: np.array([3, 99])})


def test_a_layer_without_a_mask_in_the_graph_is_reported(rng):
    _, _, results, _ = converted(in_knockoff_phase(rng), normal(rng, *IMAGE), RenewMasks({"layer1.0.conv1": [0, 1]}))
    renewed = next(result for result in results if result.name == "RenewMasks")
    assert [change.reason for change in renewed.skipped] == ["the graph has no mask with channel 1"]
