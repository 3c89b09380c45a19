import numpy as np
import pytest

from gsjupyter.errors import CalibrationError, WriteError
from gsjupyter.formats.lite import LiteSettings, write_calibration
from gsjupyter.signature import InputSpec

IMAGE = InputSpec("image", (2, 3, 4, 5), "float32")
VECTOR = InputSpec("vector", (2, 6), "int32")


def images(samples, rng):
    return rng.standard_normal((samples, 3, 4, 5)).astype(np.float32)


def read(folder, files, name, dtype, shape):
    """Give all batches of an input, as the converter reads them: files in the order of their names."""
    places = sorted((folder / files.folders[name]).iterdir())
    assert len(places) == files.batches
    return np.stack([np.fromfile(place, dtype).reshape(shape) for place in places])


def test_images_lie_channels_last_and_everything_else_as_it_was(tmp_path, rng):
    batches = [(images(2, rng), rng.integers(0, 9, (2, 6), np.int32)) for _ in range(12)]
    files = write_calibration(batches, [IMAGE, VECTOR], LiteSettings(), tmp_path)
    assert files.batches == 12
    pictures = read(tmp_path, files, "image", np.float32, (2, 4, 5, 3))
    np.testing.assert_array_equal(pictures, np.stack([image for image, _ in batches]).transpose(0, 1, 3, 4, 2))
    vectors = read(tmp_path, files, "vector", np.int32, (2, 6))
    np.testing.assert_array_equal(vectors, np.stack([vector for _, vector in batches]))


def test_images_stay_as_they_are_where_the_file_takes_them_so(tmp_path, rng):
    batch = images(2, rng)
    files = write_calibration([(batch,)], [IMAGE], LiteSettings(input_format="NCHW"), tmp_path)
    np.testing.assert_array_equal(read(tmp_path, files, "image", np.float32, (2, 3, 4, 5))[0], batch)


def test_samples_are_cut_to_the_length_that_the_network_takes(tmp_path, rng):
    samples = images(9, rng)
    batches = [(samples[:1],), (samples[1:6],), (samples[6:],)]
    files = write_calibration(batches, [IMAGE], LiteSettings(input_format="NCHW"), tmp_path)
    assert files.batches == 4
    found = read(tmp_path, files, "image", np.float32, (2, 3, 4, 5))
    np.testing.assert_array_equal(found.reshape(8, 3, 4, 5), samples[:8])


def test_inputs_without_an_axis_in_common_are_written_as_they_come(tmp_path):
    inputs = [InputSpec("x", (4, 2), "float32"), InputSpec("scale", (1,), "float32")]
    batch = (np.ones((4, 2), np.float32), np.full(1, 3, np.float32))
    files = write_calibration([batch, batch], inputs, LiteSettings(), tmp_path)
    assert files.batches == 2
    np.testing.assert_array_equal(read(tmp_path, files, "scale", np.float32, (1,)), [[3], [3]])


def test_data_types_of_64_bits_become_those_that_the_file_takes(tmp_path, rng):
    inputs = [InputSpec("ids", (2, 6), "int64"), InputSpec("scale", (2, 1), "float64")]
    batch = (rng.integers(-9, 9, (2, 6)), rng.standard_normal((2, 1)))
    files = write_calibration([batch], inputs, LiteSettings(), tmp_path)
    np.testing.assert_array_equal(read(tmp_path, files, "ids", np.int32, (2, 6)), batch[:1])
    np.testing.assert_array_equal(read(tmp_path, files, "scale", np.float32, (2, 1)), [batch[1].astype(np.float32)])


def test_integers_that_the_file_cannot_take_are_refused(tmp_path):
    inputs = [InputSpec("ids", (2, 1), "int64")]
    with pytest.raises(CalibrationError, match=r"calibration batch 1 doesn't fit: input ids holds integers from 0 to"):
        write_calibration([(np.zeros((2, 1), int),), (np.array([[0], [2**40]]),)], inputs, LiteSettings(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_names_of_inputs_are_no_names_of_folders(tmp_path, rng):
    inputs = [InputSpec("../../evil", (2, 3, 4, 5), "float32")]
    files = write_calibration([(images(2, rng),)], inputs, LiteSettings(), tmp_path)
    assert files.folders == {"../../evil": "calibration/input0"}


@pytest.mark.parametrize(
    ("batches", "words"),
    [
        ([], r"fewer samples than one batch of the network takes \(2\)"),
        ([(np.ones((1, 3, 4, 5), np.float32),)], "fewer samples"),
        (
            [(np.ones((2, 3, 4, 6), np.float32),)],
            "calibration batch 0 doesn't fit: input image of the network has shape",
        ),
        ([(np.ones((2, 3, 4, 5)),)], "calibration batch 0 doesn't fit: input image of the network is float32"),
        ([(np.ones((2, 3, 4, 5), np.float32), np.ones(2))], "the network takes 1 input"),
    ],
)
def test_data_that_does_not_fit_leaves_nothing(tmp_path, batches, words):
    with pytest.raises(CalibrationError, match=words):
        write_calibration(batches, [IMAGE], LiteSettings(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_error_half_way_leaves_nothing(tmp_path, rng):
    def batches():
        yield (images(2, rng),)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_calibration(batches(), [IMAGE], LiteSettings(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_told(tmp_path, rng):
    with pytest.raises(WriteError, match="there is no folder"):
        write_calibration([(images(2, rng),)], [IMAGE], LiteSettings(), tmp_path / "nowhere")
