import math

import numpy as np
import pytest
from mindspore import nn, ops

from gsjupyter.errors import InputError, UnsupportedError
from gsjupyter.layer_errors import SAMPLES_AT_ONCE, layer_errors
from gsjupyter.passes import LayerSetting, PackWeights, apply
from tests.networks import MLP, LeNet, TwoInputs, filled, random_input
from tests.passes.networks import AppliedTwice, normal, randomized, standard, with_statistics
from tests.quantized import quantized


def converted(network, *inputs, **options):
    """Return a network in float and quantized."""
    return quantized(network, *inputs, **options)[:2]


def rounded_weight(weight, bits=8):
    highest = 2 ** (bits - 1) - 1
    scale = np.abs(weight).max(axis=1, keepdims=True) / highest
    return np.round(weight / scale) * scale


def rounded_input(values, low, high):
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / 255
    zero_point = np.round(-low / scale)
    return (np.clip(np.round(values / scale) + zero_point, 0, 255) - zero_point) * scale


def ratio(reference, actual):
    return 10 * math.log10(np.sum(reference**2) / np.sum((reference - actual) ** 2))


def found_of(errors):
    return {error.name: (error.isolated_sqnr_db, error.accumulated_sqnr_db) for error in errors}


@pytest.mark.parametrize("bits", [8, 4])
def test_both_errors_are_what_numpy_computes(bits, rng):
    network = filled(MLP(), rng)
    x = normal(rng, 64, 8)
    weights = [cell.weight.asnumpy().astype(np.float64) for cell in (network.fc1, network.fc2)]
    biases = [cell.bias.asnumpy().astype(np.float64) for cell in (network.fc1, network.fc2)]
    stored = [rounded_weight(weight, bits) for weight in weights]
    first = x @ weights[0].T + biases[0]
    hidden = np.maximum(first, 0)
    second = hidden @ weights[1].T + biases[1]
    first_rounded = rounded_input(x, x.min(), x.max()) @ stored[0].T + biases[0]

    def last(values):
        return rounded_input(values, 0, hidden.max()) @ stored[1].T + biases[1]

    errors = layer_errors(*converted(network, x, setting=LayerSetting(f"int{bits}", "int8")), x)
    found = found_of(errors)
    assert list(found) == ["fc1", "fc2"]
    assert found["fc1"] == pytest.approx([ratio(first, first_rounded)] * 2, abs=0.05)
    wanted = ratio(second, last(hidden)), ratio(second, last(np.maximum(first_rounded, 0)))
    assert found["fc2"] == pytest.approx(wanted, abs=0.05)
    assert errors.samples == 64


def test_what_is_not_quantized_has_no_error_of_its_own_but_that_of_those_before(rng):
    network = filled(MLP(), rng)
    x = normal(rng, 16, 8)
    found = found_of(layer_errors(*converted(network, x, overrides={"fc2": "float32"}), x))
    assert found["fc2"][0] is None
    assert 20 < found["fc2"][1] < 80
    nothing = found_of(layer_errors(*converted(network, x, setting=LayerSetting()), x))
    assert nothing == {"fc1": (None, math.inf), "fc2": (None, math.inf)}


@pytest.mark.parametrize(
    ("setting", "least", "most"),
    [
        (LayerSetting("int8"), 35, 60),
        (LayerSetting("float16"), 60, 90),
        (LayerSetting("int4", granularity="group:8"), 12, 32),
        (LayerSetting("int8", symmetric=False), 35, 60),
        (LayerSetting("float32", "int8"), 35, 60),
    ],
    ids=["weights", "float16", "groups", "asymmetric", "inputs"],
)
def test_every_form_of_storage_is_measured(setting, least, most, rng):
    network = with_statistics(filled(LeNet(), rng), rng)
    x = random_input(network, rng)
    errors = layer_errors(*converted(network, x, setting=setting), x)
    assert [error.name for error in errors] == ["conv1", "conv2", "classifier.0", "classifier.2", "classifier.4"]
    assert all(least < error.isolated_sqnr_db < most for error in errors)
    assert errors[0].accumulated_sqnr_db == pytest.approx(errors[0].isolated_sqnr_db, abs=0.01)


