"""Networks with channels that are zero, as pruning leaves them; in a file, since MindSpore compiles source text."""

import numpy as np
from mindspore import Parameter, Tensor, nn, ops


def without(cell: nn.Cell, *channels: int) -> nn.Cell:
    """Set output channels of a layer to zero: rows of its weight and its bias, or gamma and beta."""
    for name, parameter in cell.parameters_and_names():
        if name.rpartition(".")[2] in ("weight", "bias", "gamma", "beta"):
            values = parameter.asnumpy().copy()
            values[list(channels)] = 0
            parameter.set_data(Tensor(values))
    return cell


def sparse(network: nn.Cell, rng: np.random.Generator, share: float) -> nn.Cell:
    """Set a random share of the output channels of each convolution and dense layer to zero."""
    for _, cell in network.cells_and_names():
        if isinstance(cell, nn.Conv2d | nn.Dense):
            without(cell, *np.flatnonzero(rng.random(cell.out_channels) < share))
    return network


class Residual(nn.Cell):
    """Two branches that meet in an addition, and a layer behind it."""

    def __init__(self, channels=8):
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels, 3, has_bias=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, has_bias=True)
        self.conv3 = nn.Conv2d(channels, 4, 1, has_bias=True)
        self.relu = nn.ReLU()

    def construct(self, x):
        x = self.relu(self.conv1(x))
        return self.conv3(self.relu(self.conv2(x) + x))


class AddsInPlace(nn.Cell):
    """A residual addition written with ``+=``, which MindSpore exports as a side effect."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.conv2 = nn.Conv2d(4, 4, 3)

    def construct(self, x):
        x = self.conv1(x)
        y = self.conv2(x)
        y += x
        return y


class Branches(nn.Cell):
    """Two branches that lie side by side."""

    def __init__(self):
        super().__init__()
        self.left = nn.Conv2d(3, 5, 3, has_bias=True)
        self.right = nn.Conv2d(3, 6, 3, has_bias=True)
        self.pool = nn.MaxPool2d(2, 2)
        self.last = nn.Conv2d(11, 4, 3, has_bias=True)

    def construct(self, x):
        return self.last(self.pool(ops.concat((self.left(x), self.right(x)), 1)))


class InputBesideLayer(nn.Cell):
    """A layer's output beside the network's input."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, has_bias=True)
        self.last = nn.Conv2d(8, 4, 3, has_bias=True)

    def construct(self, x):
        return self.last(ops.concat((self.conv(x), x), 1))


class Depthwise(nn.Cell):
    """An inverted residual, as MobileNets have it: wide, channel by channel, narrow."""

    def __init__(self):
        super().__init__()
        self.expand = nn.Conv2d(3, 12, 1, has_bias=True)
        self.depthwise = nn.Conv2d(12, 12, 3, group=12, has_bias=True)
        self.project = nn.Conv2d(12, 4, 1, has_bias=True)
        self.relu6 = nn.ReLU6()

    def construct(self, x):
        return self.project(self.relu6(self.depthwise(self.relu6(self.expand(x)))))


class Grouped(nn.Cell):
    """A convolution in groups between two others."""

    def __init__(self, groups=4):
        super().__init__()
        self.first = nn.Conv2d(3, 16, 1, has_bias=True)
        self.grouped = nn.Conv2d(16, 24, 3, group=groups, has_bias=True)
        self.last = nn.Conv2d(24, 5, 1, has_bias=True)
        self.relu = nn.ReLU()

    def construct(self, x):
        return self.last(self.relu(self.grouped(self.relu(self.first(x)))))


class Classifier(nn.Cell):
    """LeNet in small: convolutions, then dense layers on the flattened image."""

    def __init__(self, flatten=None):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, has_bias=True)
        self.conv2 = nn.Conv2d(6, 8, 3, has_bias=True)
        self.pool = nn.MaxPool2d(2, 2)
        self.relu = nn.ReLU()
        self.flatten = flatten
        self.fc1 = nn.Dense(8 * 4, 10)
        self.fc2 = nn.Dense(10, 5)

    def construct(self, x):
        x = self.pool(self.relu(self.conv1(x)))
        x = self.pool(self.relu(self.conv2(x)))
        if self.flatten is None:
            x = ops.reshape(x, (x.shape[0], -1))
        elif self.flatten == "sizes":
            x = ops.reshape(x, (2, 32))
        else:
            x = ops.flatten(x)
        return self.fc2(self.relu(self.fc1(x)))


