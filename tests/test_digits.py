"""Accuracy, which is what people convert for: LeNet-5 trained on real digits, float against int8."""

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn
from mindspore.dataset import NumpySlicesDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import gsjupyter as gs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class LeNet5(nn.Cell):
    def __init__(self):
        super().__init__()
        self.features = nn.SequentialCell(
            *(nn.Conv2d(1, 6, 5, pad_mode="valid"), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2, 2)),
            *(nn.Conv2d(6, 16, 5, pad_mode="valid"), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2, 2)),
        )
        self.classifier = nn.SequentialCell(
            nn.Flatten(), nn.Dense(400, 120), nn.ReLU(), nn.Dense(120, 84), nn.ReLU(), nn.Dense(84, 10)
        )

    def construct(self, x):
        return self.classifier(self.features(x))


@pytest.fixture(scope="module", params=[0, 1, 2])
def trained(request):
    """Give a trained network, training images, test images, and test labels."""
    digits = load_digits()
    images = np.kron(digits.images / 16, np.ones((4, 4)))[:, None].astype(np.float32)
    labels = digits.target.astype(np.int32)
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=0.25, random_state=request.param, stratify=labels
    )
    mindspore.set_seed(request.param)
    network = LeNet5()
    batches = NumpySlicesDataset({"image": train_x, "label": train_y}, shuffle=True).batch(32, drop_remainder=True)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    model = mindspore.Model(network, loss, nn.Adam(network.trainable_params(), 2e-3))
    model.train(6, batches, dataset_sink_mode=False)
    return network.set_train(False), train_x, test_x, test_y


def accuracy(network, images, labels):
    return float(np.mean(np.argmax(np.asarray(network(Tensor(images))), axis=1) == labels))


def test_int8_weights_and_activations_lose_at_most_half_a_point(trained):
    network, train_x, test_x, test_y = trained
    before = accuracy(network, test_x, test_y)
    conversion = gs.convert(network, test_x[:32], weights="int8", activations="int8", calibration=train_x)
    assert before > 0.95
    assert abs(before - accuracy(conversion, test_x, test_y)) <= 0.005


def test_int8_weights_take_at_most_036_of_the_bytes(trained):
    network, _, test_x, _ = trained
    before = gs.convert(network, test_x[:2]).model.size_bytes
    after = gs.convert(network, test_x[:2], weights="int8", activations="int8").model.size_bytes
    assert after <= 0.36 * before
