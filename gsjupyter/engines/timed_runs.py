"""Run times as a caller would find them, measured where the engine is: nothing of a pipe or of the notebook is in them.

A run goes from numpy arrays to numpy arrays, so that copies to a device and back are in it, and so that the outputs
are there when the clock is read. Of the loop itself less than a tenth of a microsecond is in them. Python's garbage
collector waits meanwhile: it would hit some runs, and not because of them. The outputs of a run are let go of after the
clock was read.
"""

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gsjupyter.engines.messages import Array
from gsjupyter.engines.resources import Meter
from gsjupyter.engines.serving import Answer, Command
from gsjupyter.errors import EngineError, GsError

Run: TypeAlias = Callable[[], Sequence[Array]]
"""Runs a model once on arrays that it holds, and returns the outputs."""
Bind: TypeAlias = Callable[[Sequence[Array]], Run]
"""Takes the inputs, and returns what runs the model on them."""


def timed(
    run: Run, *, duration_s: float = 0.0, least_runs: int = 1, clock: Callable[[], float] = time.perf_counter
) -> npt.NDArray[np.float64]:
    """Run until the runs have taken some time together and there are enough of them.

    Parameters
    ----------
    run : callable
        What to time.
    duration_s : float
        How long the runs are to take in all.
    least_runs : int
        How many there are to be at least.
    clock : callable
        What tells the time in seconds.

    Returns
    -------
    ndarray of float64, of shape (runs,)
        How many seconds each run took.
    """
    durations: list[float] = []
    total = 0.0
    with _no_garbage_collected():
        while total < duration_s or len(durations) < least_runs:
            begin = clock()
            outputs = run()
            duration = clock() - begin
            del outputs
            total += duration
            durations.append(duration)
    return np.array(durations, np.float64)


def timed_once(run: Run, *, clock: Callable[[], float] = time.perf_counter) -> tuple[float, Sequence[Array]]:
    """Run once, and return how many seconds it took and what it gave."""
    with _no_garbage_collected():
        begin = clock()
        outputs = run()
        return clock() - begin, outputs


class TimedRuns:
    """What a worker answers when its model is measured; the inputs are sent once and stay.

    Parameters
    ----------
    bind : callable
        What takes the inputs, and returns what runs the model on them.
    explained : callable
        What makes words of an engine's exception.
    """

    def __init__(self, bind: Bind, explained: Callable[[Exception], GsError]) -> None:
        self._bind = bind
        self._explained = explained
        self._inputs: Sequence[Array] = ()
        self._run: Run | None = None
        self._meter: Meter | None = None

    def commands(self) -> Mapping[str, Command]:
        """Return what can be asked for, by name."""
        return {"first_run": self.first_run, "timed": self.timed, "resources": self.resources}

    @property
    def inputs(self) -> Sequence[Array]:
        """The inputs that are here."""
        if self._run is None:
            raise EngineError("the model has no inputs yet.")
        return self._inputs

    @property
    def run(self) -> Run:
        """What runs the model on the inputs that are here."""
        if self._run is None:
            raise EngineError("the model has no inputs yet.")
        return self._run

    def begin(self, target: str) -> None:
        """Count memory and energy from here on: the engine is there, the model isn't."""
        self._meter = Meter(target)

    def first_run(self, arrays: Sequence[Array]) -> Answer:
        """Keep the inputs and run once; give ``duration_s`` and the outputs."""
        self._inputs = arrays
        try:
            self._run = self._bind(arrays)
            duration_s, outputs = timed_once(self._run)
        except GsError:
            raise
        except Exception as error:
            raise self._explained(error) from error
        return {"duration_s": duration_s}, outputs

    def timed(self, arrays: Sequence[Array], *, duration_s: float, least_runs: int) -> Answer:
        """Run on the inputs that are here; give the durations as an array of float64, in seconds."""
        try:
            return {}, [timed(self.run, duration_s=duration_s, least_runs=least_runs)]
        except GsError:
            raise
        except Exception as error:
            raise self._explained(error) from error

    def resources(self, arrays: Sequence[Array]) -> Answer:
        """Give what `Resources` holds."""
        if self._meter is None:
            raise EngineError("nothing has been counted from before the model was loaded.")
        return asdict(self._meter.read()), ()


@contextmanager
def _no_garbage_collected() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
