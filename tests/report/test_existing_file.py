import pytest

from gsjupyter.errors import WriteError
from gsjupyter.report.existing_file import check_free


def test_a_free_place_is_free(tmp_path):
    check_free(tmp_path / "lenet.mindir")


def test_what_is_there_is_told_with_its_size_age_and_origin(tmp_path):
    (tmp_path / "lenet.mindir").write_bytes(bytes(82_000))
    with pytest.raises(
        WriteError, match=r"^lenet.mindir exists \(82 kB, written \d{4}-\d\d-\d\d \d\d:\d\d from LeNet5"
    ) as caught:
        check_free(tmp_path / "lenet.mindir", origin=" from LeNet5", flag="overwrite=True")
    assert caught.value.advice == "Add overwrite=True to replace it, or give another name."
