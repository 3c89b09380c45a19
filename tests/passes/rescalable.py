"""Networks between whose layers factors can move, and others: kept in a file, since MindSpore compiles from source."""

from mindspore import mint, nn, ops


class Projections(nn.Cell):
    """A LayerNorm that several layers read, as attention does with the normalization in front."""

    def __init__(self, bias=True):
        super().__init__()
        self.norm = nn.LayerNorm((8,))
        self.query = nn.Dense(8, 6, has_bias=bias)
        self.key = nn.Dense(8, 6, has_bias=bias)
        self.value = nn.Dense(8, 6, has_bias=bias)

    def construct(self, x):
        x = self.norm(x)
        return ops.softmax(self.query(x) * self.key(x)) * self.value(x)


class MintProjections(nn.Cell):
    """The same with dense layers of mindspore.mint."""

    def __init__(self, bias=True):
        super().__init__()
        self.norm = nn.LayerNorm((8,))
        self.query = mint.nn.Linear(8, 6, bias=bias)
        self.value = mint.nn.Linear(8, 6, bias=bias)

    def construct(self, x):
        x = self.norm(x)
        return ops.sigmoid(self.query(x)) * self.value(x)


class NormBehind(nn.Cell):
    """A LayerNorm that a sum reads as well as a layer, as in BERT."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm((8,))
        self.fc = nn.Dense(8, 8)

    def construct(self, x):
        x = self.norm(x)
        return self.fc(x) + x


class MeanBetween(nn.Cell):
    """A convolution, the mean of its images, and a dense layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, has_bias=True)
        self.fc = nn.Dense(4, 5)

    def construct(self, x):
        return self.fc(ops.relu(self.conv(x)).mean((2, 3)))


class TwoBranches(nn.Cell):
    """Two functions of one layer's output, added up again."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Dense(8, 6)
        self.fc2 = nn.Dense(6, 5)

    def construct(self, x):
        x = self.fc1(x)
        return self.fc2(ops.relu(x) + ops.abs(x) * 0.5)


class Shortcut(nn.Cell):
    """A layer with a shortcut around it, so that its output is added to something else."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Dense(8, 8)
        self.fc2 = nn.Dense(8, 5)

    def construct(self, x):
        return self.fc2(ops.relu(self.fc1(x) + x))


class AddsNumbers(nn.Cell):
    """A number that is added between two layers, the same for all channels."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Dense(8, 8)
        self.fc2 = nn.Dense(8, 5)

    def construct(self, x):
        return self.fc2(ops.relu(self.fc1(x) + 0.5))


class Heads(nn.Cell):
    """A layer whose output is split into heads, moved around, and put together again."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Dense(8, 6)
        self.fc2 = nn.Dense(6, 5)

    def construct(self, x):
        x = self.fc1(x).reshape(-1, 6, 1).transpose(0, 2, 1)
        return self.fc2(ops.relu(x).reshape(-1, 6))
