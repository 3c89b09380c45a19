"""What each operator of an ONNX file takes, from ONNX Runtime's own profile: nobody else knows what it has fused.

The profile is a list of events, one for each operator in each run. On the CPU their durations are what an operator
took, in whole microseconds. On CUDA they are what launching took, and the device's own times follow as events of their
own, if ONNX Runtime was built to ask for them.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from gsjupyter.engines.onnx_layout import FileLayout
from gsjupyter.engines.operator_records import OperatorRecord
from gsjupyter.errors import EngineError, UnsupportedError

SKIPPED_RUNS: Final = 2
"""How many runs of a new session don't count: the first ones allocate memory."""
MOST_EVENTS: Final = 900_000
"""How many operators in all ONNX Runtime notes, a bit less than what it stops at."""

_LONGEST_LINE: Final = 1 << 20
_MOST_BYTES: Final = 1 << 31
_OPERATOR_ENDING: Final = "_kernel_time"
# Their bodies are listed as well.
_CONTAINERS: Final = frozenset(("If", "Loop", "Scan"))


def profiled(
    opened: Callable[[str], Any], model: Path, feed: Mapping[str, Any], runs: int, folder: Path
) -> list[OperatorRecord]:
    """Run a file in a session of its own that is profiled, and return what its operators take.

    Parameters
    ----------
    opened : callable
        What opens a session, given how the file of the profile is to begin (``SessionSettings.profile_path``).
    model : Path
        The file.
    feed : mapping of str to ndarray
        The inputs, by name.
    runs : int
        How many runs count. Of a network with very many operators fewer do, as ONNX Runtime notes a million in all.
    folder : Path
        Where the profile may lie.

    Raises
    ------
    EngineError
        If the profile is damaged or holds nothing.
    UnsupportedError
        If it tells no times: those of TensorRT, which takes a network whole, or of CUDA without its own profiler.
    """
    layout = FileLayout.read(model)
    session = opened(str(folder / "profile"))
    most = max(1, MOST_EVENTS // max(1, layout.operators) - SKIPPED_RUNS)
    try:
        for _ in range(min(runs, most) + SKIPPED_RUNS):
            session.run(None, dict(feed))
    finally:
        profile = Path(session.end_profiling())
    try:
        return records(profile, layout)
    finally:
        profile.unlink(missing_ok=True)


@dataclass
class _Operator:
    name: str
    kind: str
    durations_us: list[float] = field(default_factory=list)


def records(profile: Path, model: FileLayout, *, skip_runs: int = SKIPPED_RUNS) -> list[OperatorRecord]:
    """Read a profile that ONNX Runtime has written, in the order in which operators ran.

    Parameters
    ----------
    profile : Path
        The file.
    model : FileLayout
        The file that ran.
    skip_runs : int
        How many runs at its beginning don't count.

    Raises
    ------
    EngineError
        If it is damaged, or no run is left.
    UnsupportedError
        If it tells for a device how long operators took to launch, and not how long they ran.
    """
    operators: dict[tuple[str, str, str], _Operator] = {}
    counted = 0
    for number, run in enumerate(_runs(profile)):
        if number < skip_runs:
            continue
        for key, duration in run.items():
            operator = operators.setdefault(key, _Operator(*key[:2], [0.0] * counted))
            operator.durations_us.append(duration)
        counted += 1
        for operator in operators.values():
            # A branch that was not taken.
            operator.durations_us += [0.0] * (counted - len(operator.durations_us))
    if not counted or not operators:
        raise EngineError(f"ONNX Runtime's profile holds no run after the first {skip_runs}.")
    return [_record(operator, model) for operator in operators.values()]


def _record(operator: _Operator, model: FileLayout) -> OperatorRecord:
    node = model.find(operator.name)
    if node is not None:
        node = model.with_weights(node, operator.kind)
    weights = model.weights(node) if node is not None else ()
    return {
        "name": operator.name,
        "operator": operator.kind,
        "scope": model.scope(node, weights) if node is not None else "",
        "weights": list(weights),
        "durations_s": [duration * 1e-6 for duration in operator.durations_us],
    }


def _runs(profile: Path) -> Iterator[dict[tuple[str, str, str], float]]:
    """Yield each run's microseconds by operator: its name, kind and number."""
    run: dict[tuple[str, str, str], float] = defaultdict(float)
    on_device: dict[tuple[str, str, str], float] = defaultdict(float)
    launched = set()
    latest: tuple[str, str, str] | None = None
    for event in _events(profile):
        category, args = event["cat"], event["args"]
        if category == "Node" and event["name"].endswith(_OPERATOR_ENDING):
            kind = args.get("op_name", "")
            if kind in _CONTAINERS:
                continue
            latest = (event["name"].removesuffix(_OPERATOR_ENDING), kind, args.get("node_index", ""))
            run[latest] += event["dur"]
            if args.get("provider") != "CPUExecutionProvider":
                launched.add(latest)
        elif category == "Kernel" and latest is not None:
            # What ran on the device is listed behind the operator that launched it.
            on_device[latest] += event["dur"]
        elif event["name"] == "model_run":
            yield _device_times(run, on_device, launched)
            run, on_device, launched, latest = defaultdict(float), defaultdict(float), set(), None


def _device_times(
    run: dict[tuple[str, str, str], float],
    on_device: Mapping[tuple[str, str, str], float],
    launched: set[tuple[str, str, str]],
) -> dict[tuple[str, str, str], float]:
    if launched and not on_device:
        raise UnsupportedError(
            "ONNX Runtime's profile tells only how long operators took to launch on this device, and not how long "
            "they ran.",
            advice="Look at its operators on the CPU, or use NVIDIA Nsight Systems.",
        )
    return {**run, **{key: on_device.get(key, 0.0) for key in launched}}


def _events(profile: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a profile: a list in JSON, one on each line, which is never held as a whole."""
    try:
        size = profile.stat().st_size
        if size > _MOST_BYTES:
            raise EngineError(f"ONNX Runtime's profile is too large to be read: {size / 1e9:.1f} GB.")
        with profile.open("rb") as file:
            yield from _parsed(file)
    except OSError as error:
        raise EngineError(f"ONNX Runtime's profile can't be read: {error.strerror or error}.") from error


def _parsed(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    has_ended = False
    while line := file.readline(_LONGEST_LINE):
        text = line.strip().rstrip(b",")
        if text in (b"[", b""):
            continue
        if text == b"]":
            has_ended = True
            continue
        try:
            event = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _damaged() from error
        if not _is_event(event):
            raise _damaged()
        yield event
    if not has_ended:
        raise _damaged()


def _is_event(event: object) -> bool:
    if not isinstance(event, dict) or not isinstance(event.get("args"), dict):
        return False
    texts = (event.get("cat"), event.get("name"), *(event["args"].get(key, "") for key in ("op_name", "node_index")))
    return all(isinstance(text, str) for text in texts) and isinstance(event.get("dur"), int | float)


def _damaged() -> EngineError:
    return EngineError("ONNX Runtime's profile is damaged: it isn't the list of events that ONNX Runtime writes.")
