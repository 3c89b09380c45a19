import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.protocol.model_files import ModelFile
from gsjupyter.benchmarking.protocol.plan import Cost, Limits, Schedule, in_words, launch_s, plan_rows, takes_part
from gsjupyter.benchmarking.protocol.subjects import Obstacle, Subject

DEFAULT = Schedule.of(BenchmarkOptions())
ONNX = Subject("a.onnx", {"onnxruntime": ModelFile(Path("a.onnx"))})
MINDIR = Subject("b.mindir", {"mindspore": ModelFile(Path("b.mindir"))})
BOTH = Subject("net", {**ONNX.files, **MINDIR.files})


@dataclass(frozen=True)
class Spot:
    target: str
    engine: str
    provider: str = ""
    obstacle: str = ""
    advice: str = ""


ON_CPU = (Spot("cpu", "mindspore"), Spot("cpu", "onnxruntime", "cpu"))


def rows(subjects, spots=ON_CPU, engines=None, batches=(1,), threads=(2,)):
    planned = plan_rows(subjects, spots, engines=engines, batches=batches, threads=threads)
    return [(row.subject.label, row.engine, row.target, row.batch, row.threads, row.obstacle) for row in planned]


def test_a_file_has_a_row_for_its_own_engine_and_a_network_one_for_each():
    assert rows([ONNX, BOTH]) == [
        ("a.onnx", "onnxruntime", "cpu", 1, 2, ""),
        ("net", "mindspore", "cpu", 1, 2, ""),
        ("net", "onnxruntime", "cpu", 1, 2, ""),
    ]


def test_an_engine_asked_for_by_name_has_a_row_that_says_what_it_can_not_load():
    asked = rows([ONNX, MINDIR], engines=["mindspore", "onnxruntime"])
    assert [row[5] for row in asked] == [
        "MindSpore loads .mindir files, and a.onnx is .onnx.",
        "",
        "",
        "ONNX Runtime loads .onnx files, and b.mindir is .mindir.",
    ]


def test_a_lowering_that_was_refused_is_told():
    refused = Subject("net", MINDIR.files, {"onnxruntime": Obstacle("no counterpart of Lgamma")})
    assert rows([refused])[1] == ("net", "onnxruntime", "cpu", 1, 2, "no counterpart of Lgamma")


def test_each_batch_size_and_number_of_threads_has_a_row():
    assert [row[3:5] for row in rows([ONNX], batches=(1, 8), threads=(1, 2))] == [(1, 1), (1, 2), (8, 1), (8, 2)]


def test_threads_are_for_the_cpu_and_what_is_not_there_has_one_row():
    spots = (Spot("gpu", "onnxruntime", "cuda"), Spot("ascend", "onnxruntime", "cann", "no card"))
    assert rows([ONNX], spots, batches=(1, 8), threads=(4, 2)) == [
        ("a.onnx", "onnxruntime", "gpu", 1, 4, ""),
        ("a.onnx", "onnxruntime", "gpu", 8, 4, ""),
        ("a.onnx", "onnxruntime", "ascend", 1, 4, "no card"),
    ]


@pytest.mark.parametrize(
    ("run_s", "rounds", "block_s", "runs"),
    [
        (0.001, 10, 0.1, 1),
        (0.1, 10, 0.1, 1),
        (0.2, 5, 0.2, 1),
        (6.0, 4, 0.25, 1),
        (0.0, 10, 0.1, 1),
    ],
)
def test_a_slow_row_has_fewer_rounds_but_as_many_runs_and_as_much_time_as_asked_for(run_s, rounds, block_s, runs):
    assert DEFAULT.rounds(run_s) == rounds
    assert DEFAULT.block_s(run_s) == pytest.approx(block_s)
    assert DEFAULT.runs_a_block(run_s) == runs
    runs_in_all = DEFAULT.launches * rounds * max(runs, block_s / run_s if run_s else runs)
    assert runs_in_all >= DEFAULT.runs
    assert DEFAULT.launches * rounds * max(block_s, runs * run_s) >= DEFAULT.duration_s - 1e-9


def test_many_runs_are_spread_over_the_blocks():
    assert Schedule(0.01, 1000, 2).runs_a_block(1.0) == 50


@pytest.mark.parametrize(("own", "rounds"), [(1, 10), (4, 10), (7, 10), (10, 10), (4, 4), (0, 3)])
def test_a_row_takes_part_in_as_many_rounds_as_it_needs(own, rounds):
    taken = [number for number in range(rounds) if takes_part(number, rounds, own)]
    assert len(taken) == own
    gaps = [later - earlier for earlier, later in pairwise([*taken, rounds])]
    assert not gaps or max(gaps) <= 2 * math.ceil(rounds / own)


def test_rows_have_as_many_rounds_in_common_as_the_slower_one_has():
    taken = [{number for number in range(10) if takes_part(number, 10, own)} for own in range(11)]
    assert all(fewer <= more for fewer, more in pairwise(taken))


def test_the_cost_of_a_launch_is_opening_all_rows_and_running_their_blocks():
    costs = [Cost(opening_s=2.0, run_s=0.001), Cost(opening_s=9.0, run_s=6.0)]
    assert launch_s(costs, DEFAULT) == pytest.approx(2.0 + 10 * 0.15 + 9.0 + 4 * 6.05)


def test_limits_follow_from_what_was_seen():
    limits = Limits()
    assert limits.load(20_000_000, compiles=False) == 121.0
    assert limits.load(0, compiles=True) == 1800.0
    assert limits.block(0.01, 0.1, 1) == pytest.approx(60.2)
    assert limits.block(4.0, 0.1, 2) == pytest.approx(400.2)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "5 s"), (41, "45 s"), (89, "90 s"), (91, "2 min"), (3600, "60 min"), (7000, "1 h 57 min")],
)
def test_durations_are_told_as_one_says_them(seconds, words):
    assert in_words(seconds) == words
