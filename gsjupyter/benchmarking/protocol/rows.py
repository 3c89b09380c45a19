"""A row under way: what it has so far, which is what it keeps if something happens to it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from gsjupyter.benchmarking.protocol.plan import Cost, Planned, guessed_cost
from gsjupyter.benchmarking.records import Block, Finding, Launch, Measurement, OperatorTime, OutputCheck, Setting
from gsjupyter.benchmarking.results.names import row_names
from gsjupyter.engines.messages import Array
from gsjupyter.errors import GsError


@dataclass
class Row:
    """A row and what has been measured of it.

    Parameters
    ----------
    planned : Planned
        What to measure.
    batch : int
        How many samples each run takes.
    cost : Cost
        How long it takes, as far as that is known.
    title : str
        What to call it while it runs: short, and no other row is called so.
    arrays : tuple of ndarray
        Its input.
    origin : tuple of ndarray, optional
        The user's arrays that the input was made of; None if it is random.
    outputs : tuple of ndarray, optional
        What its first run gave; None if it never ran.
    written_batch : int, optional
        The batch size that its file names, if it was run on another one.
    repeated_db : float
        The lowest SQNR of another launch's first outputs against these, in decibel; infinite if all are equal.
    """

    planned: Planned
    batch: int
    cost: Cost
    title: str = ""
    arrays: tuple[Array, ...] = ()
    origin: tuple[Array, ...] | None = None
    outputs: tuple[Array, ...] | None = None
    written_batch: int | None = None
    repeated_db: float = math.inf
    launches: list[Launch] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    check: OutputCheck | None = None
    operators: tuple[OperatorTime, ...] = ()
    findings: tuple[Finding, ...] = ()
    obstacle: str = ""
    advice: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it still runs."""
        return not self.obstacle

    @property
    def name(self) -> str:
        """What it runs."""
        return self.planned.subject.label

    @property
    def digest(self) -> str:
        """The digest of its file; empty if it has none."""
        file = self.planned.subject.files.get(self.planned.engine)
        return file.digest if file is not None else ""

    @property
    def medians_s(self) -> list[float]:
        """The median of each of its blocks."""
        return [float(np.median(block.durations_s)) for block in self.blocks]

    def give_up(self, error: GsError) -> None:
        """Take note of why it can't go on."""
        self.obstacle, self.advice = error.message, error.advice

    def setting(self, host: str) -> Setting:
        """Return what it was measured with."""
        planned = self.planned
        return Setting(
            subject=planned.subject.label,
            engine=planned.engine,
            target=planned.target,
            batch=self.batch,
            threads=planned.threads,
            host=host,
            provider=planned.provider if planned.engine == "onnxruntime" else "",
            digest=self.digest,
        )

    def measurement(self, host: str) -> Measurement:
        """Return the row as the result has it."""
        file = self.planned.subject.files.get(self.planned.engine)
        return Measurement(
            setting=self.setting(host),
            size_bytes=file.size_bytes if file is not None else 0,
            launches=tuple(self.launches),
            blocks=tuple(self.blocks),
            check=self.check,
            operators=self.operators,
            findings=self.findings,
            obstacle=self.obstacle,
            advice=self.advice,
        )


def rows_of(planned: Iterable[Planned]) -> list[Row]:
    """Return rows that nothing is known of yet but what is in their way."""
    rows = [
        Row(item, item.batch or 1, guessed_cost(item.engine), obstacle=item.obstacle, advice=item.advice)
        for item in planned
    ]
    for row, title in zip(rows, row_names([row.setting("") for row in rows]), strict=True):
        row.title = title
    return rows
