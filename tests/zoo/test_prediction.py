"""How well the output's error is predicted, and what bits by layer gain: measured on real networks, in a table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = [pytest.mark.zoo, pytest.mark.xdist_group("prediction"), pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).with_name("PREDICTION.md")
LIMIT_S = 600
NAMES = ("lenet", "minilm", "resnet18", "mobilenet_v2_100")
USUAL_BUDGETS = ("4", "5")

_LEGEND = """\
runs and gains (s): of the network, for the gains, and the seconds that they take with sketches and compilation.
correlation, median, largest: of predicted and measured SQNR of the output in dB, over 40 random settings of 3 to 8 bits
a layer, per channel, rounded to nearest; range: of the measured ones. int4, best: the measured SQNR of 4 bits
everywhere, and of the bits by layer that the prediction chose for as many bytes; both on input that the gains were not
measured on. LeNet is trained on scikit-learn's digits, MiniLM is all-MiniLM-L6-v2, the others have random weights as
networks.py makes them.
"""


@cache
def predict_one(name):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.zoo.predict_one", name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(params=NAMES)
def outcome(request):
    return predict_one(request.param)


def test_predicted_and_measured_errors_go_together(outcome):
    assert outcome["correlation"] >= 0.97


def test_predictions_are_off_by_a_decibel_at_most(outcome):
    assert outcome["median_db"] <= 1.0


def test_bits_by_layer_beat_the_same_bits_everywhere(outcome):
    for bits in USUAL_BUDGETS:
        uniform, best = outcome["budgets"][bits]
        assert best > uniform


def test_on_two_networks_they_do_by_three_decibel():
    wins = [
        name
        for name in NAMES
        if max(best - uniform for uniform, best in map(predict_one(name)["budgets"].get, USUAL_BUDGETS)) >= 3
    ]
    assert len(wins) >= 2


def test_the_table_is_written():
    columns = ["network", "layers", "runs", "gains (s)", "correlation", "median (dB)", "largest (dB)", "range (dB)"]
    outcomes = [predict_one(name) for name in NAMES]
    columns += [f"int{bits}, best (dB)" for bits in outcomes[0]["budgets"]]
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(_cells(outcome))} |" for outcome in outcomes]
    table = "\n".join(lines)
    versions = ", ".join(f"{name} {version(name)}" for name in ("mindspore", "mindcv", "numpy"))
    RESULTS.write_text(f"# Predicted errors\n\nWritten by `make zoo`, with {versions}.\n\n{table}\n\n{_LEGEND}")
    assert table.count("\n") == len(NAMES) + 1


def _cells(outcome):
    cells = [outcome["name"], str(outcome["layers"]), str(outcome["runs"]), f"{outcome['gains_s']:.1f}"]
    cells += [f"{outcome['correlation']:.3f}", f"{outcome['median_db']:.2f}", f"{outcome['max_db']:.1f}"]
    cells += [f"{outcome['lowest_db']:.1f} to {outcome['highest_db']:.1f}"]
    return cells + [f"{uniform:.1f}, {best:.1f}" for uniform, best in outcome["budgets"].values()]
