from __future__ import annotations

import json

import numpy as np
import pytest

from gsjupyter import export
from gsjupyter.benchmarking.operators import operator_times
from gsjupyter.engines.execution_providers import PROVIDERS
from gsjupyter.engines.onnx_layout import FileLayout, OnnxNode
from gsjupyter.engines.onnx_structure import read_structure
from gsjupyter.engines.onnxruntime_profile import profiled, records
from gsjupyter.engines.onnxruntime_session import SessionSettings, load
from gsjupyter.engines.serving import SCRATCH, scratch
from gsjupyter.errors import EngineError, UnsupportedError
from tests.engines.lopsided import EXPENSIVE, LAYERS, conversion, example
from tests.engines.onnx_files import OnnxFile

RUNS = 10


def measured(path, x, monkeypatch, folder):
    """Return the records of a file, as the worker gets them."""
    monkeypatch.setenv(SCRATCH, str(folder / "scratch"))
    structure, settings = read_structure(path), SessionSettings(PROVIDERS["cpu"], threads=1)

    def opened(begin):
        return load(path, structure, SessionSettings(settings.provider, threads=1, profile_path=begin))

    with scratch() as place:
        found = profiled(opened, path, {"x": x}, RUNS, place)
        assert list(place.iterdir()) == []
    assert not (folder / "scratch").exists()
    return found


@pytest.fixture(scope="module", params=["float32", "int8"])
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    export(conversion(request.param), folder / "net.onnx")
    with pytest.MonkeyPatch.context() as patch:
        return request.param, folder / "net.onnx", measured(folder / "net.onnx", example(), patch, folder)


def test_each_operator_has_a_duration_for_each_run_that_counts(run):
    _, _, found = run
    assert {len(record["durations_s"]) for record in found} == {RUNS}
    assert all(duration >= 0 for record in found for duration in record["durations_s"])
    json.dumps(found)


def test_the_weights_are_found_in_whatever_an_operator_was_fused_to(run):
    numbers, _, found = run
    kernels = {"float32": ("Conv", "Gemm"), "int8": ("QLinearConv", "QGemm")}[numbers]
    owners = [record["weights"][0] for record in found if record["operator"] in kernels]
    assert sorted(owners) == sorted(f"{layer}.weight" for layer in LAYERS)
    assert all(record["scope"] == record["weights"][0].removesuffix(".weight") for record in found if record["weights"])


def test_the_fused_activation_gives_its_name_and_not_its_layer(run):
    numbers, _, found = run
    stem = next(record for record in found if "stem.0.weight" in record["weights"])
    assert stem["scope"] == "stem.0"
    if numbers == "float32":
        assert stem["name"].startswith("stem.1/Relu")


def test_the_expensive_layer_takes_most(run):
    _, _, found = run
    # The shortest run: on a machine that is busy, any operator may have to wait now and then.
    longest = max(found, key=lambda record: min(record["durations_s"]))
    assert longest["scope"] == EXPENSIVE


def test_what_onnx_runtime_has_put_in_is_of_no_layer(run):
    _, _, found = run
    own = [record for record in found if record["operator"] in ("ReorderInput", "ReorderOutput")]
    own += [record for record in found if record["name"].startswith("Transpose")]
    assert own
    assert all(record["scope"] == "" and record["weights"] == [] for record in own)


def test_records_come_in_running_order(run):
    _, _, found = run
    order = [record["weights"][0] for record in found if record["weights"]]
    assert order == [f"{layer}.weight" for layer in LAYERS]


def foreign(folder, rng, name):
    """Write a file as PyTorch names it: the name of the activation's node is what a fused convolution gets."""
    file = OnnxFile(x=[1, 4, 8, 8])
    weight = file.stored("layer1.0.conv1.weight", rng.normal(size=(8, 4, 3, 3)).astype(np.float32))
    file.node("Conv", ["x", weight], "c", pads=[1, 1, 1, 1])
    file.node("Relu", ["c"], "r")
    file.nodes[0].name, file.nodes[1].name = name, name and f"{name}_relu"
    path = folder / "foreign.onnx"
    path.write_bytes(file.model("r").SerializeToString())
    return path


@pytest.mark.parametrize("name", ["/layer1/layer1.0/conv1/Conv", "Conv_0", "", 'a"b\n/conv1/Conv'])
def test_a_foreign_file_is_told_by_its_parameters(tmp_path, rng, monkeypatch, name):
    path = foreign(tmp_path, rng, name)
    found = measured(path, rng.normal(size=(1, 4, 8, 8)).astype(np.float32), monkeypatch, tmp_path)
    (kernel,) = [record for record in found if record["operator"] == "Conv"]
    assert kernel["weights"] == ["layer1.0.conv1.weight"]
    assert operator_times(found)[0].layer == "layer1.0.conv1"


def test_a_convolution_of_an_earlier_level_is_found_by_its_name(tmp_path, rng):
    layout = FileLayout.read(foreign(tmp_path, rng, "conv1/Conv"))
    node = layout.find("fused conv1/Conv_token_3")
    assert node is not None
    assert layout.weights(node) == ("layer1.0.conv1.weight",)


