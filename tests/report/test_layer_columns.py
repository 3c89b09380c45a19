from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.errors import OptionError
from gsjupyter.report import LayerRecord, Layers
from gsjupyter.report.layer_columns import COLUMN_NAMES, LAYER_COLUMNS, check_filled, layer_column
from tests.report.samples import CONV, LAYERS

FIGURES = [None, math.nan, -math.inf, 12.0, 40.0, math.inf]


def layers_with(field, values):
    return Layers([replace(CONV, name=f"layer{index}", **{field: value}) for index, value in enumerate(values)])


def test_every_column_is_a_field_and_has_a_name_of_its_own():
    known = {field.name for field in fields(LayerRecord)}
    assert {item.column.key for item in LAYER_COLUMNS} == known - {"channel_ranges"}
    assert len(set(COLUMN_NAMES)) == len(LAYER_COLUMNS)
    assert len({item.column.key for item in LAYER_COLUMNS}) == len(LAYER_COLUMNS)


@pytest.mark.parametrize("name", COLUMN_NAMES)
def test_every_column_can_be_sorted_by(name):
    assert sorted(record.name for record in LAYERS.sorted_by(name)) == ["conv1", "fc3"]


@pytest.mark.parametrize(
    ("column", "field", "order"),
    [
        ("sqnr", "sqnr_db", [-math.inf, 12.0, 40.0, math.inf]),
        ("sqnr_db", "sqnr_db", [-math.inf, 12.0, 40.0, math.inf]),
        ("input_sqnr", "activation_sqnr_db", [-math.inf, 12.0, 40.0, math.inf]),
        ("isolated", "isolated_sqnr_db", [-math.inf, 12.0, 40.0, math.inf]),
        ("accumulated", "accumulated_sqnr_db", [-math.inf, 12.0, 40.0, math.inf]),
        ("levels", "levels_used", [-math.inf, 12.0, 40.0, math.inf]),
        ("cosine", "cosine", [-math.inf, 12.0, 40.0, math.inf]),
        ("share", "error_share", [math.inf, 40.0, 12.0, -math.inf]),
        ("clipped", "clipped_share", [math.inf, 40.0, 12.0, -math.inf]),
        ("outliers", "outlier_ratio", [math.inf, 40.0, 12.0, -math.inf]),
        ("rmse", "rmse_over_scale", [math.inf, 40.0, 12.0, -math.inf]),
    ],
)
def test_the_worst_comes_first_and_what_is_missing_last(column, field, order):
    found = [getattr(record, field) for record in layers_with(field, FIGURES).sorted_by(column)]
    assert found[:4] == order
    assert all(value is None or math.isnan(value) for value in found[4:])


def test_the_largest_layer_comes_first_and_names_are_in_order():
    layers = layers_with("bytes_after", [5, 7, 6])
    assert [record.bytes_after for record in layers.sorted_by("size")] == [7, 6, 5]
    assert [record.name for record in layers.sorted_by("size").sorted_by("name")] == ["layer0", "layer1", "layer2"]


@given(st.lists(st.sampled_from([*FIGURES, 0.0]), max_size=12), st.sampled_from(["sqnr", "share"]))
def test_sorting_keeps_every_layer_and_equal_ones_in_their_order(values, column):
    field = layer_column(column).column.key
    layers = layers_with(field, values)
    found = layers.sorted_by(column)
    assert sorted(record.name for record in found) == sorted(record.name for record in layers)
    assert found.sorted_by(column)._records == found._records
    for value in set(values):
        same = [int(record.name.removeprefix("layer")) for record in found if getattr(record, field) is value]
        assert same == sorted(same)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sqrn", r"no column 'sqrn'\.\nDid you mean sqnr\?"),
        ("activation_sqnr", "Did you mean activation_sqnr_db"),
        ("xyzzy", "There are name, operator, shape"),
        ("channel_ranges", "no column"),
        ("", "no column ''"),
    ],
)
def test_an_unknown_column_is_told_with_the_nearest(name, message):
    with pytest.raises(OptionError, match=message):
        LAYERS.sorted_by(name)


def test_an_order_by_what_no_layer_has_is_refused_with_where_it_comes_from():
    check_filled(LAYERS, "sqnr")
    with pytest.raises(OptionError, match=r"no layer has a value for 'isolated'\.\nIt is measured by %gs_stats"):
        check_filled(LAYERS, "isolated")