def test_packed_integers_are_measured_as_they_were(rng):
    network = filled(LeNet(), rng)
    x = random_input(network, rng)
    float_model, model = converted(network, x, setting=LayerSetting("int4", "int8"))
    packed, result = apply(PackWeights(model), model)
    assert result.done
    assert list(layer_errors(float_model, packed, x)) == list(layer_errors(float_model, model, x))


def test_inputs_that_are_only_noted_are_not_quantized(rng):
    network = filled(MLP(), rng)
    x = normal(rng, 16, 8)
    found = found_of(layer_errors(*converted(network, x, setting=LayerSetting("float32", "int8"), simulate=False), x))
    assert found == {"fc1": (None, math.inf), "fc2": (None, math.inf)}


def test_a_layer_that_is_applied_twice_counts_with_both_outputs(rng):
    network = randomized(AppliedTwice(), rng)
    x = normal(rng, 32, 8)
    weight, bias = network.fc.weight.asnumpy().astype(np.float64), network.fc.bias.asnumpy()
    stored = rounded_weight(weight)
    first, first_stored = x @ weight.T + bias, x @ stored.T + bias
    second = 100 * first @ weight.T + bias
    alone, together = 100 * first @ stored.T + bias, 100 * first_stored @ stored.T + bias
    found = found_of(layer_errors(*converted(network, x, setting=LayerSetting("int8")), x))
    wanted = [ratio(np.stack([first, second]), np.stack([first_stored, last])) for last in (alone, together)]
    assert found == {"fc": pytest.approx(wanted, abs=0.05)}


def test_a_large_batch_is_cut_and_gives_the_same(rng, monkeypatch):
    network = filled(LeNet(), rng)
    x = normal(rng, 2 * SAMPLES_AT_ONCE + 3, *LeNet.input_shape[1:])
    models = converted(network, x)
    in_pieces = layer_errors(*models, x)
    monkeypatch.setattr("gsjupyter.layer_errors.SAMPLES_AT_ONCE", len(x))
    at_once = layer_errors(*models, x)
    for one, other in zip(in_pieces, at_once, strict=True):
        assert one.isolated_sqnr_db == pytest.approx(other.isolated_sqnr_db, abs=1e-3)
        assert one.accumulated_sqnr_db == pytest.approx(other.accumulated_sqnr_db, abs=1e-3)
    assert in_pieces.samples == len(x)


class BatchBuiltIn(nn.Cell):
    """Its batch size of 16 is a constant of the graph."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(8, 6)
        self.last = nn.Dense(6, 4)

    def construct(self, x):
        return self.last(ops.reshape(self.fc(x), (16, 6)))


def test_a_network_with_its_batch_size_built_in_is_run_whole(rng):
    network = filled(BatchBuiltIn(), rng)
    x = normal(rng, 16, 8)
    errors = layer_errors(*converted(network, x), x)
    assert all(30 < error.accumulated_sqnr_db < 70 for error in errors)


def test_several_inputs_are_a_tuple(rng):
    network = filled(TwoInputs(), rng)
    x = normal(rng, 4, 8), normal(rng, 4, 4)
    assert [error.name for error in layer_errors(*converted(network, *x), x)] == ["left", "right"]


def test_the_models_stay_as_they_are(rng):
    network = filled(MLP(), rng)
    x = normal(rng, 4, 8)
    models = converted(network, x)
    before = [model.to_bytes() for model in models]
    layer_errors(*models, x)
    assert [model.to_bytes() for model in models] == before


def test_networks_of_other_layers_can_not_be_compared(rng):
    mlp, two = filled(MLP(), rng), filled(LeNet(), rng)
    x = normal(rng, 4, 8)
    with pytest.raises(UnsupportedError, match=r"layer \S+ is not in both networks.*2 against 5"):
        layer_errors(standard(mlp, x), standard(two, random_input(two, rng)), x)


def test_input_that_does_not_fit_is_told(rng):
    network = filled(MLP(), rng)
    x = normal(rng, 4, 8)
    with pytest.raises(InputError, match="input x of MLP has shape"):
        layer_errors(*converted(network, x), normal(rng, 4, 9))
