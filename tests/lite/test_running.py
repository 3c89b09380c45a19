"""Files for MindSpore Lite, run by its real engine as a notebook does it: called, measured, and by Lite's program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from mindspore import Tensor, nn, ops
from traitlets.config import Config

import gsjupyter as gs
from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.targets.targets import find_places
from gsjupyter.engines import LiteModel, LiteProgram
from gsjupyter.engines.measured import MeasuredModel
from gsjupyter.errors import EngineError, InputError, ModelFileError, UnsupportedError
from gsjupyter.formats import manifest_path
from gsjupyter.formats.onnx import save, to_onnx
from gsjupyter.mindir import flat_output, model_from_cell
from tests.lite.programs import converted, outputs_of
from tests.networks import LeNet, NestedOutput, filled

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def package(lite_package):
    """Let workers find the package in every test here."""


class ImageAndVector(nn.Cell):
    """An image and a vector go in, and an image and a vector come out."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, has_bias=True)
        self.fc = nn.Dense(6, 4)

    def construct(self, image, vector):
        return self.conv(image), self.fc(vector)


class Image(nn.Cell):
    """A convolution without more: an image for an image."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, has_bias=True)

    def construct(self, x):
        return ops.relu(self.conv(x))


class Words(nn.Cell):
    """Numbers of words go in as int64, which Lite's converter turns into int32."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(10, 4)

    def construct(self, ids):
        return self.table(ids)


class OfTwo(nn.Cell):
    """A batch of two is built in."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(12, 4)

    def construct(self, x):
        return self.fc(ops.reshape(ops.relu(x), (1, 12)))


class Nested(nn.Cell):
    """A tuple in a tuple."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Dense(8, 6), nn.Dense(8, 5), nn.Dense(8, 4)

    def construct(self, x):
        return self.first(x), (self.second(x), (ops.relu(self.third(x)),))


class Made:
    """A network, what it was exported for, what it gives for that, and its file for Lite."""

    def __init__(self, home, folder, network, *inputs, flags=()):
        folder.mkdir()
        tensors = [Tensor(array) for array in inputs]
        self.model = model_from_cell(network.set_train(False), tuple(tensors))
        self.inputs, self.network = inputs, network
        self.path = converted(home, self.model, folder, *flags)
        self.mindir = self.path.with_suffix(".mindir")

    def outputs(self, *inputs):
        """Return the network's outputs, flat."""
        output = self.network(*map(Tensor, inputs or self.inputs))
        output = output if isinstance(output, tuple) else (output,)
        return [item.asnumpy() for item in output]

    def note(self):
        """Write the manifest that tells what the network has."""
        inputs = [{"name": spec.name, "shape": spec.shape, "dtype": spec.dtype} for spec in self.model.inputs]
        flat = flat_output(_arrays(self.network(*map(Tensor, self.inputs))))
        outputs = [{"name": name, "shape": item.shape, "dtype": item.dtype.name} for name, item in flat.items()]
        options = {"network": {"inputs": inputs, "outputs": outputs}}
        manifest_path(self.path).write_text(json.dumps({"options": options}))
        return self


def _arrays(output):
    return tuple(map(_arrays, output)) if isinstance(output, tuple) else output.asnumpy()


