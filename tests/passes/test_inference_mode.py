import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn

from gsjupyter.mindir import Runner, load_model
from gsjupyter.passes import InferenceMode, apply
from tests.passes.networks import (
    MaskIsRead,
    TrainingFunctions,
    assert_output,
    expected,
    normal,
    operators,
    reasons,
    with_statistics,
)


@pytest.fixture
def exported(tmp_path):
    """Return the model of a file that somebody exported as the network was, with no thought of inference."""

    def export(network, *inputs):
        path = tmp_path / "network.mindir"
        mindspore.export(network, *map(Tensor, inputs), file_name=str(path), file_format="MINDIR")
        return load_model(path)

    return export


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (nn.SequentialCell(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)), (2, 3, 4, 4)),
        (nn.SequentialCell(nn.Dense(8, 5), nn.BatchNorm1d(5)), (4, 8)),
        (nn.SequentialCell(nn.Conv3d(2, 3, 2), nn.BatchNorm3d(3)), (2, 2, 3, 4, 4)),
        (nn.SequentialCell(nn.Dropout(p=0.5), nn.Dense(8, 5)), (4, 8)),
        (nn.SequentialCell(nn.Dropout1d(p=0.5), nn.Dense(8, 5)), (4, 8)),
        (nn.SequentialCell(nn.Dropout2d(p=0.5), nn.Conv2d(3, 4, 1)), (2, 3, 4, 4)),
        (nn.SequentialCell(nn.Dropout3d(p=0.5), nn.Conv3d(3, 4, 1)), (2, 3, 2, 4, 4)),
        (nn.SequentialCell(nn.Dropout(p=0.5), nn.Dropout(p=0.1), nn.Dense(8, 5)), (4, 8)),
        (nn.SequentialCell(nn.Dense(8, 5), nn.Dropout(p=0.5)), (4, 8)),
        (TrainingFunctions(), (4, 8)),
    ],
    ids=lambda value: "-".join(type(cell).__name__ for cell in value.cells()) if isinstance(value, nn.Cell) else "",
)
def test_a_file_exported_in_training_mode_gives_what_the_network_gives_at_inference(network, shape, rng, exported):
    x = normal(rng, *shape)
    wanted = expected(with_statistics(network, rng), x)
    training = exported(network.set_train(), x)
    model, result = apply(InferenceMode(), training)
    assert np.abs(Runner(training)(x) - wanted).max() > 0.01  # or there would be nothing to mend
    assert_output(model, wanted, x, relative=1e-6)
    assert result.done
    assert not result.skipped


def test_a_model_in_inference_mode_is_left_as_it_is(rng, exported):
    network = nn.SequentialCell(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Dropout(p=0.5))
    inference = exported(network.set_train(False), normal(rng, 2, 3, 4, 4))
    model, result = apply(InferenceMode(), inference)
    assert not result.changes
    assert operators(model) == operators(inference)


def test_a_dropout_whose_mask_is_read_is_left_alone_with_the_reason(rng, exported):
    model, result = apply(InferenceMode(), exported(MaskIsRead(), normal(rng, 4, 8)))
    assert reasons(result) == ["its mask is read"]
    assert "Dropout" in operators(model)


def test_the_model_that_is_given_stays_as_it_is(rng, exported):
    network = nn.SequentialCell(nn.Dropout(p=0.5), nn.Dense(8, 5))
    training = exported(network.set_train(), normal(rng, 4, 8))
    before = training.to_bytes()
    apply(InferenceMode(), training)
    assert training.to_bytes() == before
