import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mindspore import Tensor, mint, nn

from gsjupyter.errors import OptionError, ParameterError
from gsjupyter.passes import (
    FoldBatchNorm,
    FoldConstants,
    LayerSetting,
    LayerSettings,
    QuantizeWeights,
    apply,
    linear_operators,
)
from gsjupyter.quantization import Scheme
from tests.networks import MLP
from tests.passes.networks import (
    AppliedTwice,
    MatrixProduct,
    Nested,
    TiedEmbedding,
    TwoWeightsInOneCell,
    WeightAsNumbers,
    assert_output,
    expected,
    normal,
    parameters,
    randomized,
    reasons,
    standard,
    steps,
)

EVERYWHERE = LayerSettings(LayerSetting("int8"))
PER_TENSOR = LayerSettings(LayerSetting("int8", granularity="tensor"))


def quantized(network, *inputs, settings=EVERYWHERE):
    model = standard(network, *inputs)
    *_, result = (converted := steps(FoldBatchNorm(), FoldConstants(model), QuantizeWeights(settings), model=model))[1]
    return converted[0], result


def rounded(weight, axis=None):
    """Round a weight to a grid of 255 values, by the formula in the books: in a loop, channel by channel."""
    if axis is None:
        scale = float(np.abs(weight).max()) / 127 or 1.0
        return np.clip(np.round(weight / np.float32(scale)), -127, 127) * np.float32(scale)
    channels = [rounded(weight.take(index, axis)) for index in range(weight.shape[axis])]
    return np.stack(channels, axis).astype(np.float32)


def with_rounded_weights(network, axis, suffix=("weight", "embedding_table")):
    for parameter in network.get_parameters():
        if parameter.name.endswith(suffix):
            parameter.set_data(Tensor(rounded(parameter.asnumpy(), axis)))
    return network


@pytest.mark.parametrize(
    ("network", "shape", "axis"),
    [
        (nn.SequentialCell(nn.Conv2d(3, 4, 3)), (2, 3, 6, 6), 0),
        (nn.SequentialCell(nn.Conv2d(4, 4, 3, group=4)), (2, 4, 6, 6), 0),
        (nn.SequentialCell(nn.Conv1d(3, 4, 3)), (2, 3, 6), 0),
        (nn.SequentialCell(nn.Conv3d(2, 3, 2)), (2, 2, 3, 4, 4), 0),
        (nn.SequentialCell(nn.Conv2dTranspose(3, 4, 3)), (2, 3, 5, 5), 1),
        (nn.SequentialCell(nn.Dense(8, 5)), (4, 8), 0),
        (nn.SequentialCell(nn.Dense(8, 5)), (4, 3, 8), 0),
        (nn.SequentialCell(mint.nn.Linear(8, 5)), (4, 8), 0),
        (MatrixProduct(np.ones((8, 5), np.float32)), (4, 8), 1),
        (MatrixProduct(np.ones((5, 8), np.float32), transpose=True), (4, 8), 0),
        (MatrixProduct(np.ones((3, 8, 5), np.float32)), (3, 4, 8), 2),
        (MatrixProduct(np.ones((3, 5, 8), np.float32), transpose=True), (3, 4, 8), 1),
    ],
    ids=[
        "conv",
        "depthwise",
        "conv1d",
        "conv3d",
        "transposed",
        "dense",
        "dense-3d",
        "mint-linear",
        "matmul",
        "matmul-transposed",
        "batched",
        "batched-transposed",
    ],
)
@pytest.mark.parametrize("settings", [EVERYWHERE, PER_TENSOR], ids=["channel", "tensor"])
def test_the_output_is_that_of_the_network_with_rounded_weights(network, shape, axis, settings, rng):
    x = normal(rng, *shape)
    model, result = quantized(randomized(network, rng), x, settings=settings)
    assert len(result.done) == 1
    assert result.done[0].reason == f"weight stored as {settings.default.scheme}"
    wanted = expected(with_rounded_weights(network, axis if settings is EVERYWHERE else None), x)
    assert_output(model, wanted, x)


