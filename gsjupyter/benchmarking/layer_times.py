"""How long each layer takes beside what quantization did to it: a layer is worth its bits only if both are known."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, overload

from gsjupyter.benchmarking.records import OperatorTime
from gsjupyter.report import Column, Document, Facts, LayerRecord, Shown, Table
from gsjupyter.report.document import Cell
from gsjupyter.report.frames import data_frame

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

OUTSIDE: Final = "(outside of any layer)"
"""What the row is called of operators that are of no layer."""

_NAMED: Final = 4


@dataclass(frozen=True)
class LayerTime:
    """What a layer takes, and how it is stored.

    Figures of quantization are None for what has no weight, and where nothing is quantized.

    Parameters
    ----------
    name : str
        The layer's name, or that of another cell of the network; `OUTSIDE` for what is of none.
    runs_as : str
        The engine's operators that it is computed by, the longest first.
    duration_s : float
        What these take together.
    share : float
        Their share of the time of all operators.
    weights, activations : str, optional
        The format of its weight and of its input, in words.
    parameters : int, optional
        How many numbers its weight has.
    size_bytes : int, optional
        What its weight takes, scales included.
    sqnr_db, activation_sqnr_db : float, optional
        The signal to quantization noise ratio of its weight, and of its input, in decibel.
    error_share : float, optional
        The predicted share of the output's error, if that is known.
    """

    name: str
    runs_as: str
    duration_s: float
    share: float
    weights: str | None = None
    activations: str | None = None
    parameters: int | None = None
    size_bytes: int | None = None
    sqnr_db: float | None = None
    activation_sqnr_db: float | None = None
    error_share: float | None = None


class LayerTimes(Shown, Sequence[LayerTime]):
    """The time of a network's layers beside their quantization statistics, the longest first.

    Parameters
    ----------
    times : sequence of LayerTime
        One for each layer with a weight, for each other cell that takes time, and for what is of none.
    latency_s : float, optional
        The latency of a whole run, where it is known; the engine's own work between operators is in it as well.
    """

    def __init__(self, times: Sequence[LayerTime], latency_s: float | None = None) -> None:
        self._times = tuple(times)
        self.latency_s = latency_s

    @overload
    def __getitem__(self, index: int) -> LayerTime: ...
    @overload
    def __getitem__(self, index: slice) -> "LayerTimes": ...
    def __getitem__(self, index: int | slice) -> "LayerTime | LayerTimes":
        """Return a row by number, or several as another table."""
        return LayerTimes(self._times[index], self.latency_s) if isinstance(index, slice) else self._times[index]

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[LayerTime]:
        return iter(self._times)

    @property
    def duration_s(self) -> float:
        """The time of all rows together."""
        return sum(time.duration_s for time in self)

    def table(self) -> Table:
        """Return the table that reports show."""
        optional = [
            Column("weights", "Weights"),
            Column("activations", "Inputs"),
            Column("size_bytes", "Size", "bytes"),
            Column("sqnr_db", "SQNR (dB)", "number", bar=True),
            Column("activation_sqnr_db", "Input SQNR (dB)", "number", bar=True),
            Column("error_share", "Share of the error", "percent", bar=True),
        ]
        columns = [
            Column("name", "Layer"),
            Column("duration_ms", "Time (ms)", "number", digits=3),
            Column("share", "Share of time", "percent", bar=True),
            *(column for column in optional if any(getattr(time, column.key) is not None for time in self)),
            Column("runs_as", "Runs as"),
        ]
        return Table("Time by layer", columns, [_cells(time) for time in self])

    def document(self) -> Document:
        """Return what to show."""
        return Document("Time by layer", [Facts([("Together", self._total_in_words())]), self.table()])

    def _total_in_words(self) -> str:
        total = f"{self.duration_s * 1e3:.3g} ms"
        return (
            total
            if self.latency_s is None
            else f"{total} while it was profiled; a run takes {self.latency_s * 1e3:.3g} ms"
        )

    def to_pandas(self) -> "pd.DataFrame":
        """Return all figures as a data frame, indexed by the layers' names.

        Raises
        ------
        UnsupportedError
            If pandas is not installed.
        """
        return data_frame(self, LayerTime)

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw each row's share of time and, where quantized, the SQNR of its weight, as a figure for a paper.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a new figure, wide enough for the number of rows, by default.

        Returns
        -------
        Axes
            Of the bars; the dots in decibel have an axis of their own on the right.
        """
        from gsjupyter.report.figures.style import BLUE, ORANGE, height_of, layer_axes

        axes = layer_axes([time.name for time in self], axes)
        places = range(len(self))
        axes.bar(places, [100 * time.share for time in self], width=0.8, color=BLUE)
        axes.set_ylabel("share of time (%)")
        heights = [height_of(time.sqnr_db) for time in self]
        highest = max((height for height in heights if not math.isnan(height)), default=0.0)
        if highest > 0:
            right = axes.twinx()
            right.plot(places, heights, "o", color=ORANGE, markersize=4)
            right.set_ylabel("weight SQNR (dB), dots")
            right.set_ylim(0, 1.08 * highest)
            right.spines["top"].set_visible(False)
        return axes


def layer_times(
    operators: Sequence[OperatorTime], layers: Sequence[LayerRecord] = (), *, latency_s: float | None = None
) -> LayerTimes:
    """Return the time of each layer beside its quantization statistics.

    Parameters
    ----------
    operators : sequence of OperatorTime
        What the operators take, as `operator_times` returns it for the names of the same layers.
    layers : sequence of LayerRecord
        `Conversion.layers`. A layer that no operator was found of is there as well, with no time.
    latency_s : float, optional
        The latency of a whole run.
    """
    records = {record.name: record for record in layers}
    found: dict[str, list[OperatorTime]] = {name: [] for name in records}
    for operator in operators:
        found.setdefault(operator.layer, []).append(operator)
    times = [_layer_time(name, own, records.get(name)) for name, own in found.items()]
    return LayerTimes(sorted(times, key=lambda time: -time.duration_s), latency_s)


def _layer_time(name: str, operators: Sequence[OperatorTime], record: LayerRecord | None) -> LayerTime:
    shown, runs_as = name or OUTSIDE, _kinds(operators)
    duration_s = sum(operator.duration_s for operator in operators)
    share = sum(operator.share for operator in operators)
    if record is None:
        return LayerTime(shown, runs_as, duration_s, share)
    return LayerTime(
        shown,
        runs_as,
        duration_s,
        share,
        weights=record.weights,
        activations=record.activations,
        parameters=record.parameters,
        size_bytes=record.bytes_after,
        sqnr_db=record.sqnr_db,
        activation_sqnr_db=record.activation_sqnr_db,
        error_share=record.error_share,
    )


def _kinds(operators: Sequence[OperatorTime]) -> str:
    durations: dict[str, float] = defaultdict(float)
    for operator in operators:
        durations[operator.operator] += operator.duration_s
    kinds = sorted(durations, key=lambda kind: -durations[kind])
    return ", ".join(kinds[:_NAMED]) + (f" and {len(kinds) - _NAMED} more" if len(kinds) > _NAMED else "")


def _cells(time: LayerTime) -> Mapping[str, Cell]:
    return {**asdict(time), "duration_ms": time.duration_s * 1e3}
