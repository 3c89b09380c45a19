"""What clipping costs asymmetric blocks: each has ends of its own, and a zero point that rounding has moved.

An asymmetric grid is a grid of multiples of a step, like a symmetric one, so one histogram of values divided by their
block's range tells what rounding costs. What clipping adds to it, ``(w - end)^2 - (w - nearest multiple)^2`` beyond
the last grid value, depends on where in its range a block has its 0: on its zero share ``-low / (high - low)``. So
blocks of about the same share are counted together, values above 0 divided by their block's highest, values below by
its lowest; for them both ends of the grid, with the rounded zero point, are known.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsjupyter.quantization.block_moments import block_moments

Doubles = npt.NDArray[np.float64]

CLASSES = 42
"""Ranges of the zero share. With 42 of them no class has members on both sides of a share where the rounded zero point
of 2 or 3 bits jumps (an odd multiple of 1/6, 1/14)."""

_SPREAD = np.array([-3.0, -1.0, 1.0, 3.0]) / np.sqrt(5.0)
"""Four even places with mean 0 and variance 1: they stand for the zero shares within a class, in units of the standard
deviation, so that a class of one block is exact and a wide one averages over what rounding does to the zero point."""

BINS = 128
"""Bins between 0 and the end of a block, on either side."""

# A quadratic is told by its values at both ends and in the middle of a bin. Largest and smallest values lie on an end.
_NODES = np.array([0.0, 0.5, 1.0])
_INTEGRALS = np.linalg.inv(np.vander(_NODES, increasing=True))


@dataclass(frozen=True, eq=False)
class ClippedEnds:
    """The values of asymmetric blocks, each divided by the end of its block.

    Parameters
    ----------
    moments : ndarray of shape (2, classes, 3, bins)
        Below 0 and above 0, by class: count, sum and sum of squares of values divided by their block's lowest or
        highest, counted by its square; from 0 outwards.
    shares : ndarray of shape (3, classes)
        Sums of 1, of the zero shares and of their squares, weighted by the squared ranges.
    """

    moments: Doubles
    shares: Doubles

    @classmethod
    def of(cls, blocks: npt.NDArray[np.float32], low: Doubles, high: Doubles) -> "ClippedEnds":
        """Count the values of blocks.

        Parameters
        ----------
        blocks : ndarray of shape (blocks, values per block)
        low, high : ndarray of shape (blocks,)
            The range of each, with 0 in it.
        """
        width = high - low
        share = -low / np.where(width > 0, width, 1.0)
        group = np.minimum((share * CLASSES).astype(np.intp), CLASSES - 1)
        both = block_moments(blocks, high, 2 * BINS, reach_below=-low, group=group, groups=CLASSES)
        # Values below 0 are turned over, so that both sides begin at 0.
        below = both[..., BINS - 1 :: -1] * np.array([[1.0], [-1.0], [1.0]])
        weight = width * width
        shares = [np.bincount(group, weights=weight * share**power, minlength=CLASSES) for power in range(3)]
        return cls(np.stack([below, both[..., BINS:]]), np.stack(shares))

    def merged(self, other: "ClippedEnds") -> "ClippedEnds":
        """Return both together."""
        return ClippedEnds(self.moments + other.moments, self.shares + other.shares)

    def magnitudes(self) -> tuple[Doubles, Doubles]:
        """Return how much there is in each bin between 0 and the ends.

        Returns
        -------
        edges : ndarray of shape (bins + 1,)
        power : ndarray of shape (bins,)
            Counts, each weighted by the square of what it was divided by.
        """
        power: Doubles = self.moments[:, :, 0].sum(axis=(0, 1))
        return np.linspace(0.0, 1.0, BINS + 1), power

    def clipping_cost(self, intervals: int, clipping: float) -> float:
        """Return what clipping adds to the squared error of rounding.

        Parameters
        ----------
        intervals : int
            The distance between the highest and the lowest integer of the grid.
        clipping : float
            The clipped range over the whole range.
        """
        present = self.shares[0] > 0
        mean, square = self.shares[1:, present] / self.shares[0, present]
        deviation = np.sqrt(np.maximum(square - mean * mean, 0.0))
        share = np.clip(mean[:, np.newaxis] + deviation[:, np.newaxis] * _SPREAD, 0.0, 1.0)
        below = np.rint(share * intervals)
        first = max(0, int(np.floor(BINS * (clipping - 1.0 / intervals))))
        total = 0.0
        for moments, part, steps in zip(self.moments, (share, 1.0 - share), (below, intervals - below), strict=True):
            cost = _cost_beyond(steps, clipping / (intervals * np.maximum(part, 1e-9)), first)
            total += float(np.vdot(_node_weights(moments[present, :, first:], first), cost))
        return total


def _cost_beyond(steps: Doubles, step: Doubles, first: int) -> Doubles:
    """Return what clipping after so many steps adds to the error at each node.

    Parameters
    ----------
    steps, step : ndarray of shape (classes, places)
        The last grid value is ``steps * step``; the cost is the mean over the places.
    first : int
        The first bin to look at.

    Returns
    -------
    ndarray of shape (classes, bins from first, nodes)
    """
    position = (np.arange(first, BINS)[:, np.newaxis] + _NODES) / BINS
    steps, step = steps[..., np.newaxis, np.newaxis], step[..., np.newaxis, np.newaxis]
    in_steps = position / step
    nearest = np.rint(in_steps)
    last = np.minimum(nearest, steps)
    # The difference of two squared errors, that of the last grid value and that of the nearest multiple.
    cost: Doubles = ((nearest - last) * (2.0 * in_steps - nearest - last) * (step * step)).mean(axis=1)
    return cost


def _node_weights(moments: Doubles, first: int) -> Doubles:
    """Return weights of shape (classes, bins, nodes) that add quadratics up at nodes as moments do over the bins."""
    count, total, squares = np.moveaxis(moments, 1, 0)
    left = np.arange(first, first + count.shape[-1])
    # Moments of the place within a bin, from 0 to 1.
    along = total * BINS - left * count
    square = squares * BINS**2 - left * (2.0 * total * BINS - left * count)
    weights: Doubles = np.stack([count, along, square], axis=-1) @ _INTEGRALS
    return weights
