from __future__ import annotations

import hashlib
import json
import math

import pytest

from gsjupyter.errors import ModelFileError
from gsjupyter.formats import Manifest, check_files, manifest_path, sha256

MANIFEST = Manifest(
    source="LeNet",
    format="mindir",
    created="2026-03-01T12:00:00+08:00",
    options={"weights": "int8", "layers": {"fc3": "float32"}},
    versions={"gsjupyter": "0.1.0"},
    checks={"sqnr_db": 41.2, "argmax_agreement": None},
    files={},
)


@pytest.fixture
def artifact(tmp_path):
    """Give a file with a manifest beside it that describes it."""
    path = tmp_path / "网络.mindir"
    path.write_bytes(b"model")
    describe(path, {path.name: sha256(path)})
    return path


def describe(artifact, files, **changes):
    content = {**vars(MANIFEST), "version": 1, "files": files, **changes}
    manifest_path(artifact).write_text(json.dumps(content), encoding="utf-8")


def test_a_manifest_is_read_as_it_was_written(tmp_path):
    MANIFEST.save(tmp_path / "manifest.json")
    assert Manifest.load(tmp_path / "manifest.json") == MANIFEST


def test_a_manifest_can_be_read_by_people_and_by_any_json_reader(tmp_path):
    MANIFEST.save(tmp_path / "manifest.json")
    text = (tmp_path / "manifest.json").read_text(encoding="utf-8")
    assert text.startswith('{\n  "version": 1,\n  "source": "LeNet"')
    assert text.endswith("}\n")


def test_a_number_that_json_lacks_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        Manifest(**{**vars(MANIFEST), "checks": {"sqnr_db": math.inf}}).save(tmp_path / "manifest.json")
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_lies_beside_its_artifact(tmp_path):
    assert manifest_path(tmp_path / "a.mindir") == tmp_path / "a.mindir.manifest.json"


def test_an_artifact_that_is_as_it_was_passes(artifact):
    manifest = check_files(artifact)
    assert manifest is not None
    assert manifest.source == "LeNet"


def test_an_artifact_without_a_manifest_is_not_checked(artifact):
    manifest_path(artifact).unlink()
    assert check_files(artifact) is None


@pytest.mark.parametrize("content", [b"mode", b"model2", b"Model", b""])
def test_a_changed_file_is_refused(artifact, content):
    artifact.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"is not what was exported: .* since 2026-03-01") as caught:
        check_files(artifact)
    assert "delete 网络.mindir.manifest.json" in caught.value.advice


def test_a_second_file_counts_as_well(artifact, tmp_path):
    data = tmp_path / "网络_variables" / "data_0"
    data.parent.mkdir()
    data.write_bytes(b"values")
    describe(artifact, {artifact.name: sha256(artifact), "网络_variables/data_0": sha256(data)})
    assert check_files(artifact) is not None
    data.unlink()
    with pytest.raises(ModelFileError, match="网络_variables/data_0 is not what was exported"):
        check_files(artifact)


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "link", "a\0b", ".", "", "x" * 5000, "loop"])
def test_a_manifest_reaches_nothing_outside_of_its_folder(artifact, tmp_path_factory, name):
    secret = tmp_path_factory.mktemp("other") / "secret"
    secret.write_bytes(b"secret")
    (artifact.parent / "link").symlink_to(secret)
    (artifact.parent / "loop").symlink_to("loop")
    describe(artifact, {artifact.name: sha256(artifact), name: sha256(secret)})
    with pytest.raises(ModelFileError):
        check_files(artifact)


def test_a_manifest_of_other_files_is_refused(artifact):
    describe(artifact, {"other.mindir": "0" * 64})
    with pytest.raises(ModelFileError, match="describes other files"):
        check_files(artifact)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_refused(artifact, version):
    describe(artifact, {}, version=version)
    with pytest.raises(ModelFileError, match=f"has version {version}, this gsjupyter reads 1"):
        check_files(artifact)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"\0", b"\xff\xfe", b"null", b"[]", b"{}", b"1", b'"text"', b'{"version": 1}', b'{"version": 2}'),
        *(b"[" * 100_000, b'{"version": 1, "colour": "red"}', b"not json"),
        json.dumps({**vars(MANIFEST), "version": 1, "files": ["a"]}).encode(),
        json.dumps({**vars(MANIFEST), "version": 1, "files": None}).encode(),
        json.dumps({**vars(MANIFEST), "version": 1, "files": {"网络.mindir": 1}}).encode(),
        json.dumps({**vars(MANIFEST), "version": 1, "files": "网络.mindir"}).encode(),
    ],
    ids=range(17),
)
def test_garbage_is_refused(artifact, text):
    manifest_path(artifact).write_bytes(text)
    with pytest.raises(ModelFileError):
        check_files(artifact)


def test_a_later_version_with_other_fields_is_told_as_such(artifact):
    manifest_path(artifact).write_text('{"version": 2, "colour": "red"}')
    with pytest.raises(ModelFileError, match="has version 2"):
        check_files(artifact)


def test_the_hash_is_sha_256(tmp_path):
    data = bytes(range(256)) * 10_000
    (tmp_path / "data").write_bytes(data)
    assert sha256(tmp_path / "data") == hashlib.sha256(data).hexdigest()
