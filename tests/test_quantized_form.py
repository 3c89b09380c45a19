"""Conversions with the options that steer quantization, against what they are meant to compute."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from matplotlib import pyplot as plt
from mindspore import Tensor, nn

import gsjupyter as gs
from gsjupyter.errors import CalibrationError, OptionError
from gsjupyter.mindir import Runner
from gsjupyter.quantization import Scheme, quantize_weight, sqnr_db
from tests.networks import MLP, LeNet, filled, random_input


@pytest.fixture(autouse=True)
def figures():
    """Close the figures that a test has drawn."""
    yield
    plt.close("all")


@pytest.fixture
def mlp(rng):
    return filled(MLP(64, 48, 6), rng)


@pytest.fixture
def x(rng):
    return rng.standard_normal((32, 64)).astype(np.float32)


def with_weights(network, change):
    """Return a network with weights replaced by what `change` makes of them."""
    for name, parameter in network.parameters_dict().items():
        if name.endswith("weight"):
            parameter.set_data(Tensor(change(parameter.asnumpy())))
    return network


@pytest.mark.parametrize("weights", ["int7", "int4", "int3", "int2"])
@pytest.mark.parametrize("granularity", ["tensor", "channel", "group:16", "group:30"])
def test_the_output_is_that_of_the_network_with_quantized_weights(weights, granularity, mlp, x):
    conversion = gs.convert(mlp, x, weights=weights, granularity=granularity)
    scheme = Scheme(int(weights[3:]), granularity=granularity)
    expected = with_weights(mlp, lambda weight: quantize_weight(weight, 0, scheme).dequantize())(Tensor(x)).asnumpy()
    np.testing.assert_allclose(conversion(x), expected, rtol=1e-4, atol=1e-5)
    assert {record.weights for record in conversion.layers} == {f"{weights} per {granularity}"}


@pytest.mark.parametrize("settings", [{"weights": "int4"}, {"weights": "int3", "granularity": "group:16"}])
@pytest.mark.parametrize("asymmetric", [False, True])
def test_plain_mindspore_runs_packed_weights(settings, asymmetric, mlp, x, tmp_path):
    conversion = gs.convert(mlp, x, symmetric=not asymmetric, **settings)
    path = gs.export(conversion, tmp_path / "net.mindir").path
    loaded = nn.GraphCell(mindspore.load(str(path)))(Tensor(x)).asnumpy()
    np.testing.assert_allclose(loaded, conversion(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(gs.load(path)(x), conversion(x))
    assert conversion.passes[-1].name == "PackWeights"


def test_fewer_bits_make_a_smaller_file(rng):
    network = filled(MLP(256, 512, 16), rng)
    x = rng.standard_normal((2, 256)).astype(np.float32)
    sizes = {bits: gs.convert(network, x, weights=f"int{bits}").model.size_bytes for bits in (8, 4, 3, 2)}
    weights = 256 * 512 + 512 * 16
    for bits in (4, 3, 2):
        saved = sizes[8] - sizes[bits]
        assert saved == pytest.approx(weights * (8 - bits) / 8, abs=6_000)


def test_the_table_counts_the_bytes_of_packed_weights(rng):
    network = filled(MLP(256, 512, 16), rng)
    conversion = gs.convert(network, rng.standard_normal((2, 256)).astype(np.float32), weights="int4")
    assert conversion.layers[0].bytes_after == 256 * 512 // 2 + 512 * 4


def test_a_packed_file_is_converted_again_as_it_is(mlp, x, tmp_path):
    first = gs.convert(mlp, x, weights="int4")
    gs.export(first, tmp_path / "net.mindir")
    again = gs.convert(tmp_path / "net.mindir", x, weights="int8")
    assert [record.weights for record in again.layers] == ["int4 per channel"] * 2
    np.testing.assert_array_equal(again(x), first(x))
    assert again.model.size_bytes == first.model.size_bytes


@pytest.mark.parametrize("observer", ["percentile", "mse", "entropy"])
def test_an_observer_that_clips_is_better_in_few_bits_where_there_are_outliers(observer, mlp, x, rng):
    def heavy(weight):
        return (weight * rng.standard_t(2, weight.shape)).astype(np.float32)

    network = with_weights(mlp, heavy)
    minmax, clipped = (gs.convert(network, x, weights="int4", weight_observer=name) for name in ("minmax", observer))
    assert clipped.verification.sqnr_db != minmax.verification.sqnr_db
    if observer == "mse":
        assert all(new.sqnr_db > old.sqnr_db for new, old in zip(clipped.layers, minmax.layers, strict=True))


def test_gptq_is_better_than_the_nearest_on_correlated_inputs(mlp, rng):
    mixing = rng.standard_normal((8, 64))
    batches = [(rng.standard_normal((64, 8)) @ mixing).astype(np.float32) for _ in range(4)]
    x = (rng.standard_normal((64, 8)) @ mixing).astype(np.float32)
    nearest = gs.convert(mlp, x, weights="int4")
    compensated = gs.convert(mlp, x, weights="int4", rounding="gptq", calibration=batches)
    assert compensated.verification.sqnr_db > nearest.verification.sqnr_db + 3


@pytest.fixture
def unbalanced(mlp, rng):
    """Give a network whose hidden channels differ in size by a factor of up to 1,000, in the output not at all."""
    factors = np.exp(rng.uniform(0, np.log(1000), 48)).astype(np.float32)
    mlp.fc1.weight.set_data(Tensor(mlp.fc1.weight.asnumpy() * factors[:, None]))
    mlp.fc1.bias.set_data(Tensor(mlp.fc1.bias.asnumpy() * factors))
    mlp.fc2.weight.set_data(Tensor(mlp.fc2.weight.asnumpy() / factors))
    return mlp


def test_equalization_saves_a_scale_for_each_tensor(unbalanced, x):
    plain, equalized = (
        gs.convert(unbalanced, x, weights="int8", granularity="tensor", equalize=on) for on in (False, True)
    )
    assert equalized.verification.sqnr_db > plain.verification.sqnr_db + 10
    assert "EqualizeLayers" in [result.name for result in equalized.passes if result.done]


def test_smoothing_saves_activations_with_outliers(unbalanced, x):
    plain, smooth = (
        gs.convert(unbalanced, x, weights="int8", activations="int8", calibration=[x], smooth=on)
        for on in (False, True)
    )
    assert smooth.verification.sqnr_db > plain.verification.sqnr_db + 3
    assert "SmoothActivations" in [result.name for result in smooth.passes if result.done]


def test_an_improvement_that_changes_nothing_says_why(mlp, x):
    conversion = gs.convert(mlp, x, weights="int8", equalize=True)
    assert any(note.startswith("Equalization changed no layer: ") for note in conversion.notes)


def test_bias_correction_keeps_the_mean_of_the_output(mlp, x):
    reference = mlp(Tensor(x)).asnumpy().mean(axis=0)
    plain, corrected = (gs.convert(mlp, x, weights="int3", bias_correction=on, calibration=[x]) for on in (False, True))
    errors = [np.abs(conversion(x).mean(axis=0) - reference).max() for conversion in (plain, corrected)]
    assert errors[1] < errors[0] / 3


def test_what_layers_are_compared_with_computes_what_the_source_computes(unbalanced, x):
    conversion = gs.convert(unbalanced, x, weights="int4", activations="int8", equalize=True, smooth=True)
    np.testing.assert_allclose(Runner(conversion.float_model)(x), unbalanced(Tensor(x)).asnumpy(), rtol=1e-3, atol=1e-4)
    errors = conversion.layer_errors()
    assert errors[-1].accumulated_sqnr_db == pytest.approx(conversion.verification.sqnr_db, abs=0.5)


def test_a_histogram_shows_a_layer_and_what_calibration_saw_of_its_input(mlp, x):
    conversion = gs.convert(mlp, x, weights="int4", activations="int8", calibration=[x])
    assert len(conversion.histogram("fc1")) == 2
    with pytest.raises(OptionError, match=r"not 'fc3'\.\nDid you mean"):
        conversion.histogram("fc3")


def test_a_histogram_of_a_file_that_came_in_float16_is_drawn(mlp, x, tmp_path):
    gs.export(gs.convert(mlp, x, weights="float16"), tmp_path / "half.mindir")
    assert len(gs.convert(tmp_path / "half.mindir", x).histogram("fc1")) == 1


def test_single_layers_have_settings_of_their_own(rng):
    network = filled(LeNet(), rng)
    x = random_input(network, rng)
    layers = {"conv*": "int8", "classifier.0": {"weights": "int4", "granularity": "group:50", "symmetric": False}}
    conversion = gs.convert(network, x, weights="int5", layers=layers)
    assert [record.weights for record in conversion.layers] == [
        *("int8 per channel", "int8 per channel", "uint4 per group:50", "int5 per channel", "int5 per channel")
    ]


def test_activations_can_be_quantized_for_single_layers(mlp, x):
    conversion = gs.convert(mlp, x, weights="int8", layers={"fc2": {"activations": "int8"}}, calibration=[x])
    assert [record.activations for record in conversion.layers] == ["float32", "uint8 per tensor"]


@pytest.fixture
def wide(rng):
    """Give a network whose first two layers are worth packing, and the last isn't."""
    cells = [nn.Dense(256, 192), nn.ReLU(), nn.Dense(192, 128), nn.ReLU(), nn.Dense(128, 4)]
    return filled(nn.SequentialCell(*cells), rng)


