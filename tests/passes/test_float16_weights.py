import numpy as np
import pytest
from mindspore import Tensor, nn

from gsjupyter.errors import ParameterError
from gsjupyter.passes import Float16Weights, FoldBatchNorm, LayerSetting, LayerSettings, QuantizeWeights
from tests.networks import MLP, LeNet, filled, random_input
from tests.passes.networks import (
    TiedEmbedding,
    assert_output,
    expected,
    normal,
    parameters,
    randomized,
    reasons,
    standard,
    steps,
)

EVERYWHERE = LayerSettings(LayerSetting("float16"))


def halved(network, *inputs, settings=EVERYWHERE):
    step = Float16Weights(settings)
    model, (result,) = steps(step, model=standard(network, *inputs))
    return model, result, step


def rounded(network):
    for parameter in network.get_parameters():
        if len(parameter.shape) > 1:
            parameter.set_data(Tensor(parameter.asnumpy().astype(np.float16).astype(np.float32)))
    return network


def test_the_output_is_that_of_the_network_with_rounded_weights(rng):
    network = filled(LeNet(), rng)
    x = random_input(network, rng)
    model, _, _ = halved(network, x)
    assert_output(model, expected(rounded(network), x), x)


def test_matrices_take_half_the_bytes_and_vectors_stay_as_they_are(rng):
    network = filled(LeNet(), rng)
    stored = parameters(halved(network, random_input(network, rng))[0])
    for name, parameter in network.parameters_dict().items():
        assert stored[name].dtype == (np.float16 if len(parameter.shape) > 1 else np.float32), name


@pytest.mark.parametrize(
    ("largest", "is_stored"), [(65504.0, True), (65505.0, False), (-65505.0, False), (1e6, False), (np.inf, None)]
)
def test_a_weight_beyond_the_range_is_left_alone_with_the_reason(largest, is_stored, rng):
    x = normal(rng, 2, 8)
    network = randomized(nn.SequentialCell(nn.Dense(8, 5)), rng)
    weight = network[0].weight.asnumpy().copy()
    weight[1, 2] = largest
    network[0].weight.set_data(Tensor(weight))
    if is_stored is None:
        with pytest.raises(ParameterError, match="holds 1 infinite weight"):
            halved(network, x)
        return
    model, result, _ = halved(network, x)
    assert reasons(result) == ([] if is_stored else ["0.weight has values beyond float16's 65,504"])
    assert np.isfinite(parameters(model)["0.weight"]).all()
    assert_output(model, expected(network, x), x, relative=1e-3 if is_stored else 1e-6)


def test_layers_to_keep_stay_in_float32(rng):
    x = normal(rng, 2, 8)
    model, result, step = halved(
        filled(MLP(), rng), x, settings=LayerSettings(LayerSetting("float16"), {"fc1": "float32"})
    )
    stored = parameters(model)
    assert (stored["fc1.weight"].dtype, stored["fc2.weight"].dtype) == (np.float32, np.float16)
    assert reasons(result) == ["kept in float32, as asked"]
    assert list(step.statistics) == ["fc2"]


def test_single_layers_can_be_stored_so_beside_others_in_float32(rng):
    x = normal(rng, 2, 8)
    model, _, _ = halved(filled(MLP(), rng), x, settings=LayerSettings(LayerSetting("float32"), {"fc2": "float16"}))
    stored = parameters(model)
    assert (stored["fc1.weight"].dtype, stored["fc2.weight"].dtype) == (np.float32, np.float16)


def test_scales_of_layers_stored_as_integers_stay_in_float32(rng):
    x = normal(rng, 2, 8)
    network = randomized(MLP(), rng, scales=[1e-6])
    settings = LayerSettings(LayerSetting("float16"), {"fc1": "int8"})
    quantize = QuantizeWeights(settings)
    model, _ = steps(FoldBatchNorm(), quantize, Float16Weights(settings), model=standard(network, x))
    stored = parameters(model)
    assert {name: str(stored[name].dtype) for name in ("fc1.weight", "fc1.weight.scale", "fc2.weight")} == {
        "fc1.weight": "int8",
        "fc1.weight.scale": "float32",
        "fc2.weight": "float16",
    }


def test_a_table_that_two_layers_read_is_stored_once(rng):
    tokens = rng.integers(0, 11, (5,)).astype(np.int32)
    network = randomized(TiedEmbedding(), rng)
    model, _, _ = halved(network, tokens)
    assert parameters(model)["embedding.embedding_table"].dtype == np.float16
    assert_output(model, expected(rounded(network), tokens), tokens)


def test_statistics_hold_the_ratio_and_the_bytes(rng):
    network = filled(MLP(), rng)
    _, _, step = halved(network, normal(rng, 2, 8))
    found = step.statistics["fc1"]
    assert found.scheme == "float16"
    assert found.bytes_after == 2 * 8 * 16
    assert 60 < found.sqnr_db < 90
