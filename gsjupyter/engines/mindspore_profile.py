"""What each operator takes in MindSpore, by its own profiler, and which layer it is of: MindSpore forgets that.

A MindIR file that MindSpore has loaded runs operators called ``Default/Conv2D-op5``, whatever scope the file gives
them. They are numbered in the file's order, for each kind of operator by itself, and so found again by counting: the
fifth Conv2D that ran is the fifth of the file. Where there are more or less of a kind than in the file, as MindSpore
has put some in or taken some out, none of that kind is assigned to a layer.

The profiler writes files, which go to a folder of the caller's. On the CPU it notes when each operator began and how
long it ran. On Ascend that is the device's time, from ``kernel_details.csv``, as MindSpore's documentation describes
it; on a GPU the file is like that of the CPU.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import mindspore
from mindspore.profiler import ProfilerActivity, profile, tensorboard_trace_handler

from gsjupyter.engines.operator_records import OperatorRecord
from gsjupyter.errors import EngineError
from gsjupyter.mindir import Model, Node, Parameter
from gsjupyter.mindir.scope import Scope

SKIPPED_RUNS: Final = 2
"""How many runs under the profiler don't count."""

_ACTIVITIES: Final = {"CPU": ("CPU",), "GPU": ("CPU", "GPU"), "Ascend": ("CPU", "NPU")}
_NUMBERED: Final = re.compile(r"(?P<path>.*)/(?P<kind>[^/]+?)-op(?P<number>\d+)")
# What MindSpore replaces by an operator of a shorter name, and what it runs as several: SiLU as Expand/_SiLU/Mul, ...
_OTHER_NAMES: Final = ("{}", "{}s", "{}Ext", "Inplace{}Ext")
_EXPANDED: Final = "Expand/_"
_MOST_BYTES: Final = 1 << 30


def profiled(run: Callable[[], Any], runs: int, folder: Path, model: Model) -> list[OperatorRecord]:
    """Run a model under MindSpore's profiler, and return what its operators take, in the order in which they ran.

    Parameters
    ----------
    run : callable
        What runs the model once, and waits for its outputs.
    runs : int
        How many runs count.
    folder : Path
        Where the profiler may write.
    model : Model
        What runs, as it was given to MindSpore.

    Raises
    ------
    EngineError
        If the profiler gives nothing, or nothing that can be read.
    """
    device = str(mindspore.get_context("device_target"))
    analyse = tensorboard_trace_handler(str(folder))
    profiler = profile(
        activities=[getattr(ProfilerActivity, name) for name in _ACTIVITIES.get(device, ("CPU",))],
        start_profile=False,
        # On the CPU what is wanted is written without an analysis, which would take another process and a second.
        on_trace_ready=analyse if device == "Ascend" else lambda _: None,
    )
    profiler.start()
    try:
        for _ in range(runs + SKIPPED_RUNS):
            run()
    finally:
        profiler.stop()
    return records(folder, model, runs + SKIPPED_RUNS)


def records(folder: Path, model: Model, runs: int, *, skip_runs: int = SKIPPED_RUNS) -> list[OperatorRecord]:
    """Read what MindSpore's profiler has written.

    Parameters
    ----------
    folder : Path
        Where it has.
    model : Model
        What ran.
    runs : int
        How often.
    skip_runs : int
        How many of these, at the beginning, don't count.

    Raises
    ------
    EngineError
        If there is nothing, or nothing that can be read.
    """
    try:
        timings = _timings(folder)
    except (OSError, ValueError, KeyError) as error:
        raise EngineError(f"what MindSpore's profiler has written can't be read: {error}") from error
    if not timings:
        raise EngineError("MindSpore's profiler has written nothing on this device.")
    found = _nodes_by_name([timing.name for timing in timings], model)
    return [_record(timing, found.get(timing.name), runs, skip_runs) for timing in timings]


@dataclass
class _Timing:
    """An operator, when it began each time, and how long it ran then, both in seconds."""

    name: str
    kind: str
    spans: list[tuple[float, float]] = field(default_factory=list)

    def durations_s(self, runs: int) -> list[float]:
        """Return the durations by run; what runs now and then, as in a branch, is spread evenly."""
        durations = [duration for _, duration in sorted(self.spans)]
        times, rest = divmod(len(durations), runs)
        if rest:
            return [sum(durations) / runs] * runs
        return [sum(durations[index * times : (index + 1) * times]) for index in range(runs)]


def _record(timing: _Timing, node: Node | None, runs: int, skip_runs: int) -> OperatorRecord:
    # A name that holds cells tells its layer itself.
    scope = Scope.parse(timing.name).layer or (node.layer if node is not None else "")
    weights = [item.name for item in node.inputs if isinstance(item, Parameter)] if node is not None else []
    return {
        "name": timing.name,
        "operator": timing.kind,
        "scope": scope,
        "weights": weights,
        "durations_s": timing.durations_s(runs)[skip_runs:],
    }


def _nodes_by_name(names: Iterable[str], model: Model) -> dict[str, Node]:
    if not model.is_editable:
        return {}
    nodes: dict[str, list[Node]] = defaultdict(list)
    for node in model.graph().nodes():
        nodes[node.op].append(node)
    ran: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for name in names:
        if match := _NUMBERED.fullmatch(name):
            ran[match["path"], match["kind"]].append((int(match["number"]), name))
    found: dict[str, Node] = {}
    for (path, kind), numbered in ran.items():
        candidates = _candidates(path, kind, nodes, len(numbered))
        found.update({name: node for (_, name), node in zip(sorted(numbered), candidates, strict=False)})
    return found


def _candidates(path: str, kind: str, nodes: dict[str, list[Node]], count: int) -> Sequence[Node]:
    operators = [pattern.format(kind) for pattern in _OTHER_NAMES]
    if path.startswith(_EXPANDED):
        operators = [path.removeprefix(_EXPANDED)]
    return next((nodes[name] for name in operators if len(nodes.get(name, ())) == count), ())


def _timings(folder: Path) -> list[_Timing]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    on_device = [file for file in files if file.name == "kernel_details.csv"]
    written = [file for file in files if re.fullmatch(r"\w*op_execute_timestamp_\d+\.txt", file.name)]
    # Beside the device's own there is one of what stayed on the host.
    written.sort(key=lambda file: file.name.startswith("cpu_"))
    timings: dict[str, _Timing] = {}
    for name, kind, begin_s, duration_s in _kernels(on_device[0]) if on_device else _lines(written):
        timings.setdefault(name, _Timing(name, kind)).spans.append((begin_s, duration_s))
    return sorted(timings.values(), key=lambda timing: min(timing.spans))


def _lines(files: Sequence[Path]) -> Iterator[tuple[str, str, float, float]]:
    """Yield name, kind, begin and duration from lines ``name;device;begin in ns,duration in ms,thread begin,...``."""
    for file in files[:1]:
        _check_size(file)
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                name, _, spans = line.rstrip("\n").split(";")
                match = _NUMBERED.fullmatch(name)
                for span in spans.split():
                    begin, duration = span.split(",")[:2]
                    kind = match["kind"] if match else name.rpartition("/")[2]
                    yield name, kind, int(begin) * 1e-9, float(duration) * 1e-3


def _kernels(file: Path) -> Iterator[tuple[str, str, float, float]]:
    """Yield name, kind, begin and duration from the table of an Ascend device's kernels."""
    _check_size(file)
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            begin, duration = float(row["Start Time(us)"]), float(row["Duration(us)"])
            yield row["Name"], row["Type"], begin * 1e-6, duration * 1e-6


def _check_size(file: Path) -> None:
    if file.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{file.name} is too large.")
