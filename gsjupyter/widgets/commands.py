"""What the browser asks of the panel, checked before anything is done: a message may hold whatever somebody sent.

The commands are those of ``labextension/src/panel/types.ts``.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, TypeAlias

from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.choices import check_choice, check_count, check_flag
from gsjupyter.errors import OptionError
from gsjupyter.quantization import OBSERVERS, check_granularity

_MOST_ITEMS: Final = 10_000
_LONGEST_TEXT: Final = 4_096


@dataclass(frozen=True)
class Ready:
    """The panel is shown.

    Parameters
    ----------
    in_place : bool
        Whether an output that changes is drawn in place; elsewhere a panel in it would be taken from its user's hands.
    """

    in_place: bool


@dataclass(frozen=True)
class Sketch:
    """Send the sketches of some layers on one kind of grid, and the clippings that an observer chooses there.

    Parameters
    ----------
    granularity : str
        ``tensor``, ``channel`` or ``group:N``.
    symmetric, narrow_range : bool
        As in `ConvertOptions`.
    observer : {"minmax", "percentile", "mse", "entropy"}
        What chooses the clippings.
    layers : tuple of int
        The layers' numbers in the network.
    """

    granularity: str
    symmetric: bool
    narrow_range: bool
    observer: str
    layers: tuple[int, ...]


@dataclass(frozen=True)
class Measure:
    """Measure what each layer's quantization costs the output."""


@dataclass(frozen=True)
class Refine:
    """Find the bits for the budget by the exact search."""


@dataclass(frozen=True)
class Apply:
    """Convert the network.

    Parameters
    ----------
    predicted_db : float, str or None
        The SQNR that the browser predicted for the output, in decibel: a number, ``"inf"``, or None.
    """

    predicted_db: float | str | None


@dataclass(frozen=True)
class Cancel:
    """Stop what is being done."""


@dataclass(frozen=True)
class Export:
    """Write the last conversion to a file.

    Parameters
    ----------
    path : str
        Where; the suffix says the format.
    overwrite, float16 : bool
        As in `gs.export`.
    """

    path: str
    overwrite: bool
    float16: bool


@dataclass(frozen=True)
class FindTargets:
    """Find out where models can run."""


@dataclass(frozen=True)
class Measurement:
    """Measure how fast models run.

    Parameters
    ----------
    subjects : tuple of str
        The keys of what to measure, as in the panel's list.
    engines, targets : tuple of str
        As in `gs.benchmark`; no engine stands for all that can.
    batches, threads : tuple of int
        As in `gs.benchmark`; none stands for the default.
    duration_s : float
        How long each row runs, in seconds.
    launches : int
        In how many processes.
    """

    subjects: tuple[str, ...]
    engines: tuple[str, ...]
    targets: tuple[str, ...]
    batches: tuple[int, ...]
    threads: tuple[int, ...]
    duration_s: float
    launches: int


Command: TypeAlias = Ready | Sketch | Measure | Refine | Apply | Cancel | Export | FindTargets | Measurement


def read_command(content: object) -> Command:
    """Return the command that a message holds.

    Parameters
    ----------
    content : object
        The message's content, as it came.

    Raises
    ------
    OptionError
        If there is no such command, or something in it is missing, unknown, or of another type.
    """
    if not isinstance(content, Mapping):
        raise OptionError(f"a command must be a mapping, not {type(content).__name__}.")
    check_choice("command", content.get("command"), _KINDS)
    kind = _KINDS[content["command"]]
    expected = [field.name for field in fields(kind)]
    for name in content:
        if name != "command":
            check_choice(f"a field of {content['command']}", name, expected)
    missing = [name for name in expected if name not in content]
    if missing:
        raise OptionError(f"{content['command']} lacks {missing[0]}.")
    command: Command = kind(**{name: _READ[name](name, content[name]) for name in expected})
    return command


def name_of(content: object) -> str:
    """Return what a message calls its command, for an error that speaks of it; empty if it is no text."""
    name = content.get("command") if isinstance(content, Mapping) else None
    return name[:40] if isinstance(name, str) else ""


_KINDS: Final[Mapping[str, type[Any]]] = {
    "ready": Ready,
    "sketch": Sketch,
    "measure": Measure,
    "refine": Refine,
    "apply": Apply,
    "cancel": Cancel,
    "export": Export,
    "targets": FindTargets,
    "benchmark": Measurement,
}


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise OptionError(f"{name} must be text of at most {_LONGEST_TEXT} characters.")
    return value


def _flag(name: str, value: object) -> bool:
    check_flag(name, value)
    return value is True


def _granularity(name: str, value: object) -> str:
    check_granularity(name, value)
    return _text(name, value)


def _observer(name: str, value: object) -> str:
    check_choice(name, value, OBSERVERS)
    return _text(name, value)


def _items(name: str, value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise OptionError(f"{name} must be a list of at most {_MOST_ITEMS} items.")
    return value


def _texts(name: str, value: object) -> tuple[str, ...]:
    return tuple(_text(name, item) for item in _items(name, value))


def _counts(least: int) -> Callable[[str, object], tuple[int, ...]]:
    def read(name: str, value: object) -> tuple[int, ...]:
        items = _items(name, value)
        for item in items:
            check_count(name, item, least)
        return tuple(item for item in items if isinstance(item, int))

    return read


def _decibel(name: str, value: object) -> float | str | None:
    if value is None or value == "inf":
        return None if value is None else "inf"
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise OptionError(f"{name} must be a number of decibel, inf or null.")
    return float(value)


_READ: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "in_place": _flag,
    "granularity": _granularity,
    "symmetric": _flag,
    "narrow_range": _flag,
    "observer": _observer,
    "layers": _counts(0),
    "predicted_db": _decibel,
    "path": _text,
    "overwrite": _flag,
    "float16": _flag,
    "subjects": _texts,
    "engines": _texts,
    "targets": _texts,
    "batches": _counts(1),
    "threads": _counts(1),
    # Whoever measures checks these too, and says what is wrong in the same words.
    "duration_s": lambda name, value: BenchmarkOptions(duration_s=value).duration_s,
    "launches": lambda name, value: BenchmarkOptions(launches=value).launches,
}
