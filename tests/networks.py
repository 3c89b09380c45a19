"""Small networks, one for each thing that exporters and passes trip over."""

from __future__ import annotations

import mindspore
import numpy as np
from mindspore import Parameter, Tensor, mint, nn, ops


class LeNet(nn.Cell):
    """Convolutions with BatchNorm and without, pooling, and dense layers in a SequentialCell."""

    input_shape = (2, 1, 28, 28)

    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, pad_mode="same")
        self.bn1 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 16, 5, pad_mode="valid", has_bias=True)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2, 2)
        self.flatten = nn.Flatten()
        self.classifier = nn.SequentialCell(
            nn.Dense(400, 120), nn.ReLU(), nn.Dense(120, 84), nn.ReLU(), nn.Dense(84, classes)
        )

    def construct(self, x):
        x = self.pool(self.relu(self.bn1(self.conv1(x))))
        x = self.pool(self.relu(self.conv2(x)))
        return self.classifier(self.flatten(x))


class MLP(nn.Cell):
    input_shape = (3, 8)

    def __init__(self, inputs=8, hidden=16, outputs=4):
        super().__init__()
        self.fc1 = nn.Dense(inputs, hidden, activation="relu")
        self.fc2 = nn.Dense(hidden, outputs)

    def construct(self, x):
        return self.fc2(self.fc1(x))


class TwoInputs(nn.Cell):
    def __init__(self):
        super().__init__()
        self.left = nn.Dense(8, 6)
        self.right = nn.Dense(4, 6)

    def construct(self, image, text):
        return self.left(image) * self.right(text)


class DictOutput(nn.Cell):
    def __init__(self):
        super().__init__()
        self.body = nn.Dense(8, 6)
        self.head = nn.Dense(6, 3)

    def construct(self, x):
        features = self.body(x)
        return {"features": features, "logits": self.head(features)}


class TupleOutput(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(8, 6)

    def construct(self, x):
        hidden = self.fc(x)
        return hidden, ops.relu(hidden)


class NestedOutput(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(8, 6)

    def construct(self, x):
        hidden = self.fc(x)
        return hidden, (ops.relu(hidden), (ops.tanh(hidden), x))


class AnyBatch(nn.Cell):
    """No shape is baked in: give it a Tensor of shape (None, 8)."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(8, 6)

    def construct(self, x):
        return ops.relu(self.fc(x)) + x.sum(axis=1, keepdims=True)


class ControlFlow(nn.Cell):
    """A loop that depends on data, which MindSpore keeps as functions of the file."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(8, 8)

    def construct(self, x):
        while x.sum() < 100:
            # Grows by one at least, so that the loop ends whatever the weights are.
            x = ops.relu(self.fc(x)) + ops.abs(x) + 1
        return x


class Depthwise(nn.Cell):
    """A depthwise convolution, a pointwise one and a transposed one, each with BatchNorm."""

    input_shape = (2, 4, 8, 8)

    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(4, 4, 3, pad_mode="pad", padding=1, group=4)
        self.bn1 = nn.BatchNorm2d(4)
        self.pointwise = nn.Conv2d(4, 6, 1, has_bias=True)
        self.bn2 = nn.BatchNorm2d(6, eps=1e-3)
        self.transposed = nn.Conv2dTranspose(6, 3, 2, stride=2, pad_mode="valid", has_bias=True)
        self.bn3 = nn.BatchNorm2d(3)

    def construct(self, x):
        x = ops.relu6(self.bn1(self.depthwise(x)))
        x = ops.relu(self.bn2(self.pointwise(x)))
        return self.bn3(self.transposed(x))


class Embedding(nn.Cell):
    """Takes integers: give it an int32 array of shape (batch, words), smaller than 20."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(20, 8)
        self.norm = nn.LayerNorm((8,))
        self.fc = nn.Dense(8, 4)

    def construct(self, words):
        return self.fc(self.norm(self.table(words)).mean(axis=1))


class Functional(nn.Cell):
    """Parameters of its own, and operators called as functions and by their Python signs."""

    input_shape = (2, 3, 8, 8)

    def __init__(self):
        super().__init__()
        self.weight = Parameter(Tensor(np.zeros((4, 3, 3, 3), np.float32)), name="weight")
        self.matrix = Parameter(Tensor(np.zeros((4, 5), np.float32)), name="matrix")

    def construct(self, x):
        x = ops.conv2d(x, self.weight, pad_mode="same")
        x = mint.nn.functional.relu(x) * 0.5 + 1
        return ops.softmax(ops.matmul(x.mean((2, 3)), self.matrix))


class Shared(nn.Cell):
    """One convolution whose output both a BatchNorm and a sum read, and one dense layer that is called twice."""

    input_shape = (2, 3, 6, 6)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)
        self.bn = nn.BatchNorm2d(3)
        self.fc = nn.Dense(6, 6)

    def construct(self, x):
        x = self.conv(x)
        return self.fc(self.fc(self.bn(x) + x))


class Uncompilable(nn.Cell):
    """Compiles in no mode: its shapes don't fit."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(8, 6)

    def construct(self, x):
        return ops.matmul(self.fc(x), ops.ones((5, 5), mindspore.float32))


def filled(network, rng):
    """Give every parameter random values of the size that training gives them; return the network."""
    for name, parameter in network.parameters_dict().items():
        array = rng.standard_normal(parameter.shape)
        if name.endswith(("gamma", "moving_variance")):
            array = 0.5 + rng.random(parameter.shape)
        elif array.ndim > 1:
            array /= np.sqrt(array[0].size)
        parameter.set_data(Tensor(array.astype(np.float32)))
    return network


def random_input(network, rng):
    """Return an input for a network that names its input's shape."""
    return rng.standard_normal(network.input_shape).astype(np.float32)


def state(network):
    """Return the bytes of every parameter, to see whether a network was changed."""
    return {name: parameter.asnumpy().tobytes() for name, parameter in network.parameters_dict().items()}
