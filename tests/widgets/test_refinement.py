"""The exact search of a panel, against the bits that a conversion gets."""

from __future__ import annotations

import json

import pytest

import gsjupyter as gs
from gsjupyter.errors import OptionError
from gsjupyter.options import ConvertOptions
from gsjupyter.widgets.options_data import data_of
from gsjupyter.widgets.refinement import refinement_data
from gsjupyter.widgets.settings_errors import predict


def refined(lenet, options):
    return refinement_data(lenet.network, lenet.sketches, lenet.sensitivity, options)


def test_its_bits_are_those_of_the_conversion(lenet):
    options = ConvertOptions(budget="6.2x", activations="int8")
    found = refined(lenet, options)
    conversion = gs.convert(lenet.network.model_source, lenet.network.example[0], options=options)
    assert list(found["bits"].values()) == list(conversion.sensitivity.current.values())
    assert found["size_bytes"] == sum(record.bytes_after for record in conversion.layers)
    assert found["sqnr_db"] == pytest.approx(conversion.sensitivity.predict(conversion.sensitivity.current), abs=0.01)
    assert found["options"] == data_of(options)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_it_is_no_worse_than_the_sweep(lenet):
    options = ConvertOptions(budget="6.2x")
    sweep = predict(lenet.network, lenet.sketches, lenet.sensitivity, options)
    found = refined(lenet, options)
    assert found["sqnr_db"] > sweep.output_sqnr_db
    assert found["size_bytes"] <= 245_880 / 6.2


def test_formats_that_are_given_are_counted(lenet):
    options = ConvertOptions(budget="8x", layers={"conv1": "int3", "classifier.4": "float16"})
    found = refined(lenet, options)
    assert found["bits"]["0"] == 3
    assert "4" not in found["bits"]
    assert (
        found["size_bytes"]
        == predict(
            lenet.network, lenet.sketches, lenet.sensitivity, options, {int(k): v for k, v in found["bits"].items()}
        ).weight_bytes
    )


def test_without_a_budget_there_is_nothing_to_refine(lenet):
    with pytest.raises(OptionError, match="without a budget"):
        refined(lenet, ConvertOptions(weights="int4"))


def test_a_budget_that_is_too_small_says_what_is_possible(lenet):
    with pytest.raises(OptionError, match="no setting fits"):
        refined(lenet, ConvertOptions(budget="1KB"))
