import sys

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn

from gsjupyter.benchmarking.protocol.model_files import ModelFile
from gsjupyter.benchmarking.protocol.plan import Limits, Planned
from gsjupyter.benchmarking.protocol.rows import rows_of
from gsjupyter.benchmarking.protocol.subjects import SUFFIXES, Subject
from gsjupyter.benchmarking.protocol.written_batches import batch_for_free_files, note_on_batches
from tests.engines.lite_files import lite_file
from tests.engines.onnx_files import affine


def never(planned):
    raise AssertionError(f"{planned.subject.label} need not be started")


def rows(*paths, batch=None):
    engines = [SUFFIXES[path.suffix] for path in paths]
    subjects = [Subject(path.name, {engine: ModelFile(path)}) for path, engine in zip(paths, engines, strict=True)]
    return rows_of(
        Planned(subject, "cpu", engine, "cpu", batch, 1) for subject, engine in zip(subjects, engines, strict=True)
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    x = Tensor(np.ones((6, 3), np.float32))
    mindspore.export(nn.ReLU(), x, file_name=str(folder / "of6"), file_format="MINDIR")
    (folder / "copy.mindir").write_bytes((folder / "of6.mindir").read_bytes())
    (folder / "damaged.onnx").write_bytes(b"no ONNX")
    affine(folder / "any.onnx")
    affine(folder / "of5.onnx", batch=5)
    lite_file(folder / "of7.ms", [("x", (7, 3), "float32", "NHWC")])
    (folder / "damaged.ms").write_bytes(b"no model")
    return {path.name: path for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("names", "batch"),
    [
        (["any.onnx", "of5.onnx"], 5),
        (["any.onnx", "of6.mindir", "of5.onnx"], 5),
        (["any.onnx", "damaged.onnx"], 1),
        (["any.onnx", "of7.ms"], 7),
        (["any.onnx", "of6.mindir", "damaged.ms", "of7.ms"], 7),
        (["any.onnx", "of7.ms", "of5.onnx"], 5),
        (["of7.ms", "of6.mindir"], 1),
        (["of6.mindir", "copy.mindir"], 1),
        (["any.onnx"], 1),
        ([], 1),
    ],
)
def test_the_first_file_that_names_a_batch_decides_and_nothing_is_started_for_it(files, names, batch):
    asked = rows(*(files[name] for name in names))
    assert batch_for_free_files(asked, Limits(), never) == batch


@pytest.mark.parametrize("is_imported", [True, False])
def test_a_mindir_file_decides_where_onnx_files_take_any_batch(files, monkeypatch, is_imported):
    if not is_imported:
        monkeypatch.delitem(sys.modules, "mindspore")
    assert batch_for_free_files(rows(files["any.onnx"], files["of6.mindir"]), Limits()) == 6


def test_files_are_not_asked_where_a_batch_is_given(files):
    assert batch_for_free_files(rows(files["any.onnx"], files["of6.mindir"], batch=2), Limits(), never) == 1


@pytest.mark.parametrize(("given", "is_told"), [(None, True), (4, False)])
def test_batch_sizes_that_differ_are_told_unless_they_were_asked_for(files, given, is_told):
    ran = rows(files["of5.onnx"], files["any.onnx"], files["of6.mindir"], batch=given)
    for row, row.batch in zip(ran, (4, 1, 4), strict=True):
        row.outputs = ()
    assert ("4 for of5.onnx, of6.mindir; 1 for any.onnx." in note_on_batches(ran)) is is_told
    assert note_on_batches(ran[::2]) == ""
