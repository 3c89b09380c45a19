"""What is measured of each layer, against what the network does with its weights rounded by the formula."""

import numpy as np
import pytest

from gsjupyter.errors import InputError, ParameterError, TimeLimitError, UnsupportedError
from gsjupyter.layer_gains import measure_sensitivity
from gsjupyter.mindir import Runner
from gsjupyter.opening import open_source
from gsjupyter.passes import LayerSetting, LayerSettings, linear_operators
from gsjupyter.quantization.sensitivity import decibel
from gsjupyter.standard_form import StandardForm
from tests.digits import trained
from tests.networks import MLP, DictOutput, Embedding, LeNet, Shared, TwoInputs, filled, random_input
from tests.zoo.predict_one import Network, predict_one, random_settings


@pytest.fixture(scope="module")
def digits():
    return trained(0)


def standard(network, *inputs):
    return StandardForm(open_source(network, inputs, None, simulate=True), simulate=True).run(lambda _: None)


@pytest.fixture
def x(rng):
    return random_input(LeNet, rng)


@pytest.fixture
def lenet(rng, x):
    return standard(filled(LeNet(), rng).set_train(False), x)


def names(sensitivity):
    return [layer.name for layer in sensitivity.layers]


@pytest.mark.slow
def test_lenets_errors_are_predicted(digits):
    found = predict_one("lenet", digits.network, (digits.test_images[:64],), (digits.test_images[64:],))
    assert found.correlation >= 0.97
    assert found.median_db <= 1.0
    for bits in (4, 5):
        uniform, best = found.budgets[bits]
        assert best >= uniform + 3


@pytest.mark.slow
def test_a_layer_alone_has_the_error_that_was_measured(digits):
    network, x = Network(digits.network, (digits.test_images[:16],)), (digits.test_images[:16],)
    costs = {cost.name: cost for cost in measure_sensitivity(network.model, x, LayerSettings()).model.layers}
    for layer in ("features.0", "classifier.3"):
        for bits in (2, 4, 8):
            expected = network.sqnr_db({layer: bits}, x)
            assert decibel(costs[layer].contributions[bits]) == pytest.approx(expected, abs=0.01)


def test_the_network_stays_as_it_is(lenet, x):
    before = lenet.to_bytes()
    measure_sensitivity(lenet, (x,), LayerSettings())
    assert lenet.to_bytes() == before


def test_measuring_twice_gives_the_same(lenet, x):
    one, two = (measure_sensitivity(lenet, (x,), LayerSettings()) for _ in range(2))
    assert one.model == two.model
    assert one.choices == two.choices


def test_layers_to_keep_are_not_measured_but_counted(lenet, x):
    settings = LayerSettings(overrides={"conv1": "float32", "classifier.0": "float16"})
    sensitivity = measure_sensitivity(lenet, (x,), settings)
    assert names(sensitivity) == ["conv2", "classifier.2", "classifier.4"]
    assert sensitivity.fixed_bytes == 4 * 150 + 2 * 48_000
    assert sensitivity.float_size_bytes == 4 * (150 + 2_400 + 48_000 + 10_080 + 840)
    assert sensitivity.allocate(10**9).size_bytes == sensitivity.fixed_bytes + sum(
        max(item.sizes_bytes) for item in sensitivity.choices
    )


def test_bits_that_were_asked_for_are_not_chosen_anew(lenet, x):
    settings = LayerSettings(overrides={"conv*": {"weights": "int8"}, "classifier.0": {"granularity": "group:32"}})
    sensitivity = measure_sensitivity(lenet, (x,), settings, bits=(4, 8))
    assert [item.bits for item in sensitivity.choices] == [(8,), (8,), (4, 8), (4, 8), (4, 8)]
    assert sensitivity.choices[2].sizes_bytes[0] == 48_000 // 2 + 4 * 120 * -(-400 // 32) + 120 * 16 // 2
    assert sensitivity.allocate("6x").bits["conv2"] == 8


def test_what_the_default_says_of_formats_does_not_matter(lenet, x):
    for weights in ("float32", "float16", "int4"):
        sensitivity = measure_sensitivity(lenet, (x,), LayerSettings(LayerSetting(weights=weights)), bits=(3, 5))
        assert {item.bits for item in sensitivity.choices} == {(3, 5)}


def test_ranges_are_clipped_as_they_will_be(lenet, x):
    plain = measure_sensitivity(lenet, (x,), LayerSettings(), bits=(3,))
    clipped = measure_sensitivity(lenet, (x,), LayerSettings(LayerSetting(observer="mse")), bits=(3,))
    pairs = list(zip(plain.model.layers, clipped.model.layers, strict=True))
    assert all(other.weight_errors[3] <= cost.weight_errors[3] for cost, other in pairs)
    assert any(other.weight_errors[3] < 0.9 * cost.weight_errors[3] for cost, other in pairs)
    assert all(other.measured != cost.measured for cost, other in pairs)


