"""Sketches as bytes: as float64 they would take 48 KB a layer, in every notebook that is saved.

A block holds the sketches of several layers, all symmetric or all asymmetric. It is deflated (zlib, RFC 1950; in a
browser ``DecompressionStream('deflate')``). Inflated it is, little endian, with L layers and E histograms of ends, one
array after the other, each aligned to its own type from the first byte of the block on:

======== ================ ============================================================================================
uint32   4                version (1), L, whether symmetric (1 or 0), E
float64  L                largest count of each layer, 0 for a weight of zeros
uint32   L                weights of each layer (`WeightSketch.size`)
uint32   L                histograms of ends of each layer, which add up to E; 0 if symmetric
float64  E, 3             `ClippedEnds.shares` of each: sums of 1, of the zero shares and of their squares
float32  L, 2048          counts over the layer's largest, bins over [-1, 1]
float32  E, 2, 128        the same of ends (over the layer's largest too), bins over [0, 1]; below 0, then above
uint16   L, 2048          where in its bin the mean lies: 0 for the lower edge, 65535 for the upper
uint16   E, 2, 128        the same of ends
uint16   L, 2048          the standard deviation within the bin, in units of 1/8192 of its width
uint16   E, 2, 128        the same of ends
======== ================ ============================================================================================

Bin i of b is ``[left, left + 1) * width`` with ``width = 2 / 2048`` and ``left = i - 1024``; of ends ``width = 1 /
128`` and ``left = i``. With ``m = (left + mean) * width`` and ``d = deviation * width`` the three moments are

    count = counts * largest,    sum = count * m,    sum of squares = count * (m^2 + d^2)

Ends of classes that no block of the weight is in are left out; what clipping costs doesn't depend on a class's number.

Counts are rounded to 14 bits, so that a block deflates to three quarters. Mean and deviation instead of sums keep an
exact 0 for weights that lie on a grid, whatever the rounding. Errors of 2 to 8 bits and clipping from 0.3 on come back
within 0.0005 dB (tests/widgets/test_sketch_format.py), and ResNet-50 takes 0.7 MB.
"""

import math
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import ParameterError
from gsjupyter.quantization.clipped_ends import BINS as END_BINS
from gsjupyter.quantization.clipped_ends import ClippedEnds
from gsjupyter.quantization.weight_sketch import BINS, WeightSketch

Doubles = npt.NDArray[np.float64]

VERSION: Final = 1

_HEADER: Final = 4
_COUNT_BITS: Final = 14
_MEAN_UNITS: Final = 65535.0
_DEVIATION_UNITS: Final = 8192.0
_LEVEL: Final = 6
"""Of deflating; 9 takes no less."""

_LEFT: Final = np.arange(BINS) - BINS / 2
_WIDTH: Final = 2 / BINS
_END_LEFT: Final = np.arange(float(END_BINS))
_END_WIDTH: Final = 1 / END_BINS


def encode(sketches: Sequence[WeightSketch]) -> bytes:
    """Return sketches as bytes.

    Parameters
    ----------
    sketches : sequence of WeightSketch
        All symmetric, or all asymmetric.

    Raises
    ------
    ValueError
        If they are of both kinds.
    """
    symmetric = all(sketch.symmetric for sketch in sketches)
    if not symmetric and any(sketch.symmetric for sketch in sketches):
        raise ValueError("sketches for symmetric and for asymmetric schemes can't be in one block.")
    moments = np.stack([sketch.moments for sketch in sketches], axis=1) if sketches else np.empty((3, 0, BINS))
    largest = moments[0].max(axis=1, initial=0.0)
    shares, ends, of_layer = _present_ends(sketches)
    main = _rounded(moments, largest[:, np.newaxis], _LEFT, _WIDTH)
    beyond = _rounded(ends, largest[of_layer][:, np.newaxis, np.newaxis], _END_LEFT, _END_WIDTH)
    arrays: list[npt.NDArray[np.generic]] = [
        np.array([VERSION, len(sketches), symmetric, len(shares)], "<u4"),
        largest.astype("<f8"),
        np.array([sketch.size for sketch in sketches], "<u4"),
        np.bincount(of_layer, minlength=len(sketches)).astype("<u4"),
        shares.astype("<f8"),
        *(array for pair in zip(main, beyond, strict=True) for array in pair),
    ]
    return zlib.compress(b"".join(array.tobytes() for array in arrays), _LEVEL)


