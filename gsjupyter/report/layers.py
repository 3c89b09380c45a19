"""The per-layer table of a conversion: a sequence of records, a table, a data frame, a figure."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, overload

from gsjupyter.errors import OptionError
from gsjupyter.report.document import Document, Table
from gsjupyter.report.frames import data_frame
from gsjupyter.report.layer_columns import cells_of, shown_columns, sorted_records
from gsjupyter.report.layer_errors import LayerErrors
from gsjupyter.report.layer_record import LayerRecord
from gsjupyter.report.shown import Shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["LayerRecord", "Layers"]


class Layers(Shown, Sequence[LayerRecord]):
    """The layers of a conversion, in the order in which they run unless they were sorted.

    Parameters
    ----------
    records : sequence of LayerRecord
        One for each layer with a weight.
    is_detailed : bool
        Whether the table shows every figure, or the main ones.
    """

    def __init__(self, records: Sequence[LayerRecord], *, is_detailed: bool = False) -> None:
        self._records = tuple(records)
        self.is_detailed = is_detailed

    @overload
    def __getitem__(self, index: int) -> LayerRecord: ...
    @overload
    def __getitem__(self, index: slice) -> "Layers": ...
    def __getitem__(self, index: int | slice) -> "LayerRecord | Layers":
        """Return a layer by number, or several as another table."""
        return self._with(self._records[index]) if isinstance(index, slice) else self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[LayerRecord]:
        return iter(self._records)

    def _with(self, records: Sequence[LayerRecord]) -> "Layers":
        return Layers(records, is_detailed=self.is_detailed)

    def detailed(self) -> "Layers":
        """Return the same layers with a table that shows every figure."""
        return Layers(self._records, is_detailed=True)

    def sorted_by(self, column: str) -> "Layers":
        """Return the layers in the order of a column, the worst first where there is a worst; missing values last.

        Parameters
        ----------
        column : str
            What to sort by: ``"sqnr"``, ``"size"``, ``"share"``, ``"name"``, or another of
            `gsjupyter.report.layer_columns.COLUMN_NAMES`; a field of `LayerRecord` will do as well.

        Raises
        ------
        OptionError
            If there is no such column; the message names the nearest.
        """
        return self._with(sorted_records(self, column))

    def top(self, count: int) -> "Layers":
        """Return the first layers.

        Raises
        ------
        OptionError
            If the count is negative.
        """
        if count < 0:
            raise OptionError(f"the number of layers can't be {count}.")
        return self[:count]

    def matching(self, *patterns: str) -> "Layers":
        """Return the layers that a name or glob means, ``"conv*"`` for example.

        Raises
        ------
        OptionError
            If one means no layer; the message names the nearest.
        """
        names = [record.name for record in self]
        for pattern in patterns:
            if not any(_is_meant(name, [pattern]) for name in names):
                near = difflib.get_close_matches(pattern, names, 1)
                hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(names[:8]) or 'none'}."
                raise OptionError(f"no layer of the table matches {pattern!r}.", advice=hint)
        return self._with([record for record in self if _is_meant(record.name, patterns)])

    def with_shares(self, shares: Mapping[str, float]) -> "Layers":
        """Return the layers with their predicted shares of the output's error.

        Parameters
        ----------
        shares : mapping of str to float
            Fractions by layer name. Layers that it doesn't hold have none.
        """
        return self._with([replace(record, error_share=shares.get(record.name)) for record in self])

    def with_errors(self, errors: LayerErrors) -> "Layers":
        """Return the layers with the errors that each makes alone and in all, as `gsjupyter.layer_errors` measures."""
        found = {item.name: item for item in errors}
        return self._with(
            [
                replace(record, isolated_sqnr_db=item.isolated_sqnr_db, accumulated_sqnr_db=item.accumulated_sqnr_db)
                if (item := found.get(record.name)) is not None
                else record
                for record in self
            ]
        )

    def table(self) -> Table:
        """Return the table that reports show."""
        return Table("Layers", shown_columns(self, detailed=self.is_detailed), [cells_of(record) for record in self])

    def document(self) -> Document:
        """Return what to show."""
        return Document(f"{len(self)} layers", [self.table()])

    def to_pandas(self) -> "pd.DataFrame":
        """Return all figures as a data frame, a row a layer, indexed by its name.

        Raises
        ------
        UnsupportedError
            If pandas is not installed.
        """
        return data_frame(self, LayerRecord)

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw each layer's SQNR, of its weight and, where quantized, of its input, as a figure for a paper.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a new figure by default.
        """
        from gsjupyter.report.figures import plot_layers

        return plot_layers(self, axes)

    def plot_ranges(self, axes: "Axes | None" = None) -> "Axes":
        """Draw how far the ranges of each weight's output channels lie apart, as box plots.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a new figure by default.
        """
        from gsjupyter.report.figures import plot_ranges

        return plot_ranges(self, axes)


def _is_meant(name: str, patterns: Iterable[str]) -> bool:
    # A name may hold what a glob takes for a sign of its own.
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)
