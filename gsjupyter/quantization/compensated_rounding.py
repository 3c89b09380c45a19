"""Rounding that looks at what a layer's inputs have in common: with few bits it loses far less than nearest integers.

Rounding to nearest keeps every weight close. What counts is the layer's output, whose squared error for one channel is
``e^T H e`` with the channel's rounding errors ``e`` and the inputs' second moment ``H = E[x x^T]``. Where inputs are
correlated, one weight's error can be made up for by its neighbours. GPTQ [1]_ rounds a channel's weights in turn and
moves the ones still to come: with the upper Cholesky factor ``U`` of ``H^-1`` (``H^-1 = U^T U``)

    error_i = (w_i - q_i) / U_ii
    w_j    -= error_i * U_ij      (for all j after i)

Inputs of large power go first, while there are many others left to make up for them. The scales, and so the bytes, are
those of rounding to nearest; only the integers differ.

.. [1] E. Frantar, S. Ashkboos, T. Hoefler, D. Alistarh, "GPTQ: Accurate Post-Training Quantization for Generative
   Pre-trained Transformers", ICLR 2023.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from scipy import linalg

from gsjupyter.errors import ParameterError
from gsjupyter.quantization.quantizer import Integers, QuantizedArray, quantize_weight
from gsjupyter.quantization.scheme import Scheme

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.integer[Any]]

DAMPING: Final = 0.03
"""The share of the mean of H's diagonal that is added to it. Calibration in a notebook has few samples, and what they
have in common by chance isn't to be used: on trained networks 0.03 lost least, 0.01 (GPTQ's own) and 0.1 a little more.
"""
_BLOCK: Final = 128
"""Columns whose effect on the columns behind them is applied at once, as a matrix product."""


def quantize_compensated(
    weight: npt.ArrayLike, axis: int, scheme: Scheme, second_moment: npt.ArrayLike, clipping: float = 1.0
) -> QuantizedArray:
    """Quantize a weight so that the layer's output changes least on the inputs that were measured.

    A channel whose output error doesn't get smaller keeps the nearest integers, so that on those inputs no channel is
    ever worse than rounded to nearest.

    Parameters
    ----------
    weight : array_like of float32
        The weight. A row is what one output channel has, in the order of the other axes.
    axis : int
        Its output channel axis.
    scheme : Scheme
        The scheme.
    second_moment : array_like of shape (row length, row length) or (groups, row length, row length)
        The sum or mean of ``x x^T`` over the inputs `x` of a row; one for each group of a grouped convolution, whose
        output channels are in the order of the groups. Inputs that were never other than 0 (a diagonal of 0) neither
        give nor take anything.
    clipping : float
        As in `quantize_weight`.

    Returns
    -------
    QuantizedArray
        With the scale and zero point of `quantize_weight`.

    Raises
    ------
    ParameterError
        If weight or second moment hold NaN or infinite values, or don't fit each other.
    """
    array = np.asarray(weight, np.float32)
    nearest = quantize_weight(array, axis, scheme, clipping)
    rows = np.asarray(_rows(array, axis), np.float64)
    moments = _checked(second_moment, rows)
    grid = _Grid.of(nearest, array.shape, axis, scheme)
    parts = np.split(np.arange(len(rows)), len(moments))
    rounded = [
        _better_of_both(rows[part], grid.channels(part), moment) for part, moment in zip(parts, moments, strict=True)
    ]
    values = _restored(np.concatenate(rounded), nearest, array.shape, axis)
    return replace(nearest, values=cast(Integers, values))


def output_error(error: npt.ArrayLike, second_moment: npt.ArrayLike) -> Doubles:
    """Return ``e^T H e`` for each row `e` of an error: what a change of the weight does to each output channel.

    Parameters
    ----------
    error : array_like of shape (channels, inputs)
        The weight's error.
    second_moment : array_like of shape (inputs, inputs)
        The inputs' second moment.
    """
    rows = np.asarray(error, np.float64)
    product = rows @ np.asarray(second_moment, np.float64)
    return np.asarray(np.einsum("ij,ij->i", product, rows))


@dataclass(frozen=True)
class _Grid:
    """What the weights of some channels may become, as rows: one for each channel, one column for each input.

    Parameters
    ----------
    scheme : Scheme
        The scheme.
    integers, scale, zero_point : ndarray of shape (channels, inputs)
        The nearest integers, and what they are multiplied by and shifted.
    """

    scheme: Scheme
    integers: Rows
    scale: Doubles
    zero_point: Doubles

    @classmethod
    def of(cls, nearest: QuantizedArray, shape: Sequence[int], axis: int, scheme: Scheme) -> "_Grid":
        channels, inputs = shape[axis], math.prod(shape) // shape[axis]
        settings = [item.astype(np.float64) for item in (nearest.scale, nearest.zero_point)]
        if nearest.shape is None:
            integers: Rows = _rows(nearest.values, axis)
            wide = [np.broadcast_to(item.reshape(-1, 1), (channels, inputs)) for item in settings]
        else:
            # Each group's integers are neighbours, and the last group of a row may be filled up.
            integers = nearest.values.reshape(channels, -1)[:, :inputs]
            size = nearest.values.shape[-1]
            wide = [np.repeat(item.reshape(channels, -1), size, axis=1)[:, :inputs] for item in settings]
        return cls(scheme, integers, *wide)

    def channels(self, part: npt.NDArray[np.intp]) -> "_Grid":
        """Return the grid of some channels."""
        return replace(self, integers=self.integers[part], scale=self.scale[part], zero_point=self.zero_point[part])

    def numbers(self, integers: Rows) -> Doubles:
        """Return what integers stand for."""
        return (integers - self.zero_point) * self.scale


def _better_of_both(rows: Doubles, grid: _Grid, second_moment: npt.NDArray[np.floating[Any]]) -> Rows:
    """Return the integers of each channel: compensated, or the nearest where those do as well."""
    moment = second_moment.astype(np.float64)
    compensated = _compensated(rows, grid, moment)
    before = output_error(rows - grid.numbers(grid.integers), moment)
    after = output_error(rows - grid.numbers(compensated), moment)
    # A number between two integers goes the way of the nearest, however this arithmetic would have it.
    is_better = after < before * (1.0 - 1e-5)
    return np.where(is_better[:, np.newaxis], compensated, grid.integers)


def _compensated(rows: Doubles, grid: _Grid, moment: Doubles) -> Rows:
    """Return the integers that GPTQ rounds to."""
    order = np.argsort(-np.diag(moment), kind="stable")
    factor = _factor_of_inverse(moment[np.ix_(order, order)])
    # One row for each input here, since these are rounded in turn.
    weights, scale, zero_point = (item.T[order] for item in (rows, grid.scale, grid.zero_point))
    integers = np.empty_like(weights)
    for start in range(0, len(order), _BLOCK):
        stop = min(start + _BLOCK, len(order))
        errors = np.empty_like(weights[start:stop])
        for index in range(start, stop):
            nearest = np.rint(weights[index] / scale[index]) + zero_point[index]
            integers[index] = np.clip(nearest, grid.scheme.lowest, grid.scheme.highest)
            rounded = (integers[index] - zero_point[index]) * scale[index]
            errors[index - start] = (weights[index] - rounded) / factor[index, index]
            weights[index + 1 : stop] -= np.outer(factor[index, index + 1 : stop], errors[index - start])
        weights[stop:] -= factor[start:stop, stop:].T @ errors
    restored = np.empty(rows.shape, grid.integers.dtype)
    restored[:, order] = integers.T
    return restored


def _factor_of_inverse(moment: Doubles) -> Doubles:
    """Return the upper triangle ``U`` with ``U^T U = H^-1`` for the damped moment ``H``, without computing ``H^-1``.

    With ``H = R R^T`` for an upper triangle ``R``, which is Cholesky's of H read backwards, ``U = R^-1``.

    Raises
    ------
    ParameterError
        If it has negative eigenvalues, as no second moment has.
    """
    power = np.diag(moment)
    damped = moment[::-1, ::-1].copy()
    # An input that is always 0 has nothing in common with the others: any number will do for it.
    damped[np.diag_indices_from(damped)] += np.where(power > 0.0, DAMPING * np.mean(power), 1.0)[::-1]
    try:
        backwards = linalg.cholesky(damped, lower=True, overwrite_a=True, check_finite=False)
    except linalg.LinAlgError as error:
        raise ParameterError("a matrix with negative eigenvalues is no second moment of any inputs.") from error
    inverse = linalg.solve_triangular(backwards[::-1, ::-1], np.eye(len(moment)), overwrite_b=True, check_finite=False)
    return np.asarray(inverse)


def _checked(second_moment: npt.ArrayLike, rows: Doubles) -> npt.NDArray[np.floating[Any]]:
    """Return the moments, one for each group of channels."""
    given = np.asarray(second_moment)
    moments = given[np.newaxis] if given.ndim == 2 else given
    channels, inputs = rows.shape
    fits = moments.ndim == 3 and moments.shape[1:] == (inputs, inputs) and len(moments) > 0
    if not fits or channels % len(moments):
        raise ParameterError(
            f"a weight with {channels} channels of {inputs} inputs can't have second moments of shape {given.shape}."
        )
    if not np.isfinite(moments).all():
        raise ParameterError("the inputs' second moment is not finite, so rounding can't be compensated.")
    return moments


def _restored(integers: Rows, nearest: QuantizedArray, shape: Sequence[int], axis: int) -> Rows:
    """Return rows of integers in the form in which rounding to nearest has them."""
    if nearest.shape is None:
        rest = [size for index, size in enumerate(shape) if index != axis % len(shape)]
        return np.moveaxis(integers.reshape(shape[axis], *rest), 0, axis)
    filled = nearest.values.reshape(shape[axis], -1).copy()
    filled[:, : integers.shape[1]] = integers
    return filled.reshape(nearest.values.shape)


def _rows(array: npt.NDArray[Any], axis: int) -> npt.NDArray[Any]:
    return np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
