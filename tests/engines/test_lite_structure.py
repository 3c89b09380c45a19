from __future__ import annotations

import struct
import tracemalloc

import numpy as np
import pytest

from gsjupyter.engines.lite_structure import LiteTensor, is_lite_file, read_lite_structure
from gsjupyter.errors import ModelFileError
from tests.engines.lite_files import CLASSES, FRAMEWORKS, IMAGE, Buffer, lite_bytes, lite_file


@pytest.fixture
def file(tmp_path):
    return lite_file(tmp_path / "net.ms")


def test_a_file_tells_its_inputs_and_outputs(tmp_path):
    inputs = [
        IMAGE,
        ("ids", (-1, 128), "int32", "NCHW"),
        ("scale", (), "float16", "NCHW"),
        ("words", (3,), "text", "NHWC"),
    ]
    found = read_lite_structure(lite_file(tmp_path / "net.ms", inputs, [CLASSES]))
    assert found.version == "MindSpore Lite 2.7.0"
    assert found.framework == "mindspore"
    assert found.inputs == (
        LiteTensor("x", (1, 8, 6, 3), "float32", "NHWC"),
        LiteTensor("ids", (-1, 128), "int32", "NCHW"),
        LiteTensor("scale", (), "float16", "NCHW"),
        LiteTensor("words", (3,), "", "NHWC"),
    )
    assert found.outputs == (LiteTensor(*CLASSES),)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_file_tells_where_its_network_comes_from(tmp_path, framework):
    assert read_lite_structure(lite_file(tmp_path / "net.ms", framework=framework)).framework == framework


def test_what_is_left_out_is_empty(tmp_path):
    buffer = Buffer(b"MSL1")
    buffer.table(0, {3: buffer.numbers([0]), 4: buffer.numbers([]), 7: buffer.tables([{2: buffer.numbers([])}])})
    (tmp_path / "net.ms").write_bytes(buffer.data)
    found = read_lite_structure(tmp_path / "net.ms")
    assert (found.version, found.inputs, found.outputs) == ("", (LiteTensor("", (), "", "NCHW"),), ())


def test_files_are_told_apart_by_their_first_bytes(tmp_path, file):
    assert is_lite_file(file)
    (tmp_path / "short").write_bytes(b"MSL2")
    assert not is_lite_file(tmp_path / "short")
    assert not is_lite_file(tmp_path / "gone")
    assert not is_lite_file(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.ms is no file of MindSpore Lite's"),
        (b"PK\x03\x04 a zip file, really", "x.ms is no file of MindSpore Lite's"),
        (lite_bytes([IMAGE], [CLASSES], mark=b"MSL0"), "x.ms is no file of MindSpore Lite's"),
        (b"\xff\xff\xff\xffMSL2", "x.ms is damaged"),
        (lite_bytes([IMAGE], [CLASSES])[:150], "x.ms is damaged"),
        (lite_bytes([IMAGE], [("y", (-2, 3), "float32", "NCHW")]), "x.ms is damaged"),
        (lite_bytes([IMAGE], [("y" * 5000, (2, 3), "float32", "NCHW")]), "x.ms is damaged"),
        (lite_bytes([IMAGE], [("y", [1] * 40, "float32", "NCHW")]), "x.ms is damaged"),
    ],
)
def test_what_is_no_sound_file_is_refused(tmp_path, content, message):
    (tmp_path / "x.ms").write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        read_lite_structure(tmp_path / "x.ms")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ModelFileError, match="there is no file"):
        read_lite_structure(tmp_path / "gone.ms")


@pytest.mark.parametrize("count", [5000, 1_000_000])
def test_more_inputs_than_any_network_has_are_refused_unread(tmp_path, count):
    buffer = Buffer()
    buffer.table(0, {3: buffer.numbers([0] * count), 7: buffer.tables([{2: buffer.numbers([])}])})
    (tmp_path / "x.ms").write_bytes(buffer.data)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match="damaged"):
            read_lite_structure(tmp_path / "x.ms")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_changed_bytes_are_read_or_refused_and_nothing_else(tmp_path):
    rng = np.random.default_rng(7)
    sound = lite_bytes([IMAGE, ("ids", (1, 128), "int32", "NCHW")], [CLASSES])
    path, refused = tmp_path / "x.ms", 0
    for _ in range(1500):
        content = bytearray(sound)
        for _ in range(rng.integers(1, 5)):
            place = int(rng.integers(8, len(content) - 4))
            word = int(rng.choice([0, 1, -1, 2**31 - 1, -(2**31), rng.integers(-1000, 1000)]))
            struct.pack_into("<i", content, place, word)
        path.write_bytes(content)
        try:
            read_lite_structure(path)
        except ModelFileError:
            refused += 1
    assert 300 < refused < 1500
