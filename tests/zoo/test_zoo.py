"""Real networks, each converted in a process of its own: small networks leave out what real ones are made of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.zoo.networks import NAMES, SMALL

ROOT = Path(__file__).parents[2]
LIMIT_S = 600


@cache
def convert_one(name):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.zoo.convert_one", name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def network(name):
    # In one group, a network's tests run in one worker, which converts it once.
    marks = [pytest.mark.xdist_group(name), pytest.mark.timeout(LIMIT_S)]
    return pytest.param(name, marks=marks if name in SMALL else [*marks, pytest.mark.zoo])


@pytest.fixture(params=[network(name) for name in NAMES])
def outcome(request, record_property):
    found = convert_one(request.param)
    # The table at the end is made of these.
    record_property("zoo", found)
    return found


def test_the_output_depends_on_the_input(outcome):
    assert outcome["input_share"] > 1e-3


def test_in_float_the_output_is_the_sources(outcome):
    assert outcome["float_error"] <= 1e-4


def test_int8_weights_cost_what_rounding_to_eight_bits_costs(outcome):
    assert outcome["sqnr_db"] >= outcome["rounding_db"] - 3
    # DenseNet, with half of its BatchNorms behind concatenations, keeps barely 30 dB whoever rounds.
    assert outcome["sqnr_db"] >= min(30, outcome["rounding_db"] - 1)


def test_a_file_computes_what_its_conversion_does(outcome):
    assert outcome["plain_error"] <= 1e-5
    assert outcome["loaded_error"] <= 1e-5


def test_int8_takes_little_more_than_a_quarter_of_the_bytes(outcome):
    limit = 0.27 if outcome["name"] == "resnet50" else 0.28
    assert outcome["int8_bytes"] <= limit * outcome["float_bytes"]


def test_no_batch_norm_behind_a_convolution_is_left(outcome):
    behind_a_concatenation = {"densenet121": 62}
    assert outcome["norms_left"] == behind_a_concatenation.get(outcome["name"], 0)


def test_no_weight_is_left_in_float(outcome):
    position_embedding = {"vit_b_32_224": 2}
    assert len(outcome["float_matrices"]) == position_embedding.get(outcome["name"], 0)