def test_a_product_without_a_weight_gets_none_of_what_ran_before_it(tmp_path, rng):
    file = OnnxFile(x=[4, 4])
    file.node("MatMul", ["x", file.stored("qkv.weight", rng.normal(size=(4, 4)).astype(np.float32))], "qkv")
    file.node("MatMul", ["qkv", "qkv"], "product")
    file.node("Mul", ["product", file.stored("scale", np.float32(0.5))], "scaled")
    (tmp_path / "attention.onnx").write_bytes(file.model("scaled").SerializeToString())
    layout = FileLayout.read(tmp_path / "attention.onnx")
    node = layout.with_weights(layout.find("scaled/MatMulScaleFusion/"), "FusedMatMul")
    assert (node.name, layout.weights(node)) == ("product_node", ())


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("/layer1/layer1.0/conv1/Conv", "layer1.0.conv1"),
        ("/model/encoder/layers.3/fc/MatMul", "model.encoder.layers.3.fc"),
        ("Conv_0", ""),
        ("", ""),
    ],
)
def test_the_path_that_pytorch_gives_an_operator_is_a_dotted_name(name, cell):
    assert LAYOUT.scope(OnnxNode(name, "Conv", ()), ()) == cell


LAYOUT = FileLayout({}, {}, frozenset(), is_ours=False, operators=1)


def event(name="a_kernel_time", duration=10, category="Node", **args):
    """Return an event as ONNX Runtime writes it."""
    settings = {"op_name": "Conv", "node_index": "0", "provider": "CPUExecutionProvider", **args}
    return {"cat": category, "pid": 1, "tid": 1, "dur": duration, "ts": 0, "ph": "X", "name": name, "args": settings}


RUN_END = {"cat": "Session", "dur": 1, "ts": 0, "name": "model_run", "args": {}}


def written(folder, *events, end="]\n"):
    path = folder / "profile.json"
    path.write_text("[\n" + ",\n".join(json.dumps(item) for item in events) + "\n" + end)
    return path


def durations(path, skip_runs=0):
    found = records(path, LAYOUT, skip_runs=skip_runs)
    return {record["name"]: [round(value * 1e6) for value in record["durations_s"]] for record in found}


def test_runs_at_the_beginning_are_skipped(tmp_path):
    path = written(tmp_path, event(duration=99), RUN_END, event(duration=5), RUN_END, event(duration=7), RUN_END)
    assert durations(path, skip_runs=1) == {"a": [5, 7]}


def test_operators_of_one_name_are_told_apart_by_their_number(tmp_path):
    path = written(tmp_path, event(duration=3), event(duration=4, node_index="1"), RUN_END)
    assert [record["durations_s"] for record in records(path, LAYOUT, skip_runs=0)] == [[3e-6], [4e-6]]


def test_a_loop_is_the_sum_of_its_rounds_and_not_counted_twice(tmp_path):
    loop = event("loop_kernel_time", 50, op_name="Loop", node_index="9")
    path = written(tmp_path, event(duration=20), event(duration=21), loop, RUN_END)
    assert durations(path) == {"a": [41]}


def test_a_branch_that_is_not_taken_takes_no_time(tmp_path):
    other = event("b_kernel_time", 8, node_index="1")
    path = written(tmp_path, event(), RUN_END, event(), other, RUN_END, other, RUN_END)
    assert durations(path) == {"a": [10, 10, 0], "b": [0, 8, 8]}


def test_of_a_device_its_own_times_count(tmp_path):
    launch = event(duration=2, provider="CUDAExecutionProvider")
    kernels = [event("sgemm", 30, "Kernel"), event("add", 5, "Kernel")]
    on_host = event("b_kernel_time", 4, node_index="1")
    assert durations(written(tmp_path, launch, *kernels, on_host, RUN_END)) == {"a": [35], "b": [4]}


def test_times_of_launching_are_not_passed_off_as_those_of_running(tmp_path):
    path = written(tmp_path, event(provider="CUDAExecutionProvider"), RUN_END)
    with pytest.raises(UnsupportedError, match="how long operators took to launch"):
        records(path, LAYOUT)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no JSON",
        "[\n{}\n]\n",
        '[\n{"cat": 1}\n]\n',
        "[\n" + "[" * 100_000,
        "[\n" + json.dumps(event()) + ",\n",
        "\0",
    ],
    ids=["empty", "text", "no event", "wrong type", "nested", "cut off", "zero"],
)
def test_a_damaged_profile_is_an_error(tmp_path, content):
    path = tmp_path / "profile.json"
    path.write_text(content)
    with pytest.raises(EngineError, match="profile"):
        records(path, LAYOUT)


def test_a_profile_of_too_few_runs_is_an_error(tmp_path):
    with pytest.raises(EngineError, match="no run after the first 2"):
        records(written(tmp_path, event(), RUN_END), LAYOUT)
    with pytest.raises(EngineError, match="can't be read"):
        records(tmp_path / "missing.json", LAYOUT)
