"""What a benchmark's figures don't say by themselves: why some are missing, what may be wrong with others, what to do.

Rows of which the same is to be said share a message, so that ten rows with one trouble are told of it once.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from gsjupyter.benchmarking.records import Finding, Measurement
from gsjupyter.benchmarking.statistics.latency import NOISY
from gsjupyter.report import Level

if TYPE_CHECKING:
    from gsjupyter.benchmarking.results.result import Benchmark

Remark = tuple[Level, str]
Named = Iterable[tuple[str, str]]

WRONG: Final = "wrong-output"
"""The rule whose findings are errors: who computes something else is not fast."""
_NAMES: Final = 4


def remarks_on(benchmark: "Benchmark") -> list[Remark]:
    """Return what to say of a benchmark: errors first, then what is missing, doubtful, and could be better."""
    rows = list(zip(benchmark.names, benchmark.rows, strict=True))
    measured = [(name, row) for name, row in rows if row.has_figures]
    return [
        *_findings(rows, "error"),
        *_told("warning", ((_obstacle(row), name) for name, row in rows), len(rows)),
        *([] if benchmark.is_complete else [_INTERRUPTED]),
        *_told("warning", ((_unsettled(row), name) for name, row in measured), len(measured)),
        *_noise(benchmark),
        *_findings(rows, "note"),
        *_told("note", _reasons(benchmark), len(measured)),
        *(("note", note) for note in benchmark.notes),
    ]


_INTERRUPTED: Final[Remark] = ("warning", "It was interrupted: rows hold what had been measured by then.")


def joined(names: Sequence[str]) -> str:
    """Return names in a row, the first few where there are many."""
    if len(names) > _NAMES + 1:
        return f"{'; '.join(names[:_NAMES])}; and {len(names) - _NAMES} more"
    return "; ".join(names)


def in_percent(share: float) -> str:
    """Return a share in percent, as tables write it."""
    return f"{100 * share:.2g} %"


def _told(level: Level, said: Named, rows: int) -> list[Remark]:
    """Return a message for each text, with the names of the rows of which it is said; an empty text is none."""
    groups: dict[str, list[str]] = {}
    for text, name in said:
        if text:
            groups.setdefault(text, []).append(name)
    return [(level, f"{_who(names, rows)}: {text}") for text, names in groups.items()]


def _who(names: Sequence[str], rows: int) -> str:
    return f"all {rows} rows" if 2 < rows == len(names) else joined(names)


def _obstacle(row: Measurement) -> str:
    if not row.obstacle:
        return ""
    fewer = "not all runs were made: " if row.has_figures else ""
    return " ".join(f"{fewer}{row.obstacle} {row.advice}".split())


def _unsettled(row: Measurement) -> str:
    restless = [launch for launch in row.launches if not launch.is_stable]
    if not restless:
        return ""
    # Without the number of runs, which is another in each row: one message for all of them.
    return (
        "durations had not settled when the warm-up ended, so early runs may be slower than later ones. "
        "Measure for longer, or let the machine be quiet."
    )


def _noise(benchmark: "Benchmark") -> list[Remark]:
    noisy = [
        (latency.variation, name)
        for name, latency in zip(benchmark.names, benchmark.latencies, strict=True)
        if latency is not None and latency.is_noisy
    ]
    if not noisy:
        return []
    highest = max(variation for variation, _ in noisy)
    who = _who([name for _, name in noisy], sum(row.has_figures for row in benchmark.rows))
    text = (
        f"{who}: noisy, block medians vary by up to {in_percent(highest)} (above {in_percent(NOISY)} a difference of "
        "10 % can be missed). Let nothing else run, or measure with more launches."
    )
    return [("warning", text)]


def _reasons(benchmark: "Benchmark") -> Named:
    """Yield why rows were not compared, where they have figures to compare."""
    for name, row, comparison in zip(benchmark.names, benchmark.rows, benchmark.comparisons, strict=True):
        if comparison is not None and comparison.speed_up is None and row.has_figures:
            yield f"not compared: {comparison.reason}.", name


def _findings(rows: Sequence[tuple[str, Measurement]], level: Level) -> list[Remark]:
    """Return a message for each remedy of a level: what was seen in which rows, and what to do about it."""
    groups: dict[tuple[str, str], list[tuple[str, Finding]]] = {}
    for name, row in rows:
        for finding in row.findings:
            if (finding.rule == WRONG) != (level == "error"):
                continue
            groups.setdefault((finding.rule, finding.remedy), []).append((name, finding))
    return [(level, _finding(found, remedy)) for (_, remedy), found in groups.items()]


def _finding(found: Sequence[tuple[str, Finding]], remedy: str) -> str:
    symptoms: dict[str, list[str]] = {}
    for name, finding in found:
        symptoms.setdefault(finding.symptom, []).append(name)
    (symptom, names), *others = symptoms.items()
    likewise = [name for _, further in others for name in further]
    parts = [f"{joined(names)}: {_sentence(symptom)}"]
    if likewise:
        parts.append(f"Likewise {joined(likewise)}.")
    parts.append(_sentence(remedy))
    if gains := _gains(found):
        parts.append(f"Expect {gains}.")
    return " ".join(parts)


def _gains(found: Sequence[tuple[str, Finding]]) -> str:
    """Return what to expect, with the rows of which it is to be expected unless it is of all; empty if unknown."""
    rows: dict[str, list[str]] = {}
    for name, finding in found:
        rows.setdefault(finding.gain, []).append(name)
    if len(rows) == 1:
        return next(iter(rows))
    return joined([f"{gain} ({joined(names)})" for gain, names in rows.items() if gain])


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
