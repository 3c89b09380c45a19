"""What is annotated for MindSpore Lite: each grid once, in the right place, and nothing that Lite would refuse."""

from __future__ import annotations

import numpy as np
import pytest
from mindspore import nn, ops

import gsjupyter as gs
from gsjupyter.errors import CalibrationError
from gsjupyter.formats.lite.annotations import annotated
from gsjupyter.mindir import Model, Node, Parameter, Runner
from gsjupyter.passes import UnpackWeights, apply, linear_operators
from gsjupyter.passes.simulation import simulate_quantization
from tests.networks import LeNet, TupleOutput, TwoInputs, filled, random_input

MARK = "FakeQuantParam"


class Blocks(nn.Cell):
    """Convolutions of each kind, with what an engine fuses into them, and sums of what they give."""

    input_shape = (2, 4, 8, 8)

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(4, 8, 3, has_bias=True)
        self.depthwise = nn.Conv2d(8, 8, 3, group=8, has_bias=True)
        self.grouped = nn.Conv2d(8, 8, 3, group=2, has_bias=True)
        self.turned = nn.Conv2dTranspose(8, 8, 3, has_bias=True)
        self.last = nn.Conv2d(8, 6, 1, has_bias=True)

    def construct(self, x):
        x = ops.relu(self.stem(x))
        x = ops.relu(x + self.depthwise(x))
        return self.last(self.turned(ops.relu6(self.grouped(x))))


class Twice(nn.Cell):
    """One layer that is applied to two values of its own and of another's making."""

    input_shape = (3, 8)

    def __init__(self):
        super().__init__()
        self.first = nn.Dense(8, 8)
        self.fc = nn.Dense(8, 8)

    def construct(self, x):
        return self.fc(ops.relu(self.fc(ops.tanh(self.first(x)))))


class Convolutions(nn.Cell):
    input_shape = (2, 4, 8, 8)

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(4, 8, 3, has_bias=True)
        self.second = nn.Conv2d(8, 8, 3)

    def construct(self, x):
        return self.second(ops.relu(self.first(x)))


def quantized(network, inputs, **settings):
    return gs.convert(network, inputs, **{"weights": "int8", "activations": "int8", **settings})


@pytest.fixture
def annotate(rng):
    """Give what fills a network with numbers, quantizes it and annotates it: the graph, and the changes."""

    def run(network, *inputs, samples=None, **settings):
        given = inputs or (random_input(network, rng),)
        example = given if len(given) > 1 else given[0]
        conversion = quantized(filled(network, rng), example, **settings)
        model, changes = annotated(conversion.model, [given] if samples is None else samples)
        # What counts is the file.
        return Model.from_bytes(model.to_bytes()).graph(), changes

    return run


def marks(graph):
    return graph.nodes(MARK)


def is_marked(value):
    return isinstance(value, Node) and value.op == MARK


def zero_points(mark):
    return mark.attributes["linear_quant_zero_point"]


def reasons(changes):
    return {change.layer: change.reason for change in changes if not change.is_done}


def assert_sound(graph):
    """Check what Lite's converter demands of annotations."""
    for mark in marks(graph):
        attributes = mark.attributes
        assert not any(is_marked(reader) for reader in mark.readers)
        assert not is_marked(mark.inputs[0])
        scale = attributes["linear_quant_scale"]
        assert len(scale) == len(zero_points(mark))
        assert attributes["is_per_channel"] == (len(scale) > 1)
        assert all(-128 <= point <= 127 for point in zero_points(mark))
        assert all(np.isfinite(item) and item > 0 for item in scale)
        assert attributes["quant_dtype"] == 7
        if isinstance(mark.inputs[0], Node):
            assert mark.inputs[0].readers == (mark,)
    primitives = [node.primitive.name for node in graph.nodes()]
    assert len(set(primitives)) == len(primitives)


@pytest.mark.parametrize(("network", "simulate"), [(LeNet, True), (Blocks, True), (Blocks, False), (Twice, True)])
def test_lite_can_read_the_annotations(network, simulate, annotate):
    graph, _ = annotate(network(), simulate=simulate)
    assert_sound(graph)
    assert not graph.nodes("Rint", "Cast")


