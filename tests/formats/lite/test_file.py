import struct
from contextlib import suppress

import pytest

from gsjupyter.errors import ModelFileError
from gsjupyter.formats.lite import check_file
from tests.formats.lite.fakes import model_bytes


@pytest.fixture
def write(tmp_path):
    def written(content):
        path = tmp_path / "net.ms"
        path.write_bytes(content)
        return path

    return written


def test_a_model_says_what_has_written_it(write):
    assert check_file(write(model_bytes("MindSpore Lite 2.3.0"))) == "MindSpore Lite 2.3.0"


def test_a_model_that_is_cut_off_anywhere_is_found_out(write):
    whole = model_bytes(values=bytes(1000))
    for size in range(8, len(whole), 7):
        with pytest.raises(ModelFileError, match=rf"net\.ms \({size:,} bytes\) is cut off or damaged\."):
            check_file(write(whole[:size]))


@pytest.mark.parametrize("content", [b"", b"MSL2", bytes(100), b"CONVERT RESULT SUCCESS:0\n"])
def test_what_is_no_model_is_found_out(write, content):
    with pytest.raises(ModelFileError, match="no model for MindSpore Lite"):
        check_file(write(content))


@pytest.mark.parametrize("place", range(0, 72, 4))
@pytest.mark.parametrize("number", [0xFFFFFFFF, 0x7FFFFFFF, 0])
def test_a_damaged_model_never_fails_in_another_way(write, place, number):
    content = bytearray(model_bytes())
    struct.pack_into("<I", content, place, number)
    with suppress(ModelFileError):
        assert isinstance(check_file(write(bytes(content))), str)
