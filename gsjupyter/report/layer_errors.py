"""Where a network's error comes from: what each layer adds alone, beside what has piled up by then."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, overload

from gsjupyter.report.document import Column, Document, Facts, Table
from gsjupyter.report.frames import data_frame
from gsjupyter.report.shown import Shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class LayerError:
    """How near one layer's output is to that of the float network.

    Parameters
    ----------
    name : str
        The layer's name.
    isolated_sqnr_db : float or None
        Signal to noise ratio of its output in decibel, with this layer alone quantized and fed with the float network's
        values; None if nothing of it is quantized.
    accumulated_sqnr_db : float
        The same in the converted network, with everything before it converted as well.
    """

    name: str
    isolated_sqnr_db: float | None
    accumulated_sqnr_db: float


class LayerErrors(Shown, Sequence[LayerError]):
    """The errors of a converted network, layer by layer, in the order in which they run.

    Parameters
    ----------
    errors : sequence of LayerError
        One for each layer with a weight.
    samples : int
        How many samples they were measured on.
    """

    def __init__(self, errors: Sequence[LayerError], samples: int) -> None:
        self._errors = tuple(errors)
        self.samples = samples

    @overload
    def __getitem__(self, index: int) -> LayerError: ...
    @overload
    def __getitem__(self, index: slice) -> "LayerErrors": ...
    def __getitem__(self, index: int | slice) -> "LayerError | LayerErrors":
        """Return a layer by number, or several as another table."""
        return LayerErrors(self._errors[index], self.samples) if isinstance(index, slice) else self._errors[index]

    def __len__(self) -> int:
        return len(self._errors)

    def __iter__(self) -> Iterator[LayerError]:
        return iter(self._errors)

    def table(self) -> Table:
        """Return the table that reports show."""
        columns = [
            Column("name", "Layer"),
            Column("isolated_sqnr_db", "Isolated (dB)", "number", bar=True),
            Column("accumulated_sqnr_db", "Accumulated (dB)", "number", bar=True),
        ]
        return Table("Errors of the layers' outputs", columns, [asdict(error) for error in self])

    def document(self) -> Document:
        """Return what to show."""
        facts = Facts(
            [
                ("Isolated", "SQNR of the layer's output if only this layer is quantized"),
                ("Accumulated", "SQNR of its output in the converted network"),
                ("Measured on", f"{self.samples} sample{'s' if self.samples != 1 else ''}"),
            ]
        )
        return Document(f"{len(self)} layers", [facts, self.table()])

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table as a data frame, a row a layer, indexed by its name.

        Raises
        ------
        UnsupportedError
            If pandas is not installed.
        """
        return data_frame(self, LayerError)

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw both errors over the layers, as a figure for a paper.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a new figure by default.
        """
        from gsjupyter.report.figures import plot_errors

        return plot_errors(self, axes)