@pytest.fixture(scope="module")
def make(lite_home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("running")

    def make(name, network, *inputs, **options):
        return Made(lite_home, folder / name, filled(network, np.random.default_rng(3)), *inputs, **options)

    return make


def normal(*shape):
    return np.random.default_rng(5).standard_normal(shape).astype(np.float32)


@pytest.fixture(scope="module")
def lenet(make):
    return make("lenet", LeNet(), normal(2, 1, 28, 28))


@pytest.fixture(scope="module")
def both(make):
    return make("both", ImageAndVector(), normal(2, 3, 8, 6), normal(2, 6))


def near(found, expected):
    found = found if isinstance(found, tuple) else (found,)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_file_is_called_like_its_network(lenet):
    with LiteModel(lenet.path, threads=1) as model:
        assert [(spec.name, spec.shape, spec.dtype) for spec in model.inputs] == [("x", (2, 1, 28, 28), "float32")]
        assert [(spec.shape, spec.dtype) for spec in model.outputs] == [((2, 10), "float32")]
        assert repr(model) == "model(x: float32[2, 1, 28, 28]) on MindSpore Lite cpu"
        assert model.version == "2.0.0"
        near(model(*lenet.inputs), lenet.outputs())
        output = model(*map(Tensor, lenet.inputs))
        assert isinstance(output, Tensor)
        near(output.asnumpy(), lenet.outputs())


def test_each_input_has_its_own_layout(both):
    image, vector = both.inputs
    with LiteModel(both.path) as model:
        assert [port.is_moved for port in model.ports] == [True, False]
        assert [port.tensor.shape for port in model.ports] == [(2, 8, 6, 3), (2, 6)]
        for given in (image, np.asfortranarray(image), image.transpose(0, 2, 3, 1)):
            near(model(given, vector), both.outputs())


def test_other_batches_are_resized_to_and_back(both):
    with LiteModel(both.path) as model:
        for batch in (1, 5, 2):
            inputs = [np.resize(array, (batch, *array.shape[1:])) for array in both.inputs]
            near(model(*inputs), both.outputs(*inputs))


def test_a_batch_that_is_built_in_is_told(make):
    made = make("of two", OfTwo(), normal(2, 6))
    with LiteModel(made.path) as model:
        near(model(*made.inputs), made.outputs())
        with pytest.raises(InputError, match=r"made for inputs of shape \(2, 6\).* can't change that to \(3, 6\)"):
            model(normal(3, 6))
        near(model(*made.inputs), made.outputs())


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_an_image_that_fits_both_ways_is_the_networks(make, layout):
    made = make(f"square {layout}", Image(), normal(1, 3, 3, 3), flags=[f"--inputDataFormat={layout}"])
    with LiteModel(made.path) as model:
        assert model.ports[0].is_moved == (layout == "NHWC")
        near(model(*made.inputs), made.outputs())


def test_data_types_that_lite_lacks_are_the_networks_all_the_same(make):
    made = make("words", Words(), np.array([[1, 2, 9], [0, 3, 3]])).note()
    with LiteModel(made.path) as model:
        assert model.inputs[0].dtype == "int64"
        assert model.ports[0].tensor.dtype == "int32"
        near(model(*made.inputs), made.outputs())
        near(model(made.inputs[0].astype(np.int32)), made.outputs())
        with pytest.raises(InputError, match="takes int32 only"):
            model(made.inputs[0] << 40)


def test_float16_is_taken_and_given_back(make, lite_home):
    made = make("half", nn.ReLU(), normal(2, 6).astype(np.float16))
    expected = np.maximum(made.inputs[0], 0)
    with LiteModel(made.path) as model:
        output = model(*made.inputs)
    assert output.dtype == np.float16
    np.testing.assert_array_equal(output, expected)
    assert LiteProgram(lite_home).run(made.path, made.inputs, [expected]).comparison.mean_bias == 0


def test_outputs_are_nested_as_the_manifest_says(make):
    made = make("nested", Nested(), normal(2, 8)).note()
    with LiteModel(made.path) as model:
        assert [spec.name for spec in model.outputs] == ["0", "1.0", "1.1.0"]
        first, (second, (third,)) = model(*made.inputs)
    expected = made.network(*map(Tensor, made.inputs))
    near((first, second, third), flat_output(_arrays(expected)).values())


def test_what_it_can_not_run_is_told_by_its_log(make):
    made = make("one output twice", NestedOutput(), normal(2, 8))
    with (
        LiteModel(made.path) as model,
        pytest.raises(EngineError, match=r"can't run model\.ms on the CPU: The size of"),
    ):
        model(*made.inputs)


def test_what_does_not_fit_is_refused_and_it_lives_on(lenet):
    with LiteModel(lenet.path) as model:
        for given, message in [
            ([normal(2, 3, 28, 28)], r"input x of model has shape \(2, 1, 28, 28\), \(2, 3, 28, 28\) given"),
            ([normal(2, 1, 28, 28).astype(np.float64)], "input x of model is float32, float64 given"),
            ([], r"model takes 1 input \(x\), 0 given"),
        ]:
            with pytest.raises(InputError, match=message):
                model(*given)
        near(model(*lenet.inputs), lenet.outputs())


def test_it_is_timed_and_starts_again_when_its_process_has_ended(lenet):
    with LiteModel(lenet.path, threads=2) as model:
        assert len(model.durations(*lenet.inputs, repeat=5)) == 5
        os.kill(model._worker.process_id, signal.SIGSEGV)
        while model._worker.process_id is not None:
            time.sleep(0.01)
        near(model(*lenet.inputs), lenet.outputs())


@pytest.mark.parametrize("device", ["gpu", "ascend"])
def test_a_device_that_is_not_there_is_not_the_cpu(lenet, device):
    with pytest.raises(EngineError, match="would take the CPU in its place"):
        LiteModel(lenet.path, device=device)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused(lenet, tmp_path, share):
    content = lenet.path.read_bytes()
    (tmp_path / "cut.ms").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelFileError, match=r"cut\.ms"):
        LiteModel(tmp_path / "cut.ms")


