"""Accuracy on real digits: an SLB network that was trained, and a SimQAT network whose ranges were calibrated."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import QuantDtype, Tensor, nn
from mindspore.dataset import NumpySlicesDataset
from mindspore_gs.quantization import SimulatedQuantizationAwareTraining as SimQAT
from mindspore_gs.quantization import SlbQuantAwareTraining as Slb
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import gsjupyter as gs
from tests.digits import fitted
from tests.goldenstick.compressed import QUANTIZERS
from tests.goldenstick.versions import ON_ONE_VERSION

EPOCHS = 6
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Digits(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, pad_mode="same")
        self.bn1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, pad_mode="same")
        self.bn2 = nn.BatchNorm2d(32)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2, 2)
        self.flatten = nn.Flatten()
        self.fc = nn.Dense(32 * 2 * 2, 10)

    def construct(self, x):
        x = self.conv1(x)
        x = self.bn1(x)
        x = self.relu(x)
        x = self.pool(x)
        x = self.conv2(x)
        x = self.bn2(x)
        x = self.relu(x)
        x = self.pool(x)
        x = self.flatten(x)
        return self.fc(x)


@pytest.fixture(scope="module")
def digits():
    """Give training images, test images, training labels, and test labels."""
    data = load_digits()
    images = (data.images / 16)[:, None].astype(np.float32)
    return train_test_split(images, data.target.astype(np.int32), test_size=0.25, random_state=0)


def train(network, images, labels, callbacks):
    """Train as a graph, which takes a seventh of the time."""
    mode = mindspore.get_context("mode")
    batches = NumpySlicesDataset({"image": images, "label": labels}, shuffle=True).batch(32, drop_remainder=True)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    model = mindspore.Model(network, loss, nn.Adam(network.trainable_params(), 5e-3))
    mindspore.set_context(mode=mindspore.GRAPH_MODE)
    try:
        model.train(EPOCHS, batches, callbacks=callbacks(model, batches), dataset_sink_mode=False)
    finally:
        mindspore.set_context(mode=mode)
    network.set_train(False)


def predictions(network, images):
    return np.argmax(np.asarray(network(Tensor(images))), axis=1)


@pytest.mark.parametrize(
    "dtype", [QuantDtype.INT1, pytest.param(QuantDtype.INT4, marks=ON_ONE_VERSION)], ids=["1 bit", "4 bit"]
)
def test_slb_keeps_its_accuracy_to_the_sample(digits, dtype):
    train_x, test_x, train_y, test_y = digits
    mindspore.set_seed(1)
    algorithm = Slb(
        {"quant_dtype": [QuantDtype.INT8, dtype], "epoch_size": EPOCHS, "has_trained_epoch": 0, "t_factor": 1.5}
    )
    network = algorithm.apply(Digits())
    train(network, train_x, train_y, algorithm.callbacks)
    before = predictions(network, test_x)
    assert np.mean(before == test_y) > 0.85
    conversion = gs.convert(network, test_x[:32])
    np.testing.assert_array_equal(np.argmax(conversion(test_x), axis=1), before)
    expected = network(Tensor(test_x)).asnumpy()
    np.testing.assert_allclose(conversion(test_x), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def calibrate(network, images):
    """Set the ranges of a SimQAT network to what its tensors hold, as training on a GPU would."""
    seen = {}

    def observed(quantizer):
        def construct(x):
            seen[quantizer] = x.asnumpy()
            return x

        return construct

    for _, cell in network.cells_and_names():
        for quantizer in (getattr(cell, name, None) for name in QUANTIZERS):
            if quantizer is not None:
                quantizer.construct = observed(quantizer)
    network(Tensor(images))
    for quantizer, values in seen.items():
        del quantizer.construct
        rows = values.reshape(quantizer._float_min.shape[0], -1)
        set_range(quantizer, rows.min(1), rows.max(1))


def set_range(quantizer, low, high):
    quantizer._float_min.set_data(Tensor(np.asarray(low, np.float32)))
    quantizer._float_max.set_data(Tensor(np.asarray(high, np.float32)))


def test_a_calibrated_simqat_network_stays_within_half_a_point_of_float(digits):
    train_x, test_x, train_y, test_y = digits
    network = fitted(Digits, train_x, train_y, seed=2, epochs=EPOCHS, rate=5e-3)
    before = np.mean(predictions(network, test_x) == test_y)
    compressed = SimQAT().apply(network)
    compressed.set_train(False)
    mode = mindspore.get_context("mode")
    mindspore.set_context(mode=mindspore.PYNATIVE_MODE)
    calibrate(compressed, train_x)
    mindspore.set_context(mode=mode)
    conversion = gs.convert(compressed, test_x[:32])
    after = np.mean(np.argmax(conversion(test_x), axis=1) == test_y)
    assert before > 0.95
    assert abs(before - after) <= 0.005
