"""Recurrent layers and cells, and classifiers of sequences made of them."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn, ops

from tests.formats.onnx.agreement import assert_agrees, assert_agrees_at_other_sizes
from tests.networks import filled
from tests.passes.networks import normal

NEAR = 2e-4
"""MindSpore's hyperbolic tangent is 1 from 5 on, where the true one is 0.99991."""

LAYERS = {"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN}


class Classifier(nn.Cell):
    """Words to numbers, a recurrent layer over them, and a class from where it ends."""

    def __init__(self, kind, **options):
        super().__init__()
        self.words = nn.Embedding(20, 6)
        self.layer = LAYERS[kind](6, 5, batch_first=True, **options)
        self.head = nn.Dense(10 if options.get("bidirectional") else 5, 3)

    def construct(self, words):
        states, _ = self.layer(self.words(words))
        return self.head(states[:, -1]), self.head(states.mean(1))


def sentences(rng, count, length=4):
    return rng.integers(0, 20, (count, length)).astype(np.int32)


@pytest.mark.parametrize(
    "options", [{}, {"num_layers": 2, "bidirectional": True, "has_bias": False}], ids=["one", "four"]
)
@pytest.mark.parametrize("kind", LAYERS)
def test_a_classifier(rng, kind, options):
    network = filled(Classifier(kind, **options), rng)
    assert_agrees(network, sentences(rng, 2), tolerance=NEAR)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("kind", LAYERS)
def test_a_classifier_of_any_number_of_sentences(rng, kind, batch):
    network = filled(Classifier(kind, bidirectional=True), rng)
    others = [(sentences(rng, count),) for count in (1, 3)]
    assert_agrees_at_other_sizes(network, (sentences(rng, batch),), *others, free_batch=True, tolerance=NEAR)


class Last(nn.Cell):
    """A class from the state that each layer and direction ends with."""

    def __init__(self, kind, **options):
        super().__init__()
        self.layer = LAYERS[kind](4, 3, batch_first=True, **options)
        self.head = nn.Dense(3, 2)

    def construct(self, x):
        state = self.layer(x)[1]
        return state, self.head(state[-1]), self.head(state[0])


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}], ids=["one", "two"])
def test_last_states_of_any_number_of_sequences(rng, options, batch):
    network = filled(Last("GRU", **options), rng)
    others = [(normal(rng, count, 3, 4),) for count in (1, 3)]
    assert_agrees_at_other_sizes(network, (normal(rng, batch, 3, 4),), *others, free_batch=True, tolerance=NEAR)


class Cells(nn.Cell):
    """One step of each kind of cell."""

    def __init__(self, **options):
        super().__init__()
        self.lstm = nn.LSTMCell(6, 5, **options)
        self.gru = nn.GRUCell(6, 5, **options)
        self.rnn = nn.RNNCell(6, 5, **options)
        self.rectified = nn.RNNCell(6, 5, nonlinearity="relu")

    def construct(self, x, h, c):
        return *self.lstm(x, (h, c)), self.gru(x, h), self.rnn(x, h), self.rectified(x, h)


@pytest.mark.parametrize("has_bias", [True, False])
def test_single_cells(rng, has_bias):
    network = filled(Cells(has_bias=has_bias), rng)
    example, other = ((normal(rng, count, 6), normal(rng, count, 5), normal(rng, count, 5)) for count in (2, 3))
    assert_agrees_at_other_sizes(network, example, example, other, free_batch=True, tolerance=NEAR)


class Layer(nn.Cell):
    """A recurrent layer, given what it begins with and how long each sequence is."""

    def __init__(self, kind, **options):
        super().__init__()
        self.layer = LAYERS[kind](4, 3, **options)

    def construct(self, x, state, lengths):
        states = (state, state * 2) if isinstance(self.layer, nn.LSTM) else state
        return self.layer(x, states), self.layer(x, states, lengths)


@pytest.mark.parametrize("kind", LAYERS)
def test_given_states_and_lengths(rng, kind):
    network = filled(Layer(kind, bidirectional=True), rng)
    assert_agrees(network, normal(rng, 5, 2, 4), normal(rng, 2, 2, 3), np.array([5, 2], np.int32), tolerance=NEAR)


class Sequences(nn.Cell):
    """A recurrent layer over sequences of different lengths."""

    def __init__(self, kind):
        super().__init__()
        self.layer = LAYERS[kind](4, 3, batch_first=True)

    def construct(self, x, lengths):
        return self.layer(x, None, lengths)[0]


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_any_number_of_sequences_of_different_lengths(rng, kind):
    network = filled(Sequences(kind), rng)
    example, other = ((normal(rng, count, 3, 4), np.arange(1, count + 1, dtype=np.int32)) for count in (2, 3))
    assert_agrees_at_other_sizes(network, example, other, free_batch=True, tolerance=NEAR)


def test_all_outputs_of_an_lstm(rng):
    network = filled(nn.LSTM(4, 3, num_layers=2, bidirectional=True), rng)
    assert_agrees(network, normal(rng, 5, 2, 4))
    assert_agrees(network, normal(rng, 5, 2, 4), float_type=np.float16, tolerance=1e-2)


def test_an_lstm_that_learned_how_to_begin(rng):
    network = filled(LearnedState(), rng)
    others = [(normal(rng, count, 5, 4),) for count in (2, 3)]
    assert_agrees_at_other_sizes(network, (normal(rng, 2, 5, 4),), *others, free_batch=True)


class LearnedState(nn.Cell):
    """An LSTM whose first state is a parameter, the same for each sample."""

    def __init__(self):
        super().__init__()
        self.first = Parameter(Tensor(np.zeros((1, 1, 3), np.float32)), name="first")
        self.layer = nn.LSTM(4, 3, batch_first=True)

    def construct(self, x):
        first = ops.broadcast_to(self.first, (1, x.shape[0], 3))
        return self.layer(x, (first, first))[0]


def test_a_dynamic_batch(rng):
    network = filled(Classifier("LSTM", bidirectional=True), rng)
    example = Tensor(shape=[None, 4], dtype=mindspore.int32)
    assert_agrees_at_other_sizes(network, (example,), (sentences(rng, 2),), (sentences(rng, 5),))