def test_a_file_with_nothing_to_run_is_refused(tmp_path, lenet):
    content = bytearray(lenet.path.read_bytes())
    # The operators' own part, between the names of inputs and outputs and the weights.
    content[200:400] = bytes(200)
    (tmp_path / "x.ms").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"x\.ms"):
        LiteModel(tmp_path / "x.ms")


def test_it_is_measured_in_its_process(lenet):
    with MeasuredModel("lite", lenet.path, threads=1) as model:
        loaded = model.start()
        assert [(spec.name, spec.shape) for spec in loaded.inputs] == [("x", (2, 1, 28, 28))]
        assert 0 < loaded.load_s < 60
        near(model.first_run(lenet.inputs).outputs, lenet.outputs())
        assert len(model.timed(duration_s=0, least_runs=7)) == 7
        assert model.resources().host_memory_bytes > 0
        other = np.resize(lenet.inputs[0], (5, 1, 28, 28))
        near(model.first_run([other]).outputs, lenet.outputs(other))
        with pytest.raises(UnsupportedError, match="doesn't tell what each operator takes"):
            model.operators(1)
        # It was refused, and nothing broke.
        assert len(model.timed(duration_s=0, least_runs=2)) == 2


def test_lites_own_program_times_and_compares(lite_home, both):
    program = LiteProgram(lite_home, threads=1)
    found = program.run(both.path, both.inputs, both.outputs())
    assert 0 < found.times.least_s <= found.times.mean_s <= found.times.most_s < 1
    assert found.times.prepare_s > 0
    assert found.comparison.mean_bias < 1e-3
    assert found.comparison.cosine == pytest.approx(1, abs=1e-6)
    assert len(found.comparison.bias_of) == 2
    larger = [np.resize(array, (5, *array.shape[1:])) for array in both.inputs]
    assert program.run(both.path, larger, both.outputs(*larger)).comparison.mean_bias < 1e-3


def test_lites_own_program_tells_how_far_outputs_are_off(lite_home, both):
    image, vector = both.outputs()
    found = LiteProgram(lite_home).run(both.path, both.inputs, [2 * image, vector]).comparison
    first, second = found.bias_of.values()
    assert first == pytest.approx(0.5, rel=1e-3)
    assert second < 1e-3
    # Twice as large is no other direction.
    assert found.cosine == pytest.approx(1, abs=1e-6)
    assert LiteProgram(lite_home).run(both.path, both.inputs, [-image, vector]).comparison.cosine == pytest.approx(
        0, abs=1e-6
    )


def test_lites_own_program_needs_no_inputs(lite_home, lenet):
    found = LiteProgram(lite_home).run(lenet.path, runs=3, warm_up_runs=0)
    assert found.times.runs == 3
    assert found.comparison is None


