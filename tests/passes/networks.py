"""Networks for the tests of passes, and how to run them: kept in a file, since MindSpore compiles from source text."""

from collections.abc import Sequence

import mindspore
import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from gsjupyter.mindir import Model, Runner, model_from_cell
from gsjupyter.passes import InferenceMode, Pass, PassResult, Pipeline, RemoveDeadCode


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def expected(network: nn.Cell, *inputs: np.ndarray) -> np.ndarray:
    """Return what the network itself gives in inference mode."""
    network.set_train(False)
    return network(*map(Tensor, inputs)).asnumpy()


def standard(network: nn.Cell, *inputs: np.ndarray) -> Model:
    """Return a network as a model that is ready for the other passes."""
    model = model_from_cell(network, inputs)
    return Pipeline([InferenceMode(), RemoveDeadCode()]).run(model)[0]


def operators(model: Model) -> list[str]:
    return [node.op for node in model.graph().nodes()]


def parameters(model: Model) -> dict[str, np.ndarray]:
    return {parameter.name: parameter.array for parameter in model.graph().parameters()}


def reasons(result: PassResult) -> list[str]:
    return [change.reason for change in result.skipped]


def assert_output(model: Model, wanted: np.ndarray, *inputs: np.ndarray, relative: float = 1e-5) -> None:
    """Check that a model gives the wanted output, up to a part of its largest value."""
    actual = Runner(model)(*inputs)
    assert isinstance(actual, np.ndarray)
    assert actual.shape == wanted.shape
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=relative * max(float(np.abs(wanted).max()), 1e-6))


def with_statistics(network: nn.Cell, rng: np.random.Generator) -> nn.Cell:
    """Give each BatchNorm of a network statistics that matter, as training would."""
    for _, cell in network.cells_and_names():
        if hasattr(cell, "moving_mean"):
            size = cell.moving_mean.shape[0]
            cell.moving_mean.set_data(Tensor(normal(rng, size)))
            cell.moving_variance.set_data(Tensor(rng.uniform(0.2, 3.0, size).astype(np.float32)))
            cell.gamma.set_data(Tensor(normal(rng, size)))
            cell.beta.set_data(Tensor(normal(rng, size)))
    return network


def steps(*passes: Pass, model: Model) -> tuple[Model, tuple[PassResult, ...]]:
    """Run passes on a model that has been made standard."""
    return Pipeline(passes, after=Pipeline([InferenceMode(), RemoveDeadCode()])).run(model)


class ReadTwice(nn.Cell):
    """A convolution that feeds BatchNorm and a shortcut around it."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    def construct(self, x):
        y = self.conv1(x)
        return self.norm(y) + y


class OneWeightTwoNorms(nn.Cell):
    """Two convolutions that share a weight, each before a BatchNorm of its own."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 3, 3)
        self.conv2 = nn.Conv2d(3, 3, 3)
        self.conv2.weight = self.conv1.weight
        self.norm1 = nn.BatchNorm2d(3)
        self.norm2 = nn.BatchNorm2d(3)

    def construct(self, x):
        return self.norm2(self.conv2(self.norm1(self.conv1(x))))


class AppliedTwice(nn.Cell):
    """One layer that is applied to values of very different size."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(8, 8)

    def construct(self, x):
        return self.fc(self.fc(x) * 100.0)


class TrainingFunctions(nn.Cell):
    """Dropout as a function of the training flag, before a layer."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(8, 5)

    def construct(self, x):
        return self.fc(ops.dropout(x, 0.5, training=self.training))


class MaskIsRead(nn.Cell):
    """A Dropout whose mask goes into the output."""

    def __init__(self):
        super().__init__()
        self.dropout = ops.Dropout(keep_prob=0.5)
        self.fc = nn.Dense(8, 5)

    def construct(self, x):
        y, mask = self.dropout(x)
        return self.fc(y), mask


