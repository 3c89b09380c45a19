"""Export at the end of training with the real Golden Stick: our callback, and its own that ours takes the place of."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import nn
from mindspore.dataset import NumpySlicesDataset
from mindspore.train import Model
from mindspore_gs import CompAlgo, PrunerFtCompressAlgo, PrunerKfCompressAlgo, comp_algo
from mindspore_gs.quantization import SlbQuantAwareTraining

import gsjupyter as gs
from gsjupyter.attachment import Attachment
from gsjupyter.train_end import attach_callback


class Block(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.bn = nn.BatchNorm2d(4)

    def construct(self, x):
        return self.bn(self.conv(x))


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.block = Block()
        self.relu = nn.ReLU()
        self.flatten = nn.Flatten()
        self.fc = nn.Dense(4 * 8 * 8, 3)

    def construct(self, x):
        return self.fc(self.flatten(self.relu(self.block(x))))


class NoOperation(CompAlgo):
    """As Golden Stick's documentation writes a user's algorithm."""

    def apply(self, network, **options):
        return network

    def convert(self, net_opt, ckpt_path=""):
        pass


class Doubling(NoOperation):
    """Its convert returns another network, which is the one to export."""

    def convert(self, net_opt, ckpt_path=""):
        return nn.SequentialCell(net_opt, Twice())


class Failing(NoOperation):
    def convert(self, net_opt, ckpt_path=""):
        raise RuntimeError("no idea how")


class Twice(nn.Cell):
    def construct(self, x):
        return x * 2


@pytest.fixture
def attached():
    """Replace Golden Stick's own export for a test."""
    attachment = Attachment()
    attach_callback(attachment, comp_algo)
    yield
    attachment.undo()


@pytest.fixture
def x(rng):
    return rng.standard_normal((4, 1, 8, 8)).astype(np.float32)


def train(network, rng, callbacks, epochs=1):
    columns = rng.standard_normal((8, 1, 8, 8)).astype(np.float32), rng.integers(0, 3, 8).astype(np.int32)
    rows = NumpySlicesDataset(columns, ["pixels", "digit"], shuffle=False).batch(4)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    model = Model(network, loss, nn.Momentum(network.trainable_params(), 0.01, 0.9))
    given = callbacks(model, rows) if callable(callbacks) else callbacks
    model.train(epochs, rows, callbacks=given, dataset_sink_mode=False)


def inference(network, x):
    network.set_train(False)
    return network(mindspore.Tensor(x)).asnumpy()


def saving(algorithm, path):
    algorithm.set_save_mindir(True)
    algorithm.set_save_mindir_path(str(path))
    return algorithm


def assert_exported(path, expected, x):
    np.testing.assert_allclose(gs.load(path)(x), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def slb():
    return SlbQuantAwareTraining({"epoch_size": 1, "has_trained_epoch": 0, "t_end_epoch": 1})


def scop(network):
    return PrunerFtCompressAlgo({"prune_rate": 0.5}).apply(PrunerKfCompressAlgo({}).apply(network))


@pytest.mark.parametrize("compress", [lambda net: net, lambda net: slb().apply(net), scop], ids=["none", "SLB", "SCOP"])
def test_our_callback_exports_what_was_trained(compress, rng, tmp_path, x):
    network = compress(Net())
    callback = gs.ExportOnTrainEnd(tmp_path / "net.mindir")
    train(network, rng, [callback])
    assert callback.error is None
    assert_exported(tmp_path / "net.mindir", inference(network, x), x)


def test_a_user_s_algorithm_whose_convert_does_nothing_exports_the_trained_network(attached, rng, tmp_path, x):
    algorithm = saving(NoOperation(), tmp_path / "net")
    network = algorithm.apply(Net())
    train(network, rng, algorithm.callbacks(), epochs=2)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["net.mindir", "net.mindir.manifest.json"]
    assert_exported(tmp_path / "net.mindir", inference(network, x), x)


def test_a_user_s_algorithm_whose_convert_returns_a_network_exports_that(attached, rng, tmp_path, x):
    algorithm = saving(Doubling(), tmp_path / "net.mindir")
    network = algorithm.apply(Net())
    train(network, rng, algorithm.callbacks())
    assert_exported(tmp_path / "net.mindir", 2 * inference(network, x), x)


def test_golden_stick_s_own_algorithm_exports_and_replaces_an_older_file(attached, rng, tmp_path, x):
    (tmp_path / "net.mindir").write_text("an older file")
    algorithm = saving(slb(), tmp_path / "net")
    network = algorithm.apply(Net())
    train(network, rng, algorithm.callbacks)
    assert_exported(tmp_path / "net.mindir", inference(network, x), x)


def test_a_convert_that_fails_is_told_and_loses_nothing(attached, rng, tmp_path, capsys):
    algorithm = saving(Failing(), tmp_path / "net")
    train(Net(), rng, algorithm.callbacks())
    assert "net.mindir was not exported; the training is complete. RuntimeError: no idea how" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_taking_it_back_restores_golden_stick_s_own_export():
    original = comp_algo.ExportMindIRCallBack.on_train_end
    attachment = Attachment()
    attach_callback(attachment, comp_algo)
    assert comp_algo.ExportMindIRCallBack.on_train_end is not original
    attachment.undo()
    assert comp_algo.ExportMindIRCallBack.on_train_end is original
