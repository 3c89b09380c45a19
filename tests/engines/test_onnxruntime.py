from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from mindspore import Tensor, nn
from onnx import TensorProto

from gsjupyter.engines import MindSporeModel, OnnxRuntimeModel
from gsjupyter.errors import EngineError, InputError, ModelFileError, OptionError, UnsupportedError
from gsjupyter.formats.onnx import save, to_onnx
from gsjupyter.mindir import model_from_cell
from tests.engines.onnx_files import OnnxFile, affine, operators, stored_in_integers, with_values_elsewhere
from tests.networks import DictOutput, filled

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx")


@pytest.fixture(scope="module")
def model(folder):
    with OnnxRuntimeModel(affine(folder / "affine.onnx")) as model:
        yield model


@pytest.fixture(scope="module")
def fixed(folder):
    """Load a file that takes batches of two and gives two outputs."""
    file = OnnxFile(x=[2, 3], bias=[])
    file.node("Add", ["x", "bias"], "sum")
    file.node("Mul", ["x", "bias"], "product")
    with OnnxRuntimeModel(file.save(folder / "fixed.onnx", "sum", "product")) as model:
        yield model


X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_an_array_gives_an_array(model):
    for x in (X, X[:1], np.repeat(X, 500, axis=0)):
        np.testing.assert_array_equal(model(x), 2 * x + 1)


def test_a_tensor_gives_a_tensor(model):
    output = model(Tensor(X))
    assert isinstance(output, Tensor)
    np.testing.assert_array_equal(output.asnumpy(), 2 * X + 1)


def test_several_outputs_of_a_foreign_file_are_a_tuple(fixed):
    outputs = fixed(X, np.float32(3))
    assert isinstance(outputs, tuple)
    np.testing.assert_array_equal(outputs[0], X + 3)
    np.testing.assert_array_equal(outputs[1], X * 3)


def test_it_says_what_it_is(model, fixed):
    assert repr(model) == "affine(x: float32[batch, 3]) on ONNX Runtime CPU"
    assert repr(fixed) == "fixed(x: float32[2, 3], bias: float32[]) on ONNX Runtime CPU"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], r"affine takes 1 input \(x\), 0 given"),
        ([X, X], "2 given"),
        ([X.astype(np.float64)], "input x of affine is float32, float64 given"),
        ([X[:, :2]], r"input x of affine has shape \('any', 3\), \(2, 2\) given"),
        ([X[0]], r"has shape \('any', 3\), \(3,\) given"),
    ],
)
def test_an_input_that_does_not_fit_is_told(model, given, message):
    with pytest.raises(InputError, match=message):
        model(*given)


def test_a_batch_size_that_is_fixed_in_the_file_is_held_to(fixed):
    with pytest.raises(InputError, match=r"input x of fixed has shape \(2, 3\), \(1, 3\) given"):
        fixed(X[:1], np.float32(3))


class Nested(nn.Cell):
    def construct(self, x):
        return x + 1, (x * 2, (x * 3,)), x.sum(axis=1)


@pytest.mark.parametrize("network", [Nested, DictOutput])
def test_outputs_are_nested_as_mindspore_nests_them(tmp_path, rng, network):
    x = rng.standard_normal((3, 8)).astype(np.float32)
    source = model_from_cell(filled(network(), rng), (Tensor(x),))
    save(to_onnx(source), tmp_path / "x.onnx")
    expected = MindSporeModel(source)(x)
    with OnnxRuntimeModel(tmp_path / "x.onnx") as model:
        assert repr(model) == f"{network.__name__}(x: float32[3, 8]) on ONNX Runtime CPU"
        assert_same(model(x), expected)
        tensors = model(Tensor(x))
    first = next(iter(tensors.values())) if isinstance(tensors, dict) else tensors[1][1][0]
    assert isinstance(first, Tensor)


