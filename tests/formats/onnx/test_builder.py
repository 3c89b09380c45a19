"""Names and stored values of an ONNX graph."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from mindspore import ops

from gsjupyter.formats.onnx.builder import Builder, batch_size_of
from gsjupyter.mindir import InputSpec
from tests.formats.onnx.agreement import exported


@pytest.fixture
def graph(rng):
    return exported(ops.relu, np.ones((2, 3), np.float32)).graph()


def test_names_are_unique_whatever_was_there_before(graph):
    builder = Builder(graph)
    found = [builder.unique(name) for name in ("a", "a_2", "a", "a", "a_2", "b")]
    assert found[0] == "a"
    assert found[-1] == "b"
    assert len(set(found)) == len(found)


def test_small_arrays_are_stored_once_if_all_of_them_is_equal(graph):
    builder = Builder(graph)
    first, again = (builder.initializer(np.arange(4, dtype=np.float32)) for _ in range(2))
    assert first is again
    others = [np.arange(4), np.arange(4, dtype=np.float32)[None], np.arange(4, dtype=np.float32) * -1]
    assert len({first, *map(builder.initializer, others)}) == 4
    assert builder.initializer(np.float32(0.0)) is not builder.initializer(np.float32(-0.0))
    large = np.zeros(1000, np.float32)
    assert builder.initializer(large) is not builder.initializer(large)


def test_arrays_in_any_memory_layout_are_stored_as_they_read(graph):
    builder = Builder(graph)
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    np.testing.assert_array_equal(builder.initializer(turned).const_value.numpy(), turned)


def test_half_precision_stores_float32_alone_in_float16_and_makes_no_infinity(graph):
    builder = Builder(graph, float_type=np.float16)
    numbers = np.array([1e9, -1e9, np.inf, -np.inf, np.nan, 1.5], np.float32)
    stored = builder.initializer(numbers).const_value
    assert stored.dtype == ir.DataType.FLOAT16
    np.testing.assert_array_equal(stored.numpy(), np.array([65504, -65504, np.inf, -np.inf, np.nan, 1.5], np.float16))
    assert builder.initializer(numbers.astype(np.float64)).const_value.dtype == ir.DataType.DOUBLE


def test_nodes_and_their_values_are_called_after_the_layer(graph):
    builder = Builder(graph)
    values = builder.add("layer1.conv", "Split", [builder.inputs[0]], {"axis": 0, "num_outputs": 2}, 2)
    (other,) = builder.add("", "Relu", [values[0]], {"nothing": None})
    (again,) = builder.add("", "Relu", [other], {})
    assert [value.name for value in values] == ["layer1.conv/Split", "layer1.conv/Split:1"]
    assert [node.name for node in builder.nodes] == ["layer1.conv/Split", "network/Relu", again.name]
    assert again.name != other.name
    assert not builder.nodes[1].attributes


def test_what_depends_on_the_inputs_is_told_from_what_does_not(graph):
    builder = Builder(graph)
    stored = builder.initializer(np.ones(3, np.float32))
    (constant,) = builder.add("", "Neg", [stored], {})
    (both,) = builder.add("", "Add", [constant, builder.inputs[0]], {})
    assert [builder.is_variable(value) for value in (stored, constant, both)] == [False, False, True]


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([(4, 3), (4,)], 4),
        ([(4, 3), (5, 3)], None),
        ([(4, 3), ()], None),
        ([(-1, 3)], None),
        ([None], None),
        ([], None),
        ([(0, 3)], None),
    ],
)
def test_the_batch_size_is_what_all_inputs_agree_on(shapes, expected):
    assert batch_size_of([InputSpec("x", shape, np.dtype(np.float32)) for shape in shapes]) == expected


def test_a_row_that_all_samples_share_is_found_where_the_batch_is_free(graph):
    rows = np.repeat(np.arange(3, dtype=np.float32)[None], 2, axis=0)
    assert Builder(graph).common_row(rows) is None
    builder = Builder(graph, free_batch=True)
    np.testing.assert_array_equal(builder.common_row(rows), rows[:1])
    others = [np.arange(6).reshape(2, 3), np.ones((3, 3)), np.ones(2), np.full((2, 3), np.nan)]
    assert [builder.common_row(other) for other in others] == [None] * 4
