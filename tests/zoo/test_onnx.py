"""Real networks as ONNX, each in a process of its own: in ONNX Runtime they give what they give on MindSpore."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.zoo import onnx_table
from tests.zoo.networks import SMALL
from tests.zoo.onnx_table import LARGEST_ERROR, NAMES, readme_part, rows_of

ROOT = Path(__file__).parents[2]
LIMIT_S = 600
HALF_ERROR = 1e-2


@cache
def onnx_one(name, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.zoo.onnx_one", name]
    # MindSpore's exporter leaves files where it fails.
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def network(name):
    # In one group, a network's tests run in one worker, which writes it once.
    marks = [pytest.mark.xdist_group(f"onnx {name}"), pytest.mark.timeout(LIMIT_S)]
    return pytest.param(name, marks=marks if name in SMALL else [*marks, pytest.mark.zoo])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx")


@pytest.fixture(params=[network(name) for name in NAMES])
def outcome(request, record_property, folder):
    found = onnx_one(request.param, folder)
    # The table at the end is made of these.
    record_property("onnx", found)
    return found


def test_the_output_depends_on_the_input(outcome):
    assert outcome["input_share"] > 1e-3


def test_onnx_runtime_gives_what_mindspore_gives(outcome):
    assert outcome["error"] <= LARGEST_ERROR


def test_with_a_free_batch_it_takes_another_number_of_samples(outcome):
    assert onnx_table.free_batch_of(outcome) == "yes", outcome["free_errors"]


def test_in_float16_it_runs_and_is_near(outcome):
    assert not isinstance(outcome["half_error"], str), outcome["half_error"]
    assert outcome["half_error"] <= HALF_ERROR
    # Besides weights a file holds nodes, of which an unrolled network has many.
    assert outcome["half_bytes"] <= 0.55 * outcome["bytes"] + 50_000


def test_every_layer_gives_its_name_to_a_node(outcome):
    assert outcome["unnamed"] == []


def test_the_readme_says_what_the_results_say():
    results = onnx_table.RESULTS.read_text("utf-8")
    assert [cells["network"] for cells in rows_of(results)] == list(NAMES)
    _, part, _ = onnx_table.split(onnx_table.README.read_text("utf-8"))
    if part != readme_part(results):
        if "CI" not in os.environ:
            onnx_table.write_readme(results)
        pytest.fail("the table in the README was not what the results say, and has been written anew")
