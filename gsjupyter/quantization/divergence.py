"""How far the distribution of quantized values is from that of the values, for the entropy observer [1]_.

A range is tried by laying its bins together, as many neighbours as go to one value of the grid, and spreading what was
laid together evenly over those of them that had something. What lies beyond the range is clipped: the distribution to
compare with has it in the outermost bins. The less the two diverge, the less of the distribution is lost.

.. [1] S. Migacz, "8-bit Inference with TensorRT", GPU Technology Conference 2017.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

Doubles = npt.NDArray[np.float64]

CANDIDATES = 128
"""How many ranges are tried."""


def divergences(counts: Doubles, zero: int, levels: int) -> tuple[npt.NDArray[np.intp], Doubles]:
    """Return how much quantized values diverge from the values, for several ranges.

    Parameters
    ----------
    counts : ndarray of shape (bins,)
        A histogram over the whole range; zeros should be left out, since they are exact.
    zero : int
        The bin that begins at 0.
    levels : int
        How many values the grid has.

    Returns
    -------
    reaches : ndarray of shape (candidates,)
        The ranges tried: so many bins on either side of 0, as far as there are any. They rise from one bin for each
        value of the grid to all of them.
    divergences : ndarray of shape (candidates,)
        Kullback-Leibler divergences, in nats; infinite where nothing is left.
    """
    most = max(zero, counts.size - zero)
    sides = 2 if 0 < zero < counts.size else 1
    least = min(-(-levels // sides), most)
    reaches = np.unique(np.rint(np.linspace(least, most, CANDIDATES)).astype(np.intp))
    return reaches, np.array([_divergence(counts, zero, levels, int(reach)) for reach in reaches])


def _divergence(counts: Doubles, zero: int, levels: int, reach: int) -> float:
    start, stop = max(0, zero - reach), min(counts.size, zero + reach)
    inside = counts[start:stop]
    filled = inside > 0
    if not filled.any():
        return np.inf
    reference = inside.copy()
    reference[0] += counts[:start].sum()
    reference[-1] += counts[stop:].sum()
    group = np.arange(inside.size) * min(levels, inside.size) // inside.size
    shared = np.bincount(group, weights=inside) / np.maximum(np.bincount(group, weights=filled), 1)
    # Clipped values may be alone in an outermost bin. That they are half a value there keeps the divergence finite.
    quantized = np.where(filled, shared[group], np.where(reference > 0, inside[filled].min() / 2, 0.0))
    return float(rel_entr(reference / reference.sum(), quantized / quantized.sum()).sum())