class PooledClassifier(nn.Cell):
    """A classifier that averages over the image first, in the way it is told to."""

    def __init__(self, pooling):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, has_bias=True)
        self.pooling = pooling
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Dense(8, 5)

    def construct(self, x):
        x = self.conv(x)
        if self.pooling == "mean":
            x = ops.mean(x, (2, 3))
        elif self.pooling == "mean_keeping_axes":
            x = ops.mean(x, (2, 3), True).view(x.shape[0], -1)
        elif self.pooling == "squeeze":
            x = self.pool(x).squeeze()
        elif self.pooling == "tokens":
            x = ops.mean(x.reshape(x.shape[0], 8, -1).transpose(0, 2, 1), 1)
        elif self.pooling == "max":
            x = ops.amax(x, (2, 3))
        return self.fc(x)


class SqueezeExcite(nn.Cell):
    """Channels weighted by what a small network makes of their means."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, has_bias=True)
        self.reduce = nn.Dense(8, 4)
        self.expand = nn.Dense(4, 8)
        self.last = nn.Conv2d(8, 4, 1, has_bias=True)
        self.sigmoid = nn.Sigmoid()
        self.relu = nn.ReLU()

    def construct(self, x):
        x = self.relu(self.conv(x))
        weight = self.sigmoid(self.expand(self.relu(self.reduce(ops.mean(x, (2, 3))))))
        return self.last(x * ops.reshape(weight, (weight.shape[0], 8, 1, 1)))


class SharedLayer(nn.Cell):
    """One layer applied twice."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, has_bias=True)
        self.shared = nn.Conv2d(8, 8, 3, has_bias=True)
        self.last = nn.Conv2d(8, 4, 3, has_bias=True)
        self.relu = nn.ReLU()

    def construct(self, x):
        return self.last(self.relu(self.shared(self.relu(self.shared(self.relu(self.first(x)))))))


class SharedWeightWithAnother(nn.Cell):
    """A weight that is also added up, as a penalty would."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, has_bias=True)
        self.last = nn.Conv2d(8, 4, 3, has_bias=True)

    def construct(self, x):
        return self.last(self.conv(x)) + ops.reduce_sum(self.conv.weight)


class TwoOutputs(nn.Cell):
    """A value that is an output, and read by a layer as well."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3)
        self.conv2 = nn.Conv2d(6, 4, 3)

    def construct(self, x):
        x = self.conv1(x)
        return x, self.conv2(x)


class Chain(nn.Cell):
    """A convolution, an operator, and a convolution that reads it."""

    def __init__(self, operator, bias=True):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, has_bias=bias)
        self.operator = operator
        self.last = nn.Conv2d(6, 4, 3, has_bias=True)

    def construct(self, x):
        return self.last(self.operator(self.first(x)))


class Function(nn.Cell):
    """A function as a cell, by name."""

    def __init__(self, name):
        super().__init__()
        self.name_of_function = name
        self.scale = Parameter(Tensor(np.arange(1, 7, dtype=np.float32).reshape(1, 6, 1, 1)), name="scale")
        self.constant = Tensor(np.arange(1, 7, dtype=np.float32).reshape(6, 1, 1))

    def construct(self, x):
        name = self.name_of_function
        if name == "scaled":
            return x * self.scale
        if name == "halved":
            return x / 2.0
        if name == "shifted":
            return x + 1.0
        if name == "softmax":
            return ops.softmax(x, 1)
        if name == "split":
            first, second = ops.split(x, 3, 1)
            return ops.concat((second, first), 1)
        if name == "twice":
            return x * x
        if name == "padded":
            return ops.pad(x, (1, 1, 1, 1))
        if name == "scaled_by_constant":
            return x * self.constant
        if name == "spatial_attention":
            return x * ops.sigmoid(ops.mean(x, 1, True))
        return x