@pytest.fixture
def wide_x(rng):
    return rng.standard_normal((16, 256)).astype(np.float32)


WIDE = 256 * 192 + 192 * 128 + 128 * 4


@pytest.mark.parametrize("budget", ["8x", "6.5x", "42KB", 30_000])
def test_a_budget_is_kept_by_what_is_stored_and_used(budget, wide, wide_x):
    conversion = gs.convert(wide, wide_x, budget=budget)
    limit = {"8x": WIDE * 4 / 8, "6.5x": WIDE * 4 / 6.5, "42KB": 42_000, 30_000: 30_000}[budget]
    stored = sum(record.bytes_after for record in conversion.layers)
    # Less than one bit more for the smaller layer that is packed is left over.
    assert limit - 192 * 128 / 8 < stored <= limit


def test_a_layer_that_is_not_worth_packing_keeps_all_its_bits_within_a_budget(wide, wide_x):
    conversion = gs.convert(wide, wide_x, budget="7x")
    assert conversion.layers[-1].weights == "int8 per channel"
    assert conversion.layers[0].weights != "int8 per channel"


def test_the_prediction_is_shown_beside_the_truth(wide, wide_x):
    conversion = gs.convert(wide, wide_x, budget="7x")
    predicted = conversion.sensitivity.predict(conversion.sensitivity.current)
    assert predicted == pytest.approx(conversion.verification.sqnr_db, abs=2)
    assert f"SQNR {predicted:.1f} dB predicted, {conversion.verification.sqnr_db:.1f} dB found" in repr(conversion)


