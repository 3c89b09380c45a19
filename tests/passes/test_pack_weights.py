import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn

import gsjupyter as gs
from gsjupyter.mindir import Parameter, Runner, Scope, model_from_cell, save_model
from gsjupyter.passes import FoldConstants, apply, linear_operators
from gsjupyter.passes.casting import cast
from gsjupyter.passes.pack_weights import LEAST_GAIN_BYTES, PackWeights
from gsjupyter.passes.packed_integers import store_packed
from gsjupyter.passes.stored_weight import store_weight
from gsjupyter.passes.unpack_weights import UnpackWeights
from gsjupyter.quantization import QuantizedArray, Scheme, quantize_weight
from gsjupyter.quantization.packing import pack, packed_size_bytes
from tests.passes.networks import (
    AppliedTwice,
    TiedEmbedding,
    assert_output,
    normal,
    operators,
    parameters,
    randomized,
    reasons,
    standard,
)

FLOAT32 = np.dtype(np.float32)
FIVE_MORE = ["Cast", "MatMul", "Floor", "MatMul", "Reshape", "Add"]


def stored(network, *inputs, scheme):
    """Return a network with its weights stored as integers, by whatever reads them."""
    model = standard(network, *inputs)
    graph = model.graph()
    weights = {operator.weight: operator for operator in linear_operators(graph)}
    for weight, operator in weights.items():
        quantized = quantize_weight(weight.array, operator.axis, scheme)
        graph.replace(weight, store_weight(graph, weight.name, quantized, operator.node.scope))
    return model.with_graph(graph)


def packed(model):
    return apply(PackWeights(model), model)


def as_written(model):
    """Return a model's bytes once it has been read: constants of one value are one from then on."""
    return model.with_graph(model.graph()).to_bytes()


def unpacked(model):
    return apply(UnpackWeights(), model)[0]


@pytest.fixture(params=["graph", "pynative"])
def plain_mindspore(request, tmp_path):
    """Give a function that runs a model as a user without gsjupyter does, in either of MindSpore's modes."""
    before = mindspore.get_context("mode")
    mindspore.set_context(mode=mindspore.GRAPH_MODE if request.param == "graph" else mindspore.PYNATIVE_MODE)

    def run(model, *inputs):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.mindir"
        save_model(model, path)
        outputs = nn.GraphCell(mindspore.load(str(path)))(*map(Tensor, inputs))
        return [value.asnumpy() for value in outputs] if isinstance(outputs, tuple) else outputs.asnumpy()

    yield run
    mindspore.set_context(mode=before)


@pytest.fixture
def dense(rng):
    """Give a function that returns a model of one dense layer whose integers have so many bits."""
    network = randomized(nn.SequentialCell(nn.Dense(200, 160)), rng)
    return lambda bits: stored(network, normal(rng, 2, 200), scheme=Scheme(bits=bits))


ARRAYS = {
    **{
        f"{bits} bits": np.arange(16 * 6 * 25).reshape(16, 6, 5, 5) % (1 << bits) - (1 << bits >> 1)
        for bits in range(1, 8)
    },
    **{f"{bits} bits, words not full": np.arange(7 * 3 * 5).reshape(7, 3, 5) % (1 << bits) for bits in range(1, 8)},
    "levels of SLB, 1 bit": np.arange(4096).reshape(64, 64) % 2 * 2 - 1,
    "levels of SLB, 4 bits": np.arange(4096).reshape(64, 64) % 16 * 2 - 15,
    "all the same": np.full((5, 30), -3),
    "in groups": np.arange(960).reshape(4, 8, 30) % 15 - 7,
    "a vector": np.arange(1001) % 13,
    "in the shape of words": np.arange(80).reshape(8, 10) % 8 - 4,
    "one": np.array([[-128]]),
}
UNSIGNED = {"unsigned": np.arange(600) % 60 + 196, "unsigned, 1 bit": np.arange(600).reshape(2, 300) % 2 * 255}


class Empty(nn.Cell):
    def construct(self, x):
        return x + 1


def test_the_result_is_that_of_the_cast_bit_for_bit(plain_mindspore):
    arrays = [array.astype(np.int8) for array in ARRAYS.values()] + [
        array.astype(np.uint8) for array in UNSIGNED.values()
    ]
    x = np.zeros(1, np.float32)
    model = model_from_cell(Empty(), (x,))
    graph, scope = model.graph(), Scope.parse("")
    nodes = [store_packed(graph, f"w{index}", pack(array), scope) for index, array in enumerate(arrays)]
    graph.output = graph.add_tuple([graph.output, *nodes])
    outputs = plain_mindspore(model.with_graph(graph), x)
    for name, array, found in zip([*ARRAYS, *UNSIGNED], arrays, outputs[1:], strict=True):
        assert found.dtype == np.float32, name
        np.testing.assert_array_equal(found, array.astype(np.float32), err_msg=name, strict=True)


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 7])
def test_a_weight_takes_its_bits_and_no_more(bits, dense):
    before = dense(bits)
    after, result = packed(before)
    assert [str(change) for change in result.changes] == [f"0 (Cast): 0.weight packed, {bits} bits each"]
    assert parameters(after)["0.weight"].nbytes == 200 * 160 * bits // 8
    assert operators(after) == [*FIVE_MORE, "Mul", "MatMul", "BiasAdd"]
    operators_bytes = after.size_bytes - before.size_bytes + 200 * 160 * (8 - bits) // 8
    assert operators_bytes < 2250


