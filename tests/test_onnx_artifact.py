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
from tests.networks import MLP, DictOutput, LeNet, NestedOutput, filled

MLP_INPUT = np.random.default_rng(2).standard_normal(MLP.input_shape).astype(np.float32)


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


class Pooled(nn.Cell):
    """Takes from each sample the vector at its largest token, as CLIP does."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 5)

    def construct(self, ids):
        return self.embedding(ids)[ops.arange(ids.shape[0]), ids.argmax(-1)]


class Sums(nn.Cell):
    """Gives an output without samples that is as long as two batches."""

    def construct(self, x):
        return x, x.sum(0)


class Large(nn.Cell):
    """Computes large numbers on the way, and small ones in the end."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm((3,))

    def construct(self, x):
        return self.norm(ops.square(x) * 100)


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
    reason = "with twice as many, output 'output' is another for the same samples"
    assert artifact.notes == (f"The file takes batches of 3 only: {reason}.",)
    assert artifact.verification.relative_error < 1e-5


def test_one_sample_is_told_from_the_next(tmp_path, rng):
    # Exported with one sample, the place in the batch is the constant 0.
    conversion = gs.convert(Pooled(), rng.integers(0, 20, (1, 6), np.int32))
    artifact = gs.export(conversion, tmp_path / "pooled.onnx")
    assert "takes batches of 1 only" in artifact.notes[0]


def test_an_output_without_samples_keeps_the_batch_size(tmp_path, rng):
    conversion = gs.convert(Sums(), rng.standard_normal((4, 8)).astype(np.float32))
    artifact = gs.export(conversion, tmp_path / "sums.onnx")
    assert artifact.notes == (
        "The file takes batches of 4 only: with twice as many, output '1' has shape (8,), and not (16,).",
    )
    assert json.loads((tmp_path / "sums.onnx.manifest.json").read_text())["checks"]["notes"] == list(artifact.notes)


def test_float16_is_refused_beside_integer_activations(lenet, tmp_path):
    conversion = gs.convert(filled(MLP(), np.random.default_rng(1)), MLP_INPUT, weights="int8", activations="int8")
    with pytest.raises(OptionError, match="this one's activations are int8"):
        gs.export(conversion, tmp_path / "half.onnx", float16=True)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - hidden ones too


def test_numbers_that_float16_has_not_are_pointed_out(tmp_path):
    conversion = gs.convert(Large(), np.arange(400, 406, dtype=np.float32).reshape(2, 3))
    artifact = gs.export(conversion, tmp_path / "large.onnx", float16=True)
    assert artifact.notes == ("Numbers grow beyond 65,504, where float16 ends: export this network in float32.",)


@pytest.mark.parametrize(("weights", "said"), [("int8", False), ("int4", False), ("int3", True)])
def test_bits_that_onnx_has_not_are_pointed_out(weights, said, tmp_path):
    conversion = gs.convert(filled(MLP(), np.random.default_rng(1)), MLP_INPUT, weights=weights)
    notes = gs.export(conversion, tmp_path / "mlp.onnx").notes
    assert any("weights in 3 bits take more than in .mindir" in note for note in notes) == said


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
    with pytest.raises(OptionError, match=r"float16 is for \.onnx and \.ms files; lenet\.mindir is none"):
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