class Counting(nn.Cell):
    """Counts its calls in a parameter, and adds the count to its output."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(8, 5)
        self.count = Parameter(Tensor(np.zeros(1, np.float32)), name="count", requires_grad=False)

    def construct(self, x):
        ops.assign(self.count, self.count + 1.0)
        return self.fc(x) + self.count


class StandardizedConv(nn.Cell):
    """A convolution whose weight is standardized at every call, as BiT's ResNets do."""

    def __init__(self):
        super().__init__()
        self.weight = Parameter(Tensor(np.zeros((4, 3, 3, 3), np.float32)), name="weight")

    def construct(self, x):
        mean = self.weight.mean(axis=(1, 2, 3), keep_dims=True)
        deviation = ops.sqrt(ops.mean((self.weight - mean) * (self.weight - mean), (1, 2, 3), True) + 1e-5)
        return ops.conv2d(x, (self.weight - mean) / deviation, pad_mode="same")


class TransposedWeight(nn.Cell):
    """A matrix product with a stored matrix that is transposed first."""

    def __init__(self, rows=400, columns=300):
        super().__init__()
        self.weight = Parameter(Tensor(np.zeros((rows, columns), np.float32)), name="weight")

    def construct(self, x):
        return ops.matmul(x, ops.transpose(self.weight, (1, 0)))


class Broadcast(nn.Cell):
    """Adds a small parameter that is spread to a large tensor first."""

    def __init__(self):
        super().__init__()
        self.token = Parameter(Tensor(np.ones((1, 8), np.float32)), name="token")

    def construct(self, x):
        return x + ops.broadcast_to(self.token, (5000, 8))


class Noise(nn.Cell):
    """Adds noise made from a constant shape."""

    def __init__(self):
        super().__init__()
        self.noise = ops.StandardNormal(seed=7)

    def construct(self, x):
        return x + self.noise((2, 8))


class MatrixProduct(nn.Cell):
    """A product with a stored operand, batched or not."""

    def __init__(self, weight, transpose=False):
        super().__init__()
        self.weight = Parameter(Tensor(weight), name="weight")
        batched = weight.ndim > 2
        self.product = ops.BatchMatMul(transpose_b=transpose) if batched else ops.MatMul(transpose_b=transpose)

    def construct(self, x):
        return self.product(x, self.weight)


class TiedEmbedding(nn.Cell):
    """A language model in small: the embedding's table is the weight of the last layer as well."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.fc = nn.Dense(8, 8)

    def construct(self, tokens):
        hidden = self.fc(self.embedding(tokens))
        return ops.matmul(hidden, ops.transpose(self.embedding.embedding_table, (1, 0)))


class WeightAsNumbers(nn.Cell):
    """A layer whose weight is also added up, as a penalty would."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(8, 8)

    def construct(self, x):
        return self.fc(x) + ops.reduce_sum(self.fc.weight)


class TwoWeightsInOneCell(nn.Cell):
    """A cell that multiplies with two parameters of its own."""

    def __init__(self):
        super().__init__()
        self.w1 = Parameter(Tensor(np.zeros((8, 6), np.float32)), name="w1")
        self.w2 = Parameter(Tensor(np.zeros((6, 4), np.float32)), name="w2")

    def construct(self, x):
        return ops.matmul(ops.matmul(x, self.w1) * 50.0, self.w2)


class Nested(nn.Cell):
    """A cell in a cell, as networks usually are."""

    def __init__(self, block):
        super().__init__()
        self.block = block

    def construct(self, x):
        return self.block(x)


class Attention(nn.Cell):
    """Two layers that read one value, and a product of two computed values."""

    def __init__(self):
        super().__init__()
        self.query = nn.Dense(8, 8)
        self.key = nn.Dense(8, 8)
        self.out = nn.Dense(4, 8)

    def construct(self, x):
        return self.out(ops.matmul(self.query(x), ops.transpose(self.key(x), (1, 0))))


def randomized(network: nn.Cell, rng: np.random.Generator, scales: Sequence[float] = (1.0,)) -> nn.Cell:
    """Give each parameter normal values, so that nothing a test looks at is zero by chance."""
    for index, parameter in enumerate(network.get_parameters()):
        if parameter.dtype == mindspore.float32:
            scale = scales[index % len(scales)]
            parameter.set_data(Tensor(scale * normal(rng, *parameter.shape)))
    return network
