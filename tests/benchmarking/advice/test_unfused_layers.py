"""Layers that a quantized network computes in float, and values that go back and forth."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from gsjupyter.benchmarking.advice.unfused_layers import conversions, dynamic_convolutions, unfused_layers
from tests.benchmarking.advice.cases import evidence, row, time
from tests.benchmarking.advice.networks import CHANNELS, QuantizedFile


def quantized(name, operator, value, file):
    """Add a convolution with an operator of several inputs behind it, each of which has integers of its own."""
    ones = [file.stored(f"{name}/{part}", np.ones(CHANNELS, np.float32)) for part in range(4)]
    value = file.grid(f"{name}/conv", file.layer(name, value, file.integer_weight(name)))
    value = file.node(operator, [value, *(ones if operator == "BatchNormalization" else [])], f"{name}/{operator}")
    return file.grid(f"{name}/y", value)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Give networks as other quantizers leave them, by what is computed in float between integers there."""
    folder = tmp_path_factory.mktemp("others")
    found = {}
    for operator in ("BatchNormalization", "Relu", "Softplus", "Exp"):
        file = QuantizedFile()
        value = file.grid("x", "x")
        for name in ("first", "second", "third"):
            value = quantized(name, operator, value, file)
        file.node("Identity", [value], "y")
        found[operator] = file.save(folder / f"{operator}.onnx", "y")
    return found


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


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("BatchNormalization", "Fold each BatchNormalization into the layer before it, as gs.convert does"),
        ("Relu", "Quantize what comes out of a ReLU from 0 on"),
        ("Softplus", "Keep the layers around these operators in float (--keep, for first, second, third); or use ReLU"),
    ],
)
def test_the_remedy_is_for_what_stands_between_the_integers(name, remedy, others):
    found = conversions(evidence(others, row(name)))
    assert f"(3 {name})" in found.symptom
    assert found.remedy.startswith(remedy)


def test_what_is_no_activation_function_is_not_exchanged_for_one(others):
    found = conversions(evidence(others, row("Exp")))
    assert found.remedy == "Keep the layers around these operators in float (--keep, for first, second, third)"


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


def test_layers_with_the_paths_of_pytorch_are_those_of_the_profile(tmp_path):
    file = QuantizedFile()
    value = file.grid("x", "x")
    for name in ("first", "second", "third"):
        # Transposed convolutions have no integer kernel.
        operator = "ConvTranspose" if name == "second" else "Conv"
        value = file.layer(f"/up/up.1/{name}", value, file.integer_weight(name), operator=operator)
        value = file.grid(f"/up/up.1/{name}/y", value)
    file.node("Identity", [value], "y")
    operators = [time("QLinearConv", 0.7, "/up/up.1/first/Conv", "up.1.first")]
    operators.append(time("ConvTranspose", 0.25, "/up/up.1/second/ConvTranspose", "up.1.second"))
    operators.append(time("QuantizeLinear", 0.05, "/up/up.1/second/y/rounded_node", "up.1.second"))
    case = evidence({"up": file.save(tmp_path / "up.onnx", "y")}, row("up", operators=operators))
    found = unfused_layers(case)
    assert "(up.1.second: transposed convolutions have no integer kernel)" in found.symptom
    # The layer itself stays as it is.
    assert found.gain == "at most 1.05x, as that takes 5 % of the operators' time"


def test_a_product_that_reads_floats_is_no_integer_kernel(tmp_path):
    file = QuantizedFile("MatMul", channels=32)
    value = file.grid("x", "x", np.uint16)
    for name in ("first", "second", "third"):
        value = file.layer(name, value, file.integer_weight(name))
        value = file.grid(f"{name}/y", value, np.uint16)
    file.node("Identity", [value], "y")
    case = evidence({"wide": file.save(tmp_path / "wide.onnx", "y")}, row("wide"))
    assert case.running.operators["MatMulNBits"] == 3
    assert "first, second, third: its input is uint16" in unfused_layers(case).symptom


def test_names_from_a_file_do_not_reach_the_terminal_as_they_are(own, tmp_path):
    model = onnx.load(own["unfused"])
    for node in model.graph.node:
        node.name = node.name.replace("second", "\x1b[31msecond\n")
    onnx.save(model, tmp_path / "red.onnx")
    symptom = unfused_layers(evidence({"red": tmp_path / "red.onnx"}, row("red"))).symptom
    assert symptom.isprintable()
    assert "(?[31msecond?, third: " in symptom


def test_layers_without_names_are_not_guessed_at(own, tmp_path):
    model = onnx.load(own["unfused"])
    for node in model.graph.node:
        node.name = ""
    onnx.save(model, tmp_path / "nameless.onnx")
    assert unfused_layers(evidence({"nameless": tmp_path / "nameless.onnx"}, row("nameless"))) is None
