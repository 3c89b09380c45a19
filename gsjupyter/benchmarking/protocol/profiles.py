"""What each operator takes, measured apart: a profiler slows down what it looks at, so it sees no timed process."""

import math
from collections.abc import Sequence
from typing import Final

from gsjupyter.benchmarking.operators import operator_times
from gsjupyter.benchmarking.protocol.live import Live
from gsjupyter.benchmarking.protocol.processes import Procedure
from gsjupyter.benchmarking.protocol.rows import Row
from gsjupyter.benchmarking.records import OperatorTime
from gsjupyter.errors import GsError

_PROFILED_S: Final = 0.5
_LEAST_RUNS: Final = 5
_MOST_RUNS: Final = 50
_SLOWER: Final = 10
"""How many times as long as otherwise a run may take under a profiler."""


def profile_rows(rows: Sequence[Row], procedure: Procedure, live: Live) -> list[str]:
    """Profile each row that was timed, in a process of its own, and note in it what its operators take.

    Returns
    -------
    list of str
        Which rows couldn't be profiled, and why.
    """
    notes = []
    for row in rows:
        if not row.blocks or not row.is_open:
            continue
        live.step(f"profile {row.title}")
        try:
            row.operators = _operators(row, procedure)
        except GsError as error:
            notes.append(f"{row.title}: its operators couldn't be timed: {error.message}")
    return notes


def _operators(row: Row, procedure: Procedure) -> tuple[OperatorTime, ...]:
    run_s = row.cost.run_s
    runs = min(_MOST_RUNS, max(_LEAST_RUNS, math.ceil(_PROFILED_S / run_s)))
    limits, file = procedure.limits, row.planned.subject.files[row.planned.engine]
    with procedure.start(row.planned) as model:
        model.start(limits.load(file.size_bytes, compiles=row.planned.compiles))
        first = model.first_run(row.arrays, limit_s=limits.first_run_s)
        limit_s = limits.block(first.duration_s, _SLOWER * runs * run_s, runs)
        records = model.operators(runs, limit_s=limit_s)
    conversion = row.planned.subject.conversion
    layers = [layer.name for layer in conversion.layers] if conversion is not None else ()
    return operator_times(records, layers)
