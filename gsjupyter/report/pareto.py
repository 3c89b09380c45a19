"""What each byte buys: the best predicted output for every size, beside the same bits everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import UnsupportedError
from gsjupyter.quantization.allocation import Allocation, LayerChoices, ParetoCurve, pareto_curve
from gsjupyter.quantization.sensitivity import BITS, ErrorModel, decibel
from gsjupyter.report.document import Column, Document, Facts, Table, format_bytes
from gsjupyter.report.shown import Shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS: Final = ("size_bytes", "compression", "sqnr_db", "mean_bits")


@dataclass(frozen=True)
class UniformSetting:
    """The same bits for every layer that may have so many, beside what the same bytes can buy.

    Parameters
    ----------
    bits : int
        The bits.
    size_bytes : int
        What the weights take.
    sqnr_db : float
        The output's predicted SQNR, in decibel.
    best_sqnr_db : float
        That of the best setting on the curve which isn't larger.
    """

    bits: int
    size_bytes: int
    sqnr_db: float
    best_sqnr_db: float


@dataclass(frozen=True, repr=False)
class Pareto(Shown):
    """The curve of the best output over size.

    Parameters
    ----------
    name : str
        What the network is called.
    model : ErrorModel
        The error of the output for any bits.
    choices : tuple of LayerChoices
        Each layer's sizes and error contributions.
    fixed_bytes : int
        What the weights take whose bits were not to choose.
    float_size_bytes : int
        What all weights take in float32.
    """

    name: str
    model: ErrorModel
    choices: tuple[LayerChoices, ...]
    fixed_bytes: int
    float_size_bytes: int

    @cached_property
    def settings(self) -> ParetoCurve:
        """The settings, from the smallest to the most exact."""
        return pareto_curve(self.choices, fixed_bytes=self.fixed_bytes)

    @property
    def sizes_bytes(self) -> npt.NDArray[np.int64]:
        """The size of each setting."""
        return self.settings.sizes_bytes

    @cached_property
    def sqnrs_db(self) -> npt.NDArray[np.float64]:
        """The output's predicted SQNR for each setting, in decibel."""
        return np.array([self._sqnr_db(error) for error in self.settings.error_powers])

    def _sqnr_db(self, error_sum: float) -> float:
        return decibel(self.model.saturated(float(error_sum)) + self.model.activation_error)

    @cached_property
    def uniform(self) -> tuple[UniformSetting, ...]:
        """The settings with the same bits everywhere, those that layers fixed to other bits allow."""
        return tuple(self._uniform(bits) for bits in BITS if any(bits in item.bits for item in self.choices))

    def _uniform(self, bits: int) -> UniformSetting:
        chosen = [item.bits.index(bits) if bits in item.bits else len(item.bits) - 1 for item in self.choices]
        pairs = list(zip(self.choices, chosen, strict=True))
        size = self.fixed_bytes + sum(item.sizes_bytes[index] for item, index in pairs)
        error = sum(item.error_powers[index] for item, index in pairs)
        best = min(error, self.settings.within(size).error_power)
        return UniformSetting(bits, size, self._sqnr_db(error), self._sqnr_db(best))

    def document(self) -> Document:
        """Return what to show."""
        smallest, largest = format_bytes(int(self.sizes_bytes[0])), format_bytes(int(self.sizes_bytes[-1]))
        facts = Facts(
            [
                ("Sizes", f"{smallest} to {largest}, {format_bytes(self.float_size_bytes)} in float32"),
                ("Predicted", f"SQNR {self.sqnrs_db[0]:.1f} to {self.sqnrs_db[-1]:.1f} dB"),
            ]
        )
        columns = [
            Column("bits", "Bits everywhere", "integer"),
            Column("size_bytes", "Size", "bytes"),
            Column("sqnr_db", "SQNR (dB)", "number"),
            Column("best_sqnr_db", "Bits by layer (dB)", "number", bar=True),
        ]
        table = Table("The same bytes", columns, [vars(item) for item in self.uniform])
        return Document(f"{self.name}: {len(self.settings)} settings, each the best of its size", [facts, table])

    def to_pandas(self) -> "pd.DataFrame":
        """Return the settings as a data frame: size, compression, predicted SQNR and bits on average.

        Raises
        ------
        UnsupportedError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise UnsupportedError("to_pandas needs pandas.", advice="pip install pandas") from error
        rows = [
            (item.size_bytes, self.float_size_bytes / item.size_bytes, sqnr, self._mean_bits(item))
            for item, sqnr in zip(self.settings, self.sqnrs_db, strict=True)
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def _mean_bits(self, setting: Allocation) -> float:
        return float(np.mean([setting.bits[item.name] for item in self.choices]))

    def plot(self, axes: "Axes | None" = None, mark: Sequence[Allocation] = ()) -> "Axes":
        """Draw the predicted SQNR over size, with the same bits everywhere beside it, as a figure for a paper.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a new figure by default.
        mark : sequence of Allocation
            Settings to point out.
        """
        from gsjupyter.report.sensitivity_figures import plot_curve

        marked = [(item.size_bytes, self._sqnr_db(item.error_power)) for item in mark]
        return plot_curve(self.sizes_bytes, self.sqnrs_db, self.uniform, marked, axes)
