import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn

import gsjupyter as gs
from gsjupyter.errors import CalibrationError, InputError, OptionError, ParameterError, SourceError, UnsupportedError
from tests.networks import (
    MLP,
    AnyBatch,
    ControlFlow,
    Depthwise,
    DictOutput,
    Embedding,
    Functional,
    LeNet,
    NestedOutput,
    Shared,
    TupleOutput,
    TwoInputs,
    Uncompilable,
    filled,
    random_input,
    state,
)


def arrays(output):
    """Return a network's output with arrays in place of its Tensors."""
    if isinstance(output, dict):
        return {key: arrays(value) for key, value in output.items()}
    if isinstance(output, tuple | list):
        return tuple(map(arrays, output))
    return output.asnumpy() if isinstance(output, Tensor) else output


def assert_close(actual, wanted, relative):
    """Check that two outputs have the same nesting and, up to a part of the largest value, the same numbers."""
    assert type(actual) is type(wanted)
    if isinstance(wanted, dict):
        assert list(actual) == list(wanted)
        actual, wanted = tuple(actual.values()), tuple(wanted.values())
    if isinstance(wanted, tuple):
        for left, right in zip(actual, wanted, strict=True):
            assert_close(left, right, relative)
        return
    assert actual.shape == wanted.shape
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=relative * np.abs(wanted).max())


def expected(network, *inputs):
    training = network.training
    wanted = arrays(network.set_train(False)(*map(Tensor, inputs)))
    network.set_train(training)
    return wanted


@pytest.fixture
def lenet(rng):
    return filled(LeNet(), rng)


@pytest.fixture
def mlp(rng):
    return filled(MLP(), rng)


@pytest.fixture
def x(rng):
    return rng.standard_normal(MLP.input_shape).astype(np.float32)


@pytest.mark.parametrize("kind", [LeNet, MLP, Depthwise, Functional, Shared])
def test_a_float_conversion_gives_what_the_network_gives(kind, rng):
    network = filled(kind(), rng)
    x = random_input(network, rng)
    conversion = gs.convert(network, x)
    assert_close(conversion(x), expected(network, x), 1e-4)
    assert conversion.verification.relative_error < 1e-4


