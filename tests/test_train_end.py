"""Export at the end of training, with plain networks: Golden Stick's are in tests/goldenstick/test_train_end.py."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import nn
from mindspore.dataset import NumpySlicesDataset
from mindspore.train import Model
from mindspore.train.callback import Callback

import gsjupyter as gs
from gsjupyter.train_end import ExportOnTrainEnd


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.flatten = nn.Flatten()
        self.fc = nn.Dense(4 * 8 * 8, 3)

    def construct(self, x):
        return self.fc(self.flatten(self.norm(self.conv(x))))


class TwoInputs(nn.Cell):
    def __init__(self):
        super().__init__()
        self.left = nn.Dense(8, 3)
        self.right = nn.Dense(4, 3)

    def construct(self, image, text):
        return self.left(image) * self.right(text)


def dataset(rng, *names, shapes=((1, 8, 8),), samples=8, batch=4):
    columns = [rng.standard_normal((samples, *shape)).astype(np.float32) for shape in shapes]
    labels = rng.integers(0, 3, samples).astype(np.int32)
    return NumpySlicesDataset((*columns, labels), [*names], shuffle=False).batch(batch)


def model_of(network, **options):
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    return Model(network, loss, nn.Momentum(network.trainable_params(), 0.01, 0.9), **options)


def state(network):
    flags = [(name, cell.training, cell.phase) for name, cell in network.cells_and_names()]
    return flags, [parameter.asnumpy().tobytes() for parameter in network.get_parameters()]


class StateAtTheEnd(Callback):
    """Notes how a network is when the callbacks before this one are done."""

    def __init__(self, network):
        self.network = network
        self.state = None

    def on_train_end(self, run_context):
        self.state = state(self.network)


def inference(network, x):
    network.set_train(False)
    return network(mindspore.Tensor(x)).asnumpy()


@pytest.mark.parametrize("names", [("image", "label"), ("pixels", "class"), ("b", "a")])
def test_the_trained_network_is_exported_for_inference_whatever_the_columns_are_called(rng, tmp_path, names, capsys):
    network = Net()
    callback = gs.ExportOnTrainEnd(tmp_path / "net.mindir")
    model_of(network).train(2, dataset(rng, *names), callbacks=[callback], dataset_sink_mode=False)
    assert callback.error is None
    assert callback.artifact.path == tmp_path / "net.mindir"
    x = rng.standard_normal((4, 1, 8, 8)).astype(np.float32)
    np.testing.assert_allclose(gs.load(tmp_path / "net.mindir")(x), inference(network, x), rtol=1e-4, atol=1e-5)
    said = capsys.readouterr().out
    assert f"Exporting Net to {tmp_path / 'net.mindir'}." in said
    assert "net.mindir: Net, float32, " in said


def test_the_network_is_as_it_was_trained(rng, tmp_path):
    network = Net()
    before, after = StateAtTheEnd(network), StateAtTheEnd(network)
    export = gs.ExportOnTrainEnd(tmp_path / "net.mindir", weights="int8")
    model_of(network).train(1, dataset(rng, "x", "y"), callbacks=[before, export, after], dataset_sink_mode=False)
    assert export.artifact.manifest.options["weights"] == "int8"
    assert before.state == after.state
    assert network.norm.training


@pytest.mark.parametrize("sink", [False, True])
def test_two_inputs_are_the_first_two_columns(rng, tmp_path, sink):
    network = TwoInputs()
    columns = dataset(rng, "image", "text", "label", shapes=((8,), (4,)))

    class WithLoss(nn.WithLossCell):
        def construct(self, image, text, label):
            return self._loss_fn(self._backbone(image, text), label)

    loss = WithLoss(network, nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean"))
    callback = gs.ExportOnTrainEnd(tmp_path / "net.mindir")
    model = Model(loss, optimizer=nn.Momentum(network.trainable_params(), 0.01, 0.9))
    model.train(1, columns, callbacks=[callback], dataset_sink_mode=sink)
    assert callback.artifact.manifest.source == "TwoInputs"


def test_the_wrapper_for_training_is_looked_through(rng, tmp_path):
    network = Net()
    loss = nn.WithLossCell(network, nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean"))
    step = nn.TrainOneStepCell(loss, nn.Momentum(network.trainable_params(), 0.01, 0.9))
    callback = gs.ExportOnTrainEnd(tmp_path / "net.mindir")
    Model(step).train(1, dataset(rng, "x", "y"), callbacks=[callback], dataset_sink_mode=False)
    assert callback.artifact.manifest.source == "Net"


def test_a_network_that_computes_its_loss_is_exported_without_it_on_request(rng, tmp_path):
    network = Net()

    class OwnLoss(nn.Cell):
        def __init__(self):
            super().__init__()
            self.network = network
            self.loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")

        def construct(self, x, label):
            return self.loss(self.network(x), label)

    callback = gs.ExportOnTrainEnd(tmp_path / "net.mindir", network=network)
    model = Model(OwnLoss(), optimizer=nn.Momentum(network.trainable_params(), 0.01, 0.9))
    model.train(1, dataset(rng, "x", "y"), callbacks=[callback], dataset_sink_mode=False)
    assert callback.artifact.manifest.source == "Net"


def test_an_example_is_used_as_given(rng, tmp_path):
    callback = gs.ExportOnTrainEnd(tmp_path / "net.mindir", np.zeros((1, 1, 8, 8), np.float32))
    model_of(Net()).train(1, dataset(rng, "x", "y"), callbacks=[callback], dataset_sink_mode=False)
    assert gs.load(tmp_path / "net.mindir")(np.zeros((1, 1, 8, 8), np.float32)).shape == (1, 3)


def test_a_failure_at_the_end_is_told_in_words_and_loses_nothing(rng, tmp_path, capsys):
    network = Net()
    before, after = StateAtTheEnd(network), StateAtTheEnd(network)
    export = gs.ExportOnTrainEnd(tmp_path / "missing" / "net.mindir")
    model_of(network).train(1, dataset(rng, "x", "y"), callbacks=[before, export, after], dataset_sink_mode=False)
    assert isinstance(export.error, gs.GsError)
    said = capsys.readouterr().out
    assert "was not exported; the training is complete. there is no folder" in said
    assert before.state == after.state
    with pytest.raises(gs.GsError, match="there is no folder"):
        _ = export.artifact


def test_an_error_of_somebody_else_at_the_end_is_told_in_words_too(rng, tmp_path):
    class Broken:
        def __array__(self, *arguments):
            raise RuntimeError("gone")

    export = gs.ExportOnTrainEnd(tmp_path / "net.mindir", weights="int8", activations="int8", calibration=[Broken()])
    model_of(Net()).train(1, dataset(rng, "x", "y"), callbacks=[export], dataset_sink_mode=False)
    assert "RuntimeError: gone" in str(export.error)
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_without_enough_columns_is_told(rng, tmp_path):
    class Unlabelled(nn.Cell):
        def __init__(self):
            super().__init__()
            self.fc = nn.Dense(8, 3)

        def construct(self, x):
            return self.fc(x).sum()

    export = gs.ExportOnTrainEnd(tmp_path / "net.mindir", network=TwoInputs())
    network = Unlabelled()
    rows = NumpySlicesDataset((rng.standard_normal((8, 8)).astype(np.float32),), ["x"]).batch(4)
    model = Model(network, optimizer=nn.Momentum(network.trainable_params(), 0.01, 0.9))
    model.train(1, rows, callbacks=[export], dataset_sink_mode=False)
    assert export.error.message == "TwoInputs takes 2 inputs; the training dataset has 1 columns (x)."


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("net.onix", {}, "the formats are"),
        ("net.mindir", {"weigths": "int8"}, "weigths"),
        ("net.mindir", {"weights": "int9"}, "int7"),
        ("net.mindir", {"format": "onix"}, "onix"),
    ],
)
def test_what_is_wrong_is_told_before_the_training(tmp_path, path, options, message):
    with pytest.raises(gs.GsError, match=message):
        ExportOnTrainEnd(tmp_path / path, **options)


def test_a_file_that_exists_is_told_before_the_training_and_replaced_on_request(rng, tmp_path):
    target = tmp_path / "net.mindir"
    target.write_text("an older file")
    with pytest.raises(gs.GsError, match=r"net\.mindir exists"):
        ExportOnTrainEnd(target)
    callback = ExportOnTrainEnd(target, overwrite=True)
    model_of(Net()).train(1, dataset(rng, "x", "y"), callbacks=[callback], dataset_sink_mode=False)
    assert callback.artifact.size_bytes > 1000


def test_an_interrupted_training_exports_nothing(rng, tmp_path):
    class Interrupt(Callback):
        def on_train_step_end(self, run_context):
            raise KeyboardInterrupt

    callback = ExportOnTrainEnd(tmp_path / "net.mindir")
    with pytest.raises(KeyboardInterrupt):
        model_of(Net()).train(1, dataset(rng, "x", "y"), callbacks=[Interrupt(), callback], dataset_sink_mode=False)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(gs.GsError, match="isn't exported yet"):
        _ = callback.artifact


def test_a_training_that_is_stopped_early_is_exported(rng, tmp_path):
    class Stop(Callback):
        def on_train_step_end(self, run_context):
            run_context.request_stop()

    callback = ExportOnTrainEnd(tmp_path / "net.mindir")
    model_of(Net()).train(5, dataset(rng, "x", "y"), callbacks=[Stop(), callback], dataset_sink_mode=False)
    assert callback.artifact.path.exists()
