import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mindspore import nn

import gsjupyter as gs
from gsjupyter.errors import UnsupportedError
from gsjupyter.mindir import Parameter, Runner
from gsjupyter.passes import linear_operators
from gsjupyter.passes.stored_weight import store_weight, stored_weight
from gsjupyter.quantization import QuantizedArray, Scheme, quantize_weight
from tests import networks
from tests.networks import MLP

X = np.random.default_rng(5).normal(0, 1, (3, 8)).astype(np.float32)


def dense_model():
    return gs.convert(nn.Dense(8, 4, has_bias=False), X).model


def quantized(*, groups=1, dtype=np.int8, zero_point=0):
    rng = np.random.default_rng(3)
    limits = np.iinfo(dtype)
    values = rng.integers(limits.min, limits.max, (4, 8), dtype, endpoint=True)
    if groups == 1:
        scale = rng.uniform(0.01, 0.1, (4, 1)).astype(np.float32)
        return QuantizedArray(values, scale, np.full((4, 1), zero_point, np.int32), "int8 per channel")
    scale = rng.uniform(0.01, 0.1, (4, groups, 1)).astype(np.float32)
    offset = np.full((4, groups, 1), zero_point, np.int32)
    return QuantizedArray(values.reshape(4, groups, -1), scale, offset, f"int8 per group:{8 // groups}", (4, 8))


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize(("dtype", "zero_point"), [(np.int8, 0), (np.int8, -3), (np.uint8, 128), (np.uint8, 300)])
def test_what_is_stored_is_read_again_and_runs_as_it_should(groups, dtype, zero_point):
    weight = quantized(groups=groups, dtype=dtype, zero_point=zero_point)
    model = dense_model()
    graph = model.graph()
    operator = linear_operators(graph)[0]
    node = store_weight(graph, "weight", weight, operator.node.scope)
    operator.node.set_input(operator.weight_index, node)
    stored_model = model.with_graph(graph)
    found = linear_operators(stored_model.graph())[0]
    assert found.shape == (4, 8)
    assert found.stored.scheme == weight.scheme
    np.testing.assert_array_equal(found.stored.quantized.values, weight.values)
    np.testing.assert_array_equal(found.stored.quantized.dequantize(), weight.dequantize())
    np.testing.assert_allclose(Runner(stored_model)(X), X @ weight.dequantize().T, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("granularity", ["group:4", "group:3", "group:64"])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("network", [networks.MLP, networks.LeNet, networks.Functional, networks.Depthwise])
def test_groups_of_any_size_on_any_axis_run_as_they_should(network, granularity, symmetric, rng):
    net = networks.filled(network(), rng)
    x = networks.random_input(net, rng)
    model = gs.convert(net, x).model
    graph = model.graph()
    expected = model.graph()
    scheme = Scheme(4, symmetric=symmetric, granularity=granularity)
    for operator, twin in zip(linear_operators(graph), linear_operators(expected), strict=True):
        weight = quantize_weight(operator.weight.array, operator.axis, scheme)
        node = store_weight(graph, operator.weight.name, weight, operator.node.scope)
        operator.node.set_input(operator.weight_index, node)
        twin.node.set_input(twin.weight_index, Parameter.of(twin.weight.name, weight.dequantize()))
        found = stored_weight(node)
        np.testing.assert_array_equal(found.quantized.dequantize(), weight.dequantize())
        assert (found.scheme, found.size_bytes) == (str(scheme), weight.size_bytes)
    reference = Runner(model.with_graph(expected))(x)
    np.testing.assert_allclose(Runner(model.with_graph(graph))(x), reference, rtol=1e-5, atol=1e-6)


def test_a_converted_file_knows_its_layers_when_it_is_converted_again(tmp_path):
    first = gs.convert(MLP(), X, weights="int8", layers={"fc2": "float16"})
    gs.export(first, tmp_path / "net.mindir")
    again = gs.convert(tmp_path / "net.mindir", X, weights="int8")
    assert [record.weights for record in again.layers] == ["int8 per channel", "float16"]
    assert [record.bytes_after for record in again.layers] == [record.bytes_after for record in first.layers]
    np.testing.assert_array_equal(again(X), first(X))


def test_float16_has_no_integers():
    model = gs.convert(nn.Dense(8, 4), X, weights="float16").model
    stored = linear_operators(model.graph())[0].stored
    assert not stored.is_integer
    with pytest.raises(UnsupportedError, match="stored as float16"):
        _ = stored.quantized


def test_an_ordinary_product_is_no_stored_weight():
    graph = dense_model().graph()
    assert all(stored_weight(value) is None for value in graph.values())


@given(
    values=st.lists(st.integers(-128, 127), min_size=4, max_size=4),
    zero_point=st.integers(-128, 127),
    factor=st.lists(st.floats(-4, 4), min_size=2, max_size=2),
    unsigned=st.booleans(),
)
def test_a_factor_for_each_channel_is_taken_by_the_scales(values, zero_point, factor, unsigned):
    dtype = np.uint8 if unsigned else np.int8
    integers = np.array(values).astype(dtype).reshape(2, 2)
    weight = QuantizedArray(integers, np.float32([[0.5]]), np.array([[zero_point]], np.int32), "int8 per tensor")
    rescaled = weight.rescaled(np.array(factor).reshape(2, 1))
    expected = weight.dequantize() * np.array(factor).reshape(2, 1)
    np.testing.assert_allclose(rescaled.dequantize(), expected, rtol=1e-5, atol=1e-30)
    assert (rescaled.scale > 0).all()
    assert rescaled.values.dtype == dtype
    assert rescaled.scheme == "int8 per channel"
