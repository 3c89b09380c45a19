"""Observers choose the range of a grid: one far outlier would otherwise cost all other values their resolution.

- ``minmax`` keeps everything.
- ``percentile`` keeps 99.99 % of the values, one of the shares that [1]_ compares.
- ``mse`` keeps the range with the smallest mean squared error, values that it clips included.
- ``entropy`` keeps the range whose quantized distribution diverges least (Kullback-Leibler) from that of the values
  [2]_.

They work on sketches: no value is looked at again. Activations get a range, both ends of which are chosen; a weight
gets one ratio, by which the range of each of its blocks is clipped.

.. [1] H. Wu et al., "Integer Quantization for Deep Learning Inference: Principles and Empirical Evaluation",
   arXiv:2004.09602, 2020, sections 3.3 and 4.2.
.. [2] S. Migacz, "8-bit Inference with TensorRT", GPU Technology Conference 2017.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from gsjupyter.errors import CalibrationError, OptionError
from gsjupyter.quantization.activation_sketch import ActivationSketch
from gsjupyter.quantization.divergence import divergences
from gsjupyter.quantization.scheme import Scheme
from gsjupyter.quantization.weight_sketch import WeightSketch

Doubles = npt.NDArray[np.float64]

OBSERVERS: Final = ("minmax", "percentile", "mse", "entropy")
"""The names of what can choose a range."""

PERCENTILE: Final = 99.99
"""The percentage of values that ``percentile`` keeps."""

_LOST: Final = 1.0 - PERCENTILE / 100

_RATIOS: Final = tuple(np.geomspace(0.02, 1.0, 48).tolist())
"""Clipping ratios that are tried before the best is refined; the error has more than one minimum."""


def activation_range(sketch: ActivationSketch, scheme: Scheme, observer: str) -> tuple[float, float]:
    """Return the range that an observer chooses for activations.

    Parameters
    ----------
    sketch : ActivationSketch
        What calibration saw.
    scheme : Scheme
        How they are to be quantized.
    observer : {"minmax", "percentile", "mse", "entropy"}
        ``percentile`` cuts off 0.005 % at either end, or 0.01 % of the largest magnitudes for symmetric schemes;
        ``entropy`` cuts at one magnitude on both sides.

    Returns
    -------
    low, high : float
        Within what was seen.

    Raises
    ------
    OptionError
        If there is no such observer.
    CalibrationError
        If the sketch is empty.
    """
    check_observer(observer)
    if sketch.is_empty:
        raise CalibrationError("calibration saw no values, so no range can be chosen.")
    seen = sketch.low, sketch.high
    if observer == "percentile":
        return _central_range(sketch, scheme)
    if observer == "mse":
        return _closest_range(sketch, scheme)
    if observer == "entropy":
        counts, zero = _signed_histogram(sketch)
        reach = _least_divergent(counts, zero, scheme.highest - scheme.lowest + 1) * sketch.bins.width
        return max(seen[0], -reach), min(seen[1], reach)
    return seen


def weight_clipping(sketch: WeightSketch, scheme: Scheme, observer: str) -> float:
    """Return the ratio by which an observer clips the range of each block of a weight.

    Parameters
    ----------
    sketch : WeightSketch
        The weight's sketch, symmetric as the scheme is. ``percentile`` and ``entropy`` count each value by the square
        of its block's reach, as its error counts. In blocks of less than 10,000 values ``percentile`` cuts nothing: the
        largest alone is more than 0.01 % of them.
    scheme : Scheme
        How it is to be quantized.
    observer : {"minmax", "percentile", "mse", "entropy"}
        What chooses.

    Returns
    -------
    float
        More than 0, and 1 at most; 1 for a weight of zeros.

    Raises
    ------
    OptionError
        If there is no such observer.
    """
    check_observer(observer)
    if observer == "minmax" or not sketch.signal_power > 0.0:
        return 1.0
    if observer == "mse":
        return _best_ratio(lambda ratio: sketch.error_power(scheme.bits, ratio, narrow_range=scheme.narrow_range))
    edges, power = sketch.magnitudes()
    if observer == "percentile":
        kept = np.concatenate([[0.0], np.cumsum(power)])
        return float(np.interp((1.0 - _LOST) * kept[-1], kept, edges))
    # Magnitudes alone: half of the levels are for either sign.
    return _least_divergent(power, 0, 1 << (scheme.bits - 1)) / power.size


def check_observer(observer: str) -> None:
    """Check that there is such an observer.

    Raises
    ------
    OptionError
        If there isn't.
    """
    if observer not in OBSERVERS:
        raise OptionError(f"an observer must be one of {', '.join(OBSERVERS)}, not {observer!r}.")


def _central_range(sketch: ActivationSketch, scheme: Scheme) -> tuple[float, float]:
    if not scheme.symmetric:
        return sketch.quantile(_LOST / 2), sketch.quantile(1.0 - _LOST / 2)
    sizes, power = _folded(*_signed_histogram(sketch))
    power[0] += sketch.zeros
    kept = np.concatenate([[0.0], np.cumsum(power)])
    largest = float(np.interp((1.0 - _LOST) * kept[-1], kept, sizes)) * sketch.bins.width
    return max(sketch.low, -largest), min(sketch.high, largest)


def _closest_range(sketch: ActivationSketch, scheme: Scheme) -> tuple[float, float]:
    """Return the range of the least error.

    An asymmetric range with 0 inside is searched for from two starts, both ends clipped alike and one of them alone,
    and from there along either end in turn.
    """

    def error(low: float, high: float) -> float:
        return sketch.error_power(low * least, high * most, scheme)

    least, most = min(sketch.low, 0.0), max(sketch.high, 0.0)
    ratio = _best_ratio(lambda both: error(both, both))
    found = ratio, ratio
    if not scheme.symmetric and least < 0.0 < most:
        starts = [found, (1.0, _best_ratio(lambda high: error(1.0, high)))]
        found = min((_by_turns(error, *start) for start in starts), key=lambda ends: error(*ends))
    return max(sketch.low, found[0] * least), min(sketch.high, found[1] * most)


def _by_turns(error: Callable[[float, float], float], low: float, high: float) -> tuple[float, float]:
    for _ in range(2):
        high = _refined(partial(error, low), high)
        low = _refined(partial(_swapped, error, high), low)
    return low, high


def _swapped(function: Callable[[float, float], float], second: float, first: float) -> float:
    return function(first, second)


def _best_ratio(error: Callable[[float], float]) -> float:
    return _refined(error, min(_RATIOS, key=lambda ratio: (error(ratio), -ratio)))


def _refined(error: Callable[[float], float], ratio: float) -> float:
    """Return the ratio near this one with the least error."""
    step = _RATIOS[1] / _RATIOS[0]
    bounds = (ratio / step, min(ratio * step, 1.0))
    found = minimize_scalar(error, bounds=bounds, method="bounded", options={"xatol": 1e-3 * ratio})
    return float(found.x) if found.fun < error(ratio) else ratio


def _signed_histogram(sketch: ActivationSketch) -> tuple[Doubles, int]:
    """Return the counts of a sketch from the first that isn't 0 to the last, and where 0 is among them."""
    counts = sketch.moments[0]
    filled = np.flatnonzero(counts)
    if not filled.size:
        return np.zeros(1), 0
    zero = -sketch.bins.first
    start, stop = min(int(filled[0]), zero), max(int(filled[-1]) + 1, zero)
    return counts[start:stop].copy(), zero - start


def _folded(counts: Doubles, zero: int) -> tuple[Doubles, Doubles]:
    """Return the edges of bins of magnitudes, in widths, and their counts."""
    size = max(zero, counts.size - zero)
    folded = np.zeros(size)
    folded[: counts.size - zero] += counts[zero:]
    folded[:zero] += counts[:zero][::-1]
    return np.arange(size + 1.0), folded


def _least_divergent(counts: Doubles, zero: int, levels: int) -> float:
    """Return the reach, in bins, of the range that diverges least; of equals the widest, which clips least."""
    reaches, found = divergences(counts, zero, levels)
    return float(reaches[::-1][np.argmin(found[::-1])])
