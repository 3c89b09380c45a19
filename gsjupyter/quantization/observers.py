"""Observers watch activations during calibration and keep just enough to choose a range from."""

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import CalibrationError


class MinMaxObserver:
    """The range between the smallest and the largest value seen; memory doesn't grow with the data."""

    def __init__(self) -> None:
        self.low = np.inf
        self.high = -np.inf

    def update(self, array: npt.ArrayLike) -> None:
        """Take in one batch of values.

        Raises
        ------
        CalibrationError
            If it holds NaN or infinite values.
        """
        values = np.asarray(array)
        if values.size == 0:
            return
        low, high = float(values.min()), float(values.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise CalibrationError("the calibration data makes NaN or infinite values.")
        self.low, self.high = min(self.low, low), max(self.high, high)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been seen yet."""
        return self.low > self.high
