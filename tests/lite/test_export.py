"""Files for MindSpore Lite as users get them: converted and run by the real engine of Lite 2.0.0, loaded again."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from mindspore import nn, ops

import gsjupyter as gs
from gsjupyter.errors import EngineError, OptionError, UnsupportedError
from gsjupyter.mindir import flat_output
from gsjupyter.quantization import sqnr_db
from tests.networks import DictOutput, LeNet, TwoInputs, filled

pytestmark = pytest.mark.slow


class Unknown(nn.Cell):
    """Holds an operator that MindSpore Lite has nothing for."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(4, 4)
        self.gamma = ops.Lgamma()

    def construct(self, x):
        return self.gamma(self.fc(x))


class Logarithm(nn.Cell):
    """Gives NaN for what is negative."""

    def construct(self, x):
        return ops.log(x)


class Words(nn.Cell):
    """Takes numbers of words, as int64."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.fc = nn.Dense(8, 4)

    def construct(self, ids):
        return self.fc(self.embedding(ids).mean(1))


LENET_INPUT = np.random.default_rng(1).standard_normal((4, *LeNet.input_shape[1:])).astype(np.float32)


@pytest.fixture(scope="module")
def lenet():
    return gs.convert(filled(LeNet(), np.random.default_rng(1)), LENET_INPUT)


@pytest.fixture(scope="module")
def quantized():
    return gs.convert(filled(LeNet(), np.random.default_rng(1)), LENET_INPUT, weights="int8", activations="int8")


@pytest.fixture(autouse=True)
def lite(lite_environment, lite_package):
    return lite_environment


def manifest_of(artifact):
    return json.loads(artifact.path.with_name(f"{artifact.path.name}.manifest.json").read_text())


def lite_options(artifact):
    return manifest_of(artifact)["options"]["lite"]


def test_the_file_computes_what_the_network_does(lenet, tmp_path):
    artifact = gs.export(lenet, tmp_path / "lenet.ms")
    assert artifact.verification.relative_error < 1e-4
    assert "In MindSpore Lite  SQNR" in repr(artifact)
    assert sorted(os.listdir(tmp_path)) == ["lenet.ms", "lenet.ms.manifest.json"]  # noqa: PTH208 - hidden ones too
    with gs.load(artifact.path) as model:
        np.testing.assert_allclose(model(LENET_INPUT), lenet(LENET_INPUT), atol=1e-5)
        np.testing.assert_allclose(model(LENET_INPUT[:1]), lenet(LENET_INPUT)[:1], atol=1e-5)


def test_the_command_in_the_manifest_makes_the_same_file(lenet, lite, tmp_path):
    artifact = gs.export(lenet, tmp_path / "lenet.ms")
    gs.export(lenet, tmp_path / "by hand.mindir").path.rename(tmp_path / "lenet.mindir")
    before = artifact.path.read_bytes()
    artifact.path.unlink()
    program, *given = shlex.split(lite_options(artifact)["command"])
    converter = lite / "tools" / "converter" / "converter" / program
    subprocess.run([converter, *given], cwd=tmp_path, check=True, capture_output=True)
    assert artifact.path.read_bytes() == before


def test_what_the_conversion_has_quantized_is_carried_over(quantized, lenet, tmp_path):
    artifact = gs.export(quantized, tmp_path / "lenet.ms")
    assert artifact.size_bytes < 0.4 * gs.export(lenet, tmp_path / "float.ms").size_bytes
    assert artifact.verification.sqnr_db == pytest.approx(quantized.verification.sqnr_db, abs=6)
    assert lite_options(artifact)["quantization"] == "carried"
    (note,) = artifact.notes
    assert note.startswith("Activation ranges come from the given example only (4 samples). ")


@pytest.mark.parametrize(
    ("settings", "largest", "least_db"),
    [
        ({"quantization": "full"}, 0.40, 25),
        ({"quantization": "dynamic"}, 0.40, 25),
        ({"quantization": "none"}, 1.01, 100),
        ({"quantization": "none", "float16": True}, 0.52, 50),
        ({"quantization": "none", "input_format": "NCHW"}, 1.01, 100),
    ],
    ids=["full", "dynamic", "none", "float16", "NCHW"],
)
def test_other_ways(settings, largest, least_db, quantized, tmp_path):
    artifact = gs.export(quantized, tmp_path / "lenet.ms", **settings)
    assert artifact.size_bytes < largest * quantized.float_model.size_bytes
    assert artifact.verification.sqnr_db > least_db
    np.testing.assert_allclose(gs.load(artifact.path)(LENET_INPUT), quantized(LENET_INPUT), atol=0.3)


def test_full_quantization_takes_its_ranges_from_the_data_given(lenet, tmp_path, rng):
    shifted = [3 + rng.standard_normal(LENET_INPUT.shape).astype(np.float32) for _ in range(3)]
    narrow = gs.export(lenet, tmp_path / "narrow.ms", quantization="full")
    wide = gs.export(lenet, tmp_path / "wide.ms", quantization="full", calibration=shifted)
    assert "calibrate_size=3" in lite_options(wide)["configuration"]
    assert wide.verification.sqnr_db < narrow.verification.sqnr_db - 3


def test_weights_in_float16_stay_so(tmp_path):
    conversion = gs.convert(filled(LeNet(), np.random.default_rng(1)), LENET_INPUT, weights="float16")
    assert gs.export(conversion, tmp_path / "lenet.ms").size_bytes < 130_000


def test_weights_alone_are_told_to_stay_in_float(tmp_path):
    conversion = gs.convert(filled(LeNet(), np.random.default_rng(1)), LENET_INPUT, weights="int8")
    artifact = gs.export(conversion, tmp_path / "lenet.ms")
    assert "No layer is quantized in this file" in artifact.notes[-1]
    assert artifact.verification.sqnr_db == pytest.approx(conversion.verification.sqnr_db, abs=0.1)


def test_a_float_network_has_nothing_to_carry_over(lenet, tmp_path):
    with pytest.raises(OptionError, match="quantization=carried carries over"):
        gs.export(lenet, tmp_path / "lenet.ms", quantization="carried")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("network", "shapes"), [(TwoInputs, [(2, 8), (2, 4)]), (DictOutput, [(2, 8)])])
def test_several_inputs_and_named_outputs(network, shapes, tmp_path, rng):
    inputs = tuple(rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    conversion = gs.convert(filled(network(), rng), inputs)
    with gs.load(gs.export(conversion, tmp_path / "net.ms").path) as model:
        expected, actual = conversion(*inputs), model(*inputs)
    assert type(actual) is type(expected)
    for name, values in flat_output(expected).items():
        np.testing.assert_allclose(flat_output(actual)[name], values, atol=1e-5)


def test_a_shape_that_the_converter_leaves_alone_is_told(lenet, tmp_path):
    artifact = gs.export(lenet, tmp_path / "lenet.ms", input_shape={"x": (1, 1, 28, 28)})
    assert "--inputShape=x:1,1,28,28" in lite_options(artifact)["command"]
    assert artifact.notes[0].endswith("convert the network with an example of shape (1, 1, 28, 28) instead.")
    assert artifact.verification.relative_error < 1e-4
    assert gs.load(artifact.path).inputs[0].shape == LENET_INPUT.shape
    with pytest.raises(OptionError, match="must be one of x, not 'y'"):
        gs.export(lenet, tmp_path / "other.ms", input_shape={"y": (1, 1, 28, 28)})


def test_without_the_package_the_benchmark_program_compares(lenet, lite, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(lite / "python")])
    artifact = gs.export(lenet, tmp_path / "lenet.ms")
    assert artifact.verification is None
    (note,) = artifact.notes
    found = re.fullmatch(
        r"Lite's benchmark program finds a mean bias of (\S+)%, cosine (\S+) against the source.", note
    )
    assert float(found[1]) < 0.01
    assert float(found[2]) > 0.99999


def test_an_output_that_the_benchmark_program_cannot_compare_is_told(lite, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(lite / "python")])
    artifact = gs.export(gs.convert(Logarithm(), -np.ones((2, 4), np.float32)), tmp_path / "log.ms")
    assert artifact.notes[0].startswith("Not compared: what is expected of ")


def test_shapes_that_are_none_are_refused(lenet, tmp_path):
    for shape in (5, {"x": 5}, {"x": "1,1"}, {"x": (1, 1, 28)}):
        with pytest.raises(OptionError, match=r"shape|has 4 axes"):
            gs.export(lenet, tmp_path / "lenet.ms", input_shape=shape)
    same = {"x": [np.int64(size) for size in LENET_INPUT.shape]}
    assert gs.export(lenet, tmp_path / "lenet.ms", input_shape=same).notes == ()


def test_a_device_that_is_not_here_is_told(lenet, tmp_path):
    artifact = gs.export(lenet, tmp_path / "lenet.ms", device="gpu")
    assert "--optimize=gpu_oriented" in lite_options(artifact)["command"]
    assert artifact.notes[0].startswith("Not run: ")


def test_a_converter_that_is_not_there_leaves_everything_as_it_was(lenet, tmp_path, monkeypatch):
    monkeypatch.setenv("LITE_HOME", str(tmp_path))
    with pytest.raises(EngineError, match="LITE_HOME is"):
        gs.export(lenet, tmp_path / "lenet.ms")
    assert list(tmp_path.iterdir()) == []


def test_the_package_converts_as_well(lenet, tmp_path, monkeypatch):
    monkeypatch.delenv("LITE_HOME")
    artifact = gs.export(lenet, tmp_path / "lenet.ms")
    assert lite_options(artifact)["converter"].startswith("mindspore_lite")
    assert manifest_of(artifact)["versions"]["mindspore_lite"] == "2.0.0"
    assert artifact.verification.relative_error < 1e-4


def test_a_bundle_needs_nothing_else(quantized, lite, tmp_path):
    artifact = gs.export(quantized, tmp_path / "lenet.ms", bundle=True)
    assert artifact.path == tmp_path / "lenet.ms.zip"
    folder = unpacked(artifact.path, tmp_path / "elsewhere")
    run_script(folder / "convert.sh", lite)
    assert "AvgRunTime" in run_script(folder / "benchmark.sh", lite)
    assert checked_cosine(folder, lite) == pytest.approx(quantized.verification.cosine, abs=1e-3)
    assert (folder / "lenet.ms").read_bytes() == gs.export(quantized, tmp_path / "lenet.ms").path.read_bytes()


def test_a_bundle_brings_its_calibration_data(lenet, lite, tmp_path):
    artifact = gs.export(lenet, tmp_path / "lenet.ms", bundle=True, quantization="full", calibration=LENET_INPUT)
    folder = unpacked(artifact.path, tmp_path / "elsewhere")
    run_script(folder / "convert.sh", lite)
    assert (folder / "lenet.ms").stat().st_size < 100_000


def test_a_name_can_add_no_line_to_the_scripts_of_a_bundle(lenet, lite, tmp_path):
    artifact = gs.export(lenet, tmp_path / "lenet\ntouch intruder #.ms", bundle=True)
    folder = unpacked(artifact.path, tmp_path / "elsewhere")
    run_script(folder / "convert.sh", lite)
    assert (folder / "lenet\ntouch intruder #.ms").is_file()
    assert not (folder / "intruder").exists()


def test_int64_becomes_int32_in_calibration_data_and_bundles(lite, tmp_path, rng):
    conversion = gs.convert(filled(Words(), rng), rng.integers(0, 50, (2, 3)))
    assert gs.export(conversion, tmp_path / "words.ms", quantization="full").verification.sqnr_db > 25
    bundle = gs.export(conversion, tmp_path / "words.ms", bundle=True, quantization="full")
    folder = unpacked(bundle.path, tmp_path / "elsewhere")
    run_script(folder / "convert.sh", lite)
    assert "AvgRunTime" in run_script(folder / "benchmark.sh", lite)
    assert checked_cosine(folder, lite) > 0.998


def test_data_that_nothing_is_calibrated_with_is_refused(lenet, tmp_path):
    with pytest.raises(OptionError, match="calibration is for quantization=carried and full, and this is dynamic"):
        gs.export(lenet, tmp_path / "lenet.ms", quantization="dynamic", calibration=LENET_INPUT)
    assert list(tmp_path.iterdir()) == []


def unpacked(bundle, folder):
    with zipfile.ZipFile(bundle) as content:
        content.extractall(folder)
    return folder


def checked_cosine(folder, lite):
    """Run the bundle's own check of the file that it has made, and return what it finds."""
    (file,) = folder.glob("*.ms")
    command = [sys.executable, "check.py", file.name]
    environment = {**os.environ, "PYTHONPATH": str(lite / "python")}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return float(ran.stdout.split("cosine ")[1].split(",")[0])