@pytest.mark.parametrize(
    ("kind", "settings", "least_db"),
    [
        (LeNet, {"weights": "int8"}, 30),
        (LeNet, {"weights": "float16"}, 55),
        (LeNet, {"weights": "int8", "granularity": "tensor"}, 25),
        (LeNet, {"activations": "int8"}, 25),
        (Depthwise, {"weights": "int8", "activations": "int8"}, 25),
        (Functional, {"weights": "int8", "activations": "int8"}, 25),
        (Shared, {"weights": "int8", "activations": "int8"}, 25),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else getattr(value, "__name__", ""),
)
def test_a_quantized_conversion_is_near_the_network(kind, settings, least_db, rng):
    network = filled(kind(), rng)
    x = random_input(network, rng)
    conversion = gs.convert(network, x, **settings)
    wanted = expected(network, x)
    noise = np.mean((conversion(x) - wanted) ** 2)
    found = 10 * np.log10(np.mean(wanted**2) / noise)
    assert found > least_db
    # What is told is what is so.
    assert conversion.verification.sqnr_db == pytest.approx(found, abs=0.2)


def test_int8_weights_take_a_quarter_of_the_bytes(lenet, rng):
    conversion = gs.convert(lenet, random_input(lenet, rng), weights="int8")
    weights = sum(layer.bytes_after for layer in conversion.layers) / sum(
        layer.bytes_before for layer in conversion.layers
    )
    assert weights < 0.27
    assert conversion.model.size_bytes < 0.4 * conversion.source.size_bytes


def test_every_layer_with_a_weight_has_a_row(lenet, rng):
    conversion = gs.convert(lenet, random_input(lenet, rng), weights="int8", keep=["classifier.4"])
    names = [layer.name for layer in conversion.layers]
    assert names == ["conv1", "conv2", "classifier.0", "classifier.2", "classifier.4"]
    assert [layer.weights for layer in conversion.layers] == ["int8 per channel"] * 4 + ["float32"]
    assert conversion.layers[-1].note == "kept in float32, as asked"


def test_formats_can_be_mixed_layer_by_layer(lenet, rng):
    x = random_input(lenet, rng)
    conversion = gs.convert(lenet, x, layers={"conv1": "int8", "classifier.*": "float16", "classifier.4": "float32"})
    assert [layer.weights for layer in conversion.layers] == [
        "int8 per channel",
        "float32",
        "float16",
        "float16",
        "float32",
    ]
    assert_close(conversion(x), expected(lenet, x), 0.05)


@pytest.mark.parametrize("training", [True, False])
def test_the_network_stays_exactly_as_it_was(training, lenet, rng):
    x = random_input(lenet, rng)
    lenet.set_train(training)
    lenet.classifier.set_train(not training)
    parameters, objects = state(lenet), [id(parameter) for parameter in lenet.get_parameters()]
    cells = {name: {key: repr(value) for key, value in vars(cell).items()} for name, cell in lenet.cells_and_names()}
    gs.convert(lenet, x, weights="int8", activations="int8")
    assert state(lenet) == parameters
    assert [id(parameter) for parameter in lenet.get_parameters()] == objects
    assert {
        name: {key: repr(value) for key, value in vars(cell).items()} for name, cell in lenet.cells_and_names()
    } == cells
    assert (lenet.training, lenet.conv1.training, lenet.classifier.training) == (training, training, not training)


@pytest.fixture(params=["graph", "pynative"])
def mode(request):
    """Set MindSpore's mode, and put it back."""
    before = mindspore.get_context("mode")
    mindspore.set_context(mode=mindspore.GRAPH_MODE if request.param == "graph" else mindspore.PYNATIVE_MODE)
    yield mindspore.get_context("mode")
    mindspore.set_context(mode=before)


def test_conversion_works_in_either_mode_and_leaves_it(mode, mlp, x):
    mlp.set_train(False)
    before = mlp(Tensor(x)).asnumpy()
    device, level = mindspore.get_context("device_target"), mindspore.get_context("jit_syntax_level")
    conversion = gs.convert(mlp, x, weights="int8", activations="int8")
    assert mindspore.get_context("mode") == mode
    assert (mindspore.get_context("device_target"), mindspore.get_context("jit_syntax_level")) == (device, level)
    np.testing.assert_array_equal(mlp(Tensor(x)).asnumpy(), before)
    assert_close(conversion(x), before, 0.1)


def test_a_network_goes_on_training_after_it_was_converted(mlp, x):
    optimizer = nn.SGD(mlp.trainable_params(), 0.01)
    step = mindspore.value_and_grad(lambda value: mlp(value).square().mean(), None, optimizer.parameters)
    mlp.set_train()
    losses = []
    for _ in range(3):
        loss, gradients = step(Tensor(x))
        optimizer(gradients)
        losses.append(float(loss.asnumpy()))
        gs.convert(mlp, x, weights="int8")
    assert losses[0] > losses[1] > losses[2]
    assert_close(gs.convert(mlp, x)(x), expected(mlp, x), 1e-4)


def test_a_changed_network_is_converted_as_it_is_now(mlp, x, rng):
    gs.convert(mlp, x)
    filled(mlp, rng)
    mlp.fc2 = nn.Dense(16, 7)
    assert_close(gs.convert(mlp, x)(x), expected(mlp, x), 1e-4)


def test_converting_twice_gives_the_same_bytes(lenet, rng):
    x = random_input(lenet, rng)
    first, second = (gs.convert(lenet, x, weights="int8", activations="int8").model.to_bytes() for _ in range(2))
    assert first == second


_IN_A_FRESH_PROCESS = """
import hashlib
import numpy as np
import gsjupyter as gs
from tests.networks import LeNet, filled, random_input
rng = np.random.default_rng(5)
network = filled(LeNet(), rng)
for _ in range({before}):
    gs.convert(network, random_input(network, rng))
x = np.random.default_rng(6).standard_normal(LeNet.input_shape).astype(np.float32)
model = gs.convert(network, x, weights="int8", activations="int8").model
print(hashlib.sha256(model.to_bytes()).hexdigest())
"""


def test_another_process_gives_the_same_bytes():
    def digest(before):
        code = _IN_A_FRESH_PROCESS.format(before=before)
        root = Path(__file__).parents[1]
        done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    first = digest(before=0)
    assert len(first) == len(hashlib.sha256().hexdigest())
    assert digest(before=1) == first


def test_no_file_is_left_anywhere(lenet, rng, tmp_path, monkeypatch, working_directory):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    x = random_input(lenet, rng)
    gs.convert(lenet, x, weights="int8", activations="int8")(x)
    with pytest.raises(SourceError):
        gs.convert(Uncompilable(), rng.standard_normal((2, 8)).astype(np.float32))
    assert list(tmp_path.iterdir()) == []
    assert list(working_directory.iterdir()) == []


@pytest.mark.parametrize(
    "settings",
    [{}, {"weights": "int8"}, {"weights": "float16"}, {"weights": "int8", "activations": "int8"}],
    ids=lambda settings: "-".join(settings.values()) or "float32",
)
def test_the_exported_file_runs_alike_everywhere(settings, lenet, rng, tmp_path):
    x = random_input(lenet, rng)
    conversion = gs.convert(lenet, x, **settings)
    artifact = gs.export(conversion, tmp_path / "lenet.mindir")
    plain = nn.GraphCell(mindspore.load(str(artifact.path)))
    wanted = conversion(x)
    assert_close(plain(Tensor(x)).asnumpy(), wanted, 1e-5)
    assert_close(gs.load(artifact.path)(x), wanted, 1e-5)


def test_tensors_give_tensors_and_arrays_give_arrays(mlp, x):
    conversion = gs.convert(mlp, Tensor(x))
    assert isinstance(conversion(Tensor(x)), Tensor)
    assert isinstance(conversion(x), np.ndarray)
    np.testing.assert_array_equal(conversion(Tensor(x)).asnumpy(), conversion(x))


@pytest.mark.parametrize("kind", [DictOutput, TupleOutput, NestedOutput])
def test_the_output_keeps_its_nesting(kind, rng, x):
    network = filled(kind(), rng)
    conversion = gs.convert(network, x, weights="int8", activations="int8")
    assert_close(conversion(x), expected(network, x), 0.1)
    assert_close(gs.convert(network, x)(x), expected(network, x), 1e-4)


def test_several_inputs_go_in_a_tuple(rng):
    network = filled(TwoInputs(), rng)
    image, text = (rng.standard_normal((3, size)).astype(np.float32) for size in (8, 4))
    conversion = gs.convert(network, (image, text), weights="int8")
    assert [spec.name for spec in conversion.model.inputs] == ["image", "text"]
    assert_close(conversion(image, text), expected(network, image, text), 0.05)


def test_a_network_of_integers_is_converted(rng):
    network = filled(Embedding(), rng)
    words = rng.integers(0, 20, (3, 5)).astype(np.int32)
    conversion = gs.convert(network, words, weights="int8", activations="int8")
    assert_close(conversion(words), expected(network, words), 0.1)
    assert [layer.name for layer in conversion.layers] == ["table", "fc"]


def test_a_dynamic_axis_stays_dynamic(rng):
    network = filled(AnyBatch(), rng)
    conversion = gs.convert(network, Tensor(shape=[None, 8], dtype=mindspore.float32), weights="int8")
    assert conversion.model.inputs[0].shape == (-1, 8)
    for size in (1, 3, 7):
        x = rng.standard_normal((size, 8)).astype(np.float32)
        assert_close(conversion(x), expected(network, x), 0.05)
    assert conversion.verification.input_kind == "random"


def test_a_file_is_converted_as_its_network_is(lenet, rng, tmp_path):
    x = random_input(lenet, rng)
    mindspore.export(lenet.set_train(False), Tensor(x), file_name=str(tmp_path / "lenet"), file_format="MINDIR")
    path = tmp_path / "lenet.mindir"
    conversion = gs.convert(path, x, weights="int8", activations="int8")
    assert_close(conversion(x), gs.convert(lenet, x, weights="int8", activations="int8")(x), 1e-5)
    without_example = gs.convert(str(path), weights="int8")
    assert without_example.verification.input_kind == "random"
    assert without_example.verification.sqnr_db > 30


def test_a_file_exported_in_training_mode_is_verified_at_inference(lenet, rng, tmp_path):
    x = random_input(lenet, rng)
    mindspore.export(lenet.set_train(), Tensor(x), file_name=str(tmp_path / "lenet"), file_format="MINDIR")
    conversion = gs.convert(tmp_path / "lenet.mindir", x)
    assert_close(conversion(x), expected(lenet, x), 1e-4)


def test_what_was_quantized_can_be_converted_again(lenet, rng, tmp_path):
    x = random_input(lenet, rng)
    first = gs.convert(lenet, x, weights="int8")
    gs.export(first, tmp_path / "int8.mindir")
    again = gs.convert(tmp_path / "int8.mindir", x)
    assert_close(again(x), first(x), 1e-5)
    assert again.model.size_bytes < 1.05 * first.model.size_bytes


def test_the_options_are_the_same_given_at_once_or_one_by_one(mlp, x):
    options = gs.ConvertOptions(weights="int8", layers={"fc2": "float32"})
    one_by_one = gs.convert(mlp, x, weights="int8", keep=["fc2"])
    assert gs.convert(mlp, x, options=options).model.to_bytes() == one_by_one.model.to_bytes()
    assert one_by_one.options == options


def test_single_options_go_before_those_given_at_once(mlp, x):
    options = gs.ConvertOptions(weights="int8", granularity="tensor")
    conversion = gs.convert(mlp, x, options=options, weights="float16", keep="fc2")
    assert conversion.options == gs.ConvertOptions(weights="float16", granularity="tensor", layers={"fc2": "float32"})


def test_a_conversion_says_what_it_is(mlp, x):
    conversion = gs.convert(mlp, x, weights="int8", activations="int8")
    assert conversion.name == "MLP"
    assert repr(conversion).startswith("MLP: int8 weights, int8 activations")
    assert "Activation ranges come from the given example only (3 samples)" in conversion.notes[0]


def test_annotations_leave_the_numbers_in_float(mlp, x):
    conversion = gs.convert(mlp, x, activations="int8", simulate=False)
    assert_close(conversion(x), expected(mlp, x), 1e-4)
    assert all(node.annotations for node in conversion.model.graph().nodes("MatMul"))


# Bad input: each is told in words, before anything is changed.


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (3, "int 3 is no network."),
        (None, "NoneType None is no network."),
        (MLP, "MLP is a class, not a network.\nMake an instance of it: MLP()."),
        (lambda x: x, "this function is no network."),
    ],
)
def test_what_is_no_network_is_refused(source, message, x):
    with pytest.raises(SourceError) as caught:
        gs.convert(source, x)
    assert str(caught.value).startswith(message)


