"""Integers that are stored and not computed with: MindIR files and ONNX files of the same small network."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from mindspore import nn, ops

import gsjupyter as gs
from gsjupyter.benchmarking.advice import NetworkFiles, findings_of
from gsjupyter.benchmarking.advice.mindir_network import MindIRNetwork, read_mindir
from gsjupyter.benchmarking.advice.mindir_worker import MODULE
from gsjupyter.benchmarking.advice.onnx_network import OnnxNetwork
from gsjupyter.benchmarking.advice.stored_integers import no_integer_kernels, no_integer_kernels_on_cuda, weights_only
from gsjupyter.engines import OnnxRuntimeModel
from gsjupyter.engines.worker import Worker
from tests.benchmarking.advice.cases import evidence, mindspore, row, time
from tests.networks import filled


class Small(nn.Cell):
    """What most networks for images are made of."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3)
        self.fc = nn.Dense(8, 4)

    def construct(self, x):
        x = ops.relu(self.bn1(self.conv1(x)))
        x = ops.relu(self.conv2(x)) + x
        return self.fc(x.mean((2, 3)))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("exported"), np.random.default_rng(1)
    x = rng.standard_normal((2, 3, 8, 8)).astype(np.float32)
    network = filled(Small(), rng)
    options = {
        "float": {},
        "weights": {"weights": "int8"},
        "int4": {"weights": "int4"},
        "int8": {"weights": "int8", "activations": "int8", "calibration": [x]},
    }
    files = {}
    for name, chosen in options.items():
        conversion = gs.convert(network, x, **chosen)
        files[f"{name}.mindir"] = gs.export(conversion, folder / f"{name}.mindir").path
        if name != "int4":
            files[f"{name}.onnx"] = gs.export(conversion, folder / f"{name}.onnx").path
    return files


def test_mindspore_computes_int8_in_float(exported):
    rows = [mindspore("int8.mindir", median_s=10e-3), mindspore("float.mindir", median_s=9e-3)]
    found = no_integer_kernels(evidence(exported, *rows, row("int8.onnx", median_s=1e-3)))
    assert found.symptom == (
        "3 weights of 3 are stored in integers, and MindSpore computes them in float on CPU: int8 makes this file "
        "small, and not fast. 3 activations are quantized in float besides, by 5 operators each, at every call"
    )
    assert "export to ONNX" in found.remedy.replace("Export", "export")
    assert "--annotate-only" in found.remedy
    assert found.gain == "about 10x, as int8.onnx shows in this benchmark"


@pytest.mark.parametrize("name", ["weights.mindir", "int4.mindir"])
def test_weights_alone_need_activations_too(exported, name):
    found = no_integer_kernels(evidence(exported, mindspore(name), row("float.onnx", median_s=0.2e-3)))
    assert "activations are" not in found.symptom
    assert found.remedy.startswith("Quantize activations as well")
    assert "as measured on another machine" in found.gain


def test_a_faster_onnx_file_of_another_network_is_no_gain(exported, files):
    known = exported | {"healthy": files["healthy"]}
    found = no_integer_kernels(evidence(known, mindspore("int8.mindir"), row("healthy", median_s=0.1e-3)))
    assert "as measured on another machine" in found.gain


def test_integer_weights_alone_are_computed_in_float_by_onnxruntime(exported):
    rows = [row("weights.onnx", median_s=3e-3), row("int8.onnx", median_s=1e-3)]
    found = weights_only(evidence(exported, *rows))
    assert found.symptom.startswith("3 weights are stored in integers and no activation is")
    assert "--activations int8" in found.remedy
    assert found.gain == "about 3.0x, as int8.onnx shows in this benchmark"


def test_what_a_plain_session_dequantizes_at_every_call_is_counted(files, tmp_path):
    with OnnxRuntimeModel(
        files["weights"],
        optimized_path=tmp_path / "plain.onnx",
        configuration={"session.disable_quant_qdq": "0", "session.enable_quant_qdq_cleanup": "0"},
        optimization="enable_basic",
    ):
        plain = OnnxNetwork.read(tmp_path / "plain.onnx")
    case = evidence(files, row("weights", operators=[time("DequantizeLinear", 0.4), time("MatMul", 0.6)]))
    assert "made float at every call" not in weights_only(case).symptom
    object.__setattr__(case, "running", plain)
    said = "3 weights are made float at every call, which takes 40 % of the operators' time"
    assert said in weights_only(case).symptom


def test_a_product_that_reads_integer_weights_as_they_are_is_healthy(files):
    case = evidence(files, row("weights in blocks"))
    assert case.numbers == "integer weights"
    assert findings_of(case) == ()


def test_nobody_is_told_that_a_file_is_not_fast_which_was_faster_than_float(files):
    rows = [row("weights", median_s=0.5e-3), row("float products", median_s=1e-3)]
    assert weights_only(evidence(files, *rows)) is None
    assert weights_only(evidence(files, *rows[:1])) is not None


def test_cuda_has_no_integer_kernels(files):
    operators = [time("DequantizeLinear", 0.2), time("QuantizeLinear", 0.1), time("Conv", 0.7)]
    rows = [row("healthy", target="gpu", provider="cuda", operators=operators)]
    rows.append(row("healthy", target="gpu", provider="tensorrt", median_s=0.5e-3))
    found = no_integer_kernels_on_cuda(evidence(files, *rows))
    assert "3 quantized layers are computed in float" in found.symptom
    assert "which take 30 % of the operators' time" in found.symptom
    assert found.gain.startswith("about 2.0x, as healthy")


@pytest.mark.parametrize("name", ["int8.onnx", "float.onnx"])
def test_gsjupyters_own_export_is_healthy(exported, name):
    assert findings_of(evidence(exported, row(name))) == ()


def test_a_float_network_on_mindspore_is_healthy(exported):
    assert findings_of(evidence(exported, mindspore("float.mindir", median_s=5e-3))) == ()


def test_both_formats_tell_that_they_hold_one_network(exported):
    files = [
        read_mindir(exported["int4.mindir"]),
        *(OnnxNetwork.read(exported[name]) for name in ("int8.onnx", "float.onnx")),
    ]
    assert len({network.weight_sizes for network in files}) == 1


def test_without_mindspore_a_file_is_read_in_a_process_of_its_own(exported, monkeypatch):
    setting = mindspore("int8.mindir").setting
    expected = read_mindir(exported["int8.mindir"])
    monkeypatch.delitem(sys.modules, "mindspore")
    monkeypatch.setattr("gsjupyter.benchmarking.advice.network_files.read_mindir", lambda path: None)
    with NetworkFiles({setting: exported["int8.mindir"]}) as files:
        assert files.mindir(setting) == expected
        assert isinstance(files._worker, Worker)
        assert files._worker._module == MODULE
    assert isinstance(expected, MindIRNetwork)
