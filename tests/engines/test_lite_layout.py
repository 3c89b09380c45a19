from __future__ import annotations

import json

import numpy as np
import pytest

from gsjupyter.engines.lite_layout import Network, as_network_gives, converted, ports_of
from gsjupyter.engines.lite_structure import LiteTensor
from gsjupyter.errors import InputError
from gsjupyter.formats import manifest_path
from gsjupyter.signature import InputSpec


def port(shape, layout="NHWC", framework="mindspore", known=None, dtype="float32"):
    tensor = LiteTensor("x", shape, dtype, layout)
    network = Network() if known is None else Network((InputSpec("x", known, dtype),))
    (found,) = ports_of([tensor], framework, network)
    return found


def counted(shape, dtype=np.float32):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize(
    ("shape", "layout", "framework", "known", "own"),
    [
        ((1, 8, 6, 3), "NHWC", "mindspore", None, (1, 3, 8, 6)),
        ((1, 8, 6, 3), "NHWC", "onnx", None, (1, 3, 8, 6)),
        ((1, 3, 8, 6), "NCHW", "mindspore", None, (1, 3, 8, 6)),
        # TensorFlow's networks have their channels last themselves.
        ((1, 8, 6, 3), "NHWC", "tf", None, (1, 8, 6, 3)),
        ((1, 8, 6, 3), "NHWC", "tflite", None, (1, 8, 6, 3)),
        # The shapes go before what the file notes.
        ((1, 8, 6, 3), "NCHW", "mindspore", (1, 3, 8, 6), (1, 3, 8, 6)),
        ((1, 3, 8, 6), "NHWC", "mindspore", (1, 3, 8, 6), (1, 3, 8, 6)),
        ((1, 8, 6, 3), "NHWC", "tf", (1, 3, 8, 6), (1, 3, 8, 6)),
        # With another batch size than it was converted for.
        ((4, 8, 6, 3), "NHWC", "mindspore", (1, 3, 8, 6), (4, 3, 8, 6)),
        ((1, 8, 6, 3), "NHWC", "mindspore", (-1, 3, -1, -1), (1, 3, 8, 6)),
        # Converted for other sizes than the network was exported with.
        ((1, 16, 12, 3), "NHWC", "mindspore", (1, 3, 8, 6), (1, 3, 16, 12)),
        # Three axes alike: the file's note decides.
        ((1, 3, 3, 3), "NHWC", "mindspore", (1, 3, 3, 3), (1, 3, 3, 3)),
        # Others are as they are.
        ((1, 8, 6), "NHWC", "mindspore", None, (1, 8, 6)),
        ((8, 6), "NHWC", "mindspore", (1, 6), (8, 6)),
        ((1, 2, 3, 4, 5), "NHWC", "mindspore", None, (1, 2, 3, 4, 5)),
    ],
)
def test_a_network_has_its_own_layout(shape, layout, framework, known, own):
    assert port(shape, layout, framework, known).spec.shape == own


def test_arrays_in_either_layout_reach_the_engine_alike():
    found = port((1, 8, 6, 3))
    x = counted((2, 3, 8, 6))
    for given in (x, np.asfortranarray(x), x.transpose(0, 2, 3, 1)):
        for_engine = found.for_engine(given)
        assert for_engine.flags.c_contiguous
        np.testing.assert_array_equal(for_engine, x.transpose(0, 2, 3, 1))


@pytest.mark.parametrize(("layout", "is_moved"), [("NHWC", True), ("NCHW", False)])
def test_an_array_that_fits_both_ways_is_the_networks(layout, is_moved):
    found, x = port((1, 3, 3, 3), layout), counted((1, 3, 3, 3))
    np.testing.assert_array_equal(found.for_engine(x), x.transpose(0, 2, 3, 1) if is_moved else x)


def test_an_array_is_checked_against_the_layout_that_it_has():
    found = port((1, 8, 6, 3))
    assert found.spec_of(counted((2, 3, 8, 6))).shape == (1, 3, 8, 6)
    assert found.spec_of(counted((2, 8, 6, 3))).shape == (1, 8, 6, 3)
    assert found.spec_of(counted((2, 5, 5))).shape == (1, 3, 8, 6)


