import time

import mindspore
import numpy as np
import pytest
from mindspore import Tensor
from mindspore.train.checkpoint_pb2 import Checkpoint as CheckpointProto

from gsjupyter.checkpoint import read_checkpoint
from gsjupyter.errors import GsError, ModelFileError, UnsupportedError
from tests.checkpoints import arrays, saved
from tests.networks import MLP, filled

FORMATS = ("ckpt", "safetensors")


@pytest.fixture
def trained(rng):
    return filled(MLP(), rng)


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_kind_of_number_is_read_as_mindspore_wrote_it(suffix, tmp_path, rng):
    numbers = 100 * rng.standard_normal((3, 4))
    kinds = ["float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool"]
    written = {kind: numbers.astype(kind) for kind in kinds}
    written["scalar"] = np.array(7, np.int32)
    read = read_checkpoint(saved(tmp_path / f"all.{suffix}", written)).tensors
    assert set(read) == set(written)
    for name, array in written.items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(read[name], array)


@pytest.mark.parametrize("suffix", FORMATS)
def test_bfloat16_is_read_as_float32_without_loss(suffix, tmp_path, rng):
    tensor = Tensor(rng.standard_normal((3, 4)).astype(np.float32)).astype(mindspore.bfloat16)
    read = read_checkpoint(saved(tmp_path / f"half.{suffix}", {"weight": tensor})).tensors["weight"]
    np.testing.assert_array_equal(read, tensor.astype(mindspore.float32).asnumpy())


@pytest.mark.parametrize("suffix", FORMATS)
def test_pairs_of_four_bits_are_read_one_by_one(suffix, tmp_path, rng):
    integers = rng.integers(-8, 8, (3, 6)).astype(np.int8)
    packed = (integers[:, 0::2] & 15) | (integers[:, 1::2] << 4)
    written = {"weight": Tensor(packed.astype(np.int8), dtype=mindspore.qint4x2)}
    read = read_checkpoint(saved(tmp_path / f"int4.{suffix}", written)).tensors["weight"]
    np.testing.assert_array_equal(read, integers)


@pytest.mark.parametrize("index", ["{", "[" * 100_000, '{"weight_map": {"a": "../a.safetensors"}}'])
def test_an_index_that_leads_elsewhere_is_refused(index, tmp_path):
    (tmp_path / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ModelFileError):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_missing_file_is_told_with_the_nearest(suffix, tmp_path):
    saved(tmp_path / f"lenet_best.{suffix}", {"a": np.zeros(1, np.float32)})
    with pytest.raises(ModelFileError, match=rf"there is no file .*\nDid you mean lenet_best\.{suffix}\?"):
        read_checkpoint(tmp_path / f"lenet_bset.{suffix}")


@pytest.mark.parametrize("name", ["lenet.pth", "lenet", "lenet.mindir"])
def test_files_of_other_kinds_are_refused(name, tmp_path):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelFileError, match=r"should end in \.ckpt or \.safetensors"):
        read_checkpoint(tmp_path / name)


@pytest.mark.parametrize("name", ["\0.ckpt", "a" * 5000 + ".ckpt"])
def test_names_that_no_file_has_are_refused(name):
    with pytest.raises(ModelFileError):
        read_checkpoint(name)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_cut_file_is_refused_wherever_it_is_cut(suffix, trained, tmp_path):
    data = saved(tmp_path / f"whole.{suffix}", arrays(trained)).read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    boundaries = 0
    for length in range(0, len(data), 13):
        cut.write_bytes(data[:length])
        try:
            read_checkpoint(cut)
            boundaries += 1  # a .ckpt is a plain list: cut between two tensors it is a shorter one
        except ModelFileError:
            pass
    assert boundaries <= (2 if suffix == "ckpt" else 0)


def test_a_checksum_is_checked(trained, tmp_path):
    path = saved(tmp_path / "mlp.ckpt", arrays(trained), crc_check=True)
    assert set(read_checkpoint(path).tensors) == set(arrays(trained))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    changed = tmp_path / "changed.ckpt"
    changed.write_bytes(data)
    with pytest.raises(ModelFileError, match="its checksum differs"):
        read_checkpoint(changed)


def test_a_tensor_with_fewer_bytes_than_its_shape_needs_is_refused(tmp_path):
    for dims in ([4, 4], [1 << 40, 1 << 40], [-1, -4], [1] * 1000, [1 << 62]):
        proto = CheckpointProto()
        value = proto.value.add(tag="fc.weight")
        value.tensor.tensor_type, value.tensor.tensor_content = "Float32", b"1234"
        value.tensor.dims.extend(dims)
        (tmp_path / "short.ckpt").write_bytes(proto.SerializeToString())
        with pytest.raises(ModelFileError, match=r"fc\.weight of shape .* which don't fill it"):
            read_checkpoint(tmp_path / "short.ckpt")


def test_kinds_that_no_array_has_are_refused(tmp_path):
    proto = CheckpointProto()
    value = proto.value.add(tag="fc.weight")
    value.tensor.tensor_type, value.tensor.tensor_content = "Complex3", b"1234"
    (tmp_path / "strange.ckpt").write_bytes(proto.SerializeToString())
    with pytest.raises(UnsupportedError, match="Complex3"):
        read_checkpoint(tmp_path / "strange.ckpt")


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 50_000,
        b'{"a": 1}',
        b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0]}}',
        b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}}',
        b'{"a": {"dtype": "F32", "shape": [true], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "F32", "shape": [1152921504606846976, 16], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}',
        b'{"a": {"dtype": "F4", "shape": [1], "data_offsets": [0, 4]}}',
        b'{"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}}',
        b"\xff\xfe\xfd",
    ],
)
def test_hostile_headers_are_refused_at_once(header, tmp_path):
    path = tmp_path / "hostile.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"1234")
    start = time.monotonic()
    with pytest.raises(GsError):
        read_checkpoint(path)
    assert time.monotonic() - start < 5


def test_random_bytes_are_refused(tmp_path, rng):
    for count in range(60):
        for suffix in FORMATS:
            path = tmp_path / f"random.{suffix}"
            path.write_bytes(rng.bytes(count * 7))
            with pytest.raises(GsError):
                read_checkpoint(path)
