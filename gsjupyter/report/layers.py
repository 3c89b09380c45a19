"""The per-layer table of a conversion: a sequence of records, a table, a data frame, a figure."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, overload

from gsjupyter.errors import UnsupportedError
from gsjupyter.report.document import Cell, Column, Document, Table
from gsjupyter.report.shown import Shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class LayerRecord:
    """One layer with a weight.

    Parameters
    ----------
    name : str
        The layer's name.
    operator : str
        MindSpore's operator.
    shape : tuple of int
        The weight's shape.
    parameters : int
        How many numbers the weight has.
    weights : str
        The weight's format, in words.
    activations : str
        The input's format, in words.
    scale_min, scale_max : float or None
        The smallest and largest scale of the weight; None in floating point.
    sqnr_db : float or None
        The weight's signal to quantization noise ratio in decibel; None in float32.
    activation_low, activation_high : float or None
        The input's calibrated range; None if it isn't quantized.
    bytes_before, bytes_after : int
        What the weight takes, scales included.
    note : str
        Why a layer was left alone, where it was.
    """

    name: str
    operator: str
    shape: tuple[int, ...]
    parameters: int
    weights: str
    activations: str
    scale_min: float | None
    scale_max: float | None
    sqnr_db: float | None
    activation_low: float | None
    activation_high: float | None
    bytes_before: int
    bytes_after: int
    note: str = ""


class Layers(Shown, Sequence[LayerRecord]):
    """The layers of a conversion, in the order in which they run.

    Parameters
    ----------
    records : sequence of LayerRecord
        One for each layer with a weight.
    """

    def __init__(self, records: Sequence[LayerRecord]) -> None:
        self._records = tuple(records)

    @overload
    def __getitem__(self, index: int) -> LayerRecord: ...
    @overload
    def __getitem__(self, index: slice) -> "Layers": ...
    def __getitem__(self, index: int | slice) -> "LayerRecord | Layers":
        """Return a layer by number, or several as another table."""
        return Layers(self._records[index]) if isinstance(index, slice) else self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[LayerRecord]:
        return iter(self._records)

    def table(self) -> Table:
        """Return the table that reports show."""
        columns = [
            Column("name", "Layer"),
            Column("operator", "Operator"),
            Column("shape", "Shape"),
            Column("weights", "Weights"),
            Column("activations", "Inputs"),
            Column("bytes_before", "Before", "bytes"),
            Column("bytes_after", "After", "bytes"),
            Column("sqnr_db", "SQNR (dB)", "number", bar=True),
        ]
        if any(record.note for record in self):
            columns.append(Column("note", "Note"))
        return Table("Layers", columns, [_row(record) for record in self])

    def document(self) -> Document:
        """Return what to show."""
        return Document(f"{len(self)} layers", [self.table()])

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table as a data frame, a row a layer, indexed by its name.

        Raises
        ------
        UnsupportedError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise UnsupportedError("to_pandas needs pandas.", advice="pip install pandas") from error
        names = [field.name for field in fields(LayerRecord)]
        return pd.DataFrame([asdict(record) for record in self], columns=names).set_index("name")

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw each layer's SQNR and bytes as a figure for a paper.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a new figure by default.
        """
        from gsjupyter.report.figures import plot_layers

        return plot_layers(self, axes)


def _row(record: LayerRecord) -> dict[str, Cell]:
    shape = " x ".join(map(str, record.shape))
    row = {key: value for key, value in asdict(record).items() if key != "shape"}
    return {**row, "shape": shape}
