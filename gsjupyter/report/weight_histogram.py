"""A layer's weights in 64 bins, on the grid that they are rounded to: small enough to be kept in every notebook."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.quantization import QuantizedArray
from gsjupyter.quantization.statistics import grid_of
from gsjupyter.quantization.weight_rows import WeightRows, pieces
from gsjupyter.report.layers_block import Histogram

Floats = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]

BINS: Final = 64
"""The most bins of a histogram."""
_PIECE: Final = 1 << 16
_SMALL: Final = 1e-36


def weight_histogram(weight: Floats, quantized: QuantizedArray | None = None, axis: int = 0) -> Histogram | None:
    """Return how the values of a weight are spread over its grid.

    Parameters
    ----------
    weight : ndarray of float32
        The weight as it was.
    quantized : QuantizedArray, optional
        What is stored of it. A bin then holds whole steps of the grid, or whole bins make a step, so that no bin looks
        fuller than its neighbour only by where its edges lie.
    axis : int
        The weight's output channel axis.

    Returns
    -------
    Histogram or None
        In at most 64 bins; None if all values are equal, or some are no numbers.
    """
    low, high = float(weight.min(initial=math.inf)), float(weight.max(initial=-math.inf))
    if not 0 < high - low < math.inf:
        return None
    if quantized is not None:
        return _on_grid(WeightRows.of(weight, quantized, axis), quantized)
    # In float64, so that a value on an edge goes where its digits say.
    flat, counts = weight.reshape(-1), np.zeros(BINS, np.int64)
    for start in range(0, flat.size, _PIECE):
        counts += _counts((flat[start : start + _PIECE].astype(np.float64) - low) * (BINS / (high - low)), BINS)
    return Histogram(low, high, counts.tolist())


def _on_grid(rows: WeightRows, quantized: QuantizedArray) -> Histogram | None:
    lowest, highest = grid_of(quantized)
    ends = np.stack([rows.numbers.min(axis=1, keepdims=True), rows.numbers.max(axis=1, keepdims=True)])
    places = ends / rows.scale.astype(np.float64) + rows.zero_point
    first = min(lowest, math.floor(places.min() + 0.5))
    last = max(highest, math.ceil(places.max() - 0.5))
    width, bins = _bins(last - first + 1)
    low, high = first - 0.5, first - 0.5 + bins * width
    counts = _positions_counted(rows, low, width, bins)
    if quantized.scale.size > 1:
        return Histogram(low, high, counts.tolist(), "scale", 1.0, 0, lowest, highest)
    scale, zero_point = float(rows.scale[0, 0]), int(rows.zero_point[0, 0])
    low, high = (low - zero_point) * scale, (high - zero_point) * scale
    return Histogram(low, high, counts.tolist(), "weight", scale, zero_point, lowest, highest)


def _bins(levels: int) -> tuple[float, int]:
    """Return how many levels of a grid a bin holds, and how many such bins hold them all."""
    if levels > BINS:
        width = math.ceil(levels / BINS)
        return width, math.ceil(levels / width)
    # An odd number for each level: the largest value of each scale is an integer, which then lies amid a bin.
    per_level = BINS // levels
    per_level -= 1 - per_level % 2
    return 1 / per_level, levels * per_level


def _positions_counted(rows: WeightRows, low: float, width: float, bins: int) -> Counts:
    """Count the weights by ``weight / scale + zero_point``, in bins of some width that begin at `low`."""
    # Float32 is faster, and has no reciprocal of the smallest numbers.
    precision: npt.DTypeLike = np.float32 if rows.scale.min() > _SMALL else np.float64
    factor = (1 / (rows.scale.astype(np.float64) * width)).astype(precision)
    offset = ((rows.zero_point.astype(np.float64) - low) / width).astype(precision)
    counts = np.zeros(bins, np.int64)
    for part in pieces(rows.numbers.shape):
        places = rows.numbers[part] * factor[part]
        places += offset[part]
        counts += _counts(places, bins)
    # What only fills up the last group of a channel is 0.0, and none of the weight's.
    missing = rows.numbers.shape[1] - rows.lengths
    np.subtract.at(counts, offset[:, 0].astype(np.intp), missing)
    return counts


def _counts(places: npt.NDArray[np.float32] | npt.NDArray[np.float64], bins: int) -> Counts:
    # No place is below 0; that of the largest value may be where the last bin ends.
    counts = np.bincount(places.astype(np.intp).reshape(-1), minlength=bins + 1)
    counts[bins - 1] += counts[bins:].sum()
    return counts[:bins]
