"""Networks so small that calling them is what takes the time: fewer bits leave that as it is.

What a call and an operator cost at the least was measured with chains of products of 8 x 8 on an AMD EPYC: ONNX Runtime
1.32 takes 3.5 us for a call and 0.23 us for each operator, MindSpore 2.10 80 us and 2 us. Other processors take more or
less, so it is told as about what it is.
"""

from dataclasses import dataclass
from typing import Final

from gsjupyter.benchmarking.advice.evidence import Evidence
from gsjupyter.benchmarking.advice.wording import percent, plural, times
from gsjupyter.benchmarking.protocol.live import duration
from gsjupyter.benchmarking.records import ENGINE_TITLES, Finding

_LEAST_SHARE: Final = 1 / 3
_NEARLY_ALL: Final = 0.9
# No network is known that has so many operators that its overhead comes to this.
_LONGEST_S: Final = 5e-3


@dataclass(frozen=True)
class _Overhead:
    call_s: float
    operator_s: float


_OVERHEADS: Final = {"onnxruntime": _Overhead(3.5e-6, 0.23e-6), "mindspore": _Overhead(80e-6, 2e-6)}


def call_overhead(evidence: Evidence) -> Finding | None:
    """Say that calling the network and its operators takes a large part of a run."""
    setting = evidence.row.setting
    overhead = _OVERHEADS.get(setting.engine)
    if overhead is None or setting.target != "cpu" or evidence.median_s > _LONGEST_S:
        return None
    operators = _operators(evidence)
    if operators is None:
        return None
    least_s = overhead.call_s + operators * overhead.operator_s
    share = least_s / evidence.median_s
    if share < _LEAST_SHARE:
        return None
    part = f"about {duration(least_s)} ({percent(share)})" if share < _NEARLY_ALL else "nearly all"
    symptom = (
        f"a run takes {duration(evidence.median_s)} at batch {setting.batch}, of which {part} is what "
        f"{ENGINE_TITLES[setting.engine]} takes to call it and its {plural(operators, 'operator')}, whatever they "
        "compute: fewer bits gain nothing there"
    )
    remedy = "Give it more samples at once (batches=[1, 8, 32] measures it), or keep this network in float"
    if setting.engine == "mindspore":
        remedy += "; ONNX Runtime takes a tenth of that for a call"
    return Finding("call-overhead", symptom, remedy, _gain(evidence))


def _operators(evidence: Evidence) -> int | None:
    if evidence.running is not None:
        return len(evidence.running.nodes)
    return evidence.mindir.operators if evidence.mindir is not None else None


def _gain(evidence: Evidence) -> str:
    """Return what a larger batch of the same row gains for each sample, where it was measured."""
    larger = [row for row in evidence.others("batch") if row.setting.batch > evidence.row.setting.batch]
    found = evidence.faster(larger)
    return (
        f"{times(found[1])} as many samples per second at batch {found[0].setting.batch}, as measured here"
        if found
        else ""
    )
