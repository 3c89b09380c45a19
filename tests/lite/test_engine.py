"""The release of MindSpore Lite itself: what it converts and runs by each of its doors, and how it refuses."""

from __future__ import annotations

import re
import textwrap

import numpy as np
import pytest
from mindspore import Tensor

from gsjupyter.mindir import model_from_cell
from tests.lite.programs import benchmark, converted, converter_lite, named_outputs_of, outputs_of, with_package
from tests.networks import LeNet, filled

pytestmark = pytest.mark.usefixtures("lite_home")


@pytest.fixture(scope="module")
def network():
    return filled(LeNet(), np.random.default_rng(3)).set_train(False)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(4).standard_normal(LeNet.input_shape).astype(np.float32)


@pytest.fixture(scope="module")
def expected(network, images):
    return network(Tensor(images)).asnumpy()


@pytest.fixture(scope="module")
def model(network, images):
    return model_from_cell(network, (Tensor(images),))


@pytest.fixture(scope="module")
def lenet(lite_home, model, tmp_path_factory):
    """Give LeNet in Lite's format, with its MindIR beside it."""
    return converted(lite_home, model, tmp_path_factory.mktemp("lenet"))


@pytest.fixture
def compared(lite_home, lenet, images, expected, tmp_path):
    """Give what compares, by the benchmark, the network's output with what is expected times a factor."""
    images.transpose(0, 2, 3, 1).tofile(tmp_path / "images.bin")
    (name,) = named_outputs_of(lite_home, lenet, images)

    def compare(factor, *flags):
        golden = tmp_path / "golden.txt"
        values = " ".join(map(str, (factor * expected).ravel()))
        golden.write_text(f"{name} {expected.ndim} {' '.join(map(str, expected.shape))}\n{values}\n")
        data = (f"--inDataFile={tmp_path / 'images.bin'}", f"--benchmarkDataFile={golden}")
        return benchmark(lite_home, f"--modelFile={lenet}", "--modelType=MindIR_Lite", *data, *flags)

    return compare


def test_the_converted_network_computes_what_mindspore_computes(lite_home, lenet, images, expected):
    (output,) = outputs_of(lite_home, lenet, images)
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_float16_weights_halve_the_file(lite_home, model, images, expected, tmp_path):
    float_bytes = converted(lite_home, model, tmp_path).stat().st_size
    file = converted(lite_home, model, tmp_path, "--fp16=on")
    assert file.stat().st_size < 0.6 * float_bytes
    (output,) = outputs_of(lite_home, file, images)
    np.testing.assert_allclose(output, expected, atol=5e-3 * np.abs(expected).max())


def test_inputs_can_keep_their_channels_first(lite_home, model, images, expected, tmp_path):
    file = converted(lite_home, model, tmp_path, "--inputDataFormat=NCHW")
    images.tofile(tmp_path / "images.bin")
    flags = (f"--inDataFile={tmp_path / 'images.bin'}", "--loopCount=1", "--warmUpLoopCount=0")
    assert benchmark(lite_home, f"--modelFile={file}", "--modelType=MindIR_Lite", *flags).returncode == 0
    (output,) = outputs_of(lite_home, file, images)
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_the_package_converts_like_the_program(lite_home, lenet, images, tmp_path):
    script = tmp_path / "convert.py"
    script.write_text(
        textwrap.dedent("""
            import sys, mindspore_lite as lite
            assert lite.__version__ == "2.0.0"
            converter = lite.Converter()
            converter.save_type = lite.ModelType.MINDIR_LITE
            converter.convert(lite.FmkType.MINDIR, sys.argv[1], sys.argv[2])
            try:
                converter.convert(lite.FmkType.MINDIR, __file__, sys.argv[2])
            except RuntimeError as error:
                print(error)
        """)
    )
    finished = with_package(lite_home, script, lenet.with_suffix(".mindir"), tmp_path / "net")
    assert finished.returncode == 0, finished.stderr
    assert "Convert model failed!" in finished.stdout
    ours, theirs = (outputs_of(lite_home, file, images) for file in (tmp_path / "net.ms", lenet))
    np.testing.assert_array_equal(ours, theirs)


