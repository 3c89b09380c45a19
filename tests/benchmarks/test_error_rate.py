"""How often a benchmark says what isn't so, or misses what is: the real thing, at the default settings.

The same file against itself, a planted slow-down, and what measuring costs. It takes about twenty minutes on two cores;
nothing else should run meanwhile.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

import gsjupyter as gs
from gsjupyter.benchmarking.statistics.comparison import compare, location
from gsjupyter.benchmarking.statistics.latency import latency_of
from gsjupyter.engines.idleness import wait_until_idle
from gsjupyter.engines.measured import MeasuredModel
from tests.benchmarking.simulation import measured

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

SAME = 40
MOST_CALLED_DIFFERENT = 2
PLANTED = 10
LEAST_FOUND = 9
WIDTH = 256
ROWS = 64
LAUNCHES = 12
ROUNDS = 10
BLOCK_S = 0.15
LARGEST_OVERHEAD = 0.01
BARE_LOOP = Path(__file__).with_name("bare_loop.py")


def chain(path, products):
    """Write a network of equal products one after the other; the weight is a rotation, so values keep their size."""
    weight, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((WIDTH, WIDTH)))
    names = ["x", *(f"y{number}" for number in range(products))]
    nodes = [helper.make_node("MatMul", [source, "weight"], [target]) for source, target in pairwise(names)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [ROWS, WIDTH]) for name in (names[0], names[-1])]
    stored = [numpy_helper.from_array(weight.astype(np.float32), "weight")]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], stored)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture
def x():
    return np.random.default_rng(1).standard_normal((ROWS, WIDTH)).astype(np.float32)


def compared(subjects, x, times):
    """Return what each of so many benchmarks of two rows says, and how long one took."""
    found, begin = [], perf_counter()
    for seed in range(times):
        benchmark = gs.benchmark(subjects, x, seed=seed)
        assert not any(row.obstacle for row in benchmark.rows)
        found.append(benchmark.comparisons[1])
        latency = benchmark.latencies[0].median_s.estimate
        speed_up = found[-1].speed_up
        ends = f"{speed_up.low:.3f} to {speed_up.high:.3f}"
        print(f"\n{latency * 1e3:.2f} ms, {speed_up.estimate:.3f} ({ends}): {found[-1].verdict}", end="")
    return found, (perf_counter() - begin) / times


def test_the_same_file_is_called_different_at_most_one_time_in_twenty(tmp_path, x):
    file = chain(tmp_path / "chain.onnx", 100)
    found, taken_s = compared({"one": file, "again": file}, x, SAME)
    different = sum(item.verdict != "can't be told apart" for item in found)
    print(f"\n{different} of {SAME} called different; {taken_s:.0f} s for each benchmark")
    assert different <= MOST_CALLED_DIFFERENT


def test_a_slow_down_of_10_percent_is_found_nine_times_in_ten(tmp_path, x):
    files = {"plain": chain(tmp_path / "plain.onnx", 100), "slower": chain(tmp_path / "slower.onnx", 110)}
    found, taken_s = compared(files, x, PLANTED)
    slower = sum(item.verdict == "slower" for item in found)
    print(f"\n{slower} of {PLANTED} found; {taken_s:.0f} s for each benchmark")
    assert slower >= LEAST_FOUND


class BareLoop:
    """The plain loop in a process of its own."""

    def __init__(self, file, threads, x_file):
        command = [sys.executable, BARE_LOOP, file, str(threads), x_file]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def timed(self, *, duration_s):
        self.process.stdin.write(f"{duration_s}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.communicate()


def side_by_side(file, x, x_file, threads, rng):
    """Return the log ratio of our medians to the bare loop's, by round: both in fresh processes, and in turns."""
    with ExitStack() as stack:
        model = stack.enter_context(MeasuredModel("onnxruntime", file, threads=threads))
        bare = stack.enter_context(BareLoop(file, threads, x_file))
        model.start()
        model.first_run([x])
        runners = [model, bare]
        processes = [model.process_id, bare.process.pid]
        for runner in runners:
            runner.timed(duration_s=0.5)
        ratios = []
        for _ in range(ROUNDS):
            medians = {}
            for place in rng.permutation(2):
                wait_until_idle(processes)
                medians[place] = np.median(runners[place].timed(duration_s=BLOCK_S))
            ratios.append(np.log(medians[0] / medians[1]))
        return np.array(ratios)


def test_measuring_costs_at_most_1_percent_at_5_ms(tmp_path, x):
    """Processes of one file differ by a percent or two, so only the mean of many launches tells one percent.

    If the interval is too wide for that, the machine was too restless to say, and more launches are made.
    """
    file = chain(tmp_path / "chain.onnx", 260)
    np.save(tmp_path / "x.npy", x)
    rng = np.random.default_rng(2)
    threads = len(psutil.Process().cpu_affinity())
    launches = []
    half_width = 1.0
    while half_width > LARGEST_OVERHEAD and len(launches) < 5 * LAUNCHES:
        launches += [side_by_side(file, x, tmp_path / "x.npy", threads, rng) for _ in range(LAUNCHES)]
        overhead, half_width = location(launches, 0.05)
        print(f"\n{overhead:+.2%} +- {half_width:.2%} in {len(launches)} launches", end="")
    assert overhead <= LARGEST_OVERHEAD


def test_the_figures_of_a_large_table_take_a_moment():
    row = measured(np.random.default_rng(4).lognormal(-5, 0.05, (3, 10, 150)))
    rows = [replace(row, setting=replace(row.setting, subject=f"row {number}")) for number in range(100)]
    begin = perf_counter()
    for item in rows:
        latency_of(item)
    compare(rows)
    taken_s = perf_counter() - begin
    print(f"\n{taken_s:.2f} s for 100 rows of {row.durations_s.size} runs")
    assert taken_s < 2