def assert_same(actual, expected):
    assert type(actual) is type(expected)
    if isinstance(expected, dict):
        assert list(actual) == list(expected)
        actual, expected = tuple(actual.values()), tuple(expected.values())
    if isinstance(expected, tuple):
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            assert_same(one, other)
    else:
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("note", ['["0", "2"]', '["0"]', '["0", "0"]', "[", "[1, 2]", '["0", ".0"]', '["a", "0"]'])
def test_a_note_on_the_outputs_that_is_none_is_passed_over(tmp_path, note):
    file = OnnxFile(x=[1])
    file.node("Neg", ["x"], "minus")
    file.node("Abs", ["x"], "size")
    onnx_model = file.model("minus", "size")
    onnx_model.producer_name = "gsjupyter"
    onnx_model.metadata_props.add(key="gsjupyter.outputs", value=note)
    (tmp_path / "x.onnx").write_bytes(onnx_model.SerializeToString())
    with OnnxRuntimeModel(tmp_path / "x.onnx") as model:
        assert model(np.ones(1, np.float32)) == (-1, 1)


def test_there_is_no_mindspore_in_its_process(model):
    libraries = Path(f"/proc/{model._worker.process_id}/maps").read_text()
    assert "onnxruntime" in libraries
    assert "mindspore" not in libraries


def test_using_it_imports_neither_mindspore_nor_onnxruntime(folder, model):
    code = (
        "import sys; import numpy as np; from gsjupyter.engines import OnnxRuntimeModel;"
        f"print(OnnxRuntimeModel({str(model.path)!r})(np.ones((1, 3), np.float32)));"
        "print([name for name in ('mindspore', 'onnxruntime') if name in sys.modules])"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("[[3. 3. 3.]]\n[]\n", "")


def test_two_models_at_once(model, fixed):
    answers = {}

    def ask(name, called, expected):
        answers[name] = all((called() == expected).all() for _ in range(50))

    threads = [
        threading.Thread(target=ask, args=("affine", lambda: model(X), 2 * X + 1)),
        threading.Thread(target=ask, args=("fixed", lambda: fixed(X, np.float32(3))[0], X + 3)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {"affine": True, "fixed": True}


def test_a_large_batch_goes_through(model):
    x = np.arange(50_000_000, dtype=np.float32)[: 3 * 16_000_000].reshape(-1, 3)
    y = model(x)
    assert y.nbytes == x.nbytes == 192_000_000
    np.testing.assert_array_equal(y[::100_000], 2 * x[::100_000] + 1)


def test_a_process_that_is_killed_while_it_runs_is_told_and_the_next_call_works(model):
    timer = threading.Timer(0.2, os.kill, (model._worker.process_id, signal.SIGKILL))
    timer.start()
    with pytest.raises(EngineError, match=r"the process of ONNX Runtime was killed \(SIGKILL\), most likely because"):
        model.durations(X, repeat=10**9)
    timer.join()
    np.testing.assert_array_equal(model(X), 2 * X + 1)


def test_it_tells_how_long_runs_take(model):
    durations = model.durations(X, repeat=20)
    assert len(durations) == 20
    assert 0 < min(durations) < 0.1


_IS_INTERRUPTED = """
import numpy as np
from gsjupyter.engines import OnnxRuntimeModel
model, x = OnnxRuntimeModel({path!r}), np.ones((1, 3), np.float32)
print(model(x), flush=True)
try:
    model.durations(x, repeat=10**9)
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(model(x))
"""


def test_an_interrupt_stops_a_run_and_the_next_one_works(model):
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", _IS_INTERRUPTED.format(path=str(model.path))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == "[[3. 3. 3.]]\n"
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate(timeout=30) == ("interrupted\n[[3. 3. 3.]]\n", "")


def test_a_process_ends_with_its_model(model):
    with OnnxRuntimeModel(model.path) as closed:
        first = closed._worker.process_id
    assert not Path(f"/proc/{first}").exists()
    dropped = OnnxRuntimeModel(model.path)
    second = dropped._worker.process_id
    del dropped
    assert not Path(f"/proc/{second}").exists()


def test_threads_are_as_many_as_asked_for(model):
    counts = []
    for threads in (1, 4):
        with OnnxRuntimeModel(model.path, threads=threads) as limited:
            status = Path(f"/proc/{limited._worker.process_id}/status").read_text()
        counts.append(int(status.split("Threads:")[1].split()[0]))
    assert counts[1] == counts[0] + 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"provider": "gpu"}, "provider must be one of cpu, cuda, tensorrt, cann, not 'gpu'"),
        ({"threads": 0}, "threads must be a positive number, not 0"),
        ({"optimization": "most"}, "optimization must be one of disable_all, .*, not 'most'"),
    ],
)
def test_an_option_that_there_is_not_is_refused(model, options, message):
    with pytest.raises(OptionError, match=message):
        OnnxRuntimeModel(model.path, **options)


