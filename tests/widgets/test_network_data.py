"""What the browser is told of a network, against the network itself and its conversion."""

from __future__ import annotations

import json

import numpy as np
import pytest

import gsjupyter as gs
from gsjupyter.quantization import OBSERVERS
from gsjupyter.widgets.names import Names
from gsjupyter.widgets.network_data import network_data
from gsjupyter.widgets.opened import open_network
from tests.networks import MLP, filled


def test_it_is_strict_json(lenet):
    assert json.loads(json.dumps(lenet.data, allow_nan=False)) == lenet.data


def test_layers_are_those_of_the_network(lenet):
    assert lenet.data["name"] == "LeNet"
    assert lenet.data["names"] == Names(source="net", inputs="x").to_json()
    assert lenet.data["inputs"] == [{"name": "x", "shape": [4, 1, 28, 28], "dtype": "float32"}]
    layers = lenet.data["layers"]
    assert [layer["name"] for layer in layers] == ["conv1", "conv2", "classifier.0", "classifier.2", "classifier.4"]
    first = layers[0]
    assert first["names"] == ["conv1"]
    assert first["operator"] == "Conv2D"
    assert first["weights"] == [{"shape": [6, 1, 5, 5], "axis": 0}]
    assert first["shape"] == [6, 1, 5, 5]
    assert (first["parameters"], first["float_bytes"], first["obstacle"]) == (150, 600, "")
    assert lenet.data["float_bytes"] == sum(layer["float_bytes"] for layer in layers)
    assert lenet.data["fixed_bytes"] == 0


def test_ranges_of_inputs_are_those_of_the_conversion(lenet):
    source, x = lenet.network.model_source, lenet.network.example[0]
    conversion = gs.convert(source, x, activations="int8", activation_observer="mse")
    for layer in lenet.data["layers"]:
        assert list(layer["activation"]["observers"]) == list(OBSERVERS)
        expected, found = conversion.activations[layer["name"]], layer["activation"]["observers"]["mse"]
        for name in ("low", "high", "scale", "zero_point", "sqnr_db", "clipped_share"):
            assert found[name] == pytest.approx(getattr(expected, name), rel=1e-5, abs=1e-7), name
        assert found["sqnr_db"] >= max(other["sqnr_db"] for other in layer["activation"]["observers"].values()) - 0.01


def test_the_histogram_of_an_input_counts_every_value(lenet):
    for layer, values in zip(lenet.data["layers"], (4 * 28 * 28, 4 * 6 * 14 * 14), strict=False):
        counts = layer["activation"]["counts"]
        assert len(counts) == 64
        assert sum(counts) == values
    x = lenet.network.example[0]
    expected, _ = np.histogram(x, 64, (x.min(), x.max()))
    # A counter is 1/500 of a bin or less, so that a few values at an edge may change sides.
    assert np.abs(np.array(lenet.data["layers"][0]["activation"]["counts"]) - expected).sum() <= 0.02 * x.size


def test_inputs_that_never_change_have_a_histogram(rng):
    x = np.zeros((3, 8), np.float32)
    data = network_data(open_network(filled(MLP(), rng), x), Names().to_json())
    assert data["layers"][0]["activation"]["low"] == 0.0
    assert sum(data["layers"][0]["activation"]["counts"]) == 24
    json.dumps(data, allow_nan=False)


def test_stored_weights_are_fixed_and_as_large_as_they_are(rng):
    network, x = filled(MLP(), rng), rng.standard_normal((3, 8)).astype(np.float32)
    data = network_data(open_network(gs.convert(network, x, weights="int8").model, x), Names().to_json())
    assert [layer["float_bytes"] for layer in data["layers"]] == [128 + 4 * 16, 64 + 4 * 4]
    assert all(layer["obstacle"] for layer in data["layers"])
    assert data["fixed_bytes"] == 128 + 4 * 16 + 64 + 4 * 4
    assert data["float_bytes"] == 4 * (128 + 64)


def test_an_example_that_makes_nan_leaves_the_inputs_out(rng):
    x = np.full((3, 8), np.nan, np.float32)
    data = network_data(open_network(filled(MLP(), rng), x), Names().to_json())
    assert [layer["activation"] for layer in data["layers"]] == [None, None]
    json.dumps(data, allow_nan=False)
