import json
import os
import re
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn

import gsjupyter as gs
from gsjupyter.errors import ModelFileError, OptionError, SourceError, WriteError
from gsjupyter.formats import sha256
from tests.networks import MLP, filled

TEN_PAST_TWELVE = datetime(2026, 3, 4, 12, 10, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def conversion():
    rng = np.random.default_rng(1)
    network = filled(MLP(hidden=64), rng)
    x = rng.standard_normal(MLP.input_shape).astype(np.float32)
    return gs.convert(network, x, weights="int8", keep=["fc2"])


@pytest.fixture
def x(rng):
    return rng.standard_normal(MLP.input_shape).astype(np.float32)


@pytest.fixture
def artifact(conversion, tmp_path):
    return gs.export(conversion, tmp_path / "mlp.mindir", clock=lambda: TEN_PAST_TWELVE)


def contents(folder):
    """Return every file below a folder with its bytes, hidden ones too."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_file_and_its_manifest_are_all_that_is_written(artifact, tmp_path):
    assert sorted(os.listdir(tmp_path)) == ["mlp.mindir", "mlp.mindir.manifest.json"]  # noqa: PTH208 - hidden ones too
    assert artifact.path == tmp_path / "mlp.mindir"
    assert artifact.files == (artifact.path,)
    assert artifact.size_bytes == artifact.path.stat().st_size


def test_the_file_can_be_read_and_deleted_by_its_owner_like_any_other(artifact):
    assert artifact.path.stat().st_mode & 0o600 == 0o600


def test_the_file_is_what_was_converted(artifact, conversion, x):
    assert artifact.path.read_bytes() == conversion.model.to_bytes()
    np.testing.assert_allclose(gs.load(artifact.path)(x), conversion(x), rtol=1e-5, atol=1e-6)


def test_the_manifest_says_what_the_file_was_made_from_and_how(artifact, tmp_path):
    manifest = json.loads((tmp_path / "mlp.mindir.manifest.json").read_text(encoding="utf-8"))
    assert manifest["version"] == 1
    assert manifest["source"] == "MLP"
    assert manifest["format"] == "mindir"
    assert manifest["created"] == "2026-03-04T12:10:00+00:00"
    assert manifest["options"]["weights"] == "int8"
    assert manifest["options"]["layers"] == {"fc2": "float32"}
    assert manifest["versions"]["mindspore"] == mindspore.__version__
    assert manifest["versions"]["gsjupyter"] == gs.__version__
    assert manifest["checks"]["samples"] == 3
    assert manifest["checks"]["input"] == "given"
    assert manifest["checks"]["sqnr_db"] > 30
    assert manifest["files"] == {"mlp.mindir": sha256(artifact.path)}


def test_a_conversion_without_any_error_has_a_manifest_in_plain_json(x, tmp_path, rng):
    gs.export(gs.convert(nn.SequentialCell(nn.ReLU()), x), tmp_path / "same.mindir")
    manifest = json.loads((tmp_path / "same.mindir.manifest.json").read_text(), parse_constant=pytest.fail)
    assert manifest["checks"]["sqnr_db"] is None
    assert manifest["checks"]["max_abs_error"] == 0


def test_an_artifact_says_what_it_is(artifact):
    assert "Made from  MLP, int8 weights" in repr(artifact)


def test_what_is_there_is_not_overwritten_unasked(artifact, conversion, tmp_path):
    before = contents(tmp_path)
    with pytest.raises(WriteError) as caught:
        gs.export(conversion, artifact.path)
    first, second = str(caught.value).splitlines()
    assert re.fullmatch(
        r"mlp\.mindir exists \([\d.]+ kB, written (\d{4}-\d\d-\d\d )?\d\d:\d\d from MLP, int8( weights)?\)\.", first
    )
    assert second == "Add --overwrite (in Python: overwrite=True) to replace it, or give another name."
    assert contents(tmp_path) == before


def test_a_foreign_file_is_not_overwritten_either(conversion, tmp_path):
    (tmp_path / "mlp.mindir").write_text("a diary")
    with pytest.raises(WriteError, match=r"mlp\.mindir exists \(7 B, written [\d: -]+\)\."):
        gs.export(conversion, tmp_path / "mlp.mindir")


def test_a_damaged_manifest_does_not_hide_that_the_file_exists(artifact, conversion, tmp_path):
    (tmp_path / "mlp.mindir.manifest.json").write_text("{")
    with pytest.raises(WriteError, match="exists"):
        gs.export(conversion, artifact.path)


def test_overwriting_replaces_file_and_manifest(artifact, x, tmp_path):
    other = gs.convert(filled(MLP(), np.random.default_rng(2)), x)
    replaced = gs.export(other, artifact.path, overwrite=True)
    assert replaced.manifest.files == {"mlp.mindir": sha256(artifact.path)}
    np.testing.assert_allclose(gs.load(artifact.path)(x), other(x), rtol=1e-5, atol=1e-6)
    assert len(contents(tmp_path)) == 2


@pytest.mark.parametrize("name", ["mlp.ms", "mlp.ms.zip"])
def test_a_bundle_is_named_after_the_file_that_it_makes(name, conversion, tmp_path):
    assert gs.export(conversion, tmp_path / name, bundle=True).path == tmp_path / "mlp.ms.zip"


def test_a_bundle_of_no_known_format_is_refused_with_a_name_to_try(conversion, tmp_path):
    with pytest.raises(OptionError, match=r"Try mlp\.ms\."):
        gs.export(conversion, tmp_path / "mlp.zip", bundle=True)
    with pytest.raises(OptionError, match=r"bundle is for \.ms files; mlp\.mindir\.zip is none\."):
        gs.export(conversion, tmp_path / "mlp.mindir", bundle=True)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mlp.onx", r"mlp\.onx has suffix '\.onx'; the formats are \.mindir, \.onnx, \.ms\.\nTry mlp\.onnx\."),
        ("mlp.MINDIR", r"has suffix '\.MINDIR'; the formats are \.mindir, \.onnx, \.ms\.\nTry mlp\.mindir\."),
        ("mlp", r"mlp has no suffix; the formats are \.mindir, \.onnx, \.ms\.\nTry mlp\.mindir\."),
    ],
)
def test_an_unknown_suffix_is_refused_with_a_name_to_try(name, message, conversion, tmp_path):
    with pytest.raises(OptionError, match=message):
        gs.export(conversion, tmp_path / name)
    assert contents(tmp_path) == {}


def test_an_unknown_format_is_refused_with_the_nearest_one(conversion, tmp_path):
    with pytest.raises(OptionError, match=r"not 'mindr'\.\nDid you mean mindir\?"):
        gs.export(conversion, tmp_path / "mlp.mindir", format="mindr")


def test_a_suffix_that_mindspore_refuses_is_refused_even_with_a_format(conversion, tmp_path):
    with pytest.raises(OptionError, match=r"mlp\.model has suffix '\.model'; the formats are \.mindir"):
        gs.export(conversion, tmp_path / "mlp.model", format="mindir")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_conversion_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(SourceError, match=r"MLP is no conversion\.\nConvert it first"):
        gs.export(MLP(), tmp_path / "mlp.mindir")


def test_a_folder_is_no_file(conversion, tmp_path):
    (tmp_path / "mlp.mindir").mkdir()
    for overwrite in (False, True):
        with pytest.raises(WriteError, match=r"mlp\.mindir is a folder"):
            gs.export(conversion, tmp_path / "mlp.mindir", overwrite=overwrite)
    assert contents(tmp_path) == {}


def test_a_folder_that_is_not_there_is_told(conversion, tmp_path):
    with pytest.raises(WriteError, match=r"there is no folder .*missing to write in\.\nMake the folder first\."):
        gs.export(conversion, tmp_path / "missing" / "mlp.mindir")


def test_a_name_alone_means_the_working_directory(conversion, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gs.export(conversion, "mlp.mindir")
    assert sorted(contents(tmp_path)) == ["mlp.mindir", "mlp.mindir.manifest.json"]


@pytest.fixture
def disk(tmp_path):
    """Mount disks of a given size in kB, which only root can do."""
    mount, mounted = shutil.which("mount"), []

    def make(size_kb):
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        command = [str(mount), "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(folder)]
        if os.geteuid() != 0 or mount is None or subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("mounting a disk needs root")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run([str(shutil.which("umount")), str(folder)], check=True)


@pytest.fixture(scope="module")
def large():
    rng = np.random.default_rng(3)
    return gs.convert(filled(MLP(hidden=20000), rng), rng.standard_normal(MLP.input_shape).astype(np.float32))


def test_a_full_disk_is_told_and_nothing_is_left(large, disk):
    folder = disk(512)
    with pytest.raises(WriteError, match=r"the disk of .* is full \([\d,]+ bytes free\); nothing was written\.\nFree"):
        gs.export(large, folder / "large.mindir")
    assert list(folder.iterdir()) == []


def test_a_file_survives_an_overwrite_that_the_disk_has_no_room_for(conversion, large, disk, x):
    folder = disk(512)
    gs.export(conversion, folder / "mlp.mindir")
    before = contents(folder)
    with pytest.raises(WriteError, match="is full"):
        gs.export(large, folder / "mlp.mindir", overwrite=True)
    assert contents(folder) == before
    np.testing.assert_allclose(gs.load(folder / "mlp.mindir")(x), conversion(x), rtol=1e-5, atol=1e-6)


def test_a_disk_that_can_only_be_read_is_told(conversion, disk):
    folder = disk(512)
    subprocess.run([str(shutil.which("mount")), "-o", "remount,ro", str(folder)], check=True)
    with pytest.raises(WriteError, match=r"can't write in .*: Read-only file system\.\nGive a path in a folder"):
        gs.export(conversion, folder / "mlp.mindir")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_can_not_be_written_is_told(conversion, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(WriteError, match=r"can't write in .*: Permission denied"):
        gs.export(conversion, tmp_path / "mlp.mindir")
    tmp_path.chmod(0o700)


def test_an_interrupted_overwrite_leaves_the_file_that_was_there(artifact, large, tmp_path, monkeypatch):
    before = contents(tmp_path)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("gsjupyter.artifact.sha256", interrupted)
    with pytest.raises(KeyboardInterrupt):
        gs.export(large, artifact.path, overwrite=True)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: data[:-50] + bytes([data[-50] ^ 1]) + data[-49:],
        lambda data: data + b"\0",
    ],
    ids=["last-byte-missing", "half", "empty", "one-bit-changed", "one-byte-more"],
)
def test_a_file_that_is_not_what_was_exported_is_not_loaded(damage, artifact):
    artifact.path.write_bytes(damage(artifact.path.read_bytes()))
    with pytest.raises(
        ModelFileError, match=r"mlp\.mindir is not what was exported: .* since 2026-03-04T12:10"
    ) as caught:
        gs.load(artifact.path)
    assert "delete mlp.mindir.manifest.json" in caught.value.advice


def test_a_file_without_its_manifest_loads_all_the_same(artifact, conversion, x, tmp_path):
    moved = artifact.path.rename(tmp_path / "moved.mindir")
    np.testing.assert_allclose(gs.load(moved)(x), conversion(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"version": 1}', "\x00"])
def test_a_damaged_manifest_is_told(text, artifact, tmp_path):
    (tmp_path / "mlp.mindir.manifest.json").write_text(text)
    with pytest.raises(ModelFileError, match=r"mlp\.mindir\.manifest\.json is no manifest of gsjupyter"):
        gs.load(artifact.path)


def test_a_manifest_of_a_later_version_is_told(artifact, tmp_path):
    place = tmp_path / "mlp.mindir.manifest.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "version": 2}))
    with pytest.raises(ModelFileError, match="has version 2, this gsjupyter reads 1"):
        gs.load(artifact.path)


def test_a_manifest_can_not_make_gsjupyter_read_elsewhere(artifact, tmp_path):
    place = tmp_path / "mlp.mindir.manifest.json"
    manifest = json.loads(place.read_text())
    manifest["files"]["../../etc/passwd"] = "0" * 64
    place.write_text(json.dumps(manifest))
    with pytest.raises(ModelFileError, match="is not what was exported"):
        gs.load(artifact.path)


def test_a_file_of_mindspores_own_exporter_loads(x, tmp_path, rng):
    network = filled(MLP(), rng).set_train(False)
    mindspore.export(network, Tensor(x), file_name=str(tmp_path / "foreign"), file_format="MINDIR")
    model = gs.load(tmp_path / "foreign.mindir")
    np.testing.assert_allclose(model(x), network(Tensor(x)).asnumpy(), rtol=1e-5, atol=1e-6)
    assert isinstance(model(Tensor(x)), Tensor)


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(ModelFileError, match=r"there is no file missing\.mindir"):
        gs.load("missing.mindir")


def test_the_home_folder_may_be_written_as_a_tilde(conversion, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert gs.export(conversion, "~/mlp.mindir").path == Path(tmp_path / "mlp.mindir")
    gs.load("~/mlp.mindir")
