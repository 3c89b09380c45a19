"""What the browser computes of a network is what Python computes from the same sketches, on the whole zoo."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gsjupyter.options import ConvertOptions
from gsjupyter.widgets.names import Names
from gsjupyter.widgets.network_data import network_data
from gsjupyter.widgets.opened import open_network
from gsjupyter.widgets.options_data import data_of
from gsjupyter.widgets.refinement import refinement_data
from gsjupyter.widgets.sensitivity_data import measured_sensitivity, sensitivity_data
from gsjupyter.widgets.settings_errors import predict
from gsjupyter.widgets.sketches import SketchStore
from gsjupyter.widgets.snapshot import as_json
from tests.widgets.prediction_fixtures import prediction_data
from tests.zoo.networks import NAMES, image_size, images, network

pytestmark = [pytest.mark.zoo, pytest.mark.xdist_group("panel numbers"), pytest.mark.timeout(600)]

LABEXTENSION = Path(__file__).parents[2] / "labextension"
ESBUILD = LABEXTENSION / "node_modules" / ".bin" / "esbuild"
LIMIT_DB = 1e-3
OBSERVER = "mse"
REFINED = "budget, refined by the exact search"

CASES = {
    "int8": ConvertOptions(weights="int8", activations="int8"),
    "int4": ConvertOptions(weights="int4"),
    "int2, whole range": ConvertOptions(weights="int2", narrow_range=False, clipping=0.55),
    "int6, clipping chosen": ConvertOptions(weights="int6", weight_observer=OBSERVER),
    "int3, asymmetric, clipped": ConvertOptions(weights="int3", symmetric=False, clipping=0.77),
    "int5, groups, clipped": ConvertOptions(weights="int5", granularity="group:64", clipping=0.9),
    "int4, one scale": ConvertOptions(weights="int4", granularity="tensor", activations="int8"),
    REFINED: ConvertOptions(budget="6x"),
    "budget with activations": ConvertOptions(budget="9.3x", activations="int8", clipping=0.85),
    "budget, asymmetric": ConvertOptions(budget="5x", symmetric=False),
    "max_drop": ConvertOptions(max_drop="15dB"),
}
# Of the sketches, those of asymmetric grids are the largest by far.
GRIDS = (("channel", True), ("channel", False), ("group:64", True), ("tensor", True))

# As the browser has them: without a kernel, and with only what a message or a file would bring.
IN_NODE = """
import { readFileSync } from 'node:fs';
import { predictAll } from './src/panel/core';

const { state, unmeasured, cases } = JSON.parse(readFileSync(0, 'utf8'));
const found = [];
for (const options of cases) {
  found.push([await predictAll(state, options), await predictAll(unmeasured, options)]);
}
process.stdout.write(JSON.stringify(found));
"""


@pytest.fixture(scope="module")
def in_browser(tmp_path_factory):
    """Give a function that has the browser's own code predict."""
    node = shutil.which("node")
    if node is None or not ESBUILD.exists():
        pytest.skip("the browser's code runs here in Node 20 or later, with what `make test-extension` installs")
    script = tmp_path_factory.mktemp("core") / "predict.mjs"
    bundle = [str(ESBUILD), "--bundle", "--platform=node", "--format=esm", "--loader=ts", f"--outfile={script}"]
    subprocess.run(bundle, input=IN_NODE, cwd=LABEXTENSION, capture_output=True, text=True, check=True)

    def predictions(asked):
        text = json.dumps(asked, allow_nan=False)
        done = subprocess.run([node, str(script)], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout)

    return predictions


def opened(name):
    """Return a network of the zoo as a panel opens it."""
    rng = np.random.default_rng(7)
    return open_network(network(name, rng), images(rng, 2, image_size(name)))


def by_python_names(found):
    """Return a prediction of the browser's by the names that Python has."""
    if isinstance(found, dict):
        return {
            re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", key): by_python_names(value)
            for key, value in found.items()
        }
    return list(map(by_python_names, found)) if isinstance(found, list) else found


def differences(found, expected, place=""):
    """Yield where two predictions differ: fractions by more than a thousandth of a decibel, all else at all."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            yield from differences(found[key], value, f"{place}.{key}")
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected), place
        for number, value in enumerate(expected):
            yield from differences(found[number], value, f"{place}[{number}]")
    elif isinstance(expected, float) and isinstance(found, int | float):
        if off_db(found, expected, place) > LIMIT_DB:
            yield f"{place}: {found}, in Python {expected}"
    elif found != expected:
        yield f"{place}: {found}, in Python {expected}"


def off_db(found, expected, place):
    if found == expected:
        return 0.0
    if place.endswith("_db"):
        return abs(found - expected)
    return abs(10 * math.log10(found / expected)) if found > 0 and expected > 0 else math.inf


@pytest.mark.parametrize("name", NAMES)
def test_the_browser_predicts_what_python_does(name, in_browser):
    zoo_network = opened(name)
    store, layers = SketchStore(zoo_network), list(range(len(zoo_network.groups)))
    measured_with = ConvertOptions(activations="int8")
    sensitivity = measured_sensitivity(zoo_network, measured_with)
    state = {
        "network": network_data(zoo_network, Names(source="net", inputs="x").to_json()),
        "sketches": [store.block(granularity, symmetric, layers) for granularity, symmetric in GRIDS],
        "clippings": [store.clippings(OBSERVER, "channel", True, True, layers)],
        "sensitivity": sensitivity_data(zoo_network, sensitivity, measured_with),
        "refinement": refinement_data(zoo_network, store, sensitivity, CASES[REFINED]),
    }
    asked = {
        "state": as_json(state),
        "unmeasured": as_json({**state, "sensitivity": None, "refinement": None}),
        "cases": [data_of(options) for options in CASES.values()],
    }
    found = in_browser(asked)
    wrong = []
    for (case, options), pair in zip(CASES.items(), found, strict=True):
        bits = chosen_bits(state["refinement"]) if case == REFINED else None
        in_python = predict(zoo_network, store, sensitivity, options, bits), predict(zoo_network, store, None, options)
        for kind, predicted, expected in zip(("measured", "unmeasured"), pair, in_python, strict=True):
            wrong += differences(by_python_names(predicted), prediction_data(expected), f"{case}, {kind}")
    assert wrong == []


def chosen_bits(refinement):
    """Return the bits of the exact search by the layer's number."""
    return {int(layer): bits for layer, bits in refinement["bits"].items()}
