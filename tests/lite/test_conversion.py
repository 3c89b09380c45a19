"""Conversions by gsjupyter's own call of the real converter: what comes out runs, and is as small as it should be."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from itertools import count

import numpy as np
import pytest
from mindspore import Tensor, nn

from gsjupyter.conversion import convert
from gsjupyter.formats.lite import (
    ConversionError,
    LiteSettings,
    configuration_text,
    convert_file,
    find_benchmark,
    find_converter,
    lite_scheme,
    write_calibration,
)
from gsjupyter.mindir import save_model
from gsjupyter.options import ConvertOptions
from tests.lite.programs import outputs_of
from tests.networks import LeNet, filled

FLOAT = LiteSettings()

pytestmark = pytest.mark.usefixtures("lite_environment")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(4).standard_normal(LeNet.input_shape).astype(np.float32)


@pytest.fixture(scope="module")
def lenet(images):
    return convert(filled(LeNet(), np.random.default_rng(3)).set_train(False), images)


@pytest.fixture(scope="module")
def float_file(lite_home, lenet, tmp_path_factory):
    """Give LeNet in float, as a converted file."""
    folder = tmp_path_factory.mktemp("float")
    save_model(lenet.float_model, folder / "net.mindir")
    return convert_file(find_converter(str(lite_home)), folder / "net.mindir", folder / "net.ms", FLOAT)


@pytest.fixture
def lite(lite_home, tmp_path):
    """Convert a float network, with a configuration where Lite is to quantize; give the conversion."""

    numbers = count()

    def converted(conversion, settings=FLOAT, options=None, batches=(), found=None):
        model, configuration = conversion.float_model, None
        save_model(model, tmp_path / "net.mindir")
        if settings.is_quantized_by_lite:
            scheme = lite_scheme(settings, options or ConvertOptions(), model)
            folder = tmp_path / f"quantization{next(numbers)}"
            folder.mkdir()
            data = write_calibration(batches, model.inputs, settings, folder) if batches else None
            configuration = folder / "lite.cfg"
            configuration.write_text(configuration_text(scheme, *((data.folders, data.batches) if data else ())))
        return convert_file(
            found or find_converter(),
            tmp_path / "net.mindir",
            tmp_path / "net.ms",
            settings,
            configuration=configuration,
        )

    return converted


def relative_error(actual, expected):
    return np.abs(actual - expected).max() / np.abs(expected).max()


@pytest.fixture
def package(lite_package, monkeypatch):
    monkeypatch.delenv("LITE_HOME")
    return find_converter()


def test_the_release_is_found(lite_home):
    assert find_converter().path == (lite_home / "tools/converter/converter/converter_lite").resolve()
    assert find_benchmark() == lite_home / "tools/benchmark/benchmark"


def test_a_float_network_computes_the_same(float_file, lite_home, lenet, images):
    assert float_file.writer == "MindSpore Lite 2.0.0"
    (output,) = outputs_of(lite_home, float_file.path, images)
    assert relative_error(output, lenet(images)) < 1e-4


def test_the_package_writes_the_same_file_as_the_program(lite, lenet, lite_home, package):
    assert package.kind == "package"
    settings = LiteSettings(float16=True, input_format="NCHW")
    by_package = lite(lenet, settings, found=package).path.read_bytes()
    by_program = lite(lenet, settings, found=find_converter(str(lite_home))).path.read_bytes()
    assert by_package == by_program


def test_weights_in_float16_take_half(lite, lite_home, float_file, lenet, images):
    half = lite(lenet, LiteSettings(float16=True)).path
    assert half.stat().st_size < 0.55 * float_file.path.stat().st_size
    (output,) = outputs_of(lite_home, half, images)
    assert 0 < relative_error(output, lenet(images)) < 0.02


@pytest.mark.parametrize("quantization", ["full", "dynamic", "weight"])
def test_lite_takes_the_configuration_that_is_written_for_it(lite, float_file, lenet, images, quantization):
    batches = [(images,)] if quantization == "full" else ()
    small = lite(lenet, LiteSettings(quantization=quantization), batches=batches)
    assert small.path.stat().st_size < 0.4 * float_file.path.stat().st_size


@pytest.mark.parametrize("observer", ["minmax", "entropy", "percentile"])
def test_full_quantization_stays_near_with_every_method(lite, lite_home, lenet, images, observer):
    options = ConvertOptions(weights="int8", activations="int8", activation_observer=observer)
    rng = np.random.default_rng(6)
    batches = [(images,), *((rng.standard_normal(images.shape).astype(np.float32),) for _ in range(15))]
    done = lite(lenet, LiteSettings(quantization="full"), options, batches)
    (output,) = outputs_of(lite_home, done.path, images)
    assert 0 < relative_error(output, lenet(images)) < 0.2


@pytest.mark.parametrize("quantization", ["full", "weight"])
def test_layers_that_are_kept_stay_in_float(lite, lenet, images, quantization):
    def size(**layers):
        options = ConvertOptions(weights="int8", layers=layers)
        return lite(lenet, LiteSettings(quantization=quantization), options, batches).path.stat().st_size

    batches = [(images,)] if quantization == "full" else ()
    all_integers = size()
    for layer, weights in (("classifier.0", 120 * 400), ("conv2", 16 * 6 * 5 * 5)):
        # 3 bytes more for each weight, less its scales, and what stands around them.
        assert 0.8 * 3 * weights < size(**{layer: "float32"}) - all_integers < 1.05 * 3 * weights


class Difference(nn.Cell):
    """Subtracts one channel of an image from another: in another order of axes everything is 0."""

    def __init__(self):
        super().__init__()
        kernel = np.zeros((8, 3, 1, 1), np.float32)
        kernel[:, 0, 0, 0] = np.arange(1, 9)
        kernel[:, 1, 0, 0] = -np.arange(1, 9)
        self.first = nn.Conv2d(3, 8, 1, has_bias=True, weight_init=Tensor(kernel))
        self.relu = nn.ReLU()
        self.second = nn.Conv2d(8, 32, 1, has_bias=True, weight_init="normal")

    def construct(self, x):
        return self.second(self.relu(self.first(x)))


@pytest.mark.parametrize("input_format", [None, "NHWC", "NCHW"])
def test_calibration_data_lies_as_the_files_input_does(lite, lite_home, input_format):
    rng = np.random.default_rng(5)
    image = rng.standard_normal((2, 3, 16, 12)).astype(np.float32) * 0.01
    image[:, 0] += 1
    conversion = convert(Difference(), image)
    settings = LiteSettings(quantization="full", input_format=input_format)
    done = lite(conversion, settings, batches=[(image,)] * 4)
    (output,) = outputs_of(lite_home, done.path, image)
    # Ranges from the wrong axes clip everything: an error of half the largest value.
    assert relative_error(output, conversion(image)) < 0.02


def test_batches_of_another_length_are_told_apart(lite, tmp_path, lenet, images):
    save_model(lenet.float_model, tmp_path / "net.mindir")
    folder = tmp_path / "calibration/input0"
    folder.mkdir(parents=True)
    images[:1].tofile(folder / "0.bin")
    scheme = lite_scheme(LiteSettings(quantization="full"), ConvertOptions(), lenet.float_model)
    (tmp_path / "lite.cfg").write_text(configuration_text(scheme, {"x": "calibration/input0"}, 1))
    with pytest.raises(ConversionError, match="is 3,136 bytes, and the network's input takes 6,272"):
        convert_file(
            find_converter(),
            tmp_path / "net.mindir",
            tmp_path / "net.ms",
            LiteSettings(quantization="full"),
            configuration=tmp_path / "lite.cfg",
        )


def test_a_conversion_for_ascend_takes_cann(lite, lenet, tmp_path):
    with pytest.raises(ConversionError, match=r"CANN, which converts for Ascend, isn't here"):
        lite(lenet, LiteSettings(device="ascend"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.mindir"]


def test_a_program_without_its_libraries_is_told(lite, lite_home, lenet, tmp_path):
    # Any program of the release will do: it is the loader that speaks.
    lonely = tmp_path / "alone/converter_lite"
    lonely.parent.mkdir()
    shutil.copy(find_benchmark(), lonely)
    with pytest.raises(ConversionError, match=r"the library lib\S+ isn't found\."):
        lite(lenet, found=find_converter(str(lonely)))


def test_a_damaged_network_is_told(lite_home, tmp_path):
    (tmp_path / "net.mindir").write_bytes(bytes(range(256)) * 4)
    with pytest.raises(ConversionError, match=r"converter_lite can't convert net\.mindir|converter_lite failed"):
        convert_file(find_converter(), tmp_path / "net.mindir", tmp_path / "net.ms", LiteSettings())
    assert not (tmp_path / "net.ms").exists()


def test_an_interrupt_in_the_middle_leaves_nothing(lite_home, lenet, tmp_path):
    save_model(lenet.float_model, tmp_path / "net.mindir")

    def interrupt():
        while not list(tmp_path.glob(".gsjupyter-*")):
            time.sleep(0.001)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        convert_file(find_converter(), tmp_path / "net.mindir", tmp_path / "net.ms", LiteSettings())
    assert [file.name for file in tmp_path.iterdir()] == ["net.mindir"]