def run_script(script, lite):
    environment = {**os.environ, "LITE_HOME": str(lite)}
    ran = subprocess.run(["/bin/sh", script], env=environment, capture_output=True, text=True, check=True)
    return ran.stdout


def test_an_operator_that_lite_lacks_is_named(tmp_path, rng):
    conversion = gs.convert(filled(Unknown(), rng), rng.standard_normal((2, 4)).astype(np.float32))
    with pytest.raises(UnsupportedError, match="There is Lgamma in the network itself"):
        gs.export(conversion, tmp_path / "gamma.ms")
    assert list(tmp_path.iterdir()) == []


def test_an_operator_that_the_converter_leaves_out_is_refused(tmp_path, rng):
    class Products(nn.Cell):
        def construct(self, x):
            return ops.cumprod(x, 1) + x

    conversion = gs.convert(Products(), rng.standard_normal((2, 4)).astype(np.float32))
    with pytest.raises(UnsupportedError, match=r"lacks CumProd, and .* There is CumProd in the network itself\."):
        gs.export(conversion, tmp_path / "products.ms")


def test_division_by_a_number_is_written_plainly(tmp_path, rng):
    class Scaled(nn.Cell):
        def construct(self, x):
            return x / 2.0 * 3.0

    conversion = gs.convert(Scaled(), rng.standard_normal((2, 4)).astype(np.float32))
    assert gs.export(conversion, tmp_path / "scaled.ms").verification.relative_error < 1e-6


