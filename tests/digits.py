"""LeNet-5 trained on scikit-learn's digits: the smallest network whose numbers mean something."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import mindspore
import numpy as np
import numpy.typing as npt
from mindspore import nn
from mindspore.dataset import NumpySlicesDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]


class LeNet5(nn.Cell):
    """Two convolutions with BatchNorm and three dense layers, for images of 32 by 32."""

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


class Digits(NamedTuple):
    """A trained network with the images it was trained on, and others with their labels."""

    network: Any
    train_images: Images
    test_images: Images
    test_labels: Labels


@cache
def trained(seed: int) -> Digits:
    """Train a network, once in a process: those who change it take a copy."""
    digits = load_digits()
    images = np.kron(digits.images / 16, np.ones((4, 4)))[:, None].astype(np.float32)
    labels = digits.target.astype(np.int32)
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=0.25, random_state=seed, stratify=labels
    )
    return Digits(fitted(LeNet5, train_x, train_y, seed=seed, epochs=6, rate=2e-3), train_x, test_x, test_y)


def fitted(make: Callable[[], nn.Cell], images: Images, labels: Labels, *, seed: int, epochs: int, rate: float) -> Any:
    """Train a network as a graph, in a quarter of the time, and return another one with what it has learned.

    The one that is trained keeps the names of the cells that train it, which an export would show.
    """
    mode = mindspore.get_context("mode")
    mindspore.set_seed(seed)
    network = make()
    batches = NumpySlicesDataset({"image": images, "label": labels}, shuffle=True).batch(32, drop_remainder=True)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    mindspore.set_context(mode=mindspore.GRAPH_MODE)
    try:
        model = mindspore.Model(network, loss, nn.Adam(network.trainable_params(), rate))
        model.train(epochs, batches, dataset_sink_mode=False)
    finally:
        mindspore.set_context(mode=mode)
    learned = make()
    absent, _ = mindspore.load_param_into_net(learned, network.parameters_dict())
    assert not absent
    return learned.set_train(False)
