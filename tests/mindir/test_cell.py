from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from gsjupyter.errors import InputError, SourceError
from gsjupyter.mindir import Runner, as_tensor, model_from_cell
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

MODES = {"graph": mindspore.GRAPH_MODE, "pynative": mindspore.PYNATIVE_MODE}


@pytest.fixture(params=MODES)
def mode(request):
    """Run a test in both of MindSpore's modes."""
    before = mindspore.get_context("mode")
    mindspore.set_context(mode=MODES[request.param])
    yield MODES[request.param]
    mindspore.set_context(mode=before)


def outputs_of(network, *arrays):
    network.set_train(False)
    return network(*[Tensor(array) for array in arrays])


def floats(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("kind", [LeNet, MLP, Depthwise, Functional, Shared])
def test_the_model_computes_what_the_network_does(kind, rng):
    network = filled(kind(), rng)
    x = random_input(network, rng)
    actual = Runner(model_from_cell(network, [x]))(x)
    np.testing.assert_allclose(actual, outputs_of(network, x).asnumpy(), rtol=1e-5, atol=1e-6)


def test_it_does_so_in_both_modes(mode, rng):
    network = filled(LeNet(), rng)
    x = random_input(network, rng)
    actual = Runner(model_from_cell(network, [x]))(x)
    np.testing.assert_allclose(actual, outputs_of(network, x).asnumpy(), rtol=1e-5, atol=1e-6)


def test_integers_are_taken_as_they_are(rng):
    network, words = filled(Embedding(), rng), rng.integers(0, 20, (3, 5)).astype(np.int32)
    model = model_from_cell(network, [words])
    assert model.inputs[0].dtype == "int32"
    np.testing.assert_allclose(Runner(model)(words), outputs_of(network, words).asnumpy(), rtol=1e-5, atol=1e-6)


def test_inputs_have_the_names_of_the_arguments(rng):
    image, text = floats(rng, 3, 8), floats(rng, 3, 4)
    network = filled(TwoInputs(), rng)
    model = model_from_cell(network, [image, text])
    assert [(spec.name, spec.shape, spec.dtype) for spec in model.inputs] == [
        ("image", (3, 8), "float32"),
        ("text", (3, 4), "float32"),
    ]
    np.testing.assert_allclose(
        Runner(model)(image, text), outputs_of(network, image, text).asnumpy(), rtol=1e-5, atol=1e-6
    )


def test_a_dictionary_keeps_its_keys(rng):
    network, x = filled(DictOutput(), rng), floats(rng, 3, 8)
    outputs, expected = Runner(model_from_cell(network, [x]))(x), outputs_of(network, x)
    assert list(outputs) == ["features", "logits"]
    for key, array in outputs.items():
        np.testing.assert_allclose(array, expected[key].asnumpy(), rtol=1e-5, atol=1e-6)


def test_a_network_after_one_with_a_dictionary_has_no_keys(rng):
    model_from_cell(DictOutput(), [floats(rng, 3, 8)])
    assert model_from_cell(MLP(), [floats(rng, 3, 8)]).output_keys == ()


def test_a_tuple_stays_a_tuple(rng):
    network, x = filled(TupleOutput(), rng), floats(rng, 3, 8)
    hidden, activated = Runner(model_from_cell(network, [x]))(x)
    np.testing.assert_array_equal(activated, np.maximum(hidden, 0))


def test_nested_tuples_stay_nested(rng):
    network, x = filled(NestedOutput(), rng), floats(rng, 3, 8)
    hidden, (activated, (bent, same)) = Runner(model_from_cell(network, [x]))(x)
    np.testing.assert_array_equal(activated, np.maximum(hidden, 0))
    np.testing.assert_allclose(bent, np.tanh(hidden), rtol=1e-5)
    np.testing.assert_array_equal(same, x)


@pytest.mark.parametrize("batch", [1, 5])
def test_a_dynamic_axis_stays_dynamic(batch, rng):
    network = filled(AnyBatch(), rng)
    model = model_from_cell(network, [Tensor(shape=[None, 8], dtype=mindspore.float32)])
    assert model.inputs[0].shape == (-1, 8)
    x = floats(rng, batch, 8)
    np.testing.assert_allclose(Runner(model)(x), outputs_of(network, x).asnumpy(), rtol=1e-5, atol=1e-6)


def test_control_flow_is_exported_as_functions(rng):
    model = model_from_cell(filled(ControlFlow(), rng), [floats(rng, 3, 8)])
    assert model.functions
    assert not model.is_editable


def test_the_model_is_called_as_the_class(rng):
    assert model_from_cell(MLP(), [floats(rng, 3, 8)]).name == "MLP"


def test_batch_norm_is_exported_for_inference_whatever_the_mode_of_training(rng):
    network = filled(LeNet(), rng)
    x = random_input(network, rng)
    network.set_train(True)
    assert model_from_cell(network, [x]).graph().nodes("BatchNorm")[0].argument("is_training") is False


def test_every_parameter_is_byte_for_byte_as_before(mode, rng):
    network = filled(LeNet(), rng)
    x = random_input(network, rng)
    network.set_train(True)
    before = state(network)
    Runner(model_from_cell(network, [x]))(x)
    assert state(network) == before


def test_the_training_flag_of_every_cell_is_as_before(mode, rng):
    network = LeNet()
    network.set_train(True)
    network.bn1.set_train(False)
    before = [cell.training for _, cell in network.cells_and_names()]
    model_from_cell(network, [random_input(network, rng)])
    assert [cell.training for _, cell in network.cells_and_names()] == before


def test_the_training_flags_are_as_before_even_if_it_cannot_be_compiled(mode, rng):
    network = Uncompilable()
    network.set_train(True)
    with pytest.raises((SourceError, InputError)):
        model_from_cell(network, [floats(rng, 3, 8)])
    assert all(cell.training for _, cell in network.cells_and_names())


def test_phase_and_compiled_graphs_of_the_network_are_as_before(mode, rng):
    network = filled(MLP(), rng)
    x = random_input(network, rng)
    outputs_of(network, x)
    before = [attributes_of(cell) for _, cell in network.cells_and_names()]
    model_from_cell(network, [x])
    assert [attributes_of(cell) for _, cell in network.cells_and_names()] == before


def attributes_of(cell):
    return {
        name: set(value) if isinstance(value, set) else dict(value) if isinstance(value, dict) else value
        for name, value in vars(cell).items()
        if isinstance(value, str | int | float | bool | set | dict | type(None))
    }


def test_the_network_trains_on_as_if_nothing_had_happened(mode, rng):
    def trained(*, exported):
        network = filled(MLP(), np.random.default_rng(5))
        x = Tensor(random_input(network, np.random.default_rng(6)))
        network.set_train(True)
        step = nn.TrainOneStepCell(network_with_loss(network), nn.SGD(network.trainable_params(), 0.1))
        for _ in range(2):
            step(x)
            if exported:
                model_from_cell(network, [x])
        return state(network)

    assert trained(exported=True) == trained(exported=False)


class network_with_loss(nn.Cell):  # noqa: N801 - used as a function
    def __init__(self, network):
        super().__init__(auto_prefix=False)
        self.network = network

    def construct(self, x):
        return ops.square(self.network(x)).mean()


@pytest.mark.parametrize("called_before", [True, False])
def test_a_network_that_was_changed_in_place_is_exported_anew(mode, called_before, rng):
    network = filled(MLP(), rng)
    x = random_input(network, rng)
    if called_before:
        outputs_of(network, x)
    model_from_cell(network, [x])
    network.fc2 = filled(nn.Dense(16, 7), rng)
    actual = Runner(model_from_cell(network, [x]))(x)
    assert actual.shape == (3, 7)
    hidden = network.fc1(Tensor(x)).asnumpy()
    expected = hidden @ network.fc2.weight.asnumpy().T + network.fc2.bias.asnumpy()
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_new_values_of_a_parameter_are_exported(mode, rng):
    network = filled(MLP(), rng)
    x = random_input(network, rng)
    model_from_cell(network, [x])
    network.fc2.bias.set_data(network.fc2.bias + 10)
    np.testing.assert_allclose(
        Runner(model_from_cell(network, [x]))(x), outputs_of(network, x).asnumpy(), rtol=1e-4, atol=1e-4
    )


def test_the_context_is_as_before(mode, rng):
    before = mindspore.get_context("jit_syntax_level")
    model_from_cell(MLP(), [floats(rng, 3, 8)])
    assert (mindspore.get_context("mode"), mindspore.get_context("jit_syntax_level")) == (mode, before)


def test_a_failure_is_told_in_words_and_leaves_nothing_behind(mode, capfd, working_directory, rng):
    before = mindspore.get_context("jit_syntax_level")
    with pytest.raises((SourceError, InputError), match=r"Uncompilable") as caught:
        model_from_cell(Uncompilable(), [floats(rng, 3, 8)])
    assert len(str(caught.value).splitlines()) <= 3
    assert (mindspore.get_context("mode"), mindspore.get_context("jit_syntax_level")) == (mode, before)
    assert list(working_directory.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_what_the_compiler_left_of_another_run_is_not_touched(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    users = tmp_path / "rank_0" / "om" / "mine.txt"
    users.parent.mkdir(parents=True)
    users.write_text("mine")
    with pytest.raises((SourceError, InputError)):
        model_from_cell(Uncompilable(), [floats(rng, 3, 8)])
    assert [path.name for path in users.parent.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_wrong_number_of_inputs_is_told_with_their_names(count, rng):
    with pytest.raises(InputError, match=rf"TwoInputs takes 2 inputs \(image, text\), {count} given"):
        model_from_cell(TwoInputs(), [floats(rng, 3, 8)] * count)


def test_an_input_of_another_shape_is_told(capfd, rng):
    with pytest.raises((InputError, SourceError), match=r"MLP .*\(3, 9\)"):
        model_from_cell(MLP(), [floats(rng, 3, 9)])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("value", ["text", None, {"x": 1}, [1.0, 2.0]])
def test_what_is_no_input_is_refused(value):
    with pytest.raises(InputError, match="must be a Tensor or a numpy array"):
        as_tensor(value)


def test_an_exception_of_the_users_own_code_is_told(mode, rng):
    class Raises(nn.Cell):
        def construct(self, x):
            return self.missing_layer(x)

    with pytest.raises(SourceError, match="Raises"):
        model_from_cell(Raises(), [floats(rng, 3, 8)])


class TookOver(nn.Cell):
    """Computes with a weight of its own in place of that of a layer, as Golden Stick's deployed cells do."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Dense(8, 4)
        self.weight = self.layer.weight
        self.layer.weight = None

    def construct(self, x):
        return ops.matmul(x, ops.transpose(self.weight, (1, 0)))


def test_a_parameter_that_was_given_up_does_not_stop_the_export(rng):
    network, x = TookOver(), rng.standard_normal((3, 8)).astype(np.float32)
    assert network.layer._params["weight"] is None
    before = dict(vars(network.layer))
    model = model_from_cell(network, [x])
    np.testing.assert_allclose(Runner(model)(x), x @ network.weight.asnumpy().T, rtol=1e-5, atol=1e-6)
    assert vars(network.layer) == before
    assert network.layer._params["weight"] is None


def test_two_parameters_of_one_name_are_told():
    class Twice(nn.Cell):
        def __init__(self):
            super().__init__()
            self.first, self.second = (mindspore.Parameter(np.ones(3, np.float32), name="same") for _ in range(2))

        def construct(self, x):
            return x * self.first + self.second

    with pytest.raises(SourceError, match="Twice has two parameters of one name"):
        model_from_cell(Twice(), [np.ones((2, 3), np.float32)])