def test_packing_and_unpacking_leave_the_model_as_it_was_to_the_byte(dense, rng):
    for model in (
        dense(4),
        stored(
            randomized(nn.SequentialCell(nn.Conv2d(16, 30, 3)), rng), normal(rng, 1, 16, 6, 6), scheme=Scheme(bits=3)
        ),
        stored(randomized(AppliedTwice(), rng), normal(rng, 2, 8), scheme=Scheme(bits=2)),
        stored(
            randomized(nn.SequentialCell(nn.Dense(100, 60)), rng),
            normal(rng, 2, 100),
            scheme=Scheme(4, granularity="group:16"),
        ),
    ):
        assert unpacked(packed(model)[0]).to_bytes() == model.to_bytes()


def test_layers_keep_their_names_and_schemes(dense):
    before, after = (linear_operators(model.graph())[0] for model in (dense(4), unpacked(packed(dense(4))[0])))
    assert (after.name, after.weight.name, after.stored.scheme) == ("0", "0.weight", "int4 per channel")
    np.testing.assert_array_equal(after.stored.quantized.dequantize(), before.stored.quantized.dequantize())


def test_the_network_computes_the_same(dense, plain_mindspore, rng):
    x, model = normal(rng, 2, 200), dense(3)
    np.testing.assert_array_equal(plain_mindspore(packed(model)[0], x), plain_mindspore(model, x))


def test_integers_that_need_all_bits_are_left_alone(dense):
    model = dense(8)
    after, result = packed(model)
    assert reasons(result) == ["the integers of 0.weight need all 8 bits"]
    assert after.to_bytes() == model.to_bytes()


@pytest.mark.parametrize("outputs", range(12, 60, 4))
def test_a_file_never_gets_larger(outputs, rng):
    network = randomized(nn.SequentialCell(nn.Dense(64, outputs)), rng)
    model = stored(network, normal(rng, 2, 64), scheme=Scheme(bits=4))
    after, result = packed(model)
    saved = model.size_bytes - after.size_bytes
    assert saved >= LEAST_GAIN_BYTES if result.done else saved == 0
    if not result.done:
        assert reasons(result)[0].startswith(f"packing 0.weight saves {32 * outputs:,} bytes, what unpacks it takes 1,")


def test_small_and_large_weights_are_told_apart(rng):
    network = randomized(nn.SequentialCell(nn.Dense(64, 200), nn.Dense(200, 4)), rng)
    model = stored(network, normal(rng, 2, 64), scheme=Scheme(bits=4))
    after, result = packed(model)
    assert [change.layer for change in result.done] == ["0"]
    assert [change.layer for change in result.skipped] == ["1"]
    assert after.size_bytes < model.size_bytes


