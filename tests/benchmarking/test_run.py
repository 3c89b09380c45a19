import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timezone

import mindspore
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn

import gsjupyter as gs
from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.protocol import launches, plan
from gsjupyter.benchmarking.protocol.subjects import Expected, of_file
from gsjupyter.benchmarking.run import benchmark, measure
from gsjupyter.errors import InputError, OptionError
from tests.benchmarking.watching import Saying
from tests.engines.onnx_files import OnnxFile, affine, with_values_elsewhere
from tests.networks import MLP, filled

pytestmark = pytest.mark.usefixtures("workers")

QUICK = BenchmarkOptions(duration_s=0.02, runs=4, launches=2)
ONCE = BenchmarkOptions(duration_s=0.02, runs=4, launches=1)
X = np.arange(6, dtype=np.float32).reshape(2, 3)


class Times(nn.Cell):
    """Multiplies by what has a batch size of its own."""

    def __init__(self, factor):
        super().__init__()
        self.factor = Parameter(Tensor(factor), name="factor")

    def construct(self, x):
        return x * self.factor


@pytest.fixture(scope="module")
def told():
    """Give what listens to the benchmark."""
    return Saying()


@pytest.fixture(scope="module")
def result(files, told):
    """Give a benchmark of a function and of another one, in two batch sizes."""
    some_day = datetime(2026, 3, 4, tzinfo=timezone.utc)
    return measure(
        [files[0], files[2]], (X,), batches=(2, 4), threads=(1,), options=QUICK, steps=told, clock=lambda: some_day
    )


def test_each_row_runs_as_long_and_as_often_as_asked_for(result):
    settings = [(row.setting.subject, row.setting.batch) for row in result.rows]
    assert settings == [("a.onnx", 2), ("a.onnx", 4), ("other.onnx", 2), ("other.onnx", 4)]
    for row in result.rows:
        assert row.obstacle == ""
        assert row.durations_s.sum() >= QUICK.duration_s
        assert row.durations_s.size >= QUICK.runs


def test_each_row_has_a_fresh_process_in_each_launch(result):
    for row in result.rows:
        assert [launch.number for launch in row.launches] == [0, 1]
        assert all(launch.load_s > 0 and launch.first_run_s > 0 and launch.warm_up_runs > 0 for launch in row.launches)
        assert all(launch.host_memory_bytes > 0 for launch in row.launches)


def test_the_blocks_of_all_rows_are_in_the_same_rounds_of_one_session(result):
    rounds = {tuple(row.block_medians_s) for row in result.rows}
    assert len(rounds) == 1
    (keys,) = rounds
    assert len({session for session, _, _ in keys}) == 1
    assert sorted({(launch, number) for _, launch, number in keys}) == [(i, j) for i in range(2) for j in range(10)]


def test_a_row_says_what_it_was_measured_with(result, files):
    first = result.rows[1].setting
    assert (first.engine, first.target, first.provider) == ("onnxruntime", "cpu", "cpu")
    assert (first.batch, first.threads) == (4, 1)
    assert first.digest == files[0].files["onnxruntime"].digest
    assert first.host in result.machines
    assert result.rows[1].size_bytes == files[0].files["onnxruntime"].path.stat().st_size


def test_a_benchmark_says_when_and_how_it_was_made(result):
    assert result.created == "2026-03-04T00:00:00+00:00"
    assert dict(result.options) == QUICK.as_mapping()
    assert result.is_complete
    assert result.notes == ()


def test_outputs_are_held_against_the_first_row(result):
    first, larger, other, _ = result.rows
    assert first.check is None
    assert larger.check.sqnr_db == np.inf
    assert larger.check.reference == "a.onnx on ONNX Runtime, CPU"
    assert other.check.max_abs_error == np.abs(2 * X + 1 + X).max()


def test_a_fast_wrong_answer_is_seen(result):
    rules = [[finding.rule for finding in row.findings if finding.rule == "wrong-output"] for row in result.rows]
    assert rules == [[], [], ["wrong-output"], ["wrong-output"]]


def test_the_order_is_random(result, told):
    rows = [found.groups() for text in told.said if (found := re.search(r"round.* (\w+)\.onnx, batch (\d)", text))]
    orders = [tuple(rows[at : at + 4]) for at in range(0, len(rows), 4)]
    assert len(orders) == 20
    assert all(len(set(order)) == 4 for order in orders)
    assert len(set(orders)) > 5


