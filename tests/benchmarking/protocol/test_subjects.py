import numpy as np
import onnx
import pytest
from mindspore import nn, ops

import gsjupyter as gs
from gsjupyter.benchmarking.protocol.model_files import model_file
from gsjupyter.benchmarking.protocol.subjects import of_file, subjects_of
from gsjupyter.errors import InputError, ModelFileError, OptionError, SourceError
from tests.engines.onnx_files import affine, with_values_elsewhere
from tests.networks import MLP, filled

RNG = np.random.default_rng(1)
X = RNG.standard_normal(MLP.input_shape).astype(np.float32)


class WithoutCounterpart(nn.Cell):
    def construct(self, x):
        return ops.lgamma(x)


@pytest.fixture(scope="module")
def network():
    return filled(MLP(), RNG)


@pytest.fixture(scope="module")
def conversion(network):
    return gs.convert(network, X, weights="int8")


@pytest.fixture
def subjects(tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()

    def found(things, inputs=None, engines=None):
        return subjects_of(things, inputs, folder, engines)

    return found


def test_a_file_is_for_its_own_engine_and_stays_where_it_is(tmp_path, subjects):
    path = affine(tmp_path / "affine.onnx")
    (subject,) = subjects(path)
    assert subject.label == "affine.onnx"
    assert subject.engines == ("onnxruntime",)
    assert subject.files["onnxruntime"].path == path
    assert subject.files["onnxruntime"].size_bytes == path.stat().st_size
    assert subject.expected is None


def test_files_of_lite_are_known(tmp_path):
    (tmp_path / "net.ms").write_bytes(b"anything")
    assert of_file(tmp_path / "net.ms").engines == ("lite",)


def test_equal_labels_are_numbered_and_given_ones_stay(tmp_path, subjects):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    paths = [affine(folder / "net.onnx") for folder in folders]
    assert [subject.label for subject in subjects([*paths, paths[0]])] == ["net.onnx", "net.onnx #2", "net.onnx #3"]


def test_labels_can_be_given(tmp_path, subjects):
    path = affine(tmp_path / "net.onnx")
    assert [subject.label for subject in subjects({"old": path, "new": str(path)})] == ["old", "new"]


def test_values_beside_a_file_belong_to_it(tmp_path):
    (tmp_path / "w.bin").write_bytes(bytes(16))
    path = with_values_elsewhere(tmp_path / "net.onnx", "w.bin")
    file = model_file(path)
    assert file.files == (path, tmp_path / "w.bin")
    assert file.size_bytes == path.stat().st_size + 16


def test_values_that_mindspore_has_split_off_belong_to_a_file(tmp_path):
    (tmp_path / "net_graph.mindir").write_bytes(b"graph")
    (tmp_path / "net_variables").mkdir()
    (tmp_path / "net_variables" / "data_0").write_bytes(bytes(100))
    assert model_file(tmp_path / "net_graph.mindir").size_bytes == 105


def test_a_file_that_reads_from_elsewhere_counts_alone(tmp_path):
    (tmp_path / "w.bin").write_bytes(bytes(16))
    folder = tmp_path / "folder"
    folder.mkdir()
    path = with_values_elsewhere(folder / "net.onnx", "../w.bin")
    assert model_file(path).files == (path,)


def test_a_file_that_was_changed_since_its_export_is_refused(conversion, tmp_path):
    artifact = gs.export(conversion, tmp_path / "mlp.onnx")
    model = onnx.load(artifact.path)
    model.doc_string = "changed"
    onnx.save(model, artifact.path)
    with pytest.raises(ModelFileError, match=r"mlp\.onnx is not what was exported"):
        of_file(artifact.path)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("missing.onnx", ModelFileError, "there is no file"),
        ("net.ckpt", SourceError, "those end in .mindir, .onnx, .ms"),
        ("net", SourceError, "those end in"),
    ],
)
def test_what_is_no_file_to_run_is_refused(tmp_path, name, error, words):
    with pytest.raises(error, match=words):
        of_file(tmp_path / name)


