"""A network with its sketches and measurements as a browser gets them, and what Python predicts for it."""

from __future__ import annotations

import base64
from dataclasses import asdict

from gsjupyter.options import ConvertOptions
from gsjupyter.widgets.options_data import data_of
from gsjupyter.widgets.refinement import refinement_data
from gsjupyter.widgets.results import decibel_data
from gsjupyter.widgets.sensitivity_data import sensitivity_data
from gsjupyter.widgets.settings_errors import predict
from tests.widgets.opened_lenet import MEASURED_WITH, opened

GRIDS = (("channel", True), ("tensor", True), ("channel", False))
OBSERVERS = (
    *(("percentile", "channel", True), ("mse", "channel", True), ("entropy", "channel", True)),
    *(("mse", "tensor", True), ("mse", "channel", False)),
)
OVERRIDES = {"conv*": {"weights": "int3", "observer": "mse"}, "classifier.4": "float16"}

CASES = {
    "defaults": ConvertOptions(),
    "int8": ConvertOptions(weights="int8", activations="int8"),
    "int4, one scale": ConvertOptions(weights="int4", granularity="tensor", weight_observer="mse"),
    "int3, asymmetric, clipped": ConvertOptions(weights="int3", symmetric=False, clipping=0.8),
    "int5, asymmetric": ConvertOptions(weights="int5", symmetric=False, weight_observer="mse"),
    "int2, whole range": ConvertOptions(weights="int2", narrow_range=False, clipping=0.55),
    "float16": ConvertOptions(weights="float16", layers={"conv1": {"weights": "int6"}}),
    "observers": ConvertOptions(weights="int6", weight_observer="entropy", activation_observer="percentile"),
    "overrides": ConvertOptions(weights="int7", activations="int8", activation_observer="mse", layers=OVERRIDES),
    "override of clipping": ConvertOptions(
        weights="int4", clipping=0.7, layers={"conv1": {"observer": "percentile"}, "conv2": {"clipping": 0.95}}
    ),
    "budget": ConvertOptions(budget="6.2x"),
    "budget with activations": ConvertOptions(budget="30KB", activations="int8", clipping=0.9),
    "budget with overrides": ConvertOptions(budget="48000", layers=OVERRIDES),
    "budget too small": ConvertOptions(budget="100"),
    "max_drop": ConvertOptions(max_drop="20dB", granularity="tensor"),
    "max_drop, out of reach": ConvertOptions(max_drop="80dB", activations="int8"),
}


def fixtures():
    network, data, sketches, sensitivity = opened()
    layers = list(range(len(network.groups)))
    blocks = [sketches.block(granularity, symmetric, layers) for granularity, symmetric in GRIDS]
    tables = [
        sketches.clippings(observer, granularity, symmetric, symmetric, layers)
        for observer, granularity, symmetric in OBSERVERS
    ]
    return {
        "network": data,
        "sketches": [{**block, "data": base64.b64encode(block["data"]).decode("ascii")} for block in blocks],
        "clippings": tables,
        "sensitivity": sensitivity_data(network, sensitivity, MEASURED_WITH),
        "refinement": refinement_data(network, sketches, sensitivity, CASES["budget"]),
        "cases": [
            {
                "name": name,
                "options": data_of(options),
                "measured": prediction_data(predict(network, sketches, sensitivity, options)),
                "unmeasured": prediction_data(predict(network, sketches, None, options)),
            }
            for name, options in CASES.items()
        ],
    }


def prediction_data(prediction):
    """Return a prediction as JSON, decibels as in types.ts."""
    found = asdict(prediction)
    for part in (found, *found["layers"]):
        for name in ("sqnr_db", "input_sqnr_db", "output_sqnr_db"):
            if name in part:
                part[name] = decibel_data(part[name])
    return found
