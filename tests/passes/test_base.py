import pytest
from mindspore import nn

from gsjupyter.mindir import model_from_cell
from gsjupyter.passes import (
    FoldBatchNorm,
    FoldConstants,
    InferenceMode,
    LayerSetting,
    LayerSettings,
    Pipeline,
    QuantizeWeights,
    RemoveDeadCode,
)
from tests.passes.networks import normal


@pytest.mark.parametrize(
    ("passes", "needed"),
    [
        ([RemoveDeadCode()], "RemoveDeadCode must run after InferenceMode"),
        ([InferenceMode(), FoldBatchNorm()], "FoldBatchNorm must run after RemoveDeadCode"),
        ([RemoveDeadCode(), InferenceMode()], "RemoveDeadCode must run after InferenceMode"),
        (
            [InferenceMode(), RemoveDeadCode(), QuantizeWeights(LayerSettings(LayerSetting("int8")))],
            "QuantizeWeights must run after FoldBatchNorm",
        ),
    ],
)
def test_passes_in_the_wrong_order_are_refused_when_the_pipeline_is_made(passes, needed):
    with pytest.raises(ValueError, match=needed):
        Pipeline(passes)


def test_passes_that_have_run_before_count():
    before = Pipeline([InferenceMode(), RemoveDeadCode()])
    assert [step.name for step in Pipeline([FoldBatchNorm()], after=before).passes] == ["FoldBatchNorm"]


def test_a_pipeline_tells_its_steps_and_leaves_the_model_as_it_was(rng):
    network = nn.SequentialCell(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    model = model_from_cell(network, [normal(rng, 1, 3, 6, 6)])
    before, told = model.to_bytes(), []
    passes = [InferenceMode(), RemoveDeadCode(), FoldBatchNorm(), FoldConstants(model)]
    _, results = Pipeline(passes).run(model, told.append)
    assert told == ["InferenceMode", "RemoveDeadCode", "FoldBatchNorm", "FoldConstants"]
    assert [result.name for result in results] == told
    assert model.to_bytes() == before
    assert str(results[2].done[0]) == "1 (BatchNorm): folded into 0"
