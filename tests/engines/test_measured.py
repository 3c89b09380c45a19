from __future__ import annotations

import os
import signal

import numpy as np
import onnx
import psutil
import pytest

from gsjupyter.engines import measured
from gsjupyter.engines.measured import MeasuredModel
from gsjupyter.errors import EngineError, ModelFileError, OptionError, UnsupportedError
from tests.engines.onnx_files import OnnxFile, affine

X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return affine(tmp_path_factory.mktemp("onnx") / "affine.onnx")


@pytest.fixture
def model(file):
    with MeasuredModel("onnxruntime", file, threads=1) as model:
        yield model


def started(model):
    model.start()
    model.first_run([X])
    return model


def test_a_model_is_loaded_run_and_timed(model):
    loaded = model.start()
    assert [(spec.name, spec.shape, spec.dtype) for spec in loaded.inputs] == [("x", (-1, 3), "float32")]
    assert loaded.providers == ("CPUExecutionProvider",)
    assert 0 < loaded.load_s < 60
    first = model.first_run([X])
    np.testing.assert_array_equal(first.outputs[0], 2 * X + 1)
    assert len(first.outputs) == 1
    assert first.duration_s > 0
    durations = model.timed(duration_s=0.01, least_runs=5)
    assert len(durations) >= 5
    assert sum(durations) >= 0.01
    # The last run was needed for one or the other.
    assert len(durations) == 5 or sum(durations[:-1]) < 0.01
    assert min(durations) > 0


def test_so_many_runs_as_asked_for(model):
    assert len(started(model).timed(duration_s=0, least_runs=17)) == 17


def test_other_inputs_take_the_place_of_the_first(model):
    model.start()
    for x in (X, X[:1]):
        np.testing.assert_array_equal(model.first_run([x]).outputs[0], 2 * x + 1)


def test_its_operators_are_told(model):
    found = started(model).operators(3)
    assert [record["operator"] for record in found] == ["Mul", "Add"]
    assert [len(record["durations_s"]) for record in found] == [3, 3]


def test_memory_is_that_of_the_model_and_not_of_the_notebook(tmp_path, file):
    large = OnnxFile(x=[1])
    large.node("Mul", ["x", large.stored("w", np.ones(20_000_000, np.float32))], "y")
    held = np.ones(50_000_000, np.float32)
    found = {}
    for path in (file, large.save(tmp_path / "large.onnx", "y")):
        with MeasuredModel("onnxruntime", path, threads=1) as model:
            model.start()
            model.first_run([X if path is file else np.ones(1, np.float32)])
            found[path.stem] = model.resources()
    assert found["affine"].host_memory_bytes < 40e6 < held.nbytes
    # Weight and output, of 80 MB each, and what reading the file takes.
    assert 160e6 < found["large"].host_memory_bytes < 500e6
    assert found["affine"].device_memory_bytes is None


def test_it_can_be_waited_for(model):
    assert started(model).wait_until_idle()
    model.close()
    assert model.wait_until_idle()


def test_threads_and_environment_reach_the_process(file):
    with MeasuredModel("onnxruntime", file, threads=3, environment={"COLOUR": "blue"}) as model:
        model.start()
        variables = psutil.Process(model.process_id).environ()
    assert (variables["OMP_NUM_THREADS"], variables["COLOUR"]) == ("3", "blue")


def test_it_ends_with_its_block(file):
    with MeasuredModel("onnxruntime", file, threads=1) as model:
        model.start()
        process = model.process_id
        assert psutil.pid_exists(process)
    assert not psutil.pid_exists(process)


def test_one_that_has_ended_is_not_started_again(model):
    started(model)
    os.kill(model.process_id, signal.SIGSEGV)
    with pytest.raises(EngineError, match=r"the process of ONNX Runtime crashed \(SIGSEGV\)"):
        model.timed(duration_s=0)
    with pytest.raises(EngineError, match="the process of ONNX Runtime has ended"):
        model.timed(duration_s=0)
    assert model.process_id is None


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"engine": "tvm"}, EngineError, "gsjupyter has no runner for 'tvm'"),
        ({"target": "tpu"}, OptionError, "target must be one of cpu, gpu, ascend, not 'tpu'"),
        ({"provider": "coreml"}, OptionError, "provider must be one of cpu, cuda, tensorrt, cann, not 'coreml'"),
        ({"threads": 0}, OptionError, "threads must be a positive number, not 0"),
    ],
)
def test_what_there_is_not_is_refused(file, options, error, message):
    settings = {"engine": "onnxruntime", "threads": 1, **options}
    with pytest.raises(error, match=message):
        MeasuredModel(settings.pop("engine"), file, **settings)


def test_a_target_has_its_own_provider(file):
    names = {
        target: MeasuredModel("onnxruntime", file, target=target, threads=1).provider for target in measured._PROVIDERS
    }
    assert names == {"cpu": "cpu", "gpu": "cuda", "ascend": "cann"}


def test_a_missing_file_is_told(tmp_path):
    with MeasuredModel("onnxruntime", tmp_path / "gone.onnx", threads=1) as model, pytest.raises(ModelFileError):
        model.start()


def test_a_provider_that_is_not_there_is_told_with_advice(file):
    model = MeasuredModel("onnxruntime", file, target="ascend", threads=1)
    with model, pytest.raises(EngineError, match="has no CANN") as raised:
        model.start()
    assert "onnxruntime-cann" in raised.value.advice


def test_texts_are_no_input(tmp_path):
    file = OnnxFile(x=[1])
    file.node("Identity", ["x"], "y")
    network = file.model("y", kind=onnx.TensorProto.STRING)
    network.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.STRING
    onnx.save(network, tmp_path / "text.onnx")
    with MeasuredModel("onnxruntime", tmp_path / "text.onnx", threads=1) as model:
        with pytest.raises(UnsupportedError, match="takes or gives x, which is no array of numbers"):
            model.start()
        assert model.process_id is None
