"""Which values integer kernels want quantized, and what is noted of them."""

import numpy as np
import pytest
from mindspore import nn, ops

from gsjupyter.calibration import observe_with_outputs
from gsjupyter.errors import CalibrationError, OptionError
from gsjupyter.mindir import Runner, load_model, run_with, save_model
from gsjupyter.passes import (
    FoldBatchNorm,
    LayerSetting,
    LayerSettings,
    NoteOutputs,
    QuantizeActivations,
    QuantizeWeights,
    watched_outputs,
)
from gsjupyter.passes.note_outputs import noted_output
from gsjupyter.quantization import ACTIVATION_UINT8, ActivationSketch, activation_range, scale_and_zero_point
from gsjupyter.quantization.value_range import ValueRange
from tests.passes.networks import normal, randomized, reasons, standard, steps

ALL = LayerSettings(LayerSetting("int8", "int8"))


def noted(network, x, *, settings=ALL, observer="minmax", quantize=False):
    """Return a network with its outputs noted, and the pass's result; its layers quantized too, if asked for."""
    model, _ = steps(FoldBatchNorm(), model=standard(network, x))
    seen = observe_with_outputs(model, [(x,)], settings, observer)
    note = NoteOutputs(ACTIVATION_UINT8, seen.inputs, seen.outputs, settings, observer=observer)
    inputs = QuantizeActivations(ACTIVATION_UINT8, seen.inputs, settings, observer=observer)
    further = [inputs, QuantizeWeights(settings)] if quantize else []
    converted, results = steps(FoldBatchNorm(), note, *further, model=model)
    return converted, results[1]


def places(model):
    """Return where notes stand: operators with the operators that read them."""
    return [
        (node.op, *sorted(reader.op for reader in node.readers))
        for node in model.graph().nodes()
        if noted_output(node) is not None
    ]


class Shortcut(nn.Cell):
    """Two convolutions, the second one beside a shortcut, with ReLU behind both."""

    def __init__(self, **options):
        super().__init__()
        self.conv1 = nn.Conv2d(4, 4, 3, has_bias=True)
        self.conv2 = nn.Conv2d(4, 4, 3)
        self.fc = nn.Dense(4, 3)

    def construct(self, x):
        x = ops.relu(self.conv1(x))
        return self.fc(ops.relu(self.conv2(x) + x).mean((2, 3)))


def test_notes_stand_behind_bias_and_relu_where_no_layer_quantizes_the_value(rng):
    model, result = noted(randomized(Shortcut(), rng), normal(rng, 2, 4, 6, 6))
    # The mean is the classifier's input, which is quantized anyway.
    assert places(model) == [("ReLU", "Add", "Conv2D"), ("Conv2D", "Add"), ("ReLU", "ReduceMean")]
    assert {change.reason for change in result.done} == {"output noted as uint8 per tensor, for integer kernels"}


def test_a_note_is_the_grid_of_the_values_and_changes_no_number(rng, tmp_path):
    x = normal(rng, 2, 4, 6, 6)
    network = randomized(Shortcut(), rng)
    model, _ = noted(network, x)
    save_model(model, tmp_path / "noted.mindir")
    model = load_model(tmp_path / "noted.mindir")
    graph = model.graph()
    nodes = [node for node in graph.nodes() if noted_output(node) is not None]
    for node, array in zip(nodes, run_with(model, graph, nodes).inner(x), strict=True):
        scale, zero_point = scale_and_zero_point(array.min(), array.max(), ACTIVATION_UINT8)
        assert noted_output(node) == (pytest.approx(float(scale), rel=1e-6), int(zero_point))
    unnoted, _ = steps(FoldBatchNorm(), model=standard(network, x))
    np.testing.assert_array_equal(Runner(model)(x), Runner(unnoted)(x))


def test_a_value_that_a_layer_reads_too_has_the_layers_grid(rng):
    model, _ = noted(randomized(Shortcut(), rng), normal(rng, 2, 4, 6, 6), quantize=True)
    layer = model.graph().nodes("Conv2D")[1]
    shared = model.graph().nodes("ReLU")[0]
    assert noted_output(shared) == (layer.annotations["input_scale"], layer.annotations["input_zero_point"])


