"""Files come from anywhere: what only looks like packed weights is left alone, whatever it says."""

import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsjupyter.errors import GsError
from gsjupyter.mindir import Constant, Model, Node, Parameter, Runner, Scope, model_from_cell
from gsjupyter.passes import apply
from gsjupyter.passes.packed_integers import packed_integers, store_packed
from gsjupyter.passes.unpack_weights import UnpackWeights
from gsjupyter.quantization.packing import IntegerGrid, PackedIntegers, pack
from tests.mindir.test_damaged_bytes import DAMAGE, damaged
from tests.networks import MLP
from tests.passes.networks import operators, parameters, reasons

ANNOTATION = "packed_integers"
NOT_KNOWN = "said to be packed integers, but not in the form that is known"
VALUES = (np.arange(21 * 35).reshape(21, 35) % 13 - 6).astype(np.int8)
FULL_WORDS = (np.arange(30 * 40).reshape(30, 40) % 7 - 3).astype(np.int8)
X = np.ones((1, 8), np.float32)


@pytest.fixture(scope="module")
def network():
    return model_from_cell(MLP(), (X,))


def with_weight(network, packed, spoil=lambda graph, node: None):
    """Return a network that gives packed integers as well, after `spoil` has had its way with them."""
    graph = network.graph()
    node = store_packed(graph, "fc3.weight", packed, Scope.parse("Default/fc3-Dense/Add-op0"))
    graph.output = graph.add_tuple([graph.output, node])
    spoil(graph, node)
    return Model.from_bytes(network.with_graph(graph).to_bytes())


def step(node, operator):
    """Return the step of the unpacking that is done by an operator; the first one on the way to the bytes."""
    while node.op != operator:
        node = next(value for value in node.inputs if isinstance(value, Node))
    return node


@pytest.mark.parametrize(
    "values", [VALUES, FULL_WORDS, FULL_WORDS.astype(np.uint8) % 4], ids=["cut", "full", "unsigned"]
)
def test_packed_integers_become_integers_of_the_same_name(network, values):
    model, result = apply(UnpackWeights(), with_weight(network, pack(values)))
    bits = pack(values).grid.bits
    assert [change.reason for change in result.done] == [f"fc3.weight unpacked, {bits} bits each"]
    assert result.done[0].layer == "fc3"
    np.testing.assert_array_equal(parameters(model)["fc3.weight"], values, strict=True)
    assert operators(model)[-2:] == ["Cast", "MakeTuple"]


def annotated(*value):
    def spoil(graph, node):
        del node.proto.node_attr[:]
        node.annotate(ANNOTATION, value[0] if len(value) == 1 else value)

    return spoil


def resized(*shape):
    return lambda graph, node: node.resize(shape)


def rewired(operator, index, value):
    return lambda graph, node: step(node, operator).set_input(index, value)


def bytes_of(array):
    return lambda graph, node: step(node, "Cast").set_input(0, Parameter.of("fc3.weight", array))


def also_read(operator):
    def spoil(graph, node):
        graph.output = graph.add_tuple([graph.output, step(node, operator).inputs[0]])

    return spoil


def with_attribute(operator, name, value):
    return lambda graph, node: step(node, operator).set_attribute(name, value)


def annotated_one_step_before(graph, node):
    del node.proto.node_attr[:]
    node.inputs[0].annotate(ANNOTATION, ("int8", 4, -6, 1))


def applied_to_the_input(graph, node):
    step(node, "Cast").set_input(0, graph.inputs[0])


def in_many_axes(graph, node):
    """Write what would be right in another shape, one that numpy doesn't have."""
    shape = (*[1] * 40, 735)
    for operator in ("Add", "Reshape"):
        step(node, operator).resize(shape)
    step(node, "Reshape").set_input(1, Constant.of(shape))


