import json

import numpy as np
import pytest

from gsjupyter.benchmarking.cluster.parcel import Parcel
from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.protocol.model_files import ModelFile
from gsjupyter.benchmarking.protocol.subjects import Expected, Obstacle, Subject

X = np.arange(6, dtype=np.float32).reshape(2, 3)
Y = np.array([1, 2], np.int64)


@pytest.fixture
def parcel(tmp_path):
    for name in ("net_graph.mindir", "net_variables/data_0", "net.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    subject = Subject(
        "net <b>",
        {
            "mindspore": ModelFile(tmp_path / "net_graph.mindir", (tmp_path / "net_variables" / "data_0",)),
            "onnxruntime": ModelFile(tmp_path / "net.onnx"),
        },
        {"lite": Obstacle("there is none.", "Wait for it.")},
        Expected((X,), (Y,)),
        {"mindspore": np.inf, "onnxruntime": 41.5},
        conversion=object(),
        notes=("net: a note",),
    )
    wanted = {"targets": ("cpu",), "engines": None, "batches": (1, 8), "threads": ()}
    return Parcel((subject,), (X,), BenchmarkOptions(duration_s=0.5, seed=3), wanted)


def sent(parcel, there, folder):
    """Take the files where they are to be, and return what is unpacked there."""
    files, text = parcel.packed(folder)
    for name, path in files.items():
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes(path.read_bytes())
    return Parcel.unpacked(text, there.joinpath)


@pytest.fixture
def unpacked(parcel, tmp_path):
    (tmp_path / "arrays").mkdir()
    return sent(parcel, tmp_path / "there", tmp_path / "arrays")


def test_a_benchmark_arrives_as_it_was_sent(parcel, unpacked):
    (subject,), (original,) = unpacked.subjects, parcel.subjects
    for field in ("label", "obstacles", "promised_db", "notes"):
        assert getattr(subject, field) == getattr(original, field), field
    assert unpacked.options == parcel.options
    assert {name: value and tuple(value) for name, value in unpacked.wanted.items()} == {
        "targets": ("cpu",),
        "engines": None,
        "batches": (1, 8),
        "threads": [],
    }


def test_arrays_keep_values_and_types(unpacked):
    (subject,) = unpacked.subjects
    for found, given in ((unpacked.inputs, X), (subject.expected.inputs, X), (subject.expected.outputs, Y)):
        (array,) = found
        np.testing.assert_array_equal(array, given)
        assert array.dtype == given.dtype


def test_an_array_in_two_places_is_sent_once(parcel, tmp_path):
    files, _ = parcel.packed(tmp_path)
    assert sorted(name for name in files if name.endswith(".npy")) == ["arrays/0.npy", "arrays/1.npy"]


def test_files_lie_together_as_they_did(unpacked, parcel):
    for engine, file in unpacked.subjects[0].files.items():
        original = parcel.subjects[0].files[engine]
        assert file.digest == original.digest
        assert file.size_bytes == original.size_bytes
        assert [str(path.relative_to(file.path.parent)) for path in file.files] == [
            str(path.relative_to(original.path.parent)) for path in original.files
        ]


def test_no_input_stays_none(parcel, tmp_path):
    _, text = Parcel((), None, parcel.options, parcel.wanted).packed(tmp_path)
    assert Parcel.unpacked(text, tmp_path.joinpath).inputs is None


def test_an_array_of_objects_is_not_read(parcel, tmp_path):
    _, text = parcel.packed(tmp_path)
    np.save(tmp_path / "evil.npy", np.array([{}]), allow_pickle=True)
    content = json.loads(text) | {"inputs": ["evil.npy"], "subjects": []}
    with pytest.raises(ValueError, match="allow_pickle=False"):
        Parcel.unpacked(json.dumps(content), tmp_path.joinpath)
