from __future__ import annotations

import pytest

from gsjupyter.benchmarking.operators import operator_times


def record(name, scope="", weights=(), durations_s=(1.0,), operator="Conv"):
    return {
        "name": name,
        "operator": operator,
        "scope": scope,
        "weights": list(weights),
        "durations_s": list(durations_s),
    }


def layers_of(records, layers=()):
    return {time.name: time.layer for time in operator_times(records, layers)}


def test_the_longest_comes_first_and_the_shares_add_up_to_one():
    times = operator_times([record("a", durations_s=[1, 1, 50]), record("b", durations_s=[3, 3, 3])])
    assert [(time.name, time.duration_s) for time in times] == [("b", 3.0), ("a", 1.0)]
    assert [time.share for time in times] == [0.75, 0.25]


def test_the_median_counts_and_not_the_mean():
    (time,) = operator_times([record("a", durations_s=[1e-3, 2e-3, 1.0, 3e-3])])
    assert time.duration_s == pytest.approx(2.5e-3)


def test_operators_that_take_no_time_share_none():
    assert [time.share for time in operator_times([record("a", durations_s=[0.0]), record("b", durations_s=[])])] == [
        0.0,
        0.0,
    ]
    assert operator_times([]) == ()


def test_a_layer_is_that_of_the_weight_and_not_that_of_the_name():
    found = layers_of([record("relu/Relu_nchwc", "relu", ["conv1.weight", "conv1.bias"])], ["conv1"])
    assert found == {"relu/Relu_nchwc": "conv1"}


def test_a_cell_of_several_weights_has_a_layer_for_each():
    layers = ["attn.in_proj_weight", "attn.out_proj_weight"]
    records = [record("in", "attn", [layers[0]]), record("out", "attn", [layers[1]]), record("softmax", "attn")]
    assert layers_of(records, layers) == {"in": layers[0], "out": layers[1], "softmax": "attn"}


def test_without_layers_a_weight_belongs_to_its_cell():
    records = [
        record("conv", "conv1", ["conv1.weight"]),
        record("shared", "blocks.0.norm", ["blocks.3.norm.gamma"]),
        record("renamed", "head", ["kernel"]),
    ]
    assert layers_of(records) == {"conv": "conv1", "shared": "blocks.3.norm", "renamed": "head"}


BLOCKS = [
    record("fc1", "blocks.0.fc1", ["blocks.0.fc1.weight"]),
    record("act", "blocks.0.act"),
    record("fc2", "blocks.0.fc2", ["blocks.0.fc2.weight"]),
    record("add", "blocks.0"),
    record("fc1'", "blocks.1.fc1", ["blocks.1.fc1.weight"]),
    record("act'", "blocks.0.act"),
    record("fc2'", "blocks.1.fc2", ["blocks.1.fc2.weight"]),
    record("add'", "blocks.0"),
    record("head", "head", ["head.weight"]),
    record("softmax", "softmax"),
    record("transpose"),
]


def test_an_activation_belongs_to_its_cell_where_that_can_be():
    found = layers_of(BLOCKS)
    assert (found["act"], found["add"], found["softmax"]) == ("blocks.0.act", "blocks.0", "softmax")


def test_an_activation_whose_cell_was_compiled_for_another_block_belongs_to_its_own():
    assert layers_of(BLOCKS)["act'"] == "blocks.1"


def test_what_can_be_in_no_cell_belongs_to_none():
    # After the last block and before the head: the innermost cell around both is the network itself.
    found = layers_of(BLOCKS)
    assert (found["add'"], found["transpose"]) == ("", "")


def test_the_cell_of_a_network_that_nothing_is_known_of_stays():
    assert layers_of([record("a", "layer1.conv1"), record("b", "layer1.relu")]) == {
        "a": "layer1.conv1",
        "b": "layer1.relu",
    }


def test_names_that_begin_alike_are_not_cells_of_each_other():
    records = [record("a", "conv1.0", ["conv1.0.weight"]), record("b", "conv10.act"), record("c", "x", ["x.weight"])]
    assert layers_of(records)["b"] == ""