@pytest.mark.parametrize(
    "spoil",
    [
        annotated("int4", 4, -6, 1),
        annotated("int8", 3, -6, 1),
        annotated("int8", 4, -5, 1),
        annotated("int8", 4, 0, 1),
        annotated("int8", 4, -6, 2),
        annotated("int8", 0, -6, 1),
        annotated("int8", 1 << 40, -6, 1),
        annotated("int8", 4, -(1 << 40), 1),
        annotated("int8", 4, -6, 1 << 40),
        annotated("int8", 4.0, -6, 1),
        annotated("int8", True, -6, 1),
        annotated("int8", 4, -6),
        annotated("int8", 4, -6, (1,)),
        annotated(4),
        annotated("int8"),
        annotated(None),
        annotated(np.arange(4)),
        annotated("int8", 4, -6, None),
        annotated(7, 4, -6, 1),
        resized(35, 21),
        resized(-1, 35),
        resized(735),
        resized(1 << 40, 1 << 40),
        resized(0, 35),
        resized(*[1] * 40, 735),
        resized(),
        in_many_axes,
        rewired("Add", 1, Constant.of(np.full((), -5, np.float32))),
        rewired("Add", 1, Constant.of(-6)),
        rewired("Add", 1, Parameter.of("lowest", np.full((), -6, np.float32))),
        rewired("Reshape", 1, Constant.of((35, 21))),
        rewired("Slice", 1, Constant.of((1,))),
        rewired("Slice", 2, Constant.of((734,))),
        rewired("MatMul", 0, Constant.of(np.eye(2, dtype=np.float32))),
        rewired("MatMul", 3, Constant.of(True)),
        rewired("MatMul", 3, Constant.of(0)),
        rewired("Cast", 1, Constant.of(42)),
        bytes_of(np.zeros((1, 367), np.uint8)),
        bytes_of(np.zeros((368,), np.uint8)),
        bytes_of(np.zeros((1, 368), np.int8)),
        bytes_of(np.zeros((1, 368), np.float16)),
        also_read("Cast"),
        also_read("Floor"),
        also_read("Slice"),
        with_attribute("MatMul", "transpose_x1", True),
        annotated_one_step_before,
        applied_to_the_input,
    ],
)
def test_what_is_not_as_we_write_it_is_left_alone(network, spoil):
    model = with_weight(network, pack(VALUES), spoil)
    after, result = apply(UnpackWeights(), model)
    assert set(reasons(result)) == {NOT_KNOWN}
    assert not result.done
    assert operators(after) == operators(model)


def test_digits_beyond_their_data_type_are_left_alone(network):
    packed = PackedIntegers(np.full((1, 368), 255, np.uint8), IntegerGrid(4, 120), (21, 35), np.dtype(np.int8))
    after, result = apply(UnpackWeights(), with_weight(network, packed))
    assert reasons(result) == ["packed integers from 120 to 135 are beyond int8."]
    assert parameters(after)["fc3.weight"].dtype == np.uint8


def test_an_annotation_that_is_no_tensor_is_left_alone(network):
    def spoil(graph, node):
        node.annotate("other", np.zeros(8, np.float32))
        node.proto.node_attr[-1].tensors[0].raw_data = b"cut"

    after, result = apply(UnpackWeights(), with_weight(network, pack(VALUES), spoil))
    assert not result.done
    assert parameters(after)["fc3.weight"].dtype == np.uint8


def test_a_long_chain_that_says_everywhere_that_it_is_packed_takes_no_time(network):
    graph = network.graph()
    node = store_packed(graph, "fc3.weight", pack(VALUES), Scope.parse(""))
    for _ in range(1500):
        node = graph.add(
            "Reshape", [node, Constant.of((21, 35))], scope=Scope.parse(""), shape=(21, 35), dtype=np.float32
        )
        node.annotate(ANNOTATION, ("int8", 4, -6, 1))
    graph.output = graph.add_tuple([graph.output, node])
    started = time.process_time()
    assert sum(packed_integers(item) is not None for item in graph.nodes()) == 1
    assert time.process_time() - started < 5


@settings(max_examples=400)
@given(damage=DAMAGE, values=st.sampled_from([VALUES, FULL_WORDS]))
def test_damaged_files_give_nothing_but_our_errors(network, damage, values):
    data = with_weight(network, pack(values)).to_bytes()
    with suppress(GsError):
        model = Model.from_bytes(damaged(data, damage), "damaged")
        apply(UnpackWeights(), model)


def test_what_is_left_alone_computes_the_same(network):
    model = with_weight(network, pack(VALUES), annotated("int8", 4, -5, 1))
    after, _ = apply(UnpackWeights(), model)
    np.testing.assert_array_equal(Runner(after)(X)[1], VALUES)