def test_a_file_that_is_not_there_is_told(x):
    from gsjupyter.errors import ModelFileError

    with pytest.raises(ModelFileError, match=r"there is no file missing\.mindir"):
        gs.convert("missing.mindir", x)


@pytest.fixture
def untouched(mlp):
    """Check after a test that it changed nothing about the network."""
    before, training = state(mlp), mlp.training
    yield
    assert state(mlp) == before
    assert mlp.training == training


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("example", "message"),
    [
        (None, "to convert MLP, an example of its input is needed"),
        ((np.ones((3, 8), np.float32),) * 2, "MLP takes 1 input .*2 given"),
        (np.ones((3, 9), np.float32), r"\(3, 9\)"),
        ("text", "an input must be a Tensor or a numpy array, not str"),
        ({"x": 1}, "an input must be a Tensor or a numpy array, not dict"),
    ],
)
def test_an_example_that_does_not_fit_is_refused(example, message, mlp):
    with pytest.raises((InputError, SourceError), match=message) as caught:
        gs.convert(mlp, example)
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weigths": "int8"}, r"not 'weigths'\.\nDid you mean weights\?"),
        ({"weights": "int9"}, r"weights must be one of float32, float16, int8, .*, not 'int9'\.\nDid you mean int8\?"),
        ({"activations": "float16"}, "activations must be one of float32, int8, not 'float16'"),
        ({"granularity": "chanel"}, "Did you mean channel"),
        ({"layers": {"fc1": "int1"}}, r"layers\['fc1'\] must be one of"),
        ({"layers": {"fc1": {"weigths": "int4"}}}, r"a setting in layers\['fc1'\] must be one of .*, not 'weigths'"),
        ({"layers": {"fc1": {"weights": "int9"}}}, r"weights in layers\['fc1'\] must be one of"),
        ({"layers": {"fc1": {"granularity": "group:0"}}}, r"granularity in layers\['fc1'\] must be tensor, channel or"),
        ({"layers": {"fc1": {"symmetric": "no"}}}, r"symmetric in layers\['fc1'\] must be true or false, not 'no'"),
        ({"weight_observer": "mean"}, "weight_observer must be one of minmax, percentile, mse, entropy, not 'mean'"),
        ({"clipping": 0.0}, "clipping must be more than 0 and 1 at most, not 0.0"),
        ({"clipping": "0.8"}, "clipping must be more than 0 and 1 at most, not '0.8'"),
        ({"layers": {"fc1": {"clipping": 1.5}}}, r"clipping in layers\['fc1'\] must be more than 0"),
        ({"rounding": "gptp"}, r"rounding must be one of nearest, gptq, not 'gptp'\.\nDid you mean gptq\?"),
        ({"layers": ["fc1"]}, "layers must map names or globs to formats"),
        ({"simulate": "no"}, "simulate must be true or false, not 'no'"),
        ({"weights": "int8", "keep": ["fc3"]}, r"no layer 'fc3' with a weight\.\nDid you mean fc2\?"),
        ({"weights": "int8", "keep": 5}, "a layer's name must be text, not 5"),
        ({"weights": "int8", "layers": {5: "float32"}}, "a layer's name must be text, not 5"),
        ({"weights": None}, "weights must be one of"),
        ({"weights": ["int8"]}, "weights must be one of"),
    ],
)
def test_an_unknown_option_is_refused_with_the_nearest_one(settings, message, mlp, x):
    with pytest.raises(OptionError, match=message):
        gs.convert(mlp, x, **settings)