def test_the_networks_data_type_is_taken_and_the_engines_too():
    (found,) = ports_of(
        [LiteTensor("ids", (1, 3), "int32")], "mindspore", Network((InputSpec("ids", (1, 3), "int64"),))
    )
    assert found.spec.dtype == "int64"
    for dtype in ("int64", "int32"):
        given = np.array([[1, -2, 3]], dtype)
        assert found.spec_of(given).dtype == dtype
        np.testing.assert_array_equal(found.for_engine(given), given)
        assert found.for_engine(given).dtype == np.int32


def test_integers_that_do_not_fit_are_refused():
    with pytest.raises(
        InputError, match="input ids holds integers from 0 to 4294967296, and the file takes int32 only"
    ):
        converted("ids", np.array([0, 1 << 32]), "int32")


def test_real_numbers_are_rounded():
    np.testing.assert_array_equal(
        converted("x", np.array([0.1, 1e300]), "float32"), np.array([0.1, np.inf], np.float32)
    )
    assert converted("x", np.float16([0.5]), "float32").dtype == np.float32


def test_what_is_known_of_another_network_is_left_alone():
    tensors = [LiteTensor("x", (1, 3), "int32"), LiteTensor("y", (1, 3), "int32")]
    for known in ([], [("x", (1, 3))], [("a", (1, 3)), ("b", (1, 3))], [("x", (1, 3)), ("y", (3,))]):
        network = Network(tuple(InputSpec(name, shape, "int64") for name, shape in known))
        assert [item.spec.dtype for item in ports_of(tensors, "", network)] == ["int32", "int32"]


@pytest.mark.parametrize(
    ("known", "found", "shape"),
    [
        ((1, 5, 8, 6), (2, 8, 6, 5), (2, 5, 8, 6)),
        ((1, 5, 8, 6), (2, 5, 8, 6), (2, 5, 8, 6)),
        ((1, 5, 5, 5), (2, 5, 5, 5), (2, 5, 5, 5)),
        ((1, 5, 8, 6), (2, 7, 7, 7), (2, 7, 7, 7)),
        ((1, 40), (2, 8, 6, 5), (2, 8, 6, 5)),
        (None, (2, 8, 6, 5), (2, 8, 6, 5)),
    ],
)
def test_outputs_are_as_the_network_gives_them(known, found, shape):
    given = counted(found)
    output = as_network_gives(given, InputSpec("y", known, "float32"))
    assert output.shape == shape
    np.testing.assert_array_equal(output, given if shape == found else given.transpose(0, 3, 1, 2))


def test_outputs_have_the_networks_data_type_if_that_is_of_their_kind():
    assert as_network_gives(counted((2, 3), np.int32), InputSpec("y", (2, 3), "int64")).dtype == np.int64
    assert as_network_gives(counted((2, 3)), InputSpec("y", (2, 3), "int64")).dtype == np.float32
    assert as_network_gives(counted((2, 3)), InputSpec("y", (2, 3), "")).dtype == np.float32
    assert as_network_gives(counted((2, 3)), None).dtype == np.float32


def test_the_manifest_tells_what_the_network_has(tmp_path):
    file = tmp_path / "net.ms"
    assert Network.beside(file) == Network()
    ends = {"inputs": [{"name": "x", "shape": [-1, 3], "dtype": "float16"}], "outputs": []}
    manifest_path(file).write_text(json.dumps({"options": {"network": ends}}))
    assert Network.beside(file) == Network((InputSpec("x", (-1, 3), "float16"),))


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[" * 100_000,
        "[]",
        "{}",
        '{"options": 5}',
        '{"options": {"network": 5}}',
        '{"options": {"network": {"inputs": 5}}}',
        '{"options": {"network": {"inputs": [5]}}}',
        '{"options": {"network": {"inputs": [{"name": "x", "shape": [-7], "dtype": "float32"}]}}}',
        '{"options": {"network": {"inputs": [{"name": "x", "shape": [true], "dtype": "float32"}]}}}',
    ],
)
def test_a_manifest_that_tells_nothing_sound_tells_nothing(tmp_path, text):
    file = tmp_path / "net.ms"
    manifest_path(file).write_text(text)
    assert Network.beside(file) == Network()


def test_a_data_type_that_is_none_is_left_out(tmp_path):
    ends = {"inputs": [{"name": "x", "shape": [3], "dtype": "object"}]}
    assert Network.of({"network": ends}).inputs == (InputSpec("x", (3,), ""),)
