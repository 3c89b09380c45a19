"""A trained transformer to test on, the one of the notebooks: MiniLM, with sentences to encode."""

from notebooks.minilm import MiniLM, encoder, tokens, trained_parameters
from notebooks.sentences import CALIBRATION, PAIRS, SENTENCES

__all__ = ["CALIBRATION", "PAIRS", "SENTENCES", "MiniLM", "encoder", "tokens", "trained_parameters"]