def decode(data: bytes) -> list[WeightSketch]:
    """Return the sketches of a block.

    Raises
    ------
    ParameterError
        If it is none.
    """
    try:
        symmetric, arrays = _arrays(zlib.decompress(data))
        largest, sizes, numbers, shares = arrays[:4]
        of_layer = np.repeat(np.arange(len(sizes)), numbers.astype(np.intp))
        ends = _moments(arrays[5::2], largest[of_layer][:, np.newaxis, np.newaxis], _END_LEFT, _END_WIDTH)
    except (zlib.error, ValueError, IndexError) as error:
        raise ParameterError(f"these bytes are no block of sketches: {error}.") from error
    main = _moments(arrays[4::2], largest[:, np.newaxis], _LEFT, _WIDTH)
    found = []
    for layer in range(len(sizes)):
        own = of_layer == layer
        clipped = None if symmetric else ClippedEnds(np.moveaxis(ends[:, own], (0, 2), (2, 0)), shares[own].T)
        found.append(WeightSketch(main[:, layer], int(sizes[layer]), clipped))
    return found


def _present_ends(sketches: Sequence[WeightSketch]) -> tuple[Doubles, Doubles, npt.NDArray[np.intp]]:
    """Return shares of shape (E, 3), moments of shape (3, E, 2, bins), and the number of each one's layer."""
    shares, moments, of_layer = [np.empty((0, 3))], [np.empty((3, 0, 2, END_BINS))], [np.empty(0, np.intp)]
    for layer, sketch in enumerate(sketches):
        if sketch.ends is not None:
            present = sketch.ends.shares[0] > 0
            shares.append(sketch.ends.shares[:, present].T)
            moments.append(np.moveaxis(sketch.ends.moments[:, present], (0, 2), (2, 0)))
            of_layer.append(np.full(np.count_nonzero(present), layer))
    return np.concatenate(shares), np.concatenate(moments, axis=1), np.concatenate(of_layer)


def _rounded(moments: Doubles, largest: Doubles, left: Doubles, width: float) -> list[npt.NDArray[np.generic]]:
    """Return moments of shape (3, ..., bins) as counts, means and deviations."""
    count, total, squares = moments
    filled = count > 0
    share = np.divide(count, largest, out=np.zeros_like(count), where=filled)
    fraction, exponent = np.frexp(share)
    counts = np.ldexp(np.rint(np.ldexp(fraction, _COUNT_BITS)), exponent - _COUNT_BITS)
    middle = np.divide(total, count, out=np.zeros_like(count), where=filled) / width
    square = np.divide(squares, count, out=np.zeros_like(count), where=filled) / width**2
    mean = np.clip(middle - left, 0.0, 1.0) * filled
    deviation = np.sqrt(np.clip(square - middle * middle, 0.0, 1.0))
    return [
        counts.astype("<f4"),
        np.rint(mean * _MEAN_UNITS).astype("<u2"),
        np.rint(deviation * _DEVIATION_UNITS).astype("<u2"),
    ]


def _moments(rounded: Sequence[Doubles], largest: Doubles, left: Doubles, width: float) -> Doubles:
    """Return moments of shape (3, ..., bins) from counts, means and deviations."""
    share, mean, deviation = rounded
    count = share * largest
    middle = (left + mean / _MEAN_UNITS) * width
    spread = deviation / _DEVIATION_UNITS * width
    return np.stack([count, count * middle, count * (middle * middle + spread * spread)])


def _arrays(raw: bytes) -> tuple[bool, list[Doubles]]:
    """Return whether a block is symmetric, and its arrays after the header.

    Raises
    ------
    ValueError
        If they aren't all there, or there is more.
    """
    version, layers, symmetric, ends = (int(number) for number in np.frombuffer(raw, "<u4", _HEADER))
    if version != VERSION:
        raise ValueError(f"version {version}")
    main, beyond = (layers, BINS), (ends, 2, END_BINS)
    layout: list[tuple[str, tuple[int, ...]]] = [("<f8", (layers,)), ("<u4", (layers,)), ("<u4", (layers,))]
    layout += [("<f8", (ends, 3)), ("<f4", main), ("<f4", beyond)]
    layout += [("<u2", main), ("<u2", beyond), ("<u2", main), ("<u2", beyond)]
    sizes = [np.dtype(dtype).itemsize * math.prod(shape) for dtype, shape in layout]
    starts = [4 * _HEADER + sum(sizes[:index]) for index in range(len(sizes) + 1)]
    if starts[-1] != len(raw):
        raise ValueError(f"{len(raw):,} bytes instead of {starts[-1]:,}")
    found: list[Doubles] = []
    for (dtype, shape), start, size in zip(layout, starts, sizes, strict=False):
        found.append(np.frombuffer(raw[start : start + size], dtype).reshape(shape).astype(np.float64))
    return bool(symmetric), found