def test_what_goes_on_is_told_with_figures(result, told):
    first, *_, before, last = told.said
    assert first == "benchmark: look at the machine"
    assert any(
        re.match(r"benchmark of 4 rows, about \d+ s left: launch 1 of 2, load \w+.onnx, batch", text)
        for text in told.said
    )
    assert re.search(r"launch 2 of 2, round 10 of 10, \w+.onnx, batch \d [\d.]+ [µm]s$", before)
    assert last == "benchmark: look at the results"


def test_input_is_made_up_if_none_is_given(files):
    result = measure(files[:1], threads=(1,), options=ONCE)
    assert [row.setting.batch for row in result.rows] == [1]
    assert result.rows[0].has_figures
    assert "Run on random input" in result.notes[0]


def test_files_that_take_any_batch_follow_one_that_does_not(files, tmp_path):
    fixed = of_file(affine(tmp_path / "fixed.onnx", batch=2))
    result = measure([files[0], fixed], threads=(1,), options=ONCE)
    assert [row.setting.batch for row in result.rows] == [2, 2]
    assert result.rows[1].check.sqnr_db == np.inf
    assert not any("Batch sizes differ" in note for note in result.notes)


def test_batch_sizes_that_differ_since_they_are_written_are_told(files, tmp_path):
    fixed = [of_file(affine(tmp_path / f"of{batch}.onnx", batch=batch)) for batch in (2, 3)]
    result = measure([*fixed, files[0]], threads=(1,), options=ONCE)
    assert [row.setting.batch for row in result.rows] == [2, 3, 2]
    assert "Batch sizes differ, as they are written in the files: 2 for of2.onnx, a.onnx; 3 for of3." in result.notes[1]


def test_an_onnx_file_follows_the_batch_of_a_mindir_file(tmp_path, rng):
    x = rng.standard_normal((4, 8)).astype(np.float32)
    conversion = gs.convert(filled(MLP(), rng), x)
    paths = [gs.export(conversion, tmp_path / name).path for name in ("net.onnx", "net.mindir")]
    result = benchmark(paths, threads=1, options=ONCE)
    assert [row.setting.batch for row in result.rows] == [4, 4]
    assert result.rows[1].check.samples == 4
    assert [finding for row in result.rows for finding in row.findings if finding.rule == "wrong-output"] == []


def test_a_network_with_its_batch_built_in_is_told(tmp_path, rng):
    w = rng.standard_normal((4, 6)).astype(np.float32)
    path = tmp_path / "broadcast.mindir"
    mindspore.export(Times(w), Tensor(w), file_name=str(path), file_format="MINDIR")
    (row,) = benchmark(path, w[:1], threads=1, options=ONCE).rows
    (finding,) = (finding for finding in row.findings if finding.rule == "wrong-output")
    assert finding.symptom.startswith("Run at batch 1, it gives an output of shape (4, 6), as for the batch of 4")


def test_a_file_of_one_batch_size_says_which(tmp_path):
    fixed = of_file(affine(tmp_path / "fixed.onnx", batch=2))
    result = measure([fixed], (X,), batches=(2, 4), threads=(1,), options=ONCE)
    assert result.rows[0].has_figures
    assert result.rows[1].obstacle == "fixed.onnx takes batches of 2 only."
    assert result.rows[1].launches == ()


def test_an_input_that_does_not_fit_is_told_in_the_row(tmp_path):
    wide = OnnxFile(x=["batch", 5])
    wide.node("Neg", ["x"], "y")
    result = measure([of_file(wide.save(tmp_path / "wide.onnx", "y"))], (X,), options=ONCE)
    assert "input x of wide.onnx has shape" in result.rows[0].obstacle


def test_what_is_not_there_has_a_row_that_says_why(files):
    result = measure(files[:1], (X,), targets=("ascend",), options=ONCE)
    (row,) = result.rows
    assert (row.setting.target, row.has_figures) == ("ascend", False)
    assert row.obstacle
    assert row.advice


def test_a_conversion_runs_on_both_engines_and_agrees_with_its_source(rng):
    x = rng.standard_normal(MLP.input_shape).astype(np.float32)
    conversion = gs.convert(filled(MLP(), rng), x, weights="int8")
    result = benchmark(conversion, threads=1, options=ONCE)
    assert [row.setting.engine for row in result.rows] == ["mindspore", "onnxruntime"]
    for row in result.rows:
        assert row.obstacle == ""
        assert row.setting.batch == 3
        assert row.check.reference == "its source"
        assert row.check.sqnr_db == pytest.approx(conversion.verification.sqnr_db, abs=1.0)
        assert row.check.samples == 3
        assert [finding for finding in row.findings if finding.rule == "wrong-output"] == []