def test_nan_weights_are_refused_with_what_to_do(mlp, x):
    weight = mlp.fc1.weight.asnumpy().copy()
    weight[0, :3] = np.nan
    mlp.fc1.weight.set_data(Tensor(weight))
    with pytest.raises(ParameterError) as caught:
        gs.convert(mlp, x, weights="int8")
    assert str(caught.value) == (
        "layer fc1 (Dense) holds 3 NaN weights of 128, so no scale can be computed.\n"
        "Train or load it again, or leave it in float: --keep fc1"
    )
    assert gs.convert(mlp, x, weights="int8", keep=["fc1"]).layers[0].weights == "float32"


def test_control_flow_that_depends_on_data_is_refused_by_name(rng, x):
    with pytest.raises(
        UnsupportedError, match=r"ControlFlow has control flow that depends on data \(\d+ sub-functions"
    ):
        gs.convert(filled(ControlFlow(), rng), x)


def test_a_network_that_does_not_compile_is_told_in_three_lines_at_most(x, capfd):
    with pytest.raises(SourceError, match="MindSpore can't compile Uncompilable to a graph") as caught:
        gs.convert(Uncompilable(), x)
    assert len(str(caught.value).splitlines()) <= 3
    assert "Traceback" not in capfd.readouterr().err


# Calibration data in every form that users have it.


