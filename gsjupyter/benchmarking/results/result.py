"""What a benchmark gives: figures with what makes them trustworthy, to look at, to keep, and to add to others."""

import difflib
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, SupportsIndex, TypeAlias

from gsjupyter.benchmarking.layer_times import LayerTimes, layer_times
from gsjupyter.benchmarking.records import Machine, Measurement, Setting
from gsjupyter.benchmarking.results.names import row_names
from gsjupyter.benchmarking.results.remarks import WRONG
from gsjupyter.benchmarking.statistics.comparison import Comparison, compare
from gsjupyter.benchmarking.statistics.latency import Latency, latency_of
from gsjupyter.errors import OptionError, WriteError
from gsjupyter.report import Document, LayerRecord, Shown
from gsjupyter.report.existing_file import check_free

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

OptionValue: TypeAlias = bool | int | float | str | None
Row: TypeAlias = SupportsIndex | str | Setting | Measurement
"""How to say which row: its number, its name (the subject's label, if that has one row), its setting, or itself."""


@dataclass(frozen=True, repr=False)
class Benchmark(Shown):
    """Inference measured: each row is a model in an engine on a target, with a batch size and a number of threads.

    Parameters
    ----------
    rows : tuple of Measurement
        What was measured, and what could not be.
    machines : mapping of str to Machine
        Where, by the host of the rows' settings.
    created : str
        When it began, in ISO 8601 with the time zone.
    options : mapping of str to value
        What it was measured with; a tuple of values where results with different options were added.
    notes : tuple of str
        What the user should know.
    is_complete : bool
        Whether it ran to its end.
    baseline : Setting, optional
        The row that the others are compared with; if None, the first with figures whose outputs aren't wrong.

    Examples
    --------
    >>> result = gs.benchmark(["lenet.mindir", "lenet.onnx"])
    >>> result.compared_with("lenet.onnx")
    >>> (result + gs.Benchmark.load("yesterday.json")).plot("latency")
    """

    rows: tuple[Measurement, ...]
    machines: Mapping[str, Machine]
    created: str
    options: Mapping[str, OptionValue | tuple[OptionValue, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    is_complete: bool = True
    baseline: Setting | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Measurement]:
        return iter(self.rows)

    def __getitem__(self, row: Row) -> Measurement:
        return self.rows[self.place_of(row)]

    def __add__(self, other: object) -> "Benchmark":
        if not isinstance(other, Benchmark):
            return NotImplemented
        from gsjupyter.benchmarking.results.addition import added

        return added(self, other)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A short name for each row, in which rows differ."""
        return row_names([row.setting for row in self.rows])

    @cached_property
    def latencies(self) -> tuple[Latency | None, ...]:
        """The figures of each row with their intervals; None for a row that has none."""
        return tuple(latency_of(row) if row.has_figures else None for row in self.rows)

    @cached_property
    def comparisons(self) -> tuple[Comparison | None, ...]:
        """Each row against the baseline; None for the baseline itself, and where nothing was measured at all."""
        place = self.baseline_place
        return compare(self.rows, place) if place is not None else (None,) * len(self.rows)

    @property
    def baseline_place(self) -> int | None:
        """The number of the row that others are compared with; None if no row has figures."""
        settings = [row.setting for row in self.rows]
        if self.baseline in settings:
            return settings.index(self.baseline)
        measured = [place for place, row in enumerate(self.rows) if row.has_figures]
        # Whatever computes something else is a poor yardstick.
        right = (place for place in measured if all(finding.rule != WRONG for finding in self.rows[place].findings))
        return next(right, measured[0] if measured else None)

    @property
    def sessions(self) -> tuple[str, ...]:
        """The calls of `benchmark` that it holds, in the order of the rows."""
        parts = (part for row in self.rows for kind in (row.launches, row.blocks) for part in kind)
        return tuple(dict.fromkeys(part.session for part in parts))

    def place_of(self, row: Row) -> int:
        """Return the number of a row.

        Raises
        ------
        OptionError
            If there is no such row, or several of that name; the message says which there are.
        """
        if isinstance(row, SupportsIndex):
            row = operator.index(row)
            if not -len(self.rows) <= row < len(self.rows):
                # Also what ends a loop over it.
                raise IndexError(f"there is no row {row}: they are 0 to {len(self.rows) - 1}.")
            return row % len(self.rows)
        if isinstance(row, Setting | Measurement):
            setting = row if isinstance(row, Setting) else row.setting
            found = [place for place, item in enumerate(self.rows) if item.setting == setting]
            if not found:
                raise OptionError(f"this benchmark has no row for {setting.subject} with that setting.")
            return found[0]
        if row in self.names:
            return self.names.index(row)
        found = [place for place, item in enumerate(self.rows) if item.setting.subject == row]
        if len(found) > 1:
            names = "; ".join(self.names[place] for place in found)
            raise OptionError(f"{row} has {len(found)} rows.", advice=f"Say which, or give its number: {names}.")
        if not found:
            known = list(dict.fromkeys((*self.names, *(item.setting.subject for item in self.rows))))
            near = difflib.get_close_matches(str(row), known, 1)
            # Names have commas in them.
            raise OptionError(
                f"this benchmark has no row {row!r}, only {'; '.join(known)}.",
                advice=f"Did you mean {near[0]}?" if near else "",
            )
        return found[0]

    def compared_with(self, row: Row) -> "Benchmark":
        """Return the same benchmark with another row as the baseline.

        Parameters
        ----------
        row : int, str, Setting or Measurement
            Which row: by number, name or setting.

        Raises
        ------
        OptionError
            If there is no such row, or it has no figures.
        """
        place = self.place_of(row)
        if not self.rows[place].has_figures:
            raise OptionError(f"{self.names[place]} was not timed, so nothing can be compared with it.")
        return replace(self, baseline=self.rows[place].setting)

    def document(self) -> Document:
        """Return what to show."""
        from gsjupyter.benchmarking.results.overview import document_of

        return document_of(self)

    def operators(self, row: Row, layers: Sequence[LayerRecord] = ()) -> LayerTimes:
        """Return what the layers of a row take, the longest first.

        Parameters
        ----------
        row : int, str, Setting or Measurement
            Which row: by number, name or setting.
        layers : sequence of LayerRecord
            `Conversion.layers` of the conversion that ran, to see what quantization did beside it.

        Raises
        ------
        OptionError
            If there is no such row, or its operators were not measured.
        """
        place = self.place_of(row)
        operators, latency = self.rows[place].operators, self.latencies[place]
        if not operators:
            raise OptionError(
                f"what the operators of {self.names[place]} take is not known.",
                advice="Measure it with operators=True (%gs_bench --operators); some engines don't tell.",
            )
        return layer_times(operators, layers, latency_s=latency.median_s.estimate if latency is not None else None)

    def to_pandas(self) -> "pd.DataFrame":
        """Return a row for each row with all its figures, in seconds, bytes and joule, indexed by their names.

        Raises
        ------
        UnsupportedError
            If pandas is not installed.
        """
        from gsjupyter.benchmarking.results.row_figures import RowFigures, row_figures
        from gsjupyter.report.frames import data_frame

        return data_frame(row_figures(self), RowFigures)

    def plot(self, kind: str = "latency", axes: "Axes | None" = None) -> "Axes":
        """Draw the benchmark as a figure for a paper.

        Parameters
        ----------
        kind : {"latency", "throughput", "tradeoff"}
            The latency of each row with its interval; samples per second over the batch size; or latency over size,
            coloured by how near the outputs are to the reference.
        axes : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Raises
        ------
        OptionError
            If the kind is unknown, or there is nothing of it to draw.
        """
        from gsjupyter.benchmarking.results.figures import plot

        return plot(self, kind, axes)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the benchmark to a file: ``.json`` to load it again, ``.html`` as a page to show around.

        Parameters
        ----------
        path : str or Path
            Where. Nothing is left there if it can't be written.
        overwrite : bool
            Whether to replace a file that is there.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OptionError
            If the suffix is another.
        WriteError
            If the file exists, the folder can't be written, or the disk is full.
        """
        from gsjupyter.benchmarking.results.storage import save

        return save(self, path, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> "Benchmark":
        """Read a benchmark that was saved as ``.json``.

        Raises
        ------
        ResultFileError
            If it isn't there, is damaged or of a later version, or is something else; the message says where.
        """
        from gsjupyter.benchmarking.results.storage import load

        return load(path)


def check_saved(path: str | Path, *, overwrite: bool = False) -> Path:
    """Return where to write a benchmark: what forbids it is told before the work.

    Raises
    ------
    OptionError
        If the suffix is neither ``.json`` nor ``.html``.
    WriteError
        If the file exists, or is a folder, or there is no folder to write it in.
    """
    target = Path(path).expanduser()
    if target.is_dir():
        raise WriteError(f"{target} is a folder.", advice="Give the name of a file in it.")
    if target.suffix.lower() not in (".json", ".html"):
        raise OptionError(
            f"{target.name or target} ends in neither .json (to load again) nor .html (a page to show around).",
            advice=f"Try {target.with_suffix('.json').name}." if target.name else "Give the name of a file.",
        )
    if not target.parent.is_dir():
        raise WriteError(f"there is no folder {target.parent} to write in.", advice="Make the folder first.")
    if not overwrite:
        check_free(target)
    return target
