"""What rounding to a grid costs each bin of a histogram: sketches answer for any setting without the values.

A bin keeps three moments of its values ``u``: their count, sum and sum of squares. On a grid of the values ``k step``
the squared error ``(u - v)^2 = v^2 - 2 v u + u^2`` is a polynomial of the moments as long as all values of a bin go to
one grid value ``v``. Where a rounding boundary ``t`` lies within a bin the error has a kink there,

    (u - v)^2 - 2 step max(0, u - t)        (v: the grid value below t)

whose best quadratic approximation on that bin, in the least-squares sense, stands for it: a projection on the Legendre
polynomials of degree 0 to 2. It is exact for values that are spread evenly over the bin, and nearly so for others.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

FINEST_SPACING = 1 / 16
"""On grids with more values than this in a bin, every bin loses what even values do: ``step^2 / 12``."""


@dataclass(frozen=True)
class Bins:
    """Where the bins of a histogram lie.

    Parameters
    ----------
    width : float
        The width of each.
    first, count : int
        They are ``[i width, (i + 1) width)`` for i from `first`, so many.
    """

    width: float
    first: int
    count: int


def error_coefficients(bins: Bins, step: float, lowest: int, highest: int) -> Doubles:
    """Return what to multiply the moments of a histogram with to get its squared error on a grid.

    Parameters
    ----------
    bins : Bins
        The histogram's.
    step : float
        The distance between grid values, which are ``k step``.
    lowest, highest : int
        The first and the last ``k``. What lies beyond them goes to the last grid value.

    Returns
    -------
    ndarray of shape (3, bins)
        ``(coefficients * moments).sum()`` is the squared error of moments of the same shape: counts, sums of values,
        sums of squares.
    """
    # In units of a bin's width, where the bins begin at whole numbers.
    spacing = step / bins.width
    boundaries = (np.arange(lowest, highest) + 0.5) * spacing - bins.first
    bin_of = np.clip(np.ceil(boundaries) - 1, -1, bins.count).astype(np.intp)
    passed = np.cumsum(np.bincount(bin_of + 1, minlength=bins.count + 2))
    value = (lowest + passed[: bins.count]) * spacing
    coefficients = np.empty((3, bins.count))
    coefficients[0] = value * value
    coefficients[1] = -2.0 * value
    coefficients[2] = 1.0
    inside = (bin_of >= 0) & (bin_of < bins.count)
    _add_kinks(coefficients, bins.first, bin_of[inside], boundaries[inside], -2.0 * spacing)
    coefficients[0] *= bins.width**2
    coefficients[1] *= bins.width
    return coefficients


def unbounded_coefficients(bins: Bins, step: float) -> Doubles:
    """Return the same for a grid without ends: what rounding costs, and clipping not."""
    spacing = step / bins.width
    if spacing < FINEST_SPACING:
        coefficients = np.zeros((3, bins.count))
        coefficients[0] = step * step / 12
        return coefficients
    lowest, highest = np.floor(bins.first / spacing), np.ceil((bins.first + bins.count) / spacing)
    return error_coefficients(bins, step, int(lowest), int(highest))


def _add_kinks(
    coefficients: Doubles, first: int, bin_of: npt.NDArray[np.intp], boundaries: Doubles, slope: float
) -> None:
    """Add ``slope max(0, u - t)`` for each boundary t, within the bin that it lies in."""
    bins = coefficients.shape[1]
    # The part of the bin above the boundary, and the projections on 1, 2x - 1 and 6x^2 - 6x + 1 for x from 0 to 1.
    above = 1.0 - (boundaries - bin_of)
    square = above * above
    constant = square / 2
    linear = 3.0 * (square / 2 - square * above / 3)
    curved = 5.0 * square * (1.0 - above) ** 2 / 2
    # The same polynomial in x, then in u = left + x.
    zeroth = constant - linear + curved
    first_order = 2.0 * linear - 6.0 * curved
    second_order = 6.0 * curved
    left = (first + bin_of).astype(np.float64)
    zeroth += left * (left * second_order - first_order)
    first_order -= 2.0 * left * second_order
    for row, terms in enumerate((zeroth, first_order, second_order)):
        coefficients[row] += slope * np.bincount(bin_of, weights=terms, minlength=bins)
