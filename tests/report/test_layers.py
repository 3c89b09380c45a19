from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, replace

import pandas as pd
import pytest

from gsjupyter.errors import OptionError
from gsjupyter.report import MIME_TYPE, LayerRecord, Layers
from gsjupyter.report.layer_errors import LayerError, LayerErrors
from tests.report.samples import ATTACK, CONV, ERRORS, FC, LAYERS


def names(layers):
    return [record.name for record in layers]


def test_layers_are_a_sequence():
    assert isinstance(LAYERS, Sequence)
    assert len(LAYERS) == 2
    assert LAYERS[0] is CONV
    assert LAYERS[-1] is FC
    assert list(LAYERS) == [CONV, FC]
    assert FC in LAYERS
    assert LAYERS.index(FC) == 1
    assert list(reversed(LAYERS)) == [FC, CONV]
    with pytest.raises(IndexError):
        LAYERS[2]


def test_a_part_of_them_is_a_table_as_well():
    assert isinstance(LAYERS[1:], Layers)
    assert list(LAYERS[1:]) == [FC]


def test_the_text_has_a_line_for_each_layer():
    lines = repr(LAYERS).splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ["conv1", "fc3"]
    assert "6 x 1 x 5 x 5" in lines[-2]
    assert "41.3" in lines[-2]
    assert "\u2013" in lines[-1]


def test_the_table_keeps_to_the_main_columns():
    keys = [column.key for column in LAYERS.table().columns]
    assert keys == [
        *("name", "operator", "shape", "weights", "activations", "bytes_before", "bytes_after"),
        *("sqnr_db", "activation_sqnr_db"),
    ]
    assert [column.key for column in LAYERS[1:].table().columns] == keys[:-1]


def test_the_full_table_has_every_figure_that_any_layer_has():
    full = LAYERS.detailed().with_shares({"conv1": 0.75}).with_errors(ERRORS)
    hidden = {"channel_ranges", "note", "zero_point_min", "zero_point_max"}
    assert {column.key for column in full.table().columns} == {field.name for field in fields(LayerRecord)} - hidden
    assert "Share of the error" not in repr(LAYERS.detailed())
    lopsided = Layers([replace(CONV, zero_point_max=3)], is_detailed=True)
    assert "zero_point_max" in {column.key for column in lopsided.table().columns}


def test_a_part_of_the_full_table_is_full_as_well():
    full = LAYERS.detailed()
    for part in (full[:1], full.top(1), full.matching("c*"), full.sorted_by("name"), full.with_shares({})):
        assert part.is_detailed
    assert not LAYERS.top(1).is_detailed


def test_layers_are_found_by_name_or_glob():
    layers = Layers([replace(CONV, name=name) for name in ("conv1", "conv2", "fc[1]", "fc2")])
    assert names(layers.matching("conv*")) == ["conv1", "conv2"]
    assert names(layers.matching("fc2", "conv1")) == ["conv1", "fc2"]
    assert names(layers.matching("fc[1]")) == ["fc[1]"]
    with pytest.raises(OptionError, match=r"no layer of the table matches 'cnv1'\.\nDid you mean conv1\?"):
        layers.matching("fc2", "cnv1")
    with pytest.raises(OptionError, match="There are none"):
        Layers([]).matching("*")


def test_the_first_layers_are_the_top():
    assert names(LAYERS.top(1)) == ["conv1"]
    assert names(LAYERS.top(5)) == ["conv1", "fc3"]
    assert len(LAYERS.top(0)) == 0
    with pytest.raises(OptionError, match="can't be -1"):
        LAYERS.top(-1)


def test_errors_and_shares_go_to_the_layers_of_their_names():
    found = LAYERS.with_errors(ERRORS).with_shares({"fc3": 0.25, "gone": 0.75})
    assert [record.isolated_sqnr_db for record in found] == [40.0, None]
    assert [record.accumulated_sqnr_db for record in found] == [40.0, 35.5]
    assert [record.error_share for record in found] == [None, 0.25]
    assert "Accumulated (dB)" in repr(found)
    assert "Accumulated (dB)" not in repr(LAYERS)


def test_notes_are_shown_where_there_are_any():
    assert "Note" not in repr(LAYERS)
    assert "kept in float" in repr(Layers([CONV, replace(FC, note="kept in float")]))


def test_a_notebook_gets_text_html_and_json():
    bundle = LAYERS._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", MIME_TYPE}
    json.dumps(bundle, allow_nan=False)
    keys = {column["key"] for column in bundle[MIME_TYPE]["blocks"][0]["columns"]}
    assert keys <= {field.name for field in fields(LayerRecord)}
    full = LAYERS.detailed()._repr_mimebundle_()
    json.dumps(full, allow_nan=False)
    assert [column["key"] for column in full[MIME_TYPE]["blocks"][0]["columns"] if column["bar"]] == [
        "sqnr_db",
        "activation_sqnr_db",
    ]


def test_a_layer_without_error_is_json_too():
    bundle = Layers([replace(CONV, sqnr_db=float("inf"))])._repr_mimebundle_()
    assert bundle[MIME_TYPE]["blocks"][0]["rows"][0]["sqnr_db"] == "inf"


def test_the_data_frame_has_every_field_and_a_row_for_each_layer():
    frame = LAYERS.to_pandas()
    assert frame.index.tolist() == ["conv1", "fc3"]
    assert [frame.index.name, *frame.columns] == [field.name for field in fields(LayerRecord)]
    assert frame.loc["conv1", "sqnr_db"] == 41.25
    assert pd.isna(frame.loc["fc3", "sqnr_db"])
    assert frame.loc["conv1", "channel_ranges"] == (0.1, 0.15, 0.2, 0.25, 0.3)
    assert frame["bytes_after"].sum() == 174 + 3360


def test_no_layers_are_an_empty_data_frame_with_the_same_columns():
    frame = Layers([]).to_pandas()
    assert frame.empty
    assert list(frame.columns) == list(LAYERS.to_pandas().columns)


@pytest.mark.parametrize("name", ["conv1", ATTACK, "a$b$c_d^e", "网络", "x" * 200])
def test_any_name_can_be_shown(name):
    layers = Layers([replace(CONV, name=name)])
    assert name in repr(layers)
    assert name in repr(layers.detailed())
    assert layers.to_pandas().index.tolist() == [name]
    assert names(layers.matching(name)) == [name]


def test_a_hostile_name_is_text_everywhere():
    layers = Layers([replace(CONV, name=ATTACK, note=ATTACK, weights=ATTACK)], is_detailed=True)
    errors = LayerErrors([LayerError(ATTACK, 40.0, 30.0)], samples=1)
    for shown in (layers, layers.with_errors(errors), errors):
        assert "<img" not in shown.to_html()
        assert "&lt;img" in shown.to_html()
        assert shown.to_pandas().index.tolist() == [ATTACK]
