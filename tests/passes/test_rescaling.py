from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mindspore import mint, nn

from gsjupyter.mindir import Runner
from gsjupyter.passes import FoldBatchNorm, QuantizeWeights, linear_operators
from gsjupyter.passes.rescaling import span_behind
from gsjupyter.passes.selection import LayerSetting, LayerSettings
from tests.passes.networks import AppliedTwice, Attention, assert_output, normal, randomized, standard, steps
from tests.passes.rescalable import AddsNumbers, Heads, MeanBetween, Shortcut, TwoBranches

IMAGES, ROWS, TOKENS = (2, 3, 8, 8), (4, 8), (2, 3, 8)


def rescaled(model, rng):
    """Move random factors behind the first layer; return the model, and whether any layer took them."""
    graph = model.graph()
    weight, span = span_behind(linear_operators(graph)[0])
    assert span.obstacle == ""
    factors = np.exp(rng.standard_normal(len(weight.maxima(weight.parameter.array))))
    for part in (weight, *span.offsets):
        part.scale(graph, 1 / factors)
    for reader in span.readers:
        reader.weight.scale(graph, factors)
    return model.with_graph(graph)


def obstacle(network, x, rng):
    return span_behind(linear_operators(standard(randomized(network, rng), x).graph())[0])[1].obstacle


def assert_unchanged(network, x, rng):
    model = standard(randomized(network, rng), x)
    changed = rescaled(model, rng)
    before = linear_operators(model.graph())[0].weight.array
    assert not np.allclose(linear_operators(changed.graph())[0].weight.array, before)
    assert_output(changed, Runner(model)(x), x, relative=1e-4)


def first_convolution(kind, bias):
    made = {
        "plain": lambda: nn.Conv2d(3, 4, 3, has_bias=bias),
        "strided": lambda: nn.Conv2d(3, 4, 3, stride=2, pad_mode="pad", padding=1, has_bias=bias),
        "transposed": lambda: nn.Conv2dTranspose(3, 4, 3, has_bias=bias),
    }
    return made[kind]()


BETWEEN = {
    "nothing": list,
    "relu": lambda: [nn.ReLU()],
    "leaky": lambda: [nn.LeakyReLU()],
    "prelu": lambda: [nn.PReLU(4)],
    "pool": lambda: [nn.ReLU(), nn.MaxPool2d(2)],
    "mean-pool": lambda: [nn.AvgPool2d(2), nn.ReLU()],
}
BEHIND = {
    "plain": lambda: [nn.Conv2d(4, 5, 3, has_bias=True)],
    "grouped": lambda: [nn.Conv2d(4, 6, 3, group=2)],
    "depthwise": lambda: [nn.Conv2d(4, 4, 3, group=4), nn.ReLU(), nn.Conv2d(4, 2, 1)],
    "multiplied": lambda: [nn.Conv2d(4, 8, 3, group=4)],
}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["plain", "strided", "transposed"]),
    st.booleans(),
    st.sampled_from(sorted(BETWEEN)),
    st.sampled_from(sorted(BEHIND)),
)
def test_convolutions_take_factors(rng, first, bias, between, behind):
    network = nn.SequentialCell(first_convolution(first, bias), *BETWEEN[between](), *BEHIND[behind]())
    assert_unchanged(network, normal(rng, *IMAGES), rng)


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (nn.SequentialCell(nn.Dense(8, 6), nn.ReLU(), nn.Dense(6, 5)), ROWS),
        (nn.SequentialCell(nn.Dense(8, 6, has_bias=False), nn.Dense(6, 5, has_bias=False)), ROWS),
        (nn.SequentialCell(nn.Dense(8, 6, activation="relu"), nn.Dense(6, 5)), TOKENS),
        (nn.SequentialCell(mint.nn.Linear(8, 6), nn.ReLU(), mint.nn.Linear(6, 5)), TOKENS),
        (nn.SequentialCell(mint.nn.Linear(8, 6, bias=False), nn.LeakyReLU(), nn.Dense(6, 5)), ROWS),
        (nn.SequentialCell(nn.Conv2d(3, 4, 3, has_bias=True), nn.ReLU(), nn.Flatten(), nn.Dense(256, 5)), IMAGES),
        (nn.SequentialCell(nn.Conv1d(3, 4, 3, has_bias=True), nn.ReLU(), nn.Conv1d(4, 2, 3)), (2, 3, 8)),
        (MeanBetween(), IMAGES),
        (TwoBranches(), ROWS),
        (Heads(), ROWS),
    ],
    ids=["dense", "no-bias", "3d", "mint", "mint-no-bias", "flatten", "conv1d", "mean", "branches", "heads"],
)
def test_what_passes_factors_on_leaves_the_output_unchanged(network, shape, rng):
    assert_unchanged(network, normal(rng, *shape), rng)


@pytest.mark.parametrize(
    ("network", "shape", "reason"),
    [
        (nn.SequentialCell(nn.Dense(8, 6), nn.ReLU6(), nn.Dense(6, 5)), ROWS, "it is also read by ReLU6"),
        (nn.SequentialCell(nn.Dense(8, 6), nn.Sigmoid(), nn.Dense(6, 5)), ROWS, "it is also read by Sigmoid"),
        (nn.SequentialCell(nn.Dense(8, 6), nn.GELU(), nn.Dense(6, 5)), ROWS, "it is also read by GeLU"),
        (nn.SequentialCell(nn.Dense(8, 6)), ROWS, "it is the network's output"),
        (Shortcut(), ROWS, "Add (network) combines it with something else"),
        (AddsNumbers(), ROWS, "it is also read by Add"),
        (AppliedTwice(), ROWS, "the weight of fc is shared"),
        (Attention(), ROWS, "it is also read by MatMul"),
    ],
    ids=["relu6", "sigmoid", "gelu", "output", "shortcut", "number", "shared", "attention"],
)
def test_what_does_not_is_named(network, shape, reason, rng):
    assert obstacle(network, normal(rng, *shape), rng).startswith(reason)


def test_weights_in_integers_take_no_factors(rng):
    x = normal(rng, *ROWS)
    network = randomized(nn.SequentialCell(nn.Dense(8, 6), nn.ReLU(), nn.Dense(6, 5)), rng)
    quantized = QuantizeWeights(LayerSettings(LayerSetting("int8"), {"2": "float32"}))
    model, _ = steps(FoldBatchNorm(), quantized, model=standard(network, x))
    _, span = span_behind(linear_operators(model.graph())[0])
    assert span.obstacle == "the weight of 0 is stored as int8 per channel"