def _dataset(samples):
    from mindspore.dataset import NumpySlicesDataset

    labels = np.zeros(len(samples), np.int32)
    return NumpySlicesDataset({"image": samples, "label": labels}, shuffle=False).batch(3)


@pytest.mark.parametrize(
    "form",
    [
        _dataset,
        lambda samples: samples,
        Tensor,
        lambda samples: (samples,),
        lambda samples: (samples, np.zeros(len(samples))),
        lambda samples: [samples[:3], samples[3:]],
        lambda samples: (samples[start : start + 3] for start in (0, 3)),
        lambda samples: ((batch, np.zeros(3)) for batch in (samples[:3], samples[3:])),
        lambda samples: [{"x": samples[:3], "label": 1}, {"x": samples[3:], "label": 2}],
        lambda samples: [Tensor(samples[:3]), Tensor(samples[3:])],
    ],
    ids=[
        "dataset",
        "array",
        "tensor",
        "tuple",
        "tuple-with-labels",
        "list",
        "generator",
        "generator-with-labels",
        "dictionaries",
        "tensors",
    ],
)
def test_calibration_data_may_have_any_usual_form(form, mlp, x, rng):
    samples = (5 * rng.standard_normal((6, 8))).astype(np.float32)
    conversion = gs.convert(mlp, x, activations="int8", calibration=form(samples))
    first, second = conversion.layers
    assert first.activation_low == pytest.approx(samples.min())
    assert first.activation_high == pytest.approx(samples.max())
    hidden = expected(mlp.fc1, samples)
    assert second.activation_high == pytest.approx(hidden.max(), rel=1e-5)
    assert conversion.notes == ()


