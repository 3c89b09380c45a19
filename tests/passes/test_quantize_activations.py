import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn

from gsjupyter.calibration import observe
from gsjupyter.errors import OptionError
from gsjupyter.mindir import load_model, save_model
from gsjupyter.passes import FoldBatchNorm, LayerSetting, LayerSettings, QuantizeActivations, activation_inputs
from gsjupyter.quantization import ACTIVATION_UINT8, ActivationSketch, activation_range
from tests.networks import MLP, LeNet, filled, random_input
from tests.passes.networks import (
    AppliedTwice,
    Attention,
    Nested,
    TwoWeightsInOneCell,
    assert_output,
    expected,
    normal,
    operators,
    randomized,
    reasons,
    standard,
    steps,
)

ALL = LayerSettings(LayerSetting(activations="int8"))


def rounded(x, low, high):
    """Round to 256 values between low and high (and 0), by the formula in the books."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32((high - low) / 255)
    zero_point = np.clip(np.round(-low / scale), 0, 255)
    return ((np.clip(np.round(x / scale) + zero_point, 0, 255) - zero_point) * scale).astype(np.float32)


def observed(seen):
    sketch = ActivationSketch()
    sketch.update(np.array(seen))
    return sketch


def quantized(network, x, *, ranges=None, formats=ALL, observer="minmax", simulate=True):
    """Return a network with quantized activations, calibrated on the input itself if no ranges are given."""
    model, _ = steps(FoldBatchNorm(), model=standard(network, x))
    sketches = observe(model, [(x,)], formats) if ranges is None else list(map(observed, ranges))
    step = QuantizeActivations(ACTIVATION_UINT8, sketches, formats, observer=observer, simulate=simulate)
    converted, (_, result) = steps(FoldBatchNorm(), step, model=model)
    return converted, result, step


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (-0.3, 2.5), (0, 3), (-3, 0), (0.5, 2), (-2, -0.5), (-50, 70)])
def test_the_output_is_that_of_a_rounded_input(low, high, rng):
    x = rng.uniform(1.2 * min(low, 0), 1.2 * max(high, 0), (16, 8)).astype(np.float32)
    network = randomized(nn.SequentialCell(nn.Dense(8, 5)), rng)
    model, result, _ = quantized(network, x, ranges=[(low, high)])
    assert [change.reason for change in result.done] == ["input simulated as uint8 per tensor"]
    assert_output(model, expected(network, rounded(x, low, high)), x)


def test_ties_go_to_the_even_integer(rng):
    network = randomized(nn.SequentialCell(nn.Dense(8, 5, has_bias=False)), rng)
    x = np.array([[0.5, 1.5, 2.5, 3.5, -0.5, -1.5, 0.0, 100.5]], np.float32)
    model, _, _ = quantized(network, x, ranges=[(-127.0, 128.0)])
    assert_output(model, expected(network, np.array([[0, 2, 2, 4, 0, -2, 0, 100]], np.float32)), x)


def test_each_layer_of_a_network_has_its_own_range(rng):
    x = normal(rng, 4, 8)
    network = filled(MLP(), rng)
    model, _, step = quantized(network, x)
    hidden = expected(network.fc1, rounded(x, x.min(), x.max()))
    unrounded = expected(network.fc1, x)
    wanted = expected(network.fc2, rounded(hidden, unrounded.min(), unrounded.max()))
    assert_output(model, wanted, x)
    assert step.statistics["fc1"].low == pytest.approx(x.min())
    assert step.statistics["fc2"].high == pytest.approx(unrounded.max())
    assert step.statistics["fc2"].zero_point == 0  # after a ReLU


def test_layers_that_read_one_value_share_its_rounding(rng):
    x = normal(rng, 4, 8)
    model, result, step = quantized(randomized(Attention(), rng), x)
    assert sorted(step.statistics) == ["key", "out", "query"]
    assert step.statistics["query"] == step.statistics["key"]
    assert operators(model).count("Rint") == 2
    assert len(result.done) == 3


@pytest.mark.parametrize(
    "network",
    [AppliedTwice(), TwoWeightsInOneCell(), Nested(TwoWeightsInOneCell())],
    ids=["one-layer-twice", "two-in-one-cell", "two-in-a-nested-cell"],
)
def test_a_layer_that_reads_values_of_different_size_does_not_lose_them(network, rng):
    x = normal(rng, 16, 8)
    randomized(network, rng)
    model, _, _ = quantized(network, x)
    assert_output(model, expected(network, x), x, relative=0.1)


def test_annotations_leave_the_output_as_it_is_and_are_in_the_file(rng, tmp_path):
    x = normal(rng, 4, 8)
    network = filled(MLP(), rng)
    model, result, step = quantized(network, x, simulate=False)
    assert_output(model, expected(network, x), x, relative=1e-6)
    assert operators(model) == operators(standard(network, x))
    assert [change.reason for change in result.done] == ["input annotated as uint8 per tensor"] * 2
    save_model(model, tmp_path / "annotated.mindir")
    loaded = load_model(tmp_path / "annotated.mindir")
    products = loaded.graph().nodes("MatMul")
    for node, name in zip(products, ("fc1", "fc2"), strict=True):
        assert node.annotations["input_scale"] == pytest.approx(step.statistics[name].scale)
        assert node.annotations["input_zero_point"] == step.statistics[name].zero_point
    cell = nn.GraphCell(mindspore.load(str(tmp_path / "annotated.mindir")))
    np.testing.assert_allclose(cell(Tensor(x)).asnumpy(), expected(network, x), rtol=1e-5, atol=1e-5)


def test_layers_to_keep_are_neither_watched_nor_rounded(rng):
    x = normal(rng, 4, 8)
    network = filled(MLP(), rng)
    formats = LayerSettings(LayerSetting("int8", "int8"), {"fc1": "float32"})
    model, _ = steps(FoldBatchNorm(), model=standard(network, x))
    watched = activation_inputs(model.graph(), formats).values()
    assert [operator.name for group in watched for operator in group] == ["fc2"]
    converted, _, step = quantized(network, x, formats=formats)
    assert list(step.statistics) == ["fc2"]
    hidden = expected(network.fc1, x)
    assert_output(converted, expected(network.fc2, rounded(hidden, hidden.min(), hidden.max())), x)


def test_an_input_that_calibration_never_saw_is_left_alone_with_the_reason(rng):
    x = normal(rng, 4, 8)
    network = filled(MLP(), rng)
    model, result, _ = quantized(network, x, ranges=[(-3, 3), ()])
    assert reasons(result) == ["calibration saw no values"]
    assert operators(model).count("Rint") == 1


def test_an_input_that_is_always_zero_stays_zero(rng):
    x = np.zeros((4, 8), np.float32)
    network = randomized(nn.SequentialCell(nn.Dense(8, 5)), rng)
    model, _, _ = quantized(network, x)
    assert_output(model, expected(network, x), x)


def test_the_lookup_of_an_embedding_is_not_rounded(rng):
    tokens = rng.integers(0, 11, (2, 5)).astype(np.int32)
    network = randomized(nn.SequentialCell(nn.Embedding(11, 8), nn.Dense(8, 4)), rng)
    _, _, step = quantized(network, tokens)
    assert list(step.statistics) == ["1"]


def test_a_convolutional_network_loses_little(rng):
    network = filled(LeNet(), rng)
    x = random_input(network, rng)
    model, _, _ = quantized(network, x)
    assert_output(model, expected(network, x), x, relative=0.05)


@pytest.mark.parametrize("observer", ["percentile", "mse", "entropy"])
def test_the_observer_chooses_the_range(observer, rng):
    x = normal(rng, 4096, 8)
    x[0, 0] = 40
    network = randomized(nn.SequentialCell(nn.Dense(8, 5)), rng)
    model, _, step = quantized(network, x, observer=observer)
    found = step.statistics["0"]
    assert (found.low, found.high) == activation_range(found.sketch, ACTIVATION_UINT8, observer)
    assert found.high < 40
    assert_output(model, expected(network, rounded(x, found.low, found.high)), x)


def test_an_observer_that_is_not_there_is_refused():
    with pytest.raises(OptionError, match="an observer must be one of minmax"):
        QuantizeActivations(ACTIVATION_UINT8, [], ALL, observer="mean")


def test_statistics_say_what_was_seen_what_was_chosen_and_what_it_costs(rng):
    x = normal(rng, 2048, 8)
    network = randomized(nn.SequentialCell(nn.Dense(8, 5)), rng)
    _, _, step = quantized(network, x, observer="percentile")
    found = step.statistics["0"]
    assert (found.observed_low, found.observed_high) == (x.min(), x.max())
    assert found.observed_low < found.low < 0 < found.high < found.observed_high
    assert found.observer == "percentile"
    noise = np.mean((x - rounded(x, found.low, found.high)) ** 2)
    assert found.sqnr_db == pytest.approx(10 * np.log10(np.mean(x**2) / noise), abs=0.05)
    assert found.clipped_share == pytest.approx(np.mean((x < found.low) | (x > found.high)), abs=1e-4)
    assert found.sketch.count == x.size
