"""The smallest and the largest value of a tensor: where no more is asked, a sketch would cost twenty times as much."""

import math

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import CalibrationError


class ValueRange:
    """What lies between the smallest and the largest value that calibration saw.

    Attributes
    ----------
    low, high : float
        The ends; infinity and minus infinity before the first value.
    """

    def __init__(self) -> None:
        self.low = math.inf
        self.high = -math.inf

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been seen yet."""
        return self.low > self.high

    def update(self, array: npt.ArrayLike) -> None:
        """Take in one batch of values.

        Raises
        ------
        CalibrationError
            If it holds NaN or infinite values.
        """
        values = np.asarray(array)
        if not values.size:
            return
        low, high = float(values.min()), float(values.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise CalibrationError("the calibration data makes NaN or infinite values.")
        self.low, self.high = min(self.low, low), max(self.high, high)