@pytest.mark.parametrize("scheme", [Scheme(4), Scheme(3, symmetric=False, narrow_range=False)], ids=str)
@pytest.mark.parametrize("clipping", [0.4, 0.85, 1.0])
def test_what_is_clipped_is_clipped_by_the_share_asked_for(scheme, clipping, rng):
    x = normal(rng, 4, 8)
    network = randomized(nn.SequentialCell(nn.Dense(8, 5)), rng)
    weight = network[0].weight.asnumpy()
    low, high = (clipping * end for end in (weight.min(axis=1), weight.max(axis=1)))
    if scheme.symmetric:
        high = np.maximum(-low, high)
        low = -high
    steps_between = scheme.highest - scheme.lowest
    scale = ((np.maximum(high, 0) - np.minimum(low, 0)) / steps_between)[:, np.newaxis]
    zero = 0 if scheme.symmetric else np.round(-np.minimum(low, 0)[:, np.newaxis] / scale)
    integers = np.clip(np.round(weight / scale) + zero, scheme.lowest, scheme.highest)
    setting = LayerSetting(f"int{scheme.bits}", symmetric=scheme.symmetric, observer="mse", clipping=clipping)
    model, _ = quantized(network, x, settings=LayerSettings(setting))
    network[0].weight.set_data(Tensor(((integers - zero) * scale).astype(np.float32)))
    assert_output(model, expected(network, x), x)


def test_a_layer_that_names_an_observer_leaves_the_clipping_to_it():
    setting = LayerSetting("int4", clipping=0.5)
    assert setting.overridden({"observer": "mse"}).clipping is None
    assert setting.overridden({"observer": "mse", "clipping": 0.7}).clipping == 0.7
    assert setting.overridden({"granularity": "tensor"}).clipping == 0.5


def test_an_embedding_has_a_scale_for_each_row(rng):
    tokens = rng.integers(0, 11, (2, 5)).astype(np.int32)
    network = randomized(nn.SequentialCell(nn.Embedding(11, 8)), rng)
    model, _ = quantized(network, tokens)
    assert parameters(model)["0.embedding_table.scale"].shape == (11, 1)
    assert_output(model, expected(with_rounded_weights(network, 0), tokens), tokens)


def test_a_table_that_is_an_output_weight_too_is_stored_once(rng):
    tokens = rng.integers(0, 11, (5,)).astype(np.int32)
    network = randomized(TiedEmbedding(), rng)
    wanted = expected(network, tokens)
    model, _ = quantized(network, tokens)
    stored = parameters(model)
    assert stored["fc.weight"].dtype == np.int8
    assert sum(array.nbytes for name, array in stored.items() if "embedding" in name) <= 2 * (11 * 8 + 11 * 4)
    assert_output(model, wanted, tokens, relative=0.05)
    assert_output(model, expected(with_rounded_weights(network, 0), tokens), tokens)


def test_integers_scales_and_float_bias_are_what_is_stored(rng):
    x = normal(rng, 4, 8)
    network = randomized(nn.SequentialCell(nn.Dense(8, 5)), rng)
    model, _ = quantized(network, x)
    stored = parameters(model)
    assert {name: (array.dtype.name, array.shape) for name, array in stored.items()} == {
        "0.weight": ("int8", (5, 8)),
        "0.weight.scale": ("float32", (5, 1)),
        "0.bias": ("float32", (5,)),
    }
    assert np.abs(stored["0.weight"]).max(axis=1).tolist() == [127] * 5
    np.testing.assert_allclose(
        stored["0.weight.scale"][:, 0], np.abs(network[0].weight.asnumpy()).max(axis=1) / 127, rtol=1e-6
    )


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outputs=st.integers(1, 6), inputs=st.integers(1, 6), exponent=st.integers(-30, 30), seed=st.integers(0, 99))
def test_weights_of_any_size_are_off_by_half_a_scale_at_most(outputs, inputs, exponent, seed):
    rng = np.random.default_rng(seed)
    network = randomized(nn.SequentialCell(nn.Dense(inputs, outputs)), rng, scales=[10.0**exponent])
    model, _ = quantized(network, normal(rng, 2, inputs))
    stored = parameters(model)
    scale = stored["0.weight.scale"].astype(np.float64)
    error = np.abs(stored["0.weight"] * scale - network[0].weight.asnumpy())
    assert (error <= scale * (0.5 + 1e-4)).all()