def test_the_range_of_the_output_is_that_of_the_calibration_data(tmp_path, rng):
    wide = 4 * rng.standard_normal((64, *LENET_INPUT.shape[1:])).astype(np.float32)
    settings = {"weights": "int8", "activations": "int8"}
    narrow = wide[:1] / 40
    conversion = gs.convert(filled(LeNet(), np.random.default_rng(1)), narrow, calibration=wide, **settings)
    artifact = gs.export(conversion, tmp_path / "lenet.ms")
    assert artifact.notes == ()
    with gs.load(artifact.path) as model:
        assert sqnr_db(conversion(wide), model(wide)) > 25
    used_up = gs.convert(filled(LeNet(), np.random.default_rng(1)), narrow, calibration=iter([wide]), **settings)
    artifact = gs.export(used_up, tmp_path / "narrow.ms")
    assert artifact.notes[0].startswith("Activation ranges come from the given example only (1 sample). ")
    with gs.load(artifact.path) as model:
        assert sqnr_db(conversion(wide), model(wide)) < 20


class Forked(nn.Cell):
    """A dense layer that a ReLU reads, and the sum at the end as well."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Dense(8, 6)
        self.fc2 = nn.Dense(6, 6)
        self.relu = nn.ReLU()

    def construct(self, x):
        x = self.fc1(x)
        return self.fc2(self.relu(x)) + x


def test_a_layer_that_a_relu_and_others_read_is_computed_rightly(tmp_path, rng):
    conversion = gs.convert(filled(Forked(), rng), rng.standard_normal((16, 8)).astype(np.float32))
    assert gs.export(conversion, tmp_path / "forked.ms").verification.relative_error < 1e-4


def test_settings_of_other_formats_are_refused(lenet, tmp_path):
    for path, setting in (
        ("x.ms", {"fixed_batch": True}),
        ("x.onnx", {"device": "gpu"}),
        ("x.mindir", {"bundle": True}),
    ):
        with pytest.raises(OptionError, match=f"{next(iter(setting))} is for"):
            gs.export(lenet, tmp_path / path, **setting)
