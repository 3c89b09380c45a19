"""What each improvement on rounding to nearest gains, on trained networks: one that gains nothing has no place here."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from mindspore import nn
from sklearn.datasets import load_digits

from gsjupyter.calibration import observe
from gsjupyter.input_statistics import InputMaxima, InputMean, input_statistics
from gsjupyter.mindir import Model, Runner
from gsjupyter.passes import FoldBatchNorm, FoldConstants, QuantizeActivations, QuantizeWeights, apply, linear_operators
from gsjupyter.passes.correct_bias import CorrectBias
from gsjupyter.passes.equalize_layers import EqualizeLayers
from gsjupyter.passes.selection import LayerSetting, LayerSettings
from gsjupyter.passes.smooth_activations import SmoothActivations
from gsjupyter.quantization import ACTIVATION_UINT8, sqnr_db
from gsjupyter.weight_rounding import compensated_weights
from tests.digits import fitted, trained
from tests.minilm import CALIBRATION, SENTENCES, encoder, tokens
from tests.passes.networks import standard, steps

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Trained(NamedTuple):
    """A trained network in standard form, what it is calibrated with and tested on, and its float output."""

    model: Model
    batches: list[tuple[Any, ...]]
    inputs: tuple[Any, ...]
    output: np.ndarray
    kept: dict[str, str]


def prepared(network, batches, inputs, kept=()):
    model = standard(network, *batches[0])
    model, _ = steps(FoldBatchNorm(), FoldConstants(model), model=model)
    return Trained(model, batches, inputs, Runner(model)(*inputs), dict.fromkeys(kept, "float32"))


def cut(images, size=64, count=8):
    return [(images[start : start + size],) for start in range(0, size * count, size)]


class DepthwiseSeparable(nn.Cell):
    """What MobileNet is made of, for digits."""

    def __init__(self):
        super().__init__()

        def block(inputs, outputs, stride):
            depthwise = nn.Conv2d(inputs, inputs, 3, stride=stride, group=inputs)
            pointwise = nn.Conv2d(inputs, outputs, 1)
            norms = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
            return [depthwise, norms[0], nn.ReLU(), pointwise, norms[1], nn.ReLU()]

        first = [nn.Conv2d(1, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU()]
        self.features = nn.SequentialCell(*first, *block(16, 32, 2), *block(32, 32, 1), *block(32, 48, 2))
        self.head = nn.Dense(48, 10)

    def construct(self, x):
        return self.head(self.features(x).mean((2, 3)))


@pytest.fixture(scope="module")
def lenet():
    digits = trained(0)
    return prepared(digits.network, cut(digits.train_images), (digits.test_images,))


@pytest.fixture(scope="module")
def depthwise():
    digits = load_digits()
    images = np.kron(digits.images / 16, np.ones((4, 4)))[:, None].astype(np.float32)
    labels = digits.target.astype(np.int32)
    network = fitted(DepthwiseSeparable, images[:1300], labels[:1300], seed=0, epochs=5, rate=3e-3)
    return prepared(network, cut(images), (images[1300:],))


@pytest.fixture(scope="module")
def minilm():
    # Several sentences in a row, so that there is no padding, which would count as input.
    texts = [" ".join(CALIBRATION[start : start + 5]) for start in range(0, len(CALIBRATION) - 4, 2)]
    batches = [tokens(texts[:15]), tokens(texts[15:30])]
    assert all(mask.all() for _, mask in batches)
    return prepared(encoder(), batches, tokens(SENTENCES), ["embeddings.words"])


def quantized(network, setting, *, equalize=False, smooth=False, compensate=False, correct=False):
    """Return the output of a trained network in integers."""
    model, batches = network.model, network.batches
    settings = LayerSettings(setting, network.kept)
    if equalize:
        model, _ = apply(EqualizeLayers(settings), model)
    if smooth:
        maxima = input_statistics(model, batches, InputMaxima)
        model, _ = apply(SmoothActivations(settings, maxima, insert=True), model)
    rounded = compensated_weights(model, lambda: batches, settings) if compensate else {}
    passes = [FoldBatchNorm(), QuantizeWeights(settings, rounded)]
    if setting.activations == "int8":
        passes.insert(1, QuantizeActivations(ACTIVATION_UINT8, observe(model, batches, settings), settings))
    if correct:
        weights = {operator.name: operator.weight.array for operator in linear_operators(model.graph())}
        passes.append(CorrectBias(weights, input_statistics(model, batches, InputMean)))
    return Runner(steps(*passes, model=model)[0])(*network.inputs)


def quality(network, *args, **kwargs):
    return sqnr_db(network.output, quantized(network, *args, **kwargs))


def cosine(network, *args, **kwargs):
    return float((network.output * quantized(network, *args, **kwargs)).sum(axis=1).mean())


INT3, INT4, INT8 = LayerSetting("int3"), LayerSetting("int4"), LayerSetting("int8", "int8")
INT4_PER_TENSOR, INT4_IN_GROUPS = (
    LayerSetting("int4", granularity="tensor"),
    LayerSetting("int4", granularity="group:64"),
)


@pytest.mark.parametrize(("setting", "gain_db"), [(INT3, 3), (INT4, 5), (INT4_PER_TENSOR, 6), (INT8, 3)])
def test_compensated_rounding_gains_decibels(lenet, setting, gain_db):
    assert quality(lenet, setting, compensate=True) > quality(lenet, setting) + gain_db


def test_compensated_rounding_gains_where_each_channel_is_convolved_alone(depthwise):
    assert quality(depthwise, INT4, compensate=True) > quality(depthwise, INT4) + 4


@pytest.mark.parametrize("setting", [INT3, INT4, INT4_PER_TENSOR])
def test_corrected_biases_gain_decibels(lenet, depthwise, setting):
    gains = [quality(network, setting, correct=True) - quality(network, setting) for network in (lenet, depthwise)]
    assert min(gains) > 1.5


def test_corrected_biases_gain_even_behind_compensated_rounding(lenet):
    compensated = quality(lenet, INT4, compensate=True)
    assert quality(lenet, INT4, compensate=True, correct=True) > compensated + 1


@pytest.mark.parametrize("compensate", [False, True])
def test_equalized_layers_gain_where_a_tensor_has_one_scale(depthwise, compensate):
    equalized = quality(depthwise, INT4_PER_TENSOR, equalize=True, compensate=compensate)
    assert equalized > quality(depthwise, INT4_PER_TENSOR, compensate=compensate) + 2


@pytest.mark.parametrize("compensate", [False, True])
def test_smoothed_activations_gain_in_a_convolutional_network(depthwise, compensate):
    smoothed = quality(depthwise, INT8, smooth=True, compensate=compensate)
    assert smoothed > quality(depthwise, INT8, compensate=compensate) + 0.8


def test_smoothed_activations_halve_what_a_transformer_loses(minilm):
    before, after = (cosine(minilm, INT8, smooth=smooth) for smooth in (False, True))
    assert before > 0.99
    assert 1 - after < 0.6 * (1 - before)


def test_compensated_rounding_halves_what_a_transformer_loses_in_four_bits(minilm):
    before, after = (cosine(minilm, INT4_IN_GROUPS, compensate=compensate) for compensate in (False, True))
    assert after > 0.97
    assert 1 - after < 0.7 * (1 - before)
