"""What a panel measures, against what `gs.sensitivity` does."""

from __future__ import annotations

import json

import pytest

import gsjupyter as gs
from gsjupyter.errors import OptionError, TimeLimitError
from gsjupyter.options import ConvertOptions
from gsjupyter.widgets.options_data import data_of
from gsjupyter.widgets.sensitivity_data import costs_of, measured_sensitivity, sensitivity_data
from tests.widgets.opened_lenet import MEASURED_WITH


def test_it_measures_what_sensitivity_measures(lenet):
    expected = gs.sensitivity(lenet.network.model_source, lenet.network.example[0], options=MEASURED_WITH)
    found = lenet.sensitivity
    assert found.model.ceiling == pytest.approx(expected.model.ceiling)
    assert found.model.activation_error == pytest.approx(expected.model.activation_error, rel=1e-4)
    for one, other in zip(found.model.layers, expected.model.layers, strict=True):
        assert one.names == other.names
        assert one.weight_errors == other.weight_errors
        assert one.measured == pytest.approx(other.measured, rel=1e-4)
    assert found.parameters == expected.parameters
    assert [item.sizes_bytes for item in found.choices] == [item.sizes_bytes for item in expected.choices]


def test_inputs_that_are_only_noted_add_no_error(lenet):
    options = ConvertOptions(activations="int8", simulate=False)
    assert measured_sensitivity(lenet.network, options).model.activation_error == 0.0
    assert lenet.sensitivity.model.activation_error > 0.0


def test_it_is_strict_json_by_the_layers_numbers(lenet):
    data = sensitivity_data(lenet.network, lenet.sensitivity, MEASURED_WITH)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert [item["layer"] for item in data["layers"]] == [0, 1, 2, 3, 4]
    cost = lenet.sensitivity.model.layers[2]
    assert data["layers"][2]["measured"]["3"] == cost.measured[3]
    assert data["layers"][2]["weight_errors"]["3"] == cost.weight_errors[3]
    assert data["activation_error"] == lenet.sensitivity.model.activation_error
    assert data["measurement"] == str(lenet.sensitivity.measurement)
    assert data["options"] == data_of(MEASURED_WITH)


def test_layers_that_stay_in_float_are_left_out(lenet):
    options = ConvertOptions(layers={"conv*": "float32"})
    sensitivity = measured_sensitivity(lenet.network, options)
    assert list(costs_of(lenet.network, sensitivity)) == [2, 3, 4]
    data = sensitivity_data(lenet.network, sensitivity, options)
    assert [item["layer"] for item in data["layers"]] == [2, 3, 4]


def test_a_layer_that_does_not_exist_is_named(lenet):
    with pytest.raises(OptionError, match="no layer 'conv9'"):
        measured_sensitivity(lenet.network, ConvertOptions(layers={"conv9": "int8"}))


def test_it_does_not_begin_what_takes_too_long(lenet):
    with pytest.raises(TimeLimitError):
        measured_sensitivity(lenet.network, ConvertOptions(), at_most_s=1e-9)
