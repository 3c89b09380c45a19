"""The panel's benchmark: what there is to measure, where, and what was found, as ``BenchmarkState`` of types.ts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gsjupyter.choices import check_choice
from gsjupyter.errors import OptionError
from gsjupyter.report import format_bytes, printable
from gsjupyter.widgets.commands import Measurement

if TYPE_CHECKING:
    from gsjupyter.benchmarking.results.result import Benchmark
    from gsjupyter.benchmarking.targets.targets import Targets
    from gsjupyter.conversion import Conversion

NOTHING: Final[dict[str, Any]] = {"subjects": [], "targets": None, "live": "", "document": None, "state": "none"}
"""The state before anything was measured."""


@dataclass(frozen=True)
class Subject:
    """Something to measure.

    Parameters
    ----------
    key : str
        What the browser calls it.
    label : str
        What the benchmark calls it.
    detail : str
        More to tell them apart.
    thing : callable
        Returns what `gs.benchmark` takes: a network, a conversion, or a file.
    """

    key: str
    label: str
    detail: str
    thing: Callable[[], Any]

    def to_json(self) -> dict[str, str]:
        """Return it as the browser has it."""
        return {"key": self.key, "label": self.label, "detail": self.detail}


def subjects_of(
    source: Callable[[], Any], name: str, conversions: Mapping[int, "Conversion"], exported: Sequence[Mapping[str, Any]]
) -> list[Subject]:
    """Return what there is to measure: the source, applied conversions, exported files.

    Parameters
    ----------
    source : callable
        Returns the network, as `gs.benchmark` takes it.
    name : str
        What it is called.
    conversions : mapping of int to Conversion
        What was applied, by the result's number.
    exported : sequence of mapping
        The files, ``Exported`` of types.ts.
    """
    network = Subject("source", printable(f"{name} (source)"), "the network as it was given", source)
    applied = [_applied(number, conversion) for number, conversion in conversions.items()]
    return [network, *applied, *(_file(item["path"], item["size_bytes"]) for item in exported)]


def _applied(number: int, conversion: "Conversion") -> Subject:
    detail = f"{conversion.name}, {format_bytes(conversion.model.size_bytes)}"
    return Subject(f"result:{number}", printable(f"#{number} {conversion.formats}"), detail, lambda: conversion)


def _file(path: str, size_bytes: int) -> Subject:
    return Subject(f"file:{path}", printable(path), format_bytes(size_bytes), lambda: path)


def things_of(subjects: Sequence[Subject], wanted: Sequence[str]) -> dict[str, Any]:
    """Return what `gs.benchmark` is to measure, by label.

    Raises
    ------
    OptionError
        If nothing is wanted, or something that isn't there.
    """
    known = {subject.key: subject for subject in subjects}
    if not wanted:
        raise OptionError("nothing was chosen to be measured.", advice="Choose the source, a conversion or a file.")
    for key in wanted:
        check_choice("a subject", key, known)
    return {known[key].label: known[key].thing() for key in wanted}


def arguments_of(command: Measurement) -> dict[str, Any]:
    """Return the arguments of `gs.benchmark`, apart from what to measure and on what input."""
    if not command.targets:
        raise OptionError("no target was chosen.", advice="Choose where to measure: the CPU is always there.")
    return {
        "targets": command.targets,
        "engines": command.engines or None,
        "batches": command.batches or None,
        "threads": command.threads or None,
        "duration_s": command.duration_s,
        "launches": command.launches,
    }


def targets_data(found: "Targets") -> list[dict[str, Any]]:
    """Return where models can run, and why not elsewhere."""
    return [
        {
            "target": place.target,
            "engine": place.engine,
            "available": place.is_available,
            "device": f"{place.title} {place.details}".strip(),
            "reason": f"{place.obstacle} {place.advice}".strip(),
        }
        # Another way to run on the same device, which few have: it is no lack.
        for place in found
        if place.is_available or place.provider != "tensorrt"
    ]


def measured_data(result: "Benchmark | None") -> dict[str, Any]:
    """Return what a benchmark changes in the state: its report, and whether it is complete; none, if there is none."""
    if result is None:
        return {"document": None, "state": "none"}
    return {"document": result.document().to_json(), "state": "complete" if result.is_complete else "stopped"}
