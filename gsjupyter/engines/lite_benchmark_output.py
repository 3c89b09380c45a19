"""What Lite's benchmark program says, read from its words: they have no form, and differ from release to release.

The run times stand in one line, ``MaxRuntime`` in some releases and ``MaxRunTime`` in others::

    Model = lenet.ms, NumThreads = 2, MinRunTime = 0.104000 ms, MaxRuntime = 0.235000 ms, AvgRunTime = 0.118000 ms

Of outputs it tells the mean bias, which is the mean of the relative errors of the values that differ, and what it calls
the cosine distance, which is the cosine of the angle between the two, 1 if they agree.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gsjupyter.engines.lite_log import first_errors
from gsjupyter.errors import EngineError, GsError, InputError, ModelFileError, UnsupportedError

_NUMBER: Final = r"([-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|nan|inf))"
_TIME: Final = re.compile(rf"\b(min|max|avg)[ _]?run[ _]?time\s*[=:]\s*{_NUMBER}\s*(us|ms|s)?\b", re.IGNORECASE)
_PREPARED: Final = re.compile(rf"\bprepare[ _]?time\s*[=:]\s*{_NUMBER}\s*(us|ms|s)?\b", re.IGNORECASE)
_BIAS: Final = re.compile(rf"\bmean bias of all nodes/tensors\s*:\s*{_NUMBER}\s*%", re.IGNORECASE)
_BIAS_OF_ONE: Final = re.compile(rf"\bmean bias of node/tensor (\S+)\s*:\s*{_NUMBER}\s*%", re.IGNORECASE)
_COSINE: Final = re.compile(rf"\bcosine distance of all nodes/tensors\s*:\s*{_NUMBER}\s*(%?)", re.IGNORECASE)
_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}

_LIBRARY: Final = re.compile(r"(lib[\w.+-]+): cannot open shared object file")
_VERSION: Final = re.compile(r"version `([\w.]+)' not found")
_SIZES: Final = re.compile(r"Input binary file size error, required: (\d+), in fact: (\d+)")
_LONGEST: Final = 300


@dataclass(frozen=True)
class RunTimes:
    """How long a model takes, as Lite's benchmark program has measured it; it tells no more.

    Parameters
    ----------
    prepare_s : float, optional
        How long it took to load it.
    least_s, most_s, mean_s : float
        Of the runs that count.
    runs : int
        How many these were.
    threads : int
        How many threads it was given.
    """

    prepare_s: float | None
    least_s: float
    most_s: float
    mean_s: float
    runs: int
    threads: int


@dataclass(frozen=True)
class Comparison:
    """How near a model's outputs are to those expected, as Lite's benchmark program has it.

    Parameters
    ----------
    mean_bias : float
        The mean of the relative errors of the values that differ; 0.01 is a percent.
    cosine : float, optional
        The cosine of the angle between the two, 1 if they agree; None if the release doesn't tell.
    bias_of : mapping of str to float
        The mean bias of each output, by the file's name for it.
    """

    mean_bias: float
    cosine: float | None = None
    bias_of: Mapping[str, float] = field(default_factory=dict)


def read_times(text: str, *, runs: int, threads: int) -> RunTimes:
    """Return the run times that the program has told.

    Raises
    ------
    EngineError
        If there are none, or they can't be.
    """
    found = {which.lower(): _seconds(number, unit) for which, number, unit in _TIME.findall(text)}
    prepared = _PREPARED.search(text)
    try:
        least, mean, most = found["min"], found["avg"], found["max"]
    except KeyError:
        raise nonsense(text) from None
    # It counts in microseconds, so that the mean of few may be rounded below the least.
    if not 0 <= least <= most < math.inf or not least - 1e-6 <= mean <= most + 1e-6:
        raise nonsense(text)
    return RunTimes(_seconds(*prepared.groups()) if prepared else None, least, most, mean, runs, threads)


def read_comparison(text: str) -> Comparison | None:
    """Return what the program has told of the outputs; None if it has told nothing."""
    bias, cosine = _BIAS.search(text), _COSINE.search(text)
    if bias is None:
        return None
    return Comparison(
        _number(bias[1]) / 100,
        _number(cosine[1]) / (100 if cosine[2] else 1) if cosine else None,
        {name: _number(number) / 100 for name, number in _BIAS_OF_ONE.findall(text)},
    )


def nonsense(text: str) -> EngineError:
    """Return what to say of words that hold no figures."""
    return EngineError(
        f"Lite's benchmark program has ended without figures that make sense. It said last: {_last_line(text)}",
        advice="Run it by hand, and see what it says; another release may be needed.",
    )


def failure(text: str, exit_code: int, name: str) -> GsError:
    """Return why the program has failed, by its words.

    Parameters
    ----------
    text : str
        What it has written.
    exit_code : int
        What it ended with; not minus a signal's number.
    name : str
        The file that it was to run.
    """
    if missing := _LIBRARY.search(text):
        return EngineError(
            f"Lite's benchmark program doesn't start: the loader doesn't find {missing[1]}.",
            advice="It needs the libraries in its release's folder runtime/lib: unpack the whole release, and set "
            "LITE_HOME to its folder; or add the folder with that library to LD_LIBRARY_PATH.",
        )
    if newer := _VERSION.search(text):
        return EngineError(
            f"Lite's benchmark program doesn't start: it needs {newer[1]}, and this system's libraries are older.",
            advice="Get a release of MindSpore Lite that is made for this system.",
        )
    if sizes := _SIZES.search(text):
        return InputError(f"an input of {name} takes {sizes[1]} bytes there, {sizes[2]} given.")
    for sign, kind, what in _KNOWN:
        if sign in text:
            return kind(f"{what.format(name=name)}: {_reason(text)}.")
    return EngineError(f"Lite's benchmark program failed on {name} (exit code {exit_code}): {_reason(text)}.")


_KNOWN: Final[tuple[tuple[str, type[GsError], str], ...]] = (
    ("nan or inf data", EngineError, "{name} gives NaN or infinity"),
    ("Input tensor resize failed", InputError, "MindSpore Lite can't resize {name} to these inputs"),
    ("is not supported", UnsupportedError, "Lite's benchmark program can't do that with {name}"),
    ("Build failed", ModelFileError, "MindSpore Lite can't load {name}"),
    ("Compile graph failed", ModelFileError, "MindSpore Lite can't load {name}"),
    ("CreateSession failed", ModelFileError, "MindSpore Lite can't load {name}"),
    ("output tensor name is wrong", EngineError, "{name} has other outputs than expected"),
    ("Inference error", EngineError, "MindSpore Lite can't run {name}"),
)


def _reason(text: str) -> str:
    return first_errors(text) or _last_line(text).rstrip(".")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:_LONGEST] if lines else "nothing."


def _seconds(number: str, unit: str | None) -> float:
    return _number(number) * _SECONDS[(unit or "ms").lower()]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
