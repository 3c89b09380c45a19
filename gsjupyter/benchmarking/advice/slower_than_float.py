"""The question itself: int8 is no faster than float. Either a finding explains it, or it is said that none does."""

from collections.abc import Sequence
from typing import Final

from gsjupyter.benchmarking.advice.evidence import Evidence
from gsjupyter.benchmarking.advice.wording import percent, times
from gsjupyter.benchmarking.records import Finding

_SAME: Final = 1.05
_NO_CAUSE: Final = frozenset(("compile-time",))
_LONGEST: Final = 3


def slower_than_float(evidence: Evidence, found: Sequence[Finding]) -> Finding | None:
    """Say that a network in integers is slower than, or as fast as, the same in float, and what explains it.

    Parameters
    ----------
    evidence : Evidence
        The row.
    found : sequence of Finding
        What other rules have found of it.
    """
    if evidence.numbers not in ("integers", "integer weights"):
        return None
    sister = evidence.float_sister
    comparison = evidence.against(sister) if sister is not None else None
    if sister is None or comparison is None or comparison.speed_up is None:
        return None
    factor, name = comparison.speed_up, evidence.name_of(sister)
    if comparison.verdict == "faster":
        symptom = f"it is slower than the same network in float: {name} is {times(factor.estimate)} as fast"
    elif factor.low > 1 / _SAME:
        symptom = f"it is no faster than the same network in float, {name}"
    else:
        return None
    if any(finding.rule not in _NO_CAUSE for finding in found):
        return Finding("slower-than-float", symptom, "The other notes on it say why, and what to do")
    return Finding("slower-than-float", symptom, _what_to_look_at(evidence))


def _what_to_look_at(evidence: Evidence) -> str:
    unknown = "None of the causes that gsjupyter knows was found"
    if not evidence.row.operators:
        return (
            f"{unknown}. Measure both with operators=True and compare what their operators take; until then use float"
        )
    longest = [
        f"{item.operator} {item.layer or item.name} {percent(item.share)}" for item in evidence.row.operators[:_LONGEST]
    ]
    return f"{unknown}. Most time goes into {', '.join(longest)}: keep these layers in float (--keep) and measure again"
