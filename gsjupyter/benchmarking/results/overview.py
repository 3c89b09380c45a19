"""A benchmark as a report: where and how it was measured, its table, and what to know about it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from gsjupyter.benchmarking.records import Machine
from gsjupyter.benchmarking.results.remarks import in_percent, remarks_on
from gsjupyter.benchmarking.results.row_figures import RowFigures, row_figures
from gsjupyter.benchmarking.results.table import common_reference, common_setting, tables_of
from gsjupyter.benchmarking.statistics.comparison import LEAST_DIFFERENCE
from gsjupyter.report import Document, Facts, Messages, Table, format_bytes

if TYPE_CHECKING:
    from gsjupyter.benchmarking.results.result import Benchmark

_SOFTWARE: Final = {
    "mindspore": "MindSpore",
    "mindspore_lite": "MindSpore Lite",
    "onnxruntime": "ONNX Runtime",
    "onnxruntime-gpu": "ONNX Runtime (GPU)",
    "CUDA": "CUDA",
    "CANN": "CANN",
}

_NUMBERS: Final[Mapping[int, str]] = dict(
    enumerate(("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), 2)
)


def document_of(benchmark: "Benchmark") -> Document:
    """Return what to show of a benchmark."""
    figures = row_figures(benchmark)
    tables = tables_of(figures, [row.setting for row in benchmark.rows])
    remarks = remarks_on(benchmark)
    blocks: list[Facts | Table | Messages] = [
        Facts(_facts(benchmark, figures)),
        *tables,
        *([Messages(remarks)] if remarks else []),
    ]
    return Document(title_of(benchmark), blocks)


def title_of(benchmark: "Benchmark") -> str:
    """Return a headline."""
    subjects = list(dict.fromkeys(row.setting.subject for row in benchmark.rows))
    rows = _counted([len(benchmark.rows)], "row")
    return (
        f"Benchmark of {subjects[0]}: {rows}" if len(subjects) == 1 else f"Benchmark of {len(subjects)} models: {rows}"
    )


def machine_in_words(machine: Machine) -> str:
    """Return what a machine is, without its name."""
    devices = [f"{device.name}{_memory(device.memory_bytes)}" for device in machine.devices]
    threads = _counted([machine.threads], "thread")
    return "; ".join([f"{machine.processor}, {threads}{_memory(machine.memory_bytes)}", *devices, machine.system])


def _memory(size_bytes: int | None) -> str:
    return f", {format_bytes(size_bytes)} memory" if size_bytes else ""


def _facts(benchmark: "Benchmark", figures: Sequence[RowFigures]) -> list[tuple[str, str]]:
    several = len(benchmark.machines) > 1
    facts = [
        *((f"Machine {host}" if several else "Machine", machine_in_words(item)) for host, item in _machines(benchmark)),
        *((f"Software of {host}" if several else "Software", _software(item)) for host, item in _machines(benchmark)),
        ("In all rows" if len(benchmark) > 1 else "Setting", common_setting([row.setting for row in benchmark.rows])),
        ("Protocol", _protocol(benchmark)),
        ("Begun", _when(benchmark)),
        ("Compared", _compared(benchmark)),
        ("Outputs compared with", common_reference(figures)),
        ("Figures", _reading(figures)),
    ]
    return [(label, value) for label, value in facts if value]


def _machines(benchmark: "Benchmark") -> Iterable[tuple[str, Machine]]:
    return benchmark.machines.items()


def _software(machine: Machine) -> str:
    return ", ".join(
        f"{title} {machine.versions[name]}" for name, title in _SOFTWARE.items() if name in machine.versions
    )


def _protocol(benchmark: "Benchmark") -> str:
    measured = [row for row in benchmark.rows if row.has_figures]
    if not measured:
        return ""
    processes = _counted([len({(block.session, block.launch) for block in row.blocks}) for row in measured], "process")
    blocks = _counted([len(row.blocks) for row in measured], "block")
    seconds = min(float(row.durations_s.sum()) for row in measured)
    runs = _counted([row.durations_s.size for row in measured], "run")
    order = ", all rows in random order in each round" if len(measured) > 1 else ""
    return f"{processes} and {blocks} for each row{order}; {runs} after warm-up, {seconds:.2g} s or more"


def _counted(numbers: Iterable[int], noun: str) -> str:
    known = list(numbers)
    low, high = min(known), max(known)
    plural = "" if high == 1 else "es" if noun.endswith("s") else "s"
    return f"{low:,} {noun}{plural}" if low == high else f"{low:,} to {high:,} {noun}{plural}"


def _when(benchmark: "Benchmark") -> str:
    sessions = len(benchmark.sessions)
    added = f"; {_NUMBERS.get(sessions, sessions)} benchmarks together" if sessions > 1 else ""
    try:
        return f"{datetime.fromisoformat(benchmark.created):%Y-%m-%d %H:%M %z}".strip() + added
    except ValueError:
        return benchmark.created + added


def _compared(benchmark: "Benchmark") -> str:
    place = benchmark.baseline_place
    if place is None or sum(row.has_figures for row in benchmark.rows) < 2:
        return ""
    return (
        f"with {benchmark.names[place]}; the 95 % intervals hold for all rows at once, and less than "
        f"{in_percent(LEAST_DIFFERENCE)} is no difference"
    )


def _reading(figures: Sequence[RowFigures]) -> str:
    """Return what the figures mean where they seem to contradict each other on a restless machine."""
    if not any(row.runs for row in figures):
        return ""
    is_compared = any(row.speed_up is not None for row in figures)
    paired = "speed-up: from blocks of the same rounds, not the ratio of the medians" if is_compared else ""
    parts = [
        "\u00b1: how far the median's 95 % interval reaches to its wider side, left out above 100 %",
        paired,
        "p90: 90 % of the runs took no longer" if any(row.p90_s is not None for row in figures) else "",
        "samples/s: over all runs, slow ones included",
    ]
    return "; ".join(filter(None, parts))