def test_a_profile_names_the_nodes(model, tmp_path):
    with OnnxRuntimeModel(model.path, profile_path=tmp_path / "profile") as profiled:
        profiled(X)
        path = profiled.profile()
    assert path.parent == tmp_path
    assert any("doubled_node" in event["name"] for event in json.loads(path.read_text()))


# Files that are none, or not what they seem.


@pytest.mark.parametrize(
    "data",
    [b"", b"MindIR, perhaps", b"\x08\x08\x3a\x02\x0a\x00", b"\x3a\x06\x0a\x04\x22\x02Go"],
    ids=["empty", "text", "an empty node", "a node of nothing"],
)
def test_a_file_that_is_no_network_is_refused(tmp_path, data):
    path = tmp_path / "x.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=r"x\.onnx"):
        OnnxRuntimeModel(path)


def test_a_file_that_is_cut_off_is_refused(model, tmp_path):
    path = tmp_path / "cut.onnx"
    path.write_bytes(model.path.read_bytes()[:100])
    with pytest.raises(ModelFileError, match=r"its bytes don't parse"):
        OnnxRuntimeModel(path)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ModelFileError, match="there is no file"):
        OnnxRuntimeModel(tmp_path / "none.onnx")


def test_an_inconsistent_network_is_refused(tmp_path):
    file = OnnxFile(x=[1])
    file.node("Add", ["x", "nowhere"], "y")
    with pytest.raises(ModelFileError, match=r"can't load x\.onnx: .*'nowhere' is not a graph input"):
        OnnxRuntimeModel(file.save(tmp_path / "x.onnx", "y"))


def test_an_operator_that_onnx_runtime_lacks_is_named(tmp_path):
    file = OnnxFile(x=[1])
    file.node("Foo", ["x"], "y", domain="mine")
    with pytest.raises(UnsupportedError, match="mine:Foo"):
        OnnxRuntimeModel(file.save(tmp_path / "x.onnx", "y", domains=["mine"]))


def test_an_output_that_is_no_array_of_numbers_is_refused(tmp_path):
    file = OnnxFile(x=[1])
    file.node("Cast", ["x"], "y", to=TensorProto.STRING)
    with pytest.raises(UnsupportedError, match=r"gives y as tensor\(string\)"):
        OnnxRuntimeModel(file.save(tmp_path / "x.onnx", "y", kind=TensorProto.STRING))


def test_what_onnx_runtime_can_not_run_is_told_by_the_node(tmp_path):
    file = OnnxFile(x=["batch", 4])
    file.node("Reshape", ["x", file.stored("shape", np.array([2, 4]))], "y")
    with OnnxRuntimeModel(file.save(tmp_path / "x.onnx", "y")) as model:
        with pytest.raises(EngineError, match=r"can't run x\.onnx: Reshape 'y_node': .*can.*not be reshaped"):
            model(np.zeros((3, 4), np.float32))
        assert model(np.zeros((2, 4), np.float32)).shape == (2, 4)


def test_values_beside_the_file_are_read(tmp_path):
    (tmp_path / "values.bin").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    with OnnxRuntimeModel(with_values_elsewhere(tmp_path / "x.onnx", "values.bin")) as model:
        np.testing.assert_array_equal(model(np.ones(4, np.float32)), [1, 2, 3, 4])