def test_layers_with_bits_of_their_own_keep_them_within_a_budget(mlp, x):
    conversion = gs.convert(mlp, x, budget="3x", layers={"fc2": "int5"})
    assert conversion.layers[1].weights == "int5 per channel"
    conversion = gs.convert(mlp, x, budget="3x", keep="fc2")
    assert conversion.layers[1].weights == "float32"


def test_a_budget_that_nothing_fits_is_refused_with_what_is_possible(wide, wide_x):
    smallest = (256 * 192 + 192 * 128) * 2 // 8 + 128 * 4 + 4 * (192 + 128 + 4)
    with pytest.raises(OptionError, match=f"the smallest takes {smallest:,} bytes, the most exact "):
        gs.convert(wide, wide_x, budget="100x")
    with pytest.raises(OptionError, match=f"{256 * 192 + 192 * 4:,} of them for weights whose format is given"):
        gs.convert(wide, wide_x, budget="8x", layers={"0": "int8"})


@pytest.mark.parametrize("least_db", [12, 25])
def test_the_smallest_setting_with_an_output_that_is_good_enough(least_db, wide, wide_x):
    conversion = gs.convert(wide, wide_x, max_drop=f"{least_db}dB")
    assert least_db <= conversion.verification.sqnr_db < least_db + 9


