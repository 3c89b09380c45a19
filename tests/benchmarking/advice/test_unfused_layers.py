"""Layers that a quantized network computes in float, and values that go back and forth."""

from __future__ import annotations

import onnx
import pytest

from gsjupyter.benchmarking.advice.unfused_layers import conversions, dynamic_convolutions, unfused_layers
from tests.benchmarking.advice.cases import evidence, row, time
from tests.benchmarking.advice.networks import QuantizedFile


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Give convolutions of which one in three runs in integers, and one whose ReLU has a grid of its own."""
    folder = tmp_path_factory.mktemp("unfused")
    file = QuantizedFile()
    value = file.grid("x", "x")
    for name, behind in (("first", "Relu"), ("second", "Softplus"), ("third", "Softplus")):
        value = file.layer(name, value, file.integer_weight(name))
        value = file.grid(f"{name}/y", file.node(behind, [value], f"{name}/{behind}"), zero=0)
    file.node("Identity", [value], "y")
    twice = QuantizedFile()
    value = twice.grid("x", "x")
    for name in ("first", "second", "third"):
        value = twice.grid(f"{name}/conv", twice.layer(name, value, twice.integer_weight(name)))
        value = twice.grid(f"{name}/y", twice.node("Relu", [value], f"{name}/Relu"), zero=0)
    twice.node("Identity", [value], "y")
    return {"unfused": file.save(folder / "unfused.onnx", "y"), "twice": twice.save(folder / "twice.onnx", "y")}


def test_layers_in_float_are_named_with_their_reason(own):
    found = unfused_layers(evidence(own, row("unfused")))
    assert found.symptom == (
        "2 layers of 3 quantized ones are computed in float, with their values converted before and behind "
        "(second, third: Softplus reads its output in float, and no kernel computes that with it)"
    )
    assert found.remedy.startswith("Use ReLU or ReLU6 in place of Softplus")
    assert found.gain == ""


def test_the_gain_is_bounded_by_what_they_take(own):
    operators = [
        time("QLinearConv", 0.5, "first/Conv", "first"),
        time("Conv", 0.3, "second/Softplus_nchwc", "second"),
        time("QuantizeLinear", 0.1, "second/y/rounded_node", "second"),
        time("Reshape", 0.1),
    ]
    found = unfused_layers(evidence(own, row("unfused", operators=operators)))
    # A tenth vanishes, and of three tenths a third is left: 1 / (1 - 0.1 - 0.3 * (1 - 1 / 3.2)).
    assert found.gain.startswith("up to 1.44x: conversions take 10 % of the operators' time, and these layers 30 %")


def test_layers_that_take_no_time_are_not_worth_a_word(own):
    operators = [time("QLinearConv", 0.97, "first/Conv", "first"), time("Conv", 0.03, "second/Conv", "second")]
    assert unfused_layers(evidence(own, row("unfused", operators=operators))) is None


def test_values_go_back_and_forth_around_an_operator_without_integer_kernel(files):
    operators = [time("QLinearConv", 0.7), time("Softplus", 0.3, "layer0/Softplus_node")]
    found = conversions(evidence(files, row("functions", operators=operators)))
    assert found.symptom == (
        "values are converted 6 times between integers and floats: around operators that no integer kernel computes "
        "(3 Softplus); all that takes 30 % of the operators' time"
    )
    assert "--keep, for layer0, layer1, layer2" in found.remedy
    assert found.gain == "at most 1.43x, as that takes 30 % of the operators' time"


def test_a_form_of_the_network_without_them_says_what_there_is_to_gain(files):
    rows = [row("functions", median_s=1.2e-3), row("float", median_s=1e-3)]
    assert conversions(evidence(files, *rows)).gain == "about 1.20x, as float shows in this benchmark"


def test_they_are_no_matter_where_int8_is_fast_all_the_same(files):
    rows = [row("functions", median_s=0.4e-3), row("float", median_s=1e-3)]
    assert conversions(evidence(files, *rows)) is None


def test_a_relu_with_a_grid_of_its_own_has_values_converted_twice(own):
    found = conversions(evidence(own, row("twice")))
    assert "from one scale to another, with nothing in between" in found.symptom
    assert found.remedy.startswith("Quantize each value once, behind its ReLU")


def test_dynamic_quantization_is_slow_with_convolutions(files):
    rows = [row("dynamic", median_s=4e-3), row("healthy", median_s=1e-3)]
    found = dynamic_convolutions(evidence(files, *rows))
    assert found.symptom.startswith("3 convolutions are quantized dynamically")
    assert "--calibration" in found.remedy
    assert found.gain == "about 4.0x, as healthy shows in this benchmark"


@pytest.mark.parametrize("rule", [unfused_layers, conversions, dynamic_convolutions])
@pytest.mark.parametrize("name", ["healthy", "products", "float", "weights"])
def test_healthy_networks_have_nothing_of_it(rule, name, files):
    assert rule(evidence(files, row(name))) is None


def test_layers_without_names_are_not_guessed_at(own, tmp_path):
    model = onnx.load(own["unfused"])
    for node in model.graph.node:
        node.name = ""
    onnx.save(model, tmp_path / "nameless.onnx")
    assert unfused_layers(evidence({"nameless": tmp_path / "nameless.onnx"}, row("nameless"))) is None