@pytest.fixture(scope="module")
def lenet():
    """Give LeNet with a weight of 3 bits, and what it is annotated as."""
    rng = np.random.default_rng(11)
    network = filled(LeNet(), rng)
    conversion = quantized(network, random_input(network, rng), symmetric=False, layers={"conv2": "int3"})
    return conversion, *annotated(conversion.model, [conversion.example])


def test_layers_read_and_write_what_is_marked(lenet):
    _, model, changes = lenet
    graph = model.graph()
    layers = graph.nodes("Conv2D", "MatMulFusion")
    assert [change.operator for change in changes if change.is_done] == ["Conv2D", "Conv2D", *3 * ["MatMul"]]
    assert len(layers) == 5
    for layer in layers:
        assert is_marked(layer.inputs[0])
        assert is_marked(layer.inputs[1])
        assert [is_marked(reader) for reader in layer.readers] == [True]
    assert is_marked(graph.output)


def test_a_weight_is_the_numbers_that_its_integers_stand_for(lenet):
    conversion, model, _ = lenet
    unpacked, _ = apply(UnpackWeights(), conversion.model)
    stored = {item.name: item.stored.quantized for item in linear_operators(unpacked.graph())}
    for layer in model.graph().nodes("Conv2D", "MatMulFusion"):
        mark = layer.inputs[1]
        wanted, weight = stored[layer.layer], mark.inputs[0]
        np.testing.assert_array_equal(weight.array, wanted.dequantize())
        np.testing.assert_array_equal(mark.attributes["linear_quant_scale"], wanted.scale.ravel())
        offset = 128 if wanted.values.dtype == np.uint8 else 0
        np.testing.assert_array_equal(zero_points(mark), wanted.zero_point.ravel() - offset)


def test_grids_of_uint8_are_those_of_int8_moved(lenet):
    conversion, model, _ = lenet
    noted = {node.layer: node.annotations for node in conversion.model.graph().nodes("Conv2D", "MatMul")}
    for layer in model.graph().nodes("Conv2D", "MatMulFusion"):
        mark = layer.inputs[0]
        assert mark.attributes["linear_quant_scale"] == (noted[layer.layer]["input_scale"],)
        assert zero_points(mark) == (noted[layer.layer]["input_zero_point"] - 128,)


def test_what_is_only_moved_keeps_its_grid(lenet):
    for node in lenet[1].graph().nodes("MaxPool", "Flatten"):
        (after,) = node.readers
        assert after.attributes["linear_quant_scale"] == node.inputs[0].attributes["linear_quant_scale"]
        assert zero_points(after) == zero_points(node.inputs[0])


def test_a_sum_before_a_relu_has_the_grid_of_the_relu(annotate):
    graph, _ = annotate(Blocks())
    (total,) = graph.nodes("Add")
    assert all(is_marked(value) for value in total.inputs)
    (mark,) = total.readers
    (rectifier,) = mark.readers
    assert rectifier.op == "ReLU"
    (behind,) = rectifier.readers
    assert zero_points(mark) == zero_points(behind) == (-128,)
    assert mark.attributes["linear_quant_scale"] == behind.attributes["linear_quant_scale"]


def test_layers_without_an_integer_kernel_stay_in_float_and_say_why(annotate):
    graph, changes = annotate(Blocks())
    found = reasons(changes)
    assert set(found) == {"grouped", "turned"}
    assert "number of groups" in found["grouped"]
    assert "Conv2DTranspose" in found["turned"]
    for node in graph.nodes("Conv2D", "Conv2DTranspose"):
        is_float = node.layer in found
        assert isinstance(node.inputs[1], Parameter) == is_float
        assert node.inputs[1].dtype == np.float32


def test_a_relu_that_is_not_the_only_reader_of_a_product_is_kept_apart_from_it(rng):
    inputs = rng.standard_normal((4, 8)).astype(np.float32)
    conversion = quantized(filled(TupleOutput(), rng), inputs)
    graph = annotated(conversion.model, [(inputs,)])[0].graph()
    (rectifier,) = graph.nodes("ReLU")
    assert rectifier.inputs[0].op == "Minimum"
    assert is_marked(rectifier.inputs[0].inputs[0])


def test_nothing_in_float_is_given_the_grid_of_its_output(annotate):
    graph, _ = annotate(Blocks(), keep="depthwise")
    end = next(node for node in graph.nodes("Conv2D") if node.layer == "depthwise")
    while not is_marked(end) and end.op != "Minimum":
        (end,) = end.readers
    assert end.op == "Minimum"
    assert end.inputs[1].value == np.finfo(np.float32).max