def test_a_file_that_can_not_be_read_is_refused(tmp_path):
    (tmp_path / "net.onnx").symlink_to("/proc/self/mem")
    with pytest.raises(ModelFileError, match=r"can't read .*net\.onnx"):
        of_file(tmp_path / "net.onnx")


@pytest.mark.parametrize("things", [[], {}])
def test_nothing_is_refused(subjects, things):
    with pytest.raises(OptionError, match="nothing to measure"):
        subjects(things)


def test_a_label_that_is_no_text_is_refused(subjects):
    with pytest.raises(OptionError, match="a label must be text, not 3"):
        subjects({3: "net.onnx"})


def test_what_is_no_model_is_refused(subjects):
    with pytest.raises(SourceError, match="this ndarray is nothing that can be measured"):
        subjects(X)


def test_a_conversion_is_exported_for_each_engine(conversion, subjects):
    (subject,) = subjects(conversion)
    assert subject.label == f"{conversion.name} (int8 weights)"
    assert subject.engines == ("mindspore", "onnxruntime")
    for engine, file in subject.files.items():
        np.testing.assert_allclose(gs.load(file.path)(X), conversion(X), rtol=1e-4, atol=1e-5, err_msg=engine)
    assert subject.expected.inputs == conversion.example
    np.testing.assert_array_equal(subject.expected.outputs[0], conversion.expected["output"])
    assert subject.promised_db["mindspore"] == conversion.verification.sqnr_db
    assert subject.promised_db["onnxruntime"] == pytest.approx(conversion.verification.sqnr_db, abs=1.0)


def test_only_the_engines_that_are_wanted_get_a_file(conversion, subjects):
    (subject,) = subjects(conversion, engines=["onnxruntime"])
    assert subject.engines == ("onnxruntime",)


def test_a_network_runs_as_it_is_and_converted_and_stays_untouched(network, subjects, tmp_path):
    before = {name: parameter.asnumpy().copy() for name, parameter in network.parameters_dict().items()}
    network.set_train()
    (subject,) = subjects(network, (X,))
    assert subject.label == "MLP"
    assert subject.engines == ("mindspore", "onnxruntime")
    np.testing.assert_allclose(subject.expected.outputs[0], gs.load(subject.files["mindspore"].path)(X), rtol=1e-5)
    assert network.training
    assert all(np.array_equal(network.parameters_dict()[name].asnumpy(), value) for name, value in before.items())
    assert [entry.name for entry in tmp_path.iterdir()] == ["temporary"]


def test_a_network_that_onnx_has_no_operator_for_still_runs_on_mindspore(subjects):
    (subject,) = subjects(WithoutCounterpart(), (np.abs(X),))
    assert list(subject.files) == ["mindspore"]
    assert "Lgamma" in subject.obstacle("onnxruntime").reason


def test_a_network_needs_inputs(network, subjects):
    with pytest.raises(InputError, match="to benchmark MLP, an example of its input is needed"):
        subjects(network)


def test_an_artifact_and_what_was_loaded_are_files_again(conversion, tmp_path, subjects):
    artifact = gs.export(conversion, tmp_path / "mlp.onnx")
    exported = gs.export(conversion, tmp_path / "mlp.mindir")
    with gs.load(artifact.path) as in_onnxruntime:
        found = subjects([artifact, in_onnxruntime, gs.load(exported.path)])
    assert [subject.label for subject in found] == ["mlp.onnx", "mlp.onnx #2", "mlp"]
    assert [subject.engines for subject in found] == [("onnxruntime",), ("onnxruntime",), ("mindspore",)]
    assert found[1].files["onnxruntime"].digest == found[0].files["onnxruntime"].digest
    np.testing.assert_allclose(gs.load(found[2].files["mindspore"].path)(X), conversion(X), rtol=1e-5, atol=1e-6)


def test_a_label_that_would_move_the_cursor_is_refused(tmp_path):
    with pytest.raises(OptionError, match="can't be printed"):
        subjects_of({"a\x1b[31m": affine(tmp_path / "a.onnx")}, None, tmp_path)