def test_the_smallest_setting_that_loses_few_samples(wide, wide_x):
    labels = wide(Tensor(wide_x)).asnumpy().argmax(axis=1)
    strict, loose = (gs.convert(wide, wide_x, max_drop=drop, labels=labels) for drop in ("0%", "30%"))
    assert strict.verification.argmax_agreement == 1.0
    assert loose.verification.argmax_agreement >= 0.7
    assert sum(record.bytes_after for record in loose.layers) <= sum(record.bytes_after for record in strict.layers)
    assert "Accuracy on the 16 labelled samples: 100.0% in float, 100.0% with the chosen bits." in strict.notes


@pytest.mark.parametrize(
    ("settings", "note"),
    [
        (
            {"rounding": "gptq", "bias_correction": True},
            "No weight is stored in integers, so rounding, bias_correction",
        ),
        ({"weights": "float16", "granularity": "group:8"}, "so granularity had nothing to act on"),
        ({"weights": "int8", "smooth": True}, "No activation is quantized, so smooth had nothing to act on"),
        ({"weights": "int8", "labels": [0]}, "The labels were not used"),
        ({"weights": "int4", "rounding": "gptq"}, "GPTQ has fitted the weights to the example"),
    ],
)
def test_an_option_with_nothing_to_act_on_is_told(settings, note, mlp, x):
    assert any(note in line for line in gs.convert(mlp, x, **settings).notes)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_drop": "1%"}, r"needs the classes of the samples given\.\nGive labels=y"),
        ({"max_drop": "1%", "labels": np.zeros(3, int)}, r"labels must be one integer for each sample"),
        ({"max_drop": "1%", "labels": np.zeros(32)}, r"they are float64 of shape \(32,\)"),
        (
            {"max_drop": "1%", "labels": np.full(32, 77)},
            "labels are from 77 to 77, and the output has 6 classes, 0 to 5",
        ),
        ({"max_drop": "30dB", "weights": "int4"}, "weights=int4 has no effect where the bits are chosen"),
        ({"max_drop": "0.1"}, "max_drop can't be '0.1'"),
        ({"budget": "small"}, "budget can't be 'small'"),
        ({"budget": "4x", "max_drop": "1%"}, "budget and max_drop both choose the bits"),
        ({"max_drop": "200dB"}, "not even the most exact setting is good enough"),
    ],
)
def test_what_cannot_choose_bits_is_told(settings, message, mlp, x):
    with pytest.raises(OptionError, match=message):
        gs.convert(mlp, x, **settings)


def test_an_iterator_is_enough_where_the_data_is_read_once_and_refused_where_it_is_not(mlp, x):
    once = gs.convert(mlp, x, weights="int8", activations="int8", calibration=iter([x]))
    assert once.verification.sqnr_db > 25
    with pytest.raises(CalibrationError, match=r"an iterator can be read once only\.\nGive a list"):
        gs.convert(mlp, x, weights="int4", activations="int8", rounding="gptq", calibration=iter([x]))


def test_the_options_print_as_the_code_that_makes_them():
    options = gs.ConvertOptions(weights="int4", granularity="group:64", rounding="gptq", layers={"fc": "float32"})
    assert eval(repr(options), {"ConvertOptions": gs.ConvertOptions}) == options  # noqa: S307 - what repr promises


def test_weights_and_activations_are_as_near_as_their_bits_allow(mlp, x):
    conversion = gs.convert(mlp, x, weights="int8", activations="int8", activation_observer="mse", calibration=[x])
    assert sqnr_db(mlp(Tensor(x)).asnumpy(), conversion(x)) > 30