def test_ranges_are_clipped_by_the_share_asked_for(lenet, x):
    plain, clipped = (
        measure_sensitivity(lenet, (x,), LayerSettings(LayerSetting(observer="mse", clipping=share)), bits=(8,))
        for share in (1.0, 0.5)
    )
    for cost, other in zip(plain.model.layers, clipped.model.layers, strict=True):
        assert other.weight_errors[8] > 3 * cost.weight_errors[8]
        assert other.measured[8] > cost.measured[8]


def test_what_would_take_too_long_is_not_begun(lenet, x):
    with pytest.raises(TimeLimitError, match="measuring sensitivity would take about") as caught:
        measure_sensitivity(lenet, (x,), LayerSettings(), at_most_s=0.0)
    assert caught.value.estimated_s > 0
    assert measure_sensitivity(lenet, (x,), LayerSettings(), bits=(8,), at_most_s=600.0).choices


def test_layers_that_share_a_weight_are_measured_together(rng):
    x = random_input(Shared, rng)
    model = standard(filled(Shared(), rng).set_train(False), x)
    sensitivity = measure_sensitivity(model, (x,), LayerSettings())
    assert len({operator.weight for operator in linear_operators(model.graph())}) == len(sensitivity.layers)
    assert sum(layer.parameters for layer in sensitivity.layers) == sum(
        weight.array.size for weight in {operator.weight for operator in linear_operators(model.graph())}
    )


def test_several_inputs_and_several_outputs(rng):
    image, text = rng.standard_normal((3, 8)).astype(np.float32), rng.standard_normal((3, 4)).astype(np.float32)
    model = standard(filled(TwoInputs(), rng), image, text)
    assert names(measure_sensitivity(model, (image, text), LayerSettings())) == ["left", "right"]
    network, x = filled(DictOutput(), rng), rng.standard_normal((3, 8)).astype(np.float32)
    found = measure_sensitivity(standard(network, x), (x,), LayerSettings())
    body, head = found.model.layers
    # What only one of two outputs reads changes their mean half as much.
    reference = network(*map(_tensor, [x]))["logits"].asnumpy()
    weight = network.head.weight.asnumpy()
    step = np.abs(weight).max(axis=1, keepdims=True) / 7
    features = network(*map(_tensor, [x]))["features"].asnumpy()
    error = features @ (np.rint(weight / step) * step - weight).T
    expected = np.square(error).mean() / np.square(reference).mean() / 2
    assert head.measured[4] == pytest.approx(expected, rel=1e-3)
    assert body.measured[4] > 0


def _tensor(array):
    from mindspore import Tensor

    return Tensor(array)


def test_integers_in(rng):
    words = rng.integers(0, 20, (4, 5)).astype(np.int32)
    model = standard(filled(Embedding(), rng), words)
    assert names(measure_sensitivity(model, (words,), LayerSettings())) == ["table", "fc"]


def test_quantized_inputs_add_what_they_cost(lenet, x, rng):
    other = standard(filled(LeNet(), np.random.default_rng(1)).set_train(False), x)
    sensitivity = measure_sensitivity(lenet, (x,), LayerSettings(), bits=(8,), quantized_inputs=other)
    reference, actual = (np.asarray(Runner(model)(x), np.float64) for model in (lenet, other))
    expected = np.square(reference - actual).mean() / np.square(reference).mean()
    assert sensitivity.model.activation_error == pytest.approx(expected)
    assert sensitivity.predict({}) == pytest.approx(-10 * np.log10(expected))


def test_a_network_without_such_layers_is_refused(lenet, x):
    with pytest.raises(UnsupportedError, match="LeNet has no layer whose weight could be quantized"):
        measure_sensitivity(lenet, (x,), LayerSettings(overrides={"*": "float32"}))


def test_weights_that_are_no_numbers_are_refused(rng):
    network = filled(MLP(), rng)
    weight = network.fc1.weight.asnumpy().copy()
    weight[0, 0] = np.nan
    network.fc1.weight.set_data(_tensor(weight))
    x = np.zeros((3, 8), np.float32)
    with pytest.raises(ParameterError, match=r"layer fc1 .* 1 NaN weights"):
        measure_sensitivity(standard(network, x), (x,), LayerSettings())


def test_input_that_gives_nothing_to_measure_is_refused(rng):
    network = filled(DictOutput(), rng)
    for name, parameter in network.parameters_dict().items():
        if name.endswith("bias"):
            parameter.set_data(_tensor(np.zeros(parameter.shape, np.float32)))
    x = np.zeros((3, 8), np.float32)
    with pytest.raises(InputError, match="the output is 0 for this example"):
        measure_sensitivity(standard(network, x), (x,), LayerSettings())
    with pytest.raises(InputError, match="holds NaN"):
        measure_sensitivity(standard(network, x), (np.full_like(x, np.nan),), LayerSettings())


def test_random_settings_are_within_what_is_measured():
    settings = random_settings(["a", "b"], 50, np.random.default_rng(0))
    assert {bits for setting in settings for bits in setting.values()} == set(range(3, 9))
