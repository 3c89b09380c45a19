"""The tables of the zoo: printed at the end of a run, and kept in RESULTS.md and ONNX.md when the whole zoo was run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.zoo import onnx_table
from tests.zoo.networks import NAMES

_RESULTS = Path(__file__).with_name("RESULTS.md")
_MEGABYTE = 1e6

_HEADER = (
    "network",
    "parameters (M)",
    "float error",
    "int8 SQNR (dB)",
    "rounding (dB)",
    "file error",
    "float (MB)",
    "int8 (MB)",
    "ratio",
    "BatchNorm folded / left",
    "float (s)",
    "int8 (s)",
    "memory (MB)",
    "input share",
)

_LEGEND = """\
float error: of the float conversion against the source, largest over largest value. file error: likewise of the int8
file against its conversion, the larger of MindSpore's own loader and `gs.load`. int8 SQNR: of the output against the
source's, weights in 8 bits per channel; rounding: the same with random errors of up to half a step instead, which is
what 8 bits cost this network whoever rounds. ratio: of the two files. seconds: `gs.convert` with MindSpore's export and
the verification. memory: the most that the process held before / after the conversions, MindSpore and the network among
it. input share: how much of the output's power differs between samples. Weights are random, and networks.py says how
they are made.
"""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables; write each down if no network is missing."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    if conversions := _outcomes(reports, "zoo", NAMES):
        _show_conversions(terminalreporter, conversions)
    if written := _outcomes(reports, "onnx", onnx_table.NAMES):
        terminalreporter.section("ONNX")
        terminalreporter.write_line(onnx_table.results_table(written))
        if len(written) == len(onnx_table.NAMES):
            onnx_table.write(written)


def _show_conversions(terminalreporter: pytest.TerminalReporter, outcomes: Sequence[Mapping[str, Any]]) -> None:
    table = _table(outcomes)
    terminalreporter.section("zoo")
    terminalreporter.write_line(table)
    notes = "\n".join(_left_alone(outcomes))
    if notes:
        terminalreporter.write_line(f"\nLeft as it was:\n{notes}")
    if len(outcomes) == len(NAMES):
        versions = ", ".join(f"{name} {version(name)}" for name in ("mindspore", "mindcv", "numpy"))
        left = f"\nLeft as it was:\n\n{notes}\n" if notes else ""
        text = f"# The zoo\n\nWritten by `make zoo`, with {versions}.\n\n{table}\n\n{_LEGEND}{left}"
        _RESULTS.write_text(text, encoding="utf-8")


def _outcomes(reports: Iterable[Any], kind: str, names: Sequence[str]) -> list[Mapping[str, Any]]:
    found = {
        value["name"]: value
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == kind
    }
    return [found[name] for name in names if name in found]


def _table(outcomes: Sequence[Mapping[str, Any]]) -> str:
    rows = [_HEADER, *map(_row, outcomes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = [":".rjust(width, "-") for width in widths]
    return "\n".join(_line(cells, widths) for cells in (rows[0], rule, *rows[1:]))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *figures = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join([name.strip(' :').ljust(widths[0]), *figures])} |"


def _row(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        outcome["name"],
        f"{outcome['parameters'] / 1e6:.1f}",
        f"{outcome['float_error']:.1e}",
        f"{outcome['sqnr_db']:.1f}",
        f"{outcome['rounding_db']:.1f}",
        f"{max(outcome['plain_error'], outcome['loaded_error']):.1e}",
        f"{outcome['float_bytes'] / _MEGABYTE:.1f}",
        f"{outcome['int8_bytes'] / _MEGABYTE:.1f}",
        f"{outcome['int8_bytes'] / outcome['float_bytes']:.3f}",
        f"{outcome['norms_folded']} / {outcome['norms_left']}",
        f"{outcome['float_s']:.1f}",
        f"{outcome['int8_s']:.1f}",
        f"{outcome['source_memory_bytes'] / _MEGABYTE:.0f} / {outcome['memory_bytes'] / _MEGABYTE:.0f}",
        f"{outcome['input_share']:.1%}",
    )


def _left_alone(outcomes: Iterable[Mapping[str, Any]]) -> list[str]:
    lines = []
    for outcome in outcomes:
        name = outcome["name"]
        lines += [f"- {name}: {reason} ({count} times)" for reason, count in outcome["left_alone"].items()]
        lines += [f"- {name}: in float32: {matrix}" for matrix in outcome["float_matrices"]]
    return lines
