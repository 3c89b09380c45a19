import json

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import gsjupyter as gs
from gsjupyter import Benchmark
from gsjupyter.benchmarking.targets.targets import Targets
from gsjupyter.magics import errors_in_words
from tests.networks import LeNet, filled, random_input

pytestmark = pytest.mark.slow

SHORT = "--duration 0.05 --runs 2 --launches 1"


@pytest.fixture(scope="module")
def ipython(tmp_path_factory):
    config = Config({"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}})
    shell = InteractiveShell.instance(ipython_dir=str(tmp_path_factory.mktemp("ipython")), config=config)
    shell.run_line_magic("load_ext", "gsjupyter")
    rng = np.random.default_rng(7)
    network = filled(LeNet(), rng)
    x = random_input(network, rng)
    qnet = gs.convert(network, x, weights="int8")
    shell.user_ns.update(net=network, x=x, qnet=qnet, short=x[:, :, :20], number=3)
    yield shell
    shell.run_line_magic("unload_ext", "gsjupyter")
    InteractiveShell.clear_instance()


@pytest.fixture
def run(ipython, tmp_path, monkeypatch):
    """Give a function that runs a cell as a user would, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(cell):
        with capture_output() as captured:
            result = ipython.run_cell(cell)
        run.error = result.error_in_exec
        run.text = captured.stdout
        return result.result

    run.names = ipython.user_ns
    run.folder = tmp_path
    return run


def test_targets_are_shown_with_what_lacks_and_why(run):
    found = run("%gs_targets")
    assert isinstance(found, Targets)
    assert "ONNX Runtime" in run.text
    ready = {(place.target, place.engine) for place in found if place.is_available}
    assert {("cpu", "mindspore"), ("cpu", "onnxruntime")} <= ready
    assert all(place.obstacle or place.is_available for place in found)


def test_a_conversion_a_file_and_a_name_are_measured_together(run):
    gs.export(run.names["qnet"], run.folder / "q.onnx")
    result = run(f"%gs_bench qnet q.onnx --input x --engines onnxruntime {SHORT}")
    assert isinstance(result, Benchmark)
    assert [row.setting.subject for row in result.rows] == ["qnet", "q.onnx"]
    assert all(row.has_figures and row.check is not None for row in result.rows), run.text
    assert "q.onnx" in run.text


def test_a_result_is_bound_and_saved(run):
    gs.export(run.names["qnet"], run.folder / "q.onnx")
    assert run(f"%gs_bench q.onnx --batches 1 3 --threads 1 {SHORT} --save b.json -o b") is None
    assert run.text.startswith("b: 2 of 2 rows measured")
    assert [row.setting.batch for row in run.names["b"].rows] == [1, 3]
    assert json.loads((run.folder / "b.json").read_text())
    assert len(Benchmark.load(run.folder / "b.json").rows) == 2


def test_a_pattern_stands_for_files_and_a_file_may_run_beside_itself(run):
    for name in ("a.onnx", "b.onnx"):
        gs.export(run.names["qnet"], run.folder / name)
    result = run(f"%gs_bench *.onnx a.onnx {SHORT}")
    assert [row.setting.subject for row in result.rows] == ["a.onnx", "b.onnx", "a.onnx (2)"]
    assert all(row.check.sqnr_db > 100 for row in result.rows[1:])


def test_wrong_outputs_are_told_with_the_result_bound(run):
    rng = np.random.default_rng(1)
    other = filled(LeNet(), rng)
    run.names["other"] = gs.convert(other, run.names["x"])
    for name in ("qnet", "other"):
        gs.export(run.names[name], run.folder / f"{name}.onnx")
    run(f"%gs_bench qnet.onnx other.onnx --input x {SHORT} -o b")
    assert "other.onnx" in run.text
    assert "dB" in run.text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%gs_bench", "gs_bench: "),
        ("%gs_bench nte", "there is no nte in this notebook."),
        ("%gs_bench number", "gs_bench: "),
        ("%gs_bench lacks.onnx", "lacks.onnx"),
        ("%gs_bench qnet --tragets gpu", "no option --tragets. Did you mean --targets?"),
        ("%gs_bench qnet --targets tpu", "tpu"),
        ("%gs_bench qnet --engines pytorch", "pytorch"),
        ("%gs_bench there.jsn", "neither a name nor a model's file"),
        ("%gs_bench hree.onnx", "Did you mean there.onnx?"),
        ("%gs_bench '*.ms'", "there is no file *.ms"),
        ("%gs_bench qnet --batches 0", "0"),
        ("%gs_bench qnet --duration 0", "duration_s"),
        ("%gs_bench qnet --launches 0", "launches"),
        ("%gs_bench qnet --save nodir/b.json", "nodir"),
        ("%gs_bench qnet --threads -1", "gs_bench: "),
        ("%gs_bench qnet --input shrot", "Did you mean short?"),
        ("%gs_bench qnet --save there.json", "there.json exists"),
        ("%gs_bench qnet --save there.txt", ".txt"),
    ],
)
def test_mistakes_are_answered_in_words_before_anything_runs(run, line, words):
    (run.folder / "there.json").write_text("mine")
    (run.folder / "there.onnx").touch()
    assert run(line) is None
    assert words in str(run.error)
    assert str(run.error).startswith("gs_bench: ")
    assert (run.folder / "there.json").read_text() == "mine"


def test_an_interrupt_is_told_in_one_line():
    with pytest.raises(KeyboardInterrupt) as caught, errors_in_words("gs_bench"):
        raise KeyboardInterrupt
    assert caught.value._render_traceback_() == ["gs_bench: interrupted"]