def test_kept_layers_groups_and_missing_samples_are_named(annotate):
    _, changes = annotate(Convolutions(), layers={"first": {"granularity": "group:16"}, "second": "float32"})
    assert "groups within a channel" in reasons(changes)["first"]
    _, changes = annotate(Convolutions(), samples=[])
    assert reasons(changes) == {"second": "nothing says on which grid its output is"}
    graph, changes = annotate(Convolutions(), activations="float32")
    assert set(reasons(changes).values()) == {"its input isn't quantized to 8 bits"}
    assert not marks(graph)


def test_what_samples_show_is_the_range_of_the_output(rng):
    network = filled(Convolutions(), rng)
    conversion = quantized(network, random_input(network, rng))
    model, _ = annotated(conversion.model, [(factor * conversion.example[0],) for factor in (1, 3)])
    (scale,) = model.graph().output.attributes["linear_quant_scale"]
    outputs = [Runner(conversion.model)(factor * conversion.example[0]) for factor in (1, 3)]
    widest = max(np.max(item) for item in outputs) - min(np.min(item) for item in outputs)
    assert scale == pytest.approx(widest / 255, rel=1e-6)


def test_nan_in_samples_is_an_error(rng):
    inputs = tuple(rng.standard_normal((2, size)).astype(np.float32) for size in (8, 4))
    conversion = quantized(filled(TwoInputs(), rng), inputs, simulate=False)
    with pytest.raises(CalibrationError, match="NaN"):
        annotated(conversion.model, [(np.full_like(inputs[0], np.nan), inputs[1])])


def test_a_shared_weight_is_stored_once_and_a_shared_bias_for_each_layer(annotate):
    graph, _ = annotate(Twice())
    first, second, third = graph.nodes("MatMulFusion")
    assert second.inputs[1] is not third.inputs[1]
    assert second.inputs[1].inputs[0] is third.inputs[1].inputs[0]
    assert first.inputs[1].inputs[0] is not second.inputs[1].inputs[0]
    assert second.inputs[2] is not third.inputs[2]
    np.testing.assert_array_equal(second.inputs[2].array, third.inputs[2].array)


def test_several_inputs_are_marked_one_by_one(rng):
    inputs = tuple(rng.standard_normal((2, size)).astype(np.float32) for size in (8, 4))
    conversion = quantized(filled(TwoInputs(), rng), inputs)
    model, _ = annotated(conversion.model, [inputs])
    graph = model.graph()
    assert_sound(Model.from_bytes(model.to_bytes()).graph())
    assert [[is_marked(reader) for reader in item.readers] for item in graph.inputs] == [[True], [True]]
    assert [item.name for item in model.inputs] == [item.name for item in conversion.model.inputs]


def test_activations_of_fewer_bits_are_computed_as_they_were(rng):
    network = filled(Convolutions(), rng)
    image = random_input(network, rng)
    conversion = quantized(network, image, activations="float32")
    graph = conversion.model.graph()
    for operator in linear_operators(graph):
        node = operator.node
        grid = {"scale": 0.1, "zero_point": 0, "lowest": 0, "highest": 15}
        node.set_input(0, simulate_quantization(graph, operator.data, node.scope, **grid))
    coarse = conversion.model.with_graph(graph)
    model, changes = annotated(coarse, [(image,)])
    assert set(reasons(changes).values()) == {"its input isn't quantized to 8 bits"}
    assert not model.graph().nodes(MARK, "Rint")
    np.testing.assert_allclose(Runner(model)(image), Runner(coarse)(image), rtol=1e-4, atol=1e-5)


def test_without_its_annotations_the_network_computes_what_its_integers_stand_for(rng):
    network = filled(Convolutions(), rng)
    image = random_input(network, rng)
    conversion = quantized(network, image)
    model, _ = annotated(conversion.model, [(image,)])
    graph = model.graph()
    for mark in marks(graph):
        graph.replace(mark, mark.inputs[0])
    alone = quantized(network, image, activations="float32")
    np.testing.assert_allclose(Runner(model.with_graph(graph))(image), alone(image), rtol=1e-4, atol=1e-5)