def test_operators_are_timed_apart(files):
    (row,) = measure(files[:1], (X,), threads=(1,), options=replace(ONCE, operators=True)).rows
    assert sorted(operator.operator for operator in row.operators) == ["Add", "Mul"]
    assert sum(operator.share for operator in row.operators) == pytest.approx(1.0)
    assert len(row.launches) == 1


def test_rows_that_need_more_memory_than_there_is_take_turns(files, monkeypatch, workers):
    """Only one process fits: each is closed for the next and comes back, warmed up again."""
    alive = []

    def available():
        alive.append(len(workers()))
        return 0 if alive[-1] else 1000

    monkeypatch.setattr(plan, "ROUNDS", 2)
    monkeypatch.setattr(launches, "needed_bytes", lambda row: 1000)
    monkeypatch.setattr(launches.Launches.__init__, "__defaults__", (available,))
    result = measure(files[:2], (X,), threads=(1,), options=ONCE)
    assert max(alive) == 1
    assert alive.count(1) > 2
    assert [len(row.blocks) for row in result.rows] == [2, 2]
    assert [len(row.launches) for row in result.rows] == [1, 1]


def test_inputs_without_a_sample_are_refused(files):
    with pytest.raises(InputError, match="hold no samples"):
        benchmark(files[0].files["onnxruntime"].path, np.zeros((0, 3), np.float32))


def test_a_batch_that_no_memory_holds_is_told_in_its_row(files):
    given = measure(files[:1], (X,), batches=(10**12, 2), threads=(1,), options=ONCE)
    assert "at batch 1,000,000,000,000, and there is no memory" in given.rows[0].obstacle
    assert given.rows[1].has_figures
    made_up = measure(files[:1], batches=(10**12,), threads=(1,), options=ONCE)
    assert "there is no memory" in made_up.rows[0].obstacle


def test_networks_with_examples_of_their_own_are_held_against_their_own_sources(files):
    doubled, negative = X[:1], 7 * X[1:]
    affine_net = replace(files[0], expected=Expected((doubled,), (2 * doubled + 1,)))
    other_net = replace(files[2], expected=Expected((negative,), (-negative,)))
    for row in measure([affine_net, other_net], threads=(1,), options=ONCE).rows:
        assert (row.check.reference, row.check.sqnr_db) == ("its source", np.inf)


def test_the_same_graph_with_other_values_is_another_model(tmp_path):
    subjects = []
    for name, value in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        np.full(4, value, np.float32).tofile(tmp_path / name / "values")
        subjects.append(of_file(with_values_elsewhere(tmp_path / name / "net.onnx", "values"), name))
    result = measure(subjects, (np.ones(4, np.float32),), threads=(1,), options=ONCE)
    first, second = result.rows
    assert first.setting.digest != second.setting.digest


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"targets": "gpuu"}, "targets must be one of cpu, gpu, ascend, not 'gpuu'"),
        ({"targets": []}, "targets names none"),
        ({"targets": 5}, "targets must be one of cpu, gpu, ascend, not 5"),
        ({"batches": []}, "batches names none"),
        ({"engines": ["onnx"]}, "engines must be one of"),
        ({"batches": 0}, "batches must be a whole number from 1 on, not 0"),
        ({"batches": [1, "8"]}, "not '8'"),
        ({"threads": 1.5}, "threads must be"),
        ({"lunches": 3}, "an option must be one of"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_before_anything_starts(tmp_path, settings, words):
    with pytest.raises(OptionError, match=words):
        benchmark(affine(tmp_path / "a.onnx"), **settings)


def test_a_network_without_inputs_is_refused():
    with pytest.raises(InputError, match="an example of its input is needed"):
        benchmark(MLP())


def test_files_are_measured_without_mindspore(files, tmp_path):
    program = f"""
import sys
from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.run import measure
from gsjupyter.benchmarking.protocol.subjects import of_file
result = measure([of_file({str(files[0].files["onnxruntime"].path)!r})], options=BenchmarkOptions(0.01, 1, 1))
assert result.rows[0].has_figures
assert "mindspore" not in sys.modules
"""
    script = tmp_path / "measure.py"
    script.write_text(program)
    subprocess.run([sys.executable, script], check=True, cwd=tmp_path)