def test_calibration_of_several_inputs(rng):
    network = filled(TwoInputs(), rng)
    image, text = (rng.standard_normal((6, size)).astype(np.float32) for size in (8, 4))
    conversion = gs.convert(network, (image, text), activations="int8", calibration=[(2 * image, 3 * text, "label")])
    ranges = {layer.name: layer.activation_high for layer in conversion.layers}
    assert ranges == {"left": pytest.approx(2 * image.max()), "right": pytest.approx(3 * text.max())}


def test_a_last_batch_that_is_not_full_counts_too(mlp, x, rng):
    samples = rng.standard_normal((7, 8)).astype(np.float32)
    samples[-1, 0] = 40
    assert gs.convert(mlp, x, activations="int8", calibration=samples).layers[0].activation_high == 40


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        ([], "the calibration data is empty"),
        (iter(()), "the calibration data is empty"),
        (np.zeros((0, 8), np.float32), "the calibration data is empty"),
        (np.ones((6, 9), np.float32), r"batch 0 doesn't fit: input x of MLP has shape \(3, 8\), \(3, 9\) given"),
        (np.ones((6, 8), np.float64), r"batch 0 doesn't fit: input x of MLP is float32, float64 given"),
        ([np.ones((3, 8), np.float32), np.ones((3, 8, 1), np.float32)], "batch 1 doesn't fit"),
        ([np.full((3, 8), np.nan, np.float32)], "makes NaN or infinite values"),
        ([np.full((3, 8), np.inf, np.float32)], "makes NaN or infinite values"),
        ([{"y": np.ones((3, 8), np.float32)}], "a calibration batch has no 'x'; it has y"),
        ([()], "a calibration batch has 0 arrays, the network takes 1"),
        (7, "calibration data can't be int"),
        ("batches", "calibration data can't be str"),
    ],
)
def test_calibration_data_that_can_not_be_used_is_refused(calibration, message, mlp, x):
    with pytest.raises(CalibrationError, match=message):
        gs.convert(mlp, x, activations="int8", calibration=calibration)


def test_the_title_says_what_was_done_and_the_notes_what_was_not(rng):
    class Recurrent(nn.Cell):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(8, 16, batch_first=True)
            self.head = nn.Dense(16, 3)

        def construct(self, x):
            return self.head(self.lstm(x)[0])

    x = rng.standard_normal((2, 5, 8)).astype(np.float32)
    mixed = gs.convert(Recurrent(), x, layers={"head": "float16"})
    assert mixed.document().title == "Recurrent: float16 weights"
    assert "Left in float32, since no pass knows their operators: lstm" in mixed.notes[-1]
    noted = gs.convert(Recurrent(), x, activations="int8", simulate=False)
    assert noted.document().title == "Recurrent: activation scales noted"
    assert noted.layers[0].activations == "float32, noted as uint8 per tensor"


def test_a_dictionary_keeps_its_keys_through_the_file(rng, tmp_path):
    x = rng.standard_normal((3, 8)).astype(np.float32)
    conversion = gs.convert(DictOutput(), x, weights="int8")
    loaded = gs.load(gs.export(conversion, tmp_path / "dictionary.mindir").path)
    expected, actual = conversion(x), loaded(x)
    assert list(actual) == list(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(actual[key], value, rtol=1e-5)


def test_a_file_exported_while_training_is_held_against_its_inference_form(rng, tmp_path):
    network = filled(LeNet(), rng)
    x = random_input(LeNet, rng)
    network.set_train(True)
    mindspore.export(network, Tensor(x), file_name=str(tmp_path / "training.mindir"), file_format="MINDIR")
    conversion = gs.convert(tmp_path / "training.mindir", x)
    assert conversion.verification.relative_error < 1e-4
    expected = network.set_train(False)(Tensor(x)).asnumpy()
    np.testing.assert_allclose(conversion(x), expected, rtol=1e-3, atol=1e-4)


def test_nan_in_the_input_is_said(rng):
    x = np.full((3, 8), np.nan, np.float32)
    conversion = gs.convert(MLP(), x)
    assert "The input holds NaN, so the verification says little." in conversion.notes