def test_channels_of_zeros_stay_zero(rng):
    x = normal(rng, 2, 3, 6, 6)
    network = randomized(nn.SequentialCell(nn.Conv2d(3, 4, 3)), rng)
    weight = network[0].weight.asnumpy().copy()
    weight[1:3] = 0
    network[0].weight.set_data(Tensor(weight))
    model, _ = quantized(network, x)
    stored = parameters(model)
    assert not stored["0.weight"][1:3].any()
    assert np.isfinite(stored["0.weight.scale"]).all()
    assert_output(model, expected(with_rounded_weights(network, 0), x), x)


def test_a_layer_that_is_applied_twice_is_stored_once(rng):
    x = normal(rng, 2, 8)
    network = randomized(AppliedTwice(), rng)
    model, result = quantized(network, x)
    assert [change.layer for change in result.done] == ["fc", "fc"]
    assert sorted(parameters(model)) == ["fc.bias", "fc.weight", "fc.weight.scale"]
    assert_output(model, expected(with_rounded_weights(network, 0), x), x)


def test_two_weights_in_one_cell_are_two_layers(rng):
    x = normal(rng, 2, 8)
    network = randomized(Nested(TwoWeightsInOneCell()), rng)
    model, result = quantized(network, x, settings=LayerSettings(LayerSetting("int8"), {"block.w1": "float32"}))
    assert [change.reason for change in result.changes] == [
        "kept in float32, as asked",
        "weight stored as int8 per channel",
    ]
    stored = parameters(model)
    assert (stored["block.w1"].dtype, stored["block.w2"].dtype) == (np.float32, np.int8)


def test_a_weight_that_something_else_reads_as_numbers_is_left_alone(rng):
    x = normal(rng, 2, 8)
    network = randomized(WeightAsNumbers(), rng)
    model = standard(network, x)
    converted, results = steps(FoldBatchNorm(), QuantizeWeights(LayerSettings(LayerSetting("int8"))), model=model)
    assert reasons(results[-1]) == ["fc.weight is also read by ReduceSum (network)"]
    assert_output(converted, expected(network, x), x)


@pytest.fixture
def three_layers(rng):
    return randomized(nn.SequentialCell(nn.Dense(8, 8), nn.Dense(8, 8), nn.Dense(8, 5)), rng)


@pytest.mark.parametrize(
    ("default", "overrides", "stored"),
    [
        ("int8", {}, "012"),
        ("int8", {"1": "float32"}, "02"),
        ("int8", {"[01]": "float32"}, "2"),
        ("int8", {"*": "float32"}, ""),
        ("int8", {"*": "float32", "2": "int8"}, "2"),
        ("int8", {"1": "float32", "*": "int8"}, "02"),
        ("int8", {"2": "float16"}, "01"),
        ("float32", {"0": "int8"}, "0"),
        ("float32", {"[12]": "int8", "2": "float32"}, "1"),
    ],
)
def test_names_go_before_globs_and_earlier_globs_before_later(default, overrides, stored, three_layers, rng):
    settings = LayerSettings(LayerSetting(default), overrides)
    model, result = quantized(three_layers, normal(rng, 2, 8), settings=settings)
    integers = [name[0] for name, array in parameters(model).items() if array.dtype == np.int8]
    assert integers == list(stored)
    assert [change.layer for change in result.skipped] == [name for name in "012" if name not in stored]
    assert all(reason.endswith(", as asked") for reason in reasons(result))