def test_a_model_of_the_package_takes_another_batch(lite_home, lenet, images, expected, tmp_path):
    np.save(tmp_path / "image.npy", images[1:].transpose(0, 2, 3, 1))
    script = tmp_path / "resize.py"
    script.write_text(
        textwrap.dedent("""
            import sys, numpy, mindspore_lite as lite
            model = lite.Model()
            model.build_from_file(sys.argv[1], lite.ModelType.MINDIR_LITE)
            model.resize(model.get_inputs(), [[1, 28, 28, 1]])
            (image,) = model.get_inputs()
            image.set_data_from_numpy(numpy.load("image.npy"))
            numpy.save("output.npy", model.predict([image])[0].get_data_to_numpy())
            try:
                image.set_data_from_numpy(numpy.zeros(3, numpy.float32))
            except RuntimeError as error:
                print(error)
        """)
        .replace('"image.npy"', f'"{tmp_path}/image.npy"')
        .replace('"output.npy"', f'"{tmp_path}/output.npy"')
    )
    finished = with_package(lite_home, script, lenet)
    assert finished.returncode == 0, finished.stderr
    assert "data size not equal! Numpy size: 12, Tensor size: 3136" in finished.stdout
    output = np.load(tmp_path / "output.npy")
    np.testing.assert_allclose(output, expected[1:], rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_the_benchmark_measures(lite_home, lenet):
    finished = benchmark(lite_home, f"--modelFile={lenet}", "--modelType=MindIR_Lite", "--loopCount=5")
    assert finished.returncode == 0, finished.stderr
    assert re.search(r"^PrepareTime = [\d.]+ ms$", finished.stdout, re.MULTILINE)
    figures = re.search(
        r"^Model = model\.ms, NumThreads = 2, MinRunTime = (\S+) ms, MaxRuntime = (\S+) ms, AvgRunTime = (\S+) ms$",
        finished.stdout,
        re.MULTILINE,
    )
    assert figures is not None
    least, most, mean = map(float, figures.groups())
    assert 0 < least <= mean <= most


@pytest.mark.parametrize(("factor", "bias"), [(1.0, 0.0), (1.25, 20.0)])
def test_the_benchmark_compares(compared, factor, bias):
    finished = compared(factor, "--accuracyThreshold=1")
    is_near = bias < 1
    assert finished.returncode == (0 if is_near else 255)
    assert float(re.search(r"Mean bias of node/tensor \S+ : (\S+)%", finished.stdout)[1]) == pytest.approx(
        bias, abs=0.1
    )
    assert float(re.search(r"Mean bias of all nodes/tensors: (\S+)%", finished.stdout)[1]) == pytest.approx(
        bias, abs=0.1
    )
    assert ("Mean bias of all nodes/tensors is too big" in finished.stderr) is not is_near


def test_the_benchmark_gives_the_cosine_where_a_threshold_for_it_is_given(compared):
    finished = compared(1.25, "--accuracyThreshold=50", "--cosineDistanceThreshold=0.99")
    assert finished.returncode == 0, finished.stderr
    cosine = re.search(r"^Cosine distance of all nodes/tensors: (\S+)$", finished.stdout, re.MULTILINE)
    assert float(cosine[1]) == pytest.approx(1, abs=1e-4)


def test_the_benchmark_refuses_what_is_no_model_of_lite(lite_home, tmp_path):
    (tmp_path / "net.ms").write_bytes(b"no model" * 100)
    finished = benchmark(lite_home, f"--modelFile={tmp_path / 'net.ms'}", "--modelType=MindIR_Lite")
    assert finished.returncode == 255
    assert "Run Benchmark net.ms Failed : -1" in finished.stderr


@pytest.mark.parametrize("content", [b"", b"no model" * 100, None])
def test_a_damaged_model_is_refused_and_nothing_is_written(lite_home, lenet, tmp_path, content):
    whole = lenet.with_suffix(".mindir").read_bytes()
    (tmp_path / "net.mindir").write_bytes(whole[: len(whole) // 2] if content is None else content)
    flags = (f"--modelFile={tmp_path / 'net.mindir'}", f"--outputFile={tmp_path / 'net'}", "--saveType=MINDIR_LITE")
    finished = converter_lite(lite_home, "--fmk=MINDIR", *flags)
    assert finished.returncode == 255
    assert "CONVERT RESULT FAILED:-1" in finished.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["net.mindir"]


@pytest.mark.parametrize(
    ("flag", "complaint"),
    [
        ("--fmk=KERAS", "INPUT ILLEGAL: fmk must be CAFFE|MINDIR|ONNX|TF|TFLITE"),
        ("--fp16=yes", "INPUT ILLEGAL: fp16 must be on|off"),
        ("--speed=high", "INPUT ILLEGAL: `--speed=high` is not a valid flag"),
        ("--modelFile=", "INPUT MISSING: model file path is necessary"),
    ],
)
def test_a_flag_that_makes_no_sense_is_refused(lite_home, tmp_path, flag, complaint):
    finished = converter_lite(lite_home, "--fmk=MINDIR", "--modelFile=net.mindir", "--outputFile=net", flag)
    assert finished.returncode != 0
    assert complaint in finished.stderr
    assert "CONVERTER::FLAGS INIT FAILED:-600" in finished.stdout


def test_full_quantization_makes_a_smaller_file_that_computes_nearly_the_same(lite_home, model, images, tmp_path):
    float_file = converted(lite_home, model, tmp_path)
    (expected,), float_bytes = outputs_of(lite_home, float_file, images), float_file.stat().st_size
    samples = tmp_path / "samples"
    samples.mkdir()
    images.transpose(0, 2, 3, 1).tofile(samples / "0.bin")
    configuration = tmp_path / "quantization.cfg"
    configuration.write_text(
        "[common_quant_param]\nquant_type=FULL_QUANT\nbit_num=8\n"
        f"[data_preprocess_param]\ncalibrate_path=x:{samples}\ncalibrate_size=1\ninput_type=BIN\n"
        "[full_quant_param]\nactivation_quant_method=MAX_MIN\nbias_correction=false\n"
    )
    file = converted(lite_home, model, tmp_path, f"--configFile={configuration}")
    assert file.stat().st_size < 0.4 * float_bytes
    (output,) = outputs_of(lite_home, file, images)
    assert 1e-4 < np.abs(output - expected).max() / np.abs(expected).max() < 0.1


def test_the_programs_find_their_libraries_by_themselves(lite_home, monkeypatch):
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    assert benchmark(lite_home, "--help").stdout.startswith("Usage: benchmark")
    assert converter_lite(lite_home, "--help").stdout.startswith("Usage: converter_lite")
