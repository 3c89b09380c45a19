"""Hold a network's predicted output errors against measured ones: ``python -m tests.zoo.predict_one NAME``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

_SEED = 7
_SETTINGS = 40
_IMAGES = 4
_BUDGETS = (3, 4, 5, 6)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Prediction:
    """How well the output's error was predicted, and what that is good for.

    Parameters
    ----------
    name : str
        The network.
    layers, runs : int
        How many layers it has, and how often it ran for the gains.
    gains_s : float
        Seconds that the gains took, sketches and compilation included.
    correlation : float
        Between predicted and measured SQNR in decibel, over random bits from 3 to 8.
    median_db, max_db : float
        Absolute difference of the two, in decibel.
    lowest_db, highest_db : float
        The range of the measured ones.
    coarse_db : tuple of float
        Predicted and measured SQNR with 2 bits everywhere, where the output saturates.
    budgets : dict of int to (float, float)
        By bits: the SQNR with the same bits everywhere, and with bits by layer in as many bytes; both measured, on
        input that the gains were not measured on.
    """

    name: str
    layers: int
    runs: int
    gains_s: float
    correlation: float
    median_db: float
    max_db: float
    lowest_db: float
    highest_db: float
    coarse_db: tuple[float, float]
    budgets: dict[int, tuple[float, float]]


class Network:
    """A network in standard form, which runs with any bits.

    Parameters
    ----------
    source : nn.Cell
        The network.
    example : tuple of ndarray
        One batch of its input.
    """

    def __init__(self, source: Any, example: tuple[Any, ...]) -> None:
        from gsjupyter.mindir.variants import VariantRunner
        from gsjupyter.opening import open_source
        from gsjupyter.passes import linear_operators
        from gsjupyter.standard_form import StandardForm

        self.model = StandardForm(open_source(source, example, None, simulate=True), simulate=True).run(lambda _: None)
        self._weights = {item.name: (item.weight, item.axis) for item in linear_operators(self.model.graph())}
        self._runner = VariantRunner(self.model)

    def sqnr_db(self, bits: Mapping[str, int], inputs: tuple[Any, ...]) -> float:
        """Return the measured SQNR of the output with these bits, in decibel."""
        rounded = {
            weight.name: nearest(weight.array, axis, bits[name])
            for name, (weight, axis) in self._weights.items()
            if name in bits
        }
        reference = np.asarray(self._runner(*inputs), np.float64)
        error = reference - np.asarray(self._runner.variant(rounded, *inputs))
        return float(10 * np.log10(np.square(reference).mean() / np.square(error).mean()))


def nearest(weight: Floats, axis: int, bits: int) -> Floats:
    """Return a weight rounded to nearest with a scale for each channel, by the formula."""
    others = tuple(index for index in range(weight.ndim) if index != axis)
    highest = 2 ** (bits - 1) - 1
    scale = np.abs(weight).max(axis=others, keepdims=True) / highest
    scale = np.where(scale == 0, 1, scale).astype(np.float32)
    return np.clip(np.rint(weight / scale), -highest, highest).astype(np.float32) * scale


def random_settings(names: list[str], count: int, rng: np.random.Generator) -> list[dict[str, int]]:
    """Return random bits from 3 to 8: in turn of any number, and within 1 of a random one, as people choose them."""
    settings = []
    for index in range(count):
        free = rng.integers(3, 9, len(names))
        near = np.clip(rng.integers(4, 8) + rng.integers(-1, 2, len(names)), 3, 8)
        settings.append(dict(zip(names, map(int, free if index % 2 else near), strict=True)))
    return settings


def predict_one(name: str, source: Any, example: tuple[Any, ...], unseen: tuple[Any, ...]) -> Prediction:
    """Measure a network's gains, and hold what they predict against what is."""
    from gsjupyter.layer_gains import measure_sensitivity
    from gsjupyter.passes import LayerSettings

    network = Network(source, example)
    start = perf_counter()
    sensitivity = measure_sensitivity(network.model, example, LayerSettings())
    gains_s = perf_counter() - start
    names = [layer.name for layer in sensitivity.layers]
    settings = random_settings(names, _SETTINGS, np.random.default_rng(_SEED))
    predicted = np.array([sensitivity.predict(setting) for setting in settings])
    measured = np.array([network.sqnr_db(setting, example) for setting in settings])
    difference = np.abs(predicted - measured)
    budgets = {}
    for bits in _BUDGETS:
        uniform = dict.fromkeys(names, bits)
        size = next(item.size_bytes for item in sensitivity.curve.uniform if item.bits == bits)
        best = sensitivity.allocate(size)
        budgets[bits] = (network.sqnr_db(uniform, unseen), network.sqnr_db(best.bits, unseen))
    return Prediction(
        name=name,
        layers=len(names),
        runs=sensitivity.measurement.runs,
        gains_s=gains_s,
        correlation=float(np.corrcoef(predicted, measured)[0, 1]),
        median_db=float(np.median(difference)),
        max_db=float(difference.max()),
        lowest_db=float(measured.min()),
        highest_db=float(measured.max()),
        coarse_db=(sensitivity.predict(2), network.sqnr_db(dict.fromkeys(names, 2), example)),
        budgets=budgets,
    )


def network_of(name: str) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    """Return a network, input to measure it on, and other input."""
    if name == "lenet":
        from tests.digits import trained

        digits = trained(0)
        return digits.network, (digits.test_images[:64],), (digits.test_images[64:],)
    if name == "minilm":
        from tests.minilm import CALIBRATION, SENTENCES, encoder, tokens

        return encoder(), tokens(CALIBRATION[:16]), tokens(SENTENCES[:16])
    from tests.zoo.networks import images, network

    rng = np.random.default_rng(_SEED)
    made = network(name, rng)
    return made, (images(rng, _IMAGES),), (images(rng, _IMAGES),)


def main() -> None:
    """Print what came of the network named on the command line, a line of JSON."""
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
    name = sys.argv[1]
    sys.stdout.write(json.dumps(asdict(predict_one(name, *network_of(name)))) + "\n")


if __name__ == "__main__":
    main()
