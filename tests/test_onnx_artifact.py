"""ONNX files as users get them: written, run at once, loaded again."""

from __future__ import annotations

import json
import os

import mindspore
import numpy as np
import onnx
import pytest
from mindspore import Tensor, nn, ops

import gsjupyter as gs
from gsjupyter import onnx_artifact
from gsjupyter.errors import OptionError, SourceError, UnsupportedError
from tests.networks import DictOutput, LeNet, NestedOutput, filled


@pytest.fixture(scope="module")
def lenet():
    rng = np.random.default_rng(1)
    x = rng.standard_normal(LeNet.input_shape).astype(np.float32)
    return gs.convert(filled(LeNet(), rng), x)


@pytest.fixture(scope="module")
def artifact(lenet, tmp_path_factory):
    return gs.export(lenet, tmp_path_factory.mktemp("onnx") / "lenet.onnx")


@pytest.fixture
def other_batch(rng):
    return rng.standard_normal((5, *LeNet.input_shape[1:])).astype(np.float32)


class Batch(nn.Cell):
    """Mixes the samples of a batch, so that what it gives depends on who else is there."""

    def construct(self, x):
        return x - x.mean(axis=0, keep_dims=True)


class Unknown(nn.Cell):
    """Holds an operator that ONNX has nothing for."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(4, 4)
        self.gamma = ops.Lgamma()

    def construct(self, x):
        return self.gamma(self.fc(x))


def test_the_file_computes_what_the_network_does(artifact, lenet):
    assert artifact.verification.relative_error < 1e-5
    assert artifact.verification.samples == len(lenet.example[0])
    np.testing.assert_allclose(gs.load(artifact.path)(*lenet.example), lenet(*lenet.example), atol=1e-5)


def test_it_says_so(artifact):
    assert "In ONNX Runtime  SQNR" in repr(artifact)
    assert artifact.notes == ()


def test_it_takes_any_number_of_samples(artifact, lenet, other_batch):
    np.testing.assert_allclose(gs.load(artifact.path)(other_batch), lenet(other_batch), atol=1e-5)


def test_with_a_fixed_batch_it_does_not(lenet, other_batch, tmp_path):
    path = gs.export(lenet, tmp_path / "fixed.onnx", fixed_batch=True).path
    with pytest.raises(gs.GsError, match="shape"):
        gs.load(path)(other_batch)


def test_tensors_give_tensors(artifact, lenet):
    outputs = gs.load(artifact.path)(Tensor(lenet.example[0]))
    assert isinstance(outputs, mindspore.Tensor)


def test_the_names_of_layers_are_in_the_names_of_nodes(artifact):
    names = {node.name for node in onnx.load(artifact.path).graph.node}
    assert {"conv1/Conv", "conv2/Conv"} <= names
    assert any(name.startswith("classifier.0/") for name in names)


def test_the_manifest_says_what_ran_it_and_how_near_it_is(artifact):
    manifest = json.loads(artifact.path.with_name("lenet.onnx.manifest.json").read_text())
    assert manifest["format"] == "onnx"
    assert manifest["versions"]["onnx"] == onnx.__version__
    assert "onnxruntime" in manifest["versions"]
    assert manifest["checks"]["max_abs_error"] == artifact.verification.max_abs_error


def test_outputs_keep_their_nesting(tmp_path, rng):
    x = rng.standard_normal((2, 8)).astype(np.float32)
    for network in (DictOutput(), NestedOutput()):
        conversion = gs.convert(filled(network, rng), x)
        path = gs.export(conversion, tmp_path / f"{type(network).__name__}.onnx").path
        expected, actual = conversion(x), gs.load(path)(x)
        assert _structure(actual) == _structure(expected)


def _structure(outputs):
    if isinstance(outputs, dict):
        return {key: _structure(value) for key, value in outputs.items()}
    return tuple(map(_structure, outputs)) if isinstance(outputs, tuple) else outputs.shape


def test_a_network_that_mixes_samples_keeps_its_batch_size_and_says_why(tmp_path, rng):
    conversion = gs.convert(Batch(), rng.standard_normal((3, 4)).astype(np.float32))
    artifact = gs.export(conversion, tmp_path / "batch.onnx")
    assert artifact.notes == ("The file takes batches of 3 only: with another size output 'output' differs.",)
    assert artifact.verification.relative_error < 1e-5


def test_in_float16_inputs_and_outputs_stay_as_they_are(lenet, artifact, tmp_path):
    half = gs.export(lenet, tmp_path / "half.onnx", float16=True)
    assert half.size_bytes < 0.6 * artifact.size_bytes
    assert 1e-6 < half.verification.relative_error < 1e-2
    assert gs.load(half.path)(*lenet.example).dtype == np.float32


def test_an_operator_without_counterpart_is_named_before_anything_is_written(tmp_path, rng):
    conversion = gs.convert(filled(Unknown(), rng), np.abs(rng.standard_normal((3, 4))).astype(np.float32))
    with pytest.raises(UnsupportedError, match="no counterpart of Lgamma"):
        gs.export(conversion, tmp_path / "unknown.onnx")
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - hidden ones too


def test_options_of_onnx_are_refused_for_other_formats(lenet, tmp_path):
    with pytest.raises(OptionError, match=r"float16, fixed_batch is for \.onnx files; lenet\.mindir is none"):
        gs.export(lenet, tmp_path / "lenet.mindir", float16=True, fixed_batch=True)


def test_a_provider_is_refused_for_other_formats(lenet, tmp_path):
    path = gs.export(lenet, tmp_path / "lenet.mindir").path
    with pytest.raises(OptionError, match=r"'cuda' is for \.onnx files"):
        gs.load(path, provider="cuda")


def test_an_onnx_file_is_no_source(artifact):
    with pytest.raises(SourceError, match=r"(?s)is an ONNX file.*gs\.load\('.*lenet\.onnx'\)"):
        gs.convert(artifact.path)


def test_without_onnxruntime_the_file_is_written_and_not_run(lenet, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_artifact, "is_onnxruntime_installed", lambda: False)
    artifact = gs.export(lenet, tmp_path / "lenet.onnx")
    assert artifact.verification is None
    assert artifact.notes[0].startswith("Not run")
    batch = onnx.load(artifact.path).graph.input[0].type.tensor_type.shape.dim[0]
    assert batch.dim_value == LeNet.input_shape[0]