def test_both_ways_to_run_it_agree(lite_home, lenet):
    (by_hand,) = outputs_of(lite_home, lenet.path, *lenet.inputs)
    with LiteModel(lenet.path) as model:
        np.testing.assert_allclose(model(*lenet.inputs), by_hand, rtol=1e-6)


def test_this_machine_is_said_to_have_it():
    cpu, gpu, ascend = find_places(["cpu", "gpu", "ascend"], ["lite"])
    assert cpu.is_available
    assert cpu.details == "2.0.0"
    for place in (gpu, ascend):
        assert not place.is_available
        assert place.advice


def test_files_of_both_engines_are_benchmarked_together(lenet, tmp_path):
    save(to_onnx(lenet.model, free_batch=True), tmp_path / "lenet.onnx")
    (tmp_path / "lenet.ms").write_bytes(lenet.path.read_bytes())
    found = gs.benchmark(
        [tmp_path / "lenet.onnx", tmp_path / "lenet.ms"],
        lenet.inputs[0],
        batches=[1, 4],
        threads=1,
        options=BenchmarkOptions(duration_s=0.05, runs=2, launches=1, operators=True),
    )
    assert [(row.setting.engine, row.setting.batch, row.obstacle) for row in found.rows] == [
        *(("onnxruntime", 1, ""), ("onnxruntime", 4, "")),
        *(("lite", 1, ""), ("lite", 4, "")),
    ]
    for row in found.rows[1:]:
        assert row.check.sqnr_db > 80
        assert row.check.argmax_agreement == 1
        assert not any(finding.rule == "wrong-output" for finding in row.findings)
    assert any("its operators couldn't be timed: MindSpore Lite's Python package" in note for note in found.notes)


def test_a_loaded_file_is_benchmarked_without_inputs(lenet):
    with LiteModel(lenet.path) as model:
        found = gs.benchmark(model, threads=1, duration_s=0.02, runs=2, launches=1, targets=["cpu", "gpu"])
    (row, gpu) = found.rows
    assert (row.setting.engine, row.setting.batch, row.obstacle) == ("lite", 2, "")
    assert gpu.obstacle
    assert not gpu.blocks


def test_a_conversion_is_exported_for_it_if_it_is_asked_for(lenet, lite_environment):
    conversion = gs.convert(lenet.network, lenet.inputs[0])
    settings = {"threads": 1, "duration_s": 0.02, "runs": 2, "launches": 1}
    found = gs.benchmark(conversion, engines=["onnxruntime", "lite"], **settings)
    by_runtime, by_lite = found.rows
    assert (by_runtime.setting.engine, by_lite.setting.engine, by_lite.obstacle) == ("onnxruntime", "lite", "")
    assert by_lite.check.reference == "its source"
    assert by_lite.check.sqnr_db > 80


def test_the_magic_takes_a_file(lenet, tmp_path, monkeypatch):
    (tmp_path / "lenet.ms").write_bytes(lenet.path.read_bytes())
    monkeypatch.chdir(tmp_path)
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}), ipython_dir=str(tmp_path))
    shell.run_line_magic("load_ext", "gsjupyter")
    with capture_output() as captured:
        found = shell.run_line_magic("gs_bench", "lenet.ms --duration 0.02 --runs 2 --launches 1 --threads 1")
    assert [row.setting.engine for row in found.rows] == ["lite"]
    assert found.rows[0].has_figures, captured.stdout


def test_the_notebook_gets_no_mindspore_by_it(lenet, lite_home):
    program = (
        f"import sys; sys.path.insert(0, {str(lite_home / 'python')!r}); from gsjupyter.engines import LiteModel; "
        f"print(LiteModel({str(lenet.path)!r}).inputs[0].name, [name for name in sys.modules if 'mindspore' in name])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.split()[0] == "x"
    assert "'mindspore'" not in told.stdout
    assert "mindspore_lite" not in told.stdout
