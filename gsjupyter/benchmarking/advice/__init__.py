"""Answers "why is int8 slower?" for the rows of a benchmark: figures alone leave that to the user.

Each rule looks at a row with all that is known of it, and says what was seen, what to change and what to expect of it;
or nothing. One file a family of rules.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

from gsjupyter.benchmarking.advice.call_overhead import call_overhead
from gsjupyter.benchmarking.advice.compile_time import compile_time
from gsjupyter.benchmarking.advice.evidence import THIS_MACHINE, Evidence, MachineFacts
from gsjupyter.benchmarking.advice.integer_types import signed_activations, unsigned_weights
from gsjupyter.benchmarking.advice.layout_changes import layout_changes
from gsjupyter.benchmarking.advice.network_files import NetworkFiles
from gsjupyter.benchmarking.advice.reference_kernels import fallback_to_cpu, float16_on_cpu, slow_convolutions
from gsjupyter.benchmarking.advice.slower_than_float import slower_than_float
from gsjupyter.benchmarking.advice.stored_integers import no_integer_kernels, no_integer_kernels_on_cuda, weights_only
from gsjupyter.benchmarking.advice.thread_count import thread_count
from gsjupyter.benchmarking.advice.unfused_layers import conversions, dynamic_convolutions, unfused_layers
from gsjupyter.benchmarking.records import Finding, Machine, Measurement, Setting

__all__ = ["RULES", "Evidence", "MachineFacts", "NetworkFiles", "Rule", "advise", "findings_of"]

Rule: TypeAlias = Callable[[Evidence], Finding | None]

RULES: Final[tuple[Rule, ...]] = (
    slow_convolutions,
    no_integer_kernels,
    no_integer_kernels_on_cuda,
    weights_only,
    dynamic_convolutions,
    signed_activations,
    unsigned_weights,
    unfused_layers,
    conversions,
    float16_on_cpu,
    fallback_to_cpu,
    layout_changes,
    thread_count,
    call_overhead,
    compile_time,
)
"""What may be wrong, the graver first."""

_log = logging.getLogger(__name__)


def advise(
    rows: Iterable[Measurement],
    machines: Mapping[str, Machine],
    files: Mapping[Setting, Path],
    *,
    facts: MachineFacts = THIS_MACHINE,
) -> tuple[Measurement, ...]:
    """Return the rows of a benchmark with what could be better about each.

    A file that can't be read, or a rule that fails, costs nothing but its findings; an interrupt only those that are
    left.

    Parameters
    ----------
    rows : iterable of Measurement
        The rows. What was found of them before stays.
    machines : mapping of str to Machine
        What they ran on, by host.
    files : mapping of Setting to Path
        What ran, as far as it is at hand.
    facts : MachineFacts
        What is measured of this machine, if a rule asks for it and it hasn't been measured before.
    """
    measured = tuple(rows)
    advised = list(measured)
    with NetworkFiles(files) as networks:
        try:
            for index, row in enumerate(measured):
                if row.has_figures:
                    evidence = Evidence(row, measured, machines.get(row.setting.host), networks, facts)
                    advised[index] = _with_findings(row, findings_of(evidence))
        except KeyboardInterrupt:
            _log.info("advice was interrupted")
    return tuple(advised)


def findings_of(evidence: Evidence) -> tuple[Finding, ...]:
    """Return what all rules find of a row, in their order, and last whether that explains what int8 doesn't gain."""
    found: list[Finding] = []
    for rule in RULES:
        finding = _asked(lambda rule=rule: rule(evidence), rule.__name__)  # type: ignore[misc]  # bound here
        found += [finding] if finding is not None else []
    last = _asked(lambda: slower_than_float(evidence, found), slower_than_float.__name__)
    return (*found, last) if last is not None else tuple(found)


def _asked(rule: Callable[[], Finding | None], name: str) -> Finding | None:
    try:
        return rule()
    except Exception:  # noqa: BLE001 - no advice is worth the figures
        _log.debug("the rule %s failed", name, exc_info=True)
        return None


def _with_findings(row: Measurement, found: tuple[Finding, ...]) -> Measurement:
    rules = {finding.rule for finding in found}
    return replace(row, findings=(*(item for item in row.findings if item.rule not in rules), *found))
