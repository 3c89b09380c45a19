"""Our quantization in the real MindSpore Lite: computed in integers, on our grids, as accurate as we say."""

from __future__ import annotations

import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn, ops

import gsjupyter as gs
from gsjupyter.formats.lite.annotations import annotated
from gsjupyter.formats.lite.shared_products import part_from_rectifiers
from gsjupyter.mindir import Runner, flat_output
from gsjupyter.passes.simulation import simulate_quantization
from gsjupyter.quantization import sqnr_db
from tests.digits import trained
from tests.lite.integer_reference import Int8Grid, Layer
from tests.lite.programs import converted, outputs_of
from tests.lite.stored_tensors import operators_of
from tests.networks import filled

pytestmark = [pytest.mark.usefixtures("lite_home"), pytest.mark.slow]


class Convolution(nn.Cell):
    def __init__(self, channels=8, kernel=3, stride=1, group=1, **settings):
        super().__init__()
        self.conv = nn.Conv2d(4, channels, kernel, stride, group=group, has_bias=True, **settings)

    def construct(self, x):
        return self.conv(x)


class Dense(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(48, 24)

    def construct(self, x):
        return self.fc(x)


class Product(nn.Cell):
    """A matrix product whose weight lies the other way round."""

    def __init__(self):
        super().__init__()
        self.weight = Parameter(Tensor(np.zeros((48, 24), np.float32)), name="weight")
        self.bias = Parameter(Tensor(np.zeros(24, np.float32)), name="bias")

    def construct(self, x):
        return ops.matmul(x, self.weight) + self.bias


class MobileNet(nn.Cell):
    """Depthwise convolutions between pointwise ones, with ReLU6, and a classifier of the mean."""

    def __init__(self):
        super().__init__()
        blocks = [nn.Conv2d(3, 16, 3, 2, has_bias=True), nn.ReLU6()]
        for channels, more in ((16, 32), (32, 32)):
            depthwise = nn.Conv2d(channels, channels, 3, group=channels)
            blocks += [depthwise, nn.BatchNorm2d(channels), nn.ReLU6(), nn.Conv2d(channels, more, 1)]
            blocks += [nn.BatchNorm2d(more), nn.ReLU6()]
        self.features = nn.SequentialCell(*blocks)
        self.classifier = nn.Dense(32, 10)

    def construct(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


class Residual(nn.Cell):
    """Shortcuts: what is added is read by layers, too; with pooling, a gate, and branches that are joined."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, has_bias=True)
        self.first = nn.Conv2d(16, 16, 3, has_bias=True)
        self.second = nn.Conv2d(16, 16, 1, has_bias=True)
        self.gate = nn.Conv2d(16, 16, 1, has_bias=True)
        self.last = nn.Conv2d(32, 8, 1, has_bias=True)
        self.pool = nn.MaxPool2d(2, 2)
        self.average = nn.AvgPool2d(3, 1, pad_mode="same")

    def construct(self, x):
        x = self.pool(ops.relu(self.stem(x)))
        x = x + self.first(x)
        y = ops.relu(x + self.second(x))
        y = y * ops.sigmoid(self.gate(y.mean((2, 3), True)))
        return self.last(self.average(ops.concat((x, y), 1)))


class Forked(nn.Cell):
    """A dense layer that is read by a ReLU and as it is, inside the network and by the caller."""

    def __init__(self):
        super().__init__()
        self.first = nn.Dense(8, 6)
        self.left = nn.Dense(6, 6)
        self.right = nn.Dense(6, 6)

    def construct(self, x):
        x = self.first(x)
        y = self.left(ops.relu(x)) + self.right(x)
        return y, ops.relu6(y)


@pytest.fixture
def in_lite(lite_home, tmp_path):
    """Give what converts a model and runs it: the output, and the operators of the file."""

    def run(model, *inputs):
        file = converted(lite_home, model, tmp_path)
        (output,) = outputs_of(lite_home, file, *inputs)
        return output, operators_of(file)

    return run


def quantized(network, *inputs, **settings):
    """Quantize a network, with its inputs for calibration."""
    example = inputs if len(inputs) > 1 else inputs[0]
    return gs.convert(network, example, **{"weights": "int8", "activations": "int8", **settings})


def layer_of(model):
    """Return the one layer of an annotated network, its weight's grid and all."""
    graph = model.graph()
    (node,) = graph.nodes("Conv2D", "MatMulFusion")
    data, weight, *rest = node.inputs
    bias = next((item for item in rest if item.dtype is not None), None)
    for reader in graph.nodes("BiasAdd"):
        bias = reader.inputs[1]
    axis = 0 if node.op == "Conv2D" or node.attributes["transpose_b"] else 1
    return Layer(
        *(Int8Grid.of(item) for item in (data, weight, graph.output)),
        weight.inputs[0].array,
        None if bias is None else bias.array,
        axis,
    )


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(8).standard_normal((4, 4, 12, 12)).astype(np.float32)


def assert_integers(output, layer, wanted, conversion):
    """Check that an output is that of the layer in integers, and not that of the layer in float."""
    found = layer.output.integers(output)
    np.testing.assert_allclose(output, (found - layer.output.zero_point) * layer.output.scale, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found, wanted)
    (in_float,) = flat_output(conversion.expected).values()
    assert (layer.output.integers(in_float) != wanted).mean() > 0.05


@pytest.mark.parametrize(
    ("network", "arrangement", "settings"),
    [
        ({"kernel": 1}, {}, {}),
        ({}, {"padding": (1, 1)}, {"symmetric": False}),
        ({"kernel": 5, "stride": 2, "pad_mode": "valid"}, {"stride": 2}, {"granularity": "tensor"}),
        ({}, {"padding": (1, 1)}, {"weights": "int4"}),
        ({"channels": 4, "group": 4}, {"padding": (1, 1), "group": 4}, {}),
        ({"channels": 4, "group": 4}, {"padding": (1, 1), "group": 4}, {"symmetric": False}),
    ],
    ids=["pointwise", "zero points", "per tensor", "4 bits", "depthwise", "depthwise with zero points"],
)
def test_a_convolution_is_computed_in_integers(network, arrangement, settings, images, in_lite):
    conversion = quantized(filled(Convolution(**network), np.random.default_rng(2)), images, **settings)
    model, _ = annotated(conversion.model, [(images,)])
    output, _ = in_lite(model, images)
    layer = layer_of(model)
    assert_integers(output, layer, layer.convolution(images, **arrangement), conversion)


@pytest.mark.parametrize(
    ("network", "settings"),
    [(Dense, {}), (Product, {}), (Product, {"symmetric": False}), (Dense, {"granularity": "tensor"})],
)
def test_a_matrix_product_is_computed_in_integers(network, settings, in_lite, rng):
    inputs = rng.standard_normal((16, 48)).astype(np.float32)
    conversion = quantized(filled(network(), rng), inputs, **settings)
    model, _ = annotated(conversion.model, [(inputs,)])
    output, _ = in_lite(model, inputs)
    layer = layer_of(model)
    assert_integers(output, layer, layer.dense(inputs), conversion)


def test_lenet_keeps_its_accuracy_at_a_third_of_the_size(lite_home, tmp_path):
    digits = trained(0)
    (tmp_path / "float").mkdir()
    conversion = quantized(digits.network, digits.test_images, calibration=digits.train_images)
    model, changes = annotated(conversion.model, [(digits.train_images[:450],), (digits.train_images[450:900],)])
    assert all(change.is_done for change in changes)
    file, in_float = (
        converted(lite_home, network, folder)
        for network, folder in ((model, tmp_path), (conversion.float_model, tmp_path / "float"))
    )
    right, right_in_float = (
        (outputs_of(lite_home, path, digits.test_images)[0].argmax(1) == digits.test_labels).mean()
        for path in (file, in_float)
    )
    assert right >= right_in_float - 0.01
    assert right_in_float > 0.95
    assert file.stat().st_size <= 0.40 * in_float.stat().st_size
    kernels = [item for item in operators_of(file) if "Conv2D" in item.name or "MatMul" in item.name]
    assert [item.outputs for item in kernels if "dtype_cast" not in item.name] == 5 * [("int8",)]


@pytest.mark.parametrize("network", [MobileNet, Residual])
def test_a_network_loses_little_more_than_its_simulation_shows(network, in_lite, rng):
    images = rng.standard_normal((8, 3, 16, 16)).astype(np.float32)
    conversion = quantized(filled(network(), rng).set_train(False), images)
    model, changes = annotated(conversion.model, [(images,)])
    output, operators = in_lite(model, images)
    (expected,) = flat_output(conversion.expected).values()
    assert sqnr_db(expected, output) > conversion.verification.sqnr_db - 5
    assert all(change.is_done for change in changes)
    layers = [item for item in operators if item.name.endswith(("Conv2D-op0", "MatMulFusion-op0"))]
    assert len(layers) == len(conversion.layers)
    assert {item.inputs[:2] + item.outputs for item in layers} == {("int8", "int8", "int8")}


def test_layers_that_are_kept_stay_in_float(in_lite, rng):
    images = rng.standard_normal((4, 3, 16, 16)).astype(np.float32)
    conversion = quantized(filled(Residual(), rng), images, keep=["stem", "second"])
    model, _ = annotated(conversion.model, [(images,)])
    output, operators = in_lite(model, images)
    (expected,) = flat_output(conversion.expected).values()
    assert sqnr_db(expected, output) > conversion.verification.sqnr_db - 5
    layers = [item for item in operators if item.name.endswith("Conv2D-op0")]
    types = {item.name.split("-")[0].removeprefix("Default/"): item.inputs[1] for item in layers}
    assert types["stem"] == types["second"] == "float32"
    assert types["first"] == types["gate"] == types["last"] == "int8"


def test_activations_of_fewer_bits_are_computed_as_they_were(images, in_lite, rng):
    conversion = quantized(filled(Convolution(), rng), images, activations="float32")
    graph = conversion.model.graph()
    (layer,) = graph.nodes("Conv2D")
    grid = {"scale": 0.2, "zero_point": 7, "lowest": 0, "highest": 15}
    layer.set_input(0, simulate_quantization(graph, layer.inputs[0], layer.scope, **grid))
    coarse = conversion.model.with_graph(graph)
    output, _ = in_lite(annotated(coarse, [(images,)])[0], images)
    assert sqnr_db(Runner(coarse)(images), output) > 100


@pytest.mark.parametrize("is_annotated", [False, True])
def test_what_a_relu_reads_is_read_by_others_as_it_is(is_annotated, lite_home, tmp_path, rng):
    inputs = rng.standard_normal((16, 8)).astype(np.float32)
    conversion = quantized(filled(Forked(), rng), inputs)
    model = conversion.float_model
    if is_annotated:
        model, _ = annotated(conversion.model, [(inputs,)])
    else:
        graph = model.graph()
        part_from_rectifiers(graph)
        model = model.with_graph(graph)
    outputs = outputs_of(lite_home, converted(lite_home, model, tmp_path), inputs)
    errors = [sqnr_db(*pair) for pair in zip(flat_output(conversion.expected).values(), outputs, strict=True)]
    assert min(errors) > (30 if is_annotated else 100)
