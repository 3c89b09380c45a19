from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, replace

import pandas as pd
import pytest

from gsjupyter.report import MIME_TYPE, LayerRecord, Layers
from tests.report.samples import ATTACK, CONV, FC, LAYERS


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


def test_notes_are_shown_where_there_are_any():
    assert "Note" not in repr(LAYERS)
    assert "kept in float" in repr(Layers([CONV, replace(FC, note="kept in float")]))


def test_a_notebook_gets_text_html_and_json():
    bundle = LAYERS._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", MIME_TYPE}
    json.dumps(bundle, allow_nan=False)
    keys = {column["key"] for column in bundle[MIME_TYPE]["blocks"][0]["columns"]}
    assert keys <= {field.name for field in fields(LayerRecord)}


def test_a_layer_without_error_is_json_too():
    bundle = Layers([replace(CONV, sqnr_db=float("inf"))])._repr_mimebundle_()
    assert bundle[MIME_TYPE]["blocks"][0]["rows"][0]["sqnr_db"] == "inf"


def test_the_data_frame_has_every_field_and_a_row_for_each_layer():
    frame = LAYERS.to_pandas()
    assert frame.index.tolist() == ["conv1", "fc3"]
    assert [frame.index.name, *frame.columns] == [field.name for field in fields(LayerRecord)]
    assert frame.loc["conv1", "sqnr_db"] == 41.25
    assert pd.isna(frame.loc["fc3", "sqnr_db"])
    assert frame["bytes_after"].sum() == 174 + 3360


def test_no_layers_are_an_empty_data_frame_with_the_same_columns():
    frame = Layers([]).to_pandas()
    assert frame.empty
    assert list(frame.columns) == list(LAYERS.to_pandas().columns)


@pytest.mark.parametrize("name", ["conv1", ATTACK, "a$b$c_d^e", "网络", "x" * 200])
def test_any_name_can_be_shown(name):
    layers = Layers([replace(CONV, name=name)])
    assert name in repr(layers)
    assert layers.to_pandas().index.tolist() == [name]
