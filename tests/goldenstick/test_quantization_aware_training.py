"""SimQAT, LSQ and SLB, in training form and after their own convert, against Golden Stick's formulas."""

from __future__ import annotations

from functools import cache

import mindspore
import numpy as np
import onnx
import pytest
from mindspore import nn

import gsjupyter as gs
from tests.goldenstick.compressed import ALGORITHMS, compressed, output_step, reference
from tests.goldenstick.versions import ON_ONE_VERSION

# Together they take minutes.
pytestmark = pytest.mark.slow
FORMS = ("training form", "converted form")
STANDARD = frozenset(
    [
        *("BiasAdd", "Cast", "Conv2D", "Div", "Flatten", "MatMul", "MaxPool", "Maximum", "Minimum", "Mul", "ReLU"),
        *("Rint", "Sub"),
    ]
)
X = np.random.default_rng(3).normal(0, 1, (4, 1, 12, 12)).astype(np.float32)


def seeded():
    # The network that is converted and the one that is computed by the formulas must have the same parameters.
    return np.random.default_rng(7)


def source_of(name, form):
    algorithm, network = compressed(name, seeded())
    return algorithm.convert(network) if form == "converted form" else network


@cache
def converted(name, form, *, simulate=True):
    source = source_of(name, form)
    before = values_of(source)
    conversion = gs.convert(source, X, simulate=simulate)
    after = values_of(source)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[key], after[key]) for key in before), "the source was changed"
    return conversion


def values_of(network):
    return {parameter.name: parameter.asnumpy().copy() for parameter in network.get_parameters()}


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


@pytest.fixture(params=ALGORITHMS)
def name(request):
    return request.param


def has_activations(name):
    return not name.startswith("SLB") or "activations" in name


def test_quantized_weights_give_what_the_formulas_give(name, form):
    expected = reference(compressed(name, seeded())[1], X, activations=False)
    actual = converted(name, form, simulate=False)(X)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_simulated_activations_are_within_a_step_of_the_formulas(name, form):
    network = compressed(name, seeded())[1]
    step = output_step(network)
    expected = reference(network, X)
    assert np.abs(converted(name, form)(X) - expected).max() <= step + 1e-5 * np.abs(expected).max()


def test_the_file_holds_standard_operators_only_and_plain_mindspore_runs_it(name, form, tmp_path):
    conversion = converted(name, form)
    assert {node.op for node in conversion.model.graph().nodes()} <= STANDARD
    gs.export(conversion, tmp_path / "net.mindir")
    plain = nn.GraphCell(mindspore.load(str(tmp_path / "net.mindir")))
    actual, expected = plain(mindspore.Tensor(X)).asnumpy(), conversion(X)
    # Dequantizing at each call and once at load may differ in the last bit, which may round to the next step.
    step = output_step(compressed(name, seeded())[1])
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=step + 1e-5 * np.abs(expected).max())


def test_in_onnx_runtime_trained_scales_give_what_they_give_on_mindspore(name, form, tmp_path):
    conversion = converted(name, form)
    artifact = gs.export(conversion, tmp_path / "net.onnx")
    actual, expected = gs.load(artifact.path)(X), conversion(X)
    # Sums of weights of 1 bit often lie halfway between two integers, where the last bit says which way they go.
    step = output_step(compressed(name, seeded())[1]) if "1 bit" not in name else 0.01 * np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=step + 1e-5 * np.abs(expected).max())
    if has_activations(name):
        operators = {node.op_type for node in onnx.load(artifact.path).graph.node}
        assert "QuantizeLinear" in operators
        assert "Round" not in operators, "an activation is computed in floating point"


# What MindSpore exports, and what becomes of it, is held against the formulas above on each version.
@ON_ONE_VERSION
def test_a_file_exported_elsewhere_is_converted_as_the_network_is(name, form, tmp_path):
    path = tmp_path / "there.mindir"
    mindspore.export(source_of(name, form), mindspore.Tensor(X), file_name=str(path), file_format="MINDIR")
    from_file, from_cell = gs.convert(path, X), converted(name, form)
    assert from_file.recognised == from_cell.recognised
    np.testing.assert_array_equal(from_file(X), from_cell(X))


@ON_ONE_VERSION
def test_a_checkpoint_gives_an_untrained_network_its_weights_and_ranges(name, tmp_path):
    mindspore.save_checkpoint(source_of(name, "training form"), str(tmp_path / "trained.ckpt"))
    make, network = ALGORITHMS[name]
    conversion = gs.convert(make().apply(network()), X, ckpt=tmp_path / "trained.ckpt")
    np.testing.assert_array_equal(conversion(X), converted(name, "training form")(X))


def test_weights_are_stored_as_integers_with_their_scale(name, form):
    conversion = converted(name, form, simulate=False)
    quantized = [record for record in conversion.layers if record.weights != "float32"]
    assert len(quantized) == (2 if name.startswith("SLB") else len(conversion.layers))
    assert all(record.bytes_after < 0.4 * record.bytes_before for record in quantized)
    integers = [item for item in conversion.model.graph().parameters() if item.dtype in (np.int8, np.uint8)]
    assert len([item for item in integers if not item.name.endswith("zero_point")]) == len(quantized)


@pytest.mark.parametrize("simulate", [True, False])
def test_activation_ranges_are_kept_for_the_device(name, form, simulate):
    nodes = converted(name, form, simulate=simulate).model.graph().nodes()
    noted = [node for node in nodes if "input_scale" in node.annotations and node.op == "Conv2D"]
    assert bool(noted) == has_activations(name)
    assert any(node.op == "Rint" for node in nodes) == (has_activations(name) and simulate)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SimQAT", "SimQAT, 8 bit, per channel, 4 layers, activations 8 bit"),
        ("SimQAT per tensor", "SimQAT, 8 bit, per tensor, 4 layers, activations 8 bit"),
        ("SimQAT with BatchNorm folded", "SimQAT, 8 bit, per channel, 3 layers, activations 8 bit"),
        ("LSQ", "LSQ, 8 bit, per channel, 4 layers, activations 8 bit"),
        ("SLB 1 bit", "SLB, 1 bit, per tensor, 2 layers"),
        ("SLB 4 bit with activations", "SLB, 4 bit, per tensor, 2 layers, activations 8 bit"),
    ],
)
def test_what_it_is_is_said(name, said):
    assert converted(name, "training form").recognised == (said,)
    quantization, comma, activations = said.partition(", activations")
    after = f"{quantization}, after its own convert{comma}{activations}"
    assert converted(name, "converted form").recognised == (after,)
