"""Measures of what quantization costs: how far an array is from the one it stands for."""

import math

import numpy as np
import numpy.typing as npt


def error_power(reference: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """Return the mean squared difference."""
    return _power(np.subtract(reference, actual, dtype=np.float64))


def sqnr_db(reference: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """Return the signal to quantization noise ratio, ``10 log10(mean(x^2) / mean((x - x')^2))``, in decibel.

    Equal arrays have infinity; a reference of zeros that isn't matched has minus infinity; NaN on either side NaN.
    """
    return ratio_db(_power(np.asarray(reference, np.float64)), error_power(reference, actual))


def ratio_db(signal: float, noise: float) -> float:
    """Return the ratio of two powers in decibel: infinity without noise, minus infinity without signal, NaN of NaN."""
    if math.isnan(signal) or math.isnan(noise):
        return math.nan
    if noise == 0.0:
        return math.inf
    return 10.0 * math.log10(signal / noise) if signal > 0.0 and math.isfinite(noise) else -math.inf


def cosine_similarity(reference: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """Return the cosine of the angle between two arrays as vectors; 1 if both are zero, NaN if one is."""
    left, right = np.ravel(np.asarray(reference, np.float64)), np.ravel(np.asarray(actual, np.float64))
    norms = float(np.linalg.norm(left) * np.linalg.norm(right))
    if norms == 0.0:
        return 1.0 if not left.any() and not right.any() else math.nan
    return float(left @ right) / norms


def max_abs_error(reference: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """Return the largest absolute difference."""
    difference = np.abs(np.asarray(reference, np.float64) - np.asarray(actual, np.float64))
    return float(difference.max()) if difference.size else 0.0


def _power(values: npt.NDArray[np.float64]) -> float:
    return float(np.vdot(values, values)) / values.size if values.size else 0.0