@pytest.mark.parametrize(
    ("overrides", "wanted"),
    [
        ({"conv2": "float32"}, []),
        ({"conv2": {"weights": "float32", "activations": "int8"}}, [("ReLU", "Add", "Conv2D")]),
        ({"conv1": "float32"}, [("ReLU", "Add", "Conv2D"), ("Conv2D", "Add"), ("ReLU", "ReduceMean")]),
        ({"fc": "float32"}, [("ReLU", "Add", "Conv2D"), ("Conv2D", "Add")]),
        ({"*": "float32"}, []),
    ],
    ids=["a kept layer", "a float weight", "the first layer", "the last layer", "all"],
)
def test_floats_on_the_way_end_the_integers(rng, overrides, wanted):
    settings = LayerSettings(LayerSetting("int8", "int8"), overrides)
    model, _ = noted(randomized(Shortcut(), rng), normal(rng, 2, 4, 6, 6), settings=settings)
    assert places(model) == wanted


class Moved(nn.Cell):
    """Values that are only moved, or concatenated, on their way to the next layer."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(4, 8, 1)
        self.conv2 = nn.Conv2d(8, 8, 1)
        self.half = nn.Conv2d(8, 8, 1)
        self.last = nn.Conv2d(16, 4, 1)
        self.pool = nn.MaxPool2d(2, 2)

    def construct(self, x):
        x = self.conv2(self.pool(ops.relu(self.conv1(x))))
        x = ops.concat((x, x * ops.sigmoid(x)), 1)
        return ops.tanh(self.last(ops.concat((x[:, 8:], self.half(x[:, :8])), 1)))


def test_what_is_only_moved_keeps_its_grid(rng):
    model, _ = noted(randomized(Moved(), rng), normal(rng, 2, 4, 6, 6))
    graph = model.graph()
    assert places(model) == [
        ("Conv2D", "MakeTuple", "Mul", "Sigmoid"),
        ("Sigmoid", "Mul"),
        ("Mul", "MakeTuple"),
        ("Concat", "StridedSlice", "StridedSlice"),
        ("StridedSlice", "MakeTuple"),
        ("StridedSlice", "Conv2D"),
        ("Conv2D", "MakeTuple"),
        ("Conv2D", "Tanh"),
    ]
    whole = noted_output(graph.nodes("Concat")[0])
    assert [noted_output(node) for node in graph.nodes("StridedSlice")] == [whole, whole]


def test_what_the_caller_gets_and_sums_of_products_stay_in_float(rng):
    class Ends(nn.Cell):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 1)
            self.fc1 = nn.Dense(36, 36)
            self.fc2 = nn.Dense(36, 36)

        def construct(self, x):
            y = self.fc1(ops.relu(x.reshape(2, 4, 36)))
            return self.conv(x), self.fc2(y) + y

    model, _ = noted(randomized(Ends(), rng), normal(rng, 2, 4, 6, 6))
    assert places(model) == []


@pytest.mark.parametrize("observer", ["percentile", "mse"])
def test_the_observer_chooses_the_ranges(rng, observer):
    x = normal(rng, 2, 4, 32, 32)
    x[0, 0, 0, 0] = 40
    network = randomized(Shortcut(), rng)
    model, _ = noted(network, x, observer=observer)
    graph = model.graph()
    node = graph.nodes("Conv2D")[1]
    sketch = ActivationSketch()
    sketch.update(run_with(model, graph, [node]).inner(x)[0])
    scale, zero_point = scale_and_zero_point(*activation_range(sketch, ACTIVATION_UINT8, observer), ACTIVATION_UINT8)
    assert noted_output(node) == (pytest.approx(float(scale), rel=1e-3), pytest.approx(int(zero_point), abs=1))


def test_an_output_that_calibration_never_saw_is_left_alone_with_the_reason(rng):
    x = normal(rng, 2, 4, 6, 6)
    model, _ = steps(FoldBatchNorm(), model=standard(randomized(Shortcut(), rng), x))
    seen = observe_with_outputs(model, [(x,)], ALL, "minmax")
    assert len(seen.outputs) == len(watched_outputs(model.graph(), ALL)) == 2
    unseen = [ValueRange() for _ in seen.outputs]
    step = NoteOutputs(ACTIVATION_UINT8, seen.inputs, unseen, ALL)
    _, (_, result) = steps(FoldBatchNorm(), step, model=model)
    assert reasons(result) == ["calibration saw no values"] * 2


def test_an_observer_that_is_not_there_is_refused():
    with pytest.raises(OptionError, match="an observer must be one of minmax"):
        NoteOutputs(ACTIVATION_UINT8, [], [], ALL, observer="mean")


def test_a_range_refuses_what_is_no_number():
    seen = ValueRange()
    assert seen.is_empty
    seen.update(np.array([], np.float32))
    seen.update(np.array([2.0, -3.0]))
    assert (seen.low, seen.high) == (-3, 2)
    with pytest.raises(CalibrationError, match="NaN or infinite"):
        seen.update(np.array([1.0, np.nan]))
