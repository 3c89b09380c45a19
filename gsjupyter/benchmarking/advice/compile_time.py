"""The first run compiles: who times it, or starts a process for each run, measures the compiler."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from gsjupyter.benchmarking.advice.evidence import Evidence
from gsjupyter.benchmarking.advice.wording import plural
from gsjupyter.benchmarking.protocol.live import duration
from gsjupyter.benchmarking.records import Finding, Launch, Measurement

_LEAST_RUNS: Final = 10.0
_LEAST_S: Final = 0.5


def compile_time(evidence: Evidence) -> Finding | None:
    """Say that loading and the first run take as long as many runs, and from how many on another row is worth it."""
    row = evidence.row
    if not row.launches:
        return None
    first_s, start_s = _first_run_s(row.launches), _start_s(row)
    extra_s = first_s - evidence.median_s
    if extra_s < _LEAST_S or extra_s < _LEAST_RUNS * evidence.median_s:
        return None
    runs = math.ceil(extra_s / evidence.median_s)
    symptom = (
        f"the first run takes {duration(first_s)} and all others {duration(evidence.median_s)}: it compiles, which is "
        f"as long as {plural(runs, 'run')}, and a timing that counts it is wrong"
    )
    remedy = "Keep the process, and run the network once before it is needed"
    if (other := _sooner(evidence, start_s)) is not None:
        until = math.ceil((start_s - _start_s(other)) / (_median_s(other) - evidence.median_s))
        remedy += f". For less than {plural(until, 'run')} in a process {evidence.name_of(other)} is sooner done"
    return Finding("compile-time", symptom, remedy, f"{duration(extra_s)} less for whoever comes first")


def _sooner(evidence: Evidence, start_s: float) -> Measurement | None:
    """Return the same network in another engine or provider that starts sooner and runs slower."""
    others = [
        *evidence.sisters("engine", "provider", "target"),
        *evidence.others("engine", "provider", "target", "digest"),
    ]
    found = [
        other
        for other in others
        if other.launches and _start_s(other) < start_s and _median_s(other) > 1.02 * evidence.median_s
    ]
    return min(found, key=_start_s, default=None)


def _first_run_s(launches: Sequence[Launch]) -> float:
    return float(np.median([launch.first_run_s for launch in launches]))


def _start_s(row: Measurement) -> float:
    return float(np.median([launch.load_s + launch.first_run_s for launch in row.launches]))


def _median_s(row: Measurement) -> float:
    return float(np.median(row.durations_s))