def test_values_outside_of_its_folder_are_not_read(tmp_path):
    (tmp_path / "secret.bin").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    (tmp_path / "inside").mkdir()
    with pytest.raises(ModelFileError, match=r"keeps values at '\.\./secret\.bin', outside of its own folder"):
        OnnxRuntimeModel(with_values_elsewhere(tmp_path / "inside" / "x.onnx", "../secret.bin"))


# Weights that are stored in integers.


def test_weights_in_integers_are_turned_into_numbers_once(tmp_path, rng):
    file = OnnxFile(image=["batch", 8, 6, 6], x=["batch", 64])
    kernel, kernel_numbers = file.weight("kernel", rng, (8, 8, 1, 1), axis=0)
    file.node("Conv", ["image", kernel], "convolved")
    int8, int8_numbers = file.weight("int8", rng, (64, 32), axis=1)
    file.node("MatMul", ["x", int8], "y8")
    int4, int4_numbers = file.int4_weight("int4", rng, (64, 32))
    file.node("MatMul", ["x", int4], "y4")
    path = file.save(tmp_path / "x.onnx", "convolved", "y8", "y4")
    image, x = (rng.standard_normal(shape).astype(np.float32) for shape in ((2, 8, 6, 6), (5, 64)))
    with OnnxRuntimeModel(path, optimized_path=tmp_path / "real.onnx") as model:
        convolved, y8, y4 = model(image, x)
    expected = np.einsum("bihw,oi->bohw", image, kernel_numbers[:, :, 0, 0])
    np.testing.assert_allclose(convolved, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(y8, x @ int8_numbers, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(y4, x @ int4_numbers, rtol=1e-4, atol=1e-4)
    real = operators(tmp_path / "real.onnx")
    assert "DequantizeLinear" not in real
    assert "MatMulNBits" not in real


def test_what_is_chosen_can_be_overruled(tmp_path, rng):
    file = OnnxFile(image=["batch", 8, 6, 6])
    file.node("Conv", ["image", file.weight("kernel", rng, (8, 8, 1, 1), axis=0)[0]], "y")
    path = file.save(tmp_path / "x.onnx", "y")
    configuration = {"session.disable_quant_qdq": "0"}
    with OnnxRuntimeModel(path, configuration=configuration, optimized_path=tmp_path / "real.onnx"):
        assert stored_in_integers(tmp_path / "real.onnx") == ["kernel_node"]


@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["in one file", "values elsewhere"])
def test_integer_operators_are_kept_and_other_weights_turned_into_numbers(tmp_path, rng, is_elsewhere):
    file = OnnxFile(image=["batch", 8, 6, 6])
    kernel, _ = file.weight("kernel", rng, (8, 8, 3, 3), axis=0)
    file.node("Conv", [file.rounded("input", "image", 0.05), kernel], "convolved", pads=[1, 1, 1, 1])
    output = file.rounded("output", "convolved", 0.02)
    other, other_numbers = file.weight("other", rng, (8, 8, 1, 1), axis=0)
    file.node("Conv", ["image", other], "y")
    path = file.save(tmp_path / "x.onnx", output, "y")
    if is_elsewhere:
        onnx.save(onnx.load(path), path, save_as_external_data=True, location="x.data", size_threshold=64)
    image = rng.standard_normal((2, 8, 6, 6)).astype(np.float32)
    with OnnxRuntimeModel(path, optimized_path=tmp_path / "real.onnx") as model:
        rounded, exact = model(image)
    with OnnxRuntimeModel(path, optimization="disable_all") as as_it_is:
        expected, _ = as_it_is(image)
    np.testing.assert_allclose(rounded, expected, atol=0.021)
    assert np.mean(rounded != expected) < 0.01
    np.testing.assert_allclose(
        exact, np.einsum("bihw,oi->bohw", image, other_numbers[:, :, 0, 0]), rtol=1e-4, atol=1e-5
    )
    assert operators(tmp_path / "real.onnx").count("QLinearConv") == 1
    assert stored_in_integers(tmp_path / "real.onnx") == []