def test_what_each_array_takes_is_kept_by_name(rng):
    network = randomized(nn.SequentialCell(nn.Dense(64, 200), nn.Dense(200, 4)), rng)
    model = stored(network, normal(rng, 2, 64), scheme=Scheme(bits=3))
    step = PackWeights(model)
    after, _ = apply(step, model)
    assert step.saved_bytes == {"0.weight": 64 * 200 * 5 // 8}
    assert parameters(after)["0.weight"].nbytes == 64 * 200 * 3 // 8


def test_constants_are_shared_among_weights(rng):
    network = randomized(nn.SequentialCell(*[nn.Dense(96, 96) for _ in range(4)]), rng)
    model = stored(network, normal(rng, 2, 96), scheme=Scheme(bits=4))
    after, result = packed(model)
    assert len(result.done) == 4
    constants = [node for node in after.proto.graph.node if node.op_type == "Constant"]
    before = [node for node in model.proto.graph.node if node.op_type == "Constant"]
    assert len(constants) - len(before) <= 4


def test_a_weight_with_two_readers_is_packed_once(rng):
    tokens = rng.integers(0, 11, (5,)).astype(np.int32)
    network = TiedEmbedding()
    network.embedding = nn.Embedding(500, 8)
    model = stored(randomized(network, rng), tokens, scheme=Scheme(bits=2))
    after, result = packed(model)
    assert [change.reason for change in result.done] == ["embedding.embedding_table packed, 2 bits each"]
    assert_output(after, Runner(model)(tokens), tokens, relative=0)
    assert unpacked(after).to_bytes() == model.to_bytes()


def with_output(model, *values):
    graph = model.graph()
    found = [value(graph) for value in values]
    graph.output = graph.add_tuple([graph.output, *found])
    return model.with_graph(graph)


def test_two_casts_of_the_same_integers_become_one(dense, rng):
    def again(graph):
        weight = linear_operators(graph)[0].weight
        return cast(graph, weight, FLOAT32, Scope.parse(""))

    model = with_output(dense(4), again)
    after, result = packed(model)
    assert len(result.done) == 1
    assert operators(after).count("Cast") == 1
    x = normal(rng, 2, 200)
    for found, wanted in zip(Runner(after)(x), Runner(model)(x), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_integers_that_are_read_as_integers_are_left_alone(dense):
    def negated(graph):
        weight = linear_operators(graph)[0].weight
        return graph.add("Neg", [weight], scope=Scope.parse(""), shape=weight.shape, dtype=weight.dtype)

    assert reasons(packed(with_output(dense(4), negated))[1]) == ["0.weight is also read by Neg"]


def test_what_is_packed_is_not_packed_again(dense):
    once = packed(dense(2))[0]
    twice, result = packed(once)
    assert reasons(result) == ["0.weight is packed already"]
    assert twice.to_bytes() == as_written(once)


def test_large_zero_points_are_packed_as_well(rng):
    values = rng.integers(0, 16, (64, 128, 8)).astype(np.uint8)
    zero_point = rng.integers(5, 11, (64, 128, 1)).astype(np.int32)
    quantized = QuantizedArray(
        values, np.full((64, 128, 1), 0.1, np.float32), zero_point, "uint4 per group:8", (64, 1024)
    )
    model = standard(nn.SequentialCell(nn.Dense(1024, 64)), normal(rng, 1, 1024))
    graph = model.graph()
    operator = linear_operators(graph)[0]
    graph.replace(operator.weight, store_weight(graph, "0.weight", quantized, operator.node.scope))
    model = model.with_graph(graph)
    after, result = packed(model)
    assert [change.reason for change in result.done] == [
        "0.weight packed, 4 bits each",
        "0.weight.zero_point packed, 3 bits each",
    ]
    assert parameters(after)["0.weight"].nbytes == packed_size_bytes(values)
    restored = linear_operators(unpacked(after).graph())[0].stored.quantized
    np.testing.assert_array_equal(restored.dequantize(), quantized.dequantize())


def test_packed_weights_are_left_small_in_a_file_that_is_converted_again(dense):
    model = packed(dense(4))[0]
    again, result = apply(FoldConstants(model), model)
    assert reasons(result) == ["0.weight is stored as uint8 to be small"]
    assert again.to_bytes() == as_written(model)


def test_packed_weights_are_turned_into_numbers_at_load(dense, rng):
    x, model = normal(rng, 2, 200), dense(5)
    weight = linear_operators(model.graph())[0].stored.quantized.dequantize()
    small = packed(model)[0]
    loaded, _ = apply(FoldConstants(small, growth_limit=False), small)
    assert operators(loaded) == ["MatMul", "BiasAdd"]
    matrix = next(array for array in parameters(loaded).values() if array.ndim == 2)
    np.testing.assert_array_equal(matrix, weight)
    assert_output(loaded, Runner(model)(x), x, relative=1e-6)


def test_a_file_of_packed_weights_loads_like_any_other(dense, tmp_path, rng):
    x, model = normal(rng, 2, 200), dense(4)
    path = tmp_path / "net.mindir"
    path.write_bytes(packed(model)[0].to_bytes())
    np.testing.assert_allclose(gs.load(path)(x), Runner(model)(x), rtol=1e-5, atol=1e-5)


def test_an_unrelated_network_is_left_as_it_is(rng):
    model = standard(randomized(nn.SequentialCell(nn.Dense(8, 5)), rng), normal(rng, 2, 8))
    for step in (PackWeights(model), UnpackWeights()):
        after, result = apply(step, model)
        assert not result.changes
        assert after.to_bytes() == model.to_bytes()


def test_parameters_without_values_are_left_alone(rng):
    model = standard(nn.SequentialCell(nn.Dense(8, 5)), normal(rng, 2, 8))
    nothing = Parameter.of("nothing", np.zeros((0, 8), np.int8))
    model = with_output(model, lambda graph: cast(graph, nothing, FLOAT32, Scope.parse("")))
    after, result = packed(model)
    assert reasons(result)[0].startswith("packing nothing saves 0 bytes")
    assert after.to_bytes() == model.to_bytes()