def test_a_layer_that_is_not_there_is_refused_with_the_nearest_one(rng):
    with pytest.raises(OptionError, match=r"no layer 'fc3' with a weight\.\nDid you mean fc2\?"):
        quantized(MLP(), normal(rng, 2, 8), settings=LayerSettings(LayerSetting("int8"), {"fc3": "float32"}))


def test_a_glob_that_means_nothing_is_refused_with_what_there_is(three_layers, rng):
    with pytest.raises(OptionError, match=r"no layer 'conv\*' with a weight\.\nThe layers with weights are 0, 1, 2\."):
        quantized(three_layers, normal(rng, 2, 8), settings=LayerSettings(LayerSetting("int8"), {"conv*": "float32"}))


class Features(nn.Cell):
    """A convolution deep enough to have a dotted name."""

    def __init__(self):
        super().__init__()
        self.features = nn.SequentialCell(nn.Conv2d(16, 8, 1), nn.ReLU(), nn.ReLU(), nn.Conv2d(8, 64, 3))

    def construct(self, x):
        return self.features(x)


def spoilt(network, value, count):
    weight = network.features[3].weight.asnumpy().copy()
    weight.reshape(-1)[:count] = value
    network.features[3].weight.set_data(Tensor(weight))
    return network


def test_nan_weights_are_counted_and_told_with_what_to_do(rng):
    network = spoilt(randomized(Features(), rng), np.nan, 12)
    with pytest.raises(ParameterError) as caught:
        quantized(network, normal(rng, 1, 16, 4, 4))
    assert str(caught.value) == (
        "layer features.3 (Conv2d) holds 12 NaN weights of 4,608, so no scale can be computed.\n"
        "Train or load it again, or leave it in float: --keep features.3"
    )


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_weights_are_called_infinite(value, rng):
    network = spoilt(randomized(Features(), rng), value, 1)
    with pytest.raises(ParameterError, match=r"holds 1 infinite weights? of 4,608"):
        quantized(network, normal(rng, 1, 16, 4, 4))


def test_the_advice_of_the_nan_message_works(rng):
    network = spoilt(randomized(Features(), rng), np.nan, 12)
    settings = LayerSettings(LayerSetting("int8"), {"features.3": "float32"})
    model, result = quantized(network, normal(rng, 1, 16, 4, 4), settings=settings)
    assert [change.layer for change in result.done] == ["features.0"]
    assert parameters(model)["features.3.weight"].dtype == np.float32


def test_statistics_say_what_was_done_to_each_layer(three_layers, rng):
    x = normal(rng, 2, 8)
    step = QuantizeWeights(LayerSettings(LayerSetting("int8"), {"1": "float32"}))
    steps(FoldBatchNorm(), step, model=standard(three_layers, x))
    assert list(step.statistics) == ["0", "2"]
    weight = three_layers[2].weight.asnumpy()
    noise = np.mean((weight - rounded(weight, 0)) ** 2)
    found = step.statistics["2"]
    assert found.scheme == "int8 per channel"
    assert found.bytes_after == 5 * 8 + 5 * 4
    assert found.sqnr_db == pytest.approx(10 * np.log10(np.mean(weight**2) / noise), abs=0.01)
    assert found.scale_max == pytest.approx(np.abs(weight).max() / 127, rel=1e-5)


def test_what_is_quantized_already_is_not_quantized_again(three_layers, rng):
    model, _ = quantized(three_layers, normal(rng, 2, 8))
    assert [operator.stored.scheme for operator in linear_operators(model.graph())] == ["int8 per channel"] * 3
    again, result = apply(QuantizeWeights(LayerSettings(LayerSetting("int8"))), model)
    assert [change.reason for change in result.skipped] == ["already stored as int8 per channel"] * 3
    assert all(np.array_equal(parameters(again)[name], values) for name, values in parameters(model).items())
