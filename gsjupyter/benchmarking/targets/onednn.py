"""Whether MindSpore's convolutions take a slow path here: a network may be a hundred times slower, and nothing says so.

oneDNN, which computes them on the CPU, takes a reference kernel on some processors, unless it is held to AVX2 by
``ONEDNN_MAX_CPU_ISA`` before MindSpore is imported: 420 ms instead of 4 for a 3 x 3 convolution of 64 channels at
56 x 56 on an AMD EPYC with AVX-512, 600 instead of 7 on an Intel Xeon with AMX. Which processors those are is not
known beforehand, so that it is measured.
"""

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Final

from gsjupyter.benchmarking.records import Machine
from gsjupyter.benchmarking.targets.probes import started
from gsjupyter.engines.worker import Worker

VARIABLE: Final = "ONEDNN_MAX_CPU_ISA"
FAST: Final = "AVX2"
LEAST_FACTOR: Final = 2.0
"""Less may be noise, or what AVX-512 gains and loses from one convolution to the next."""

_ROUNDS: Final = 3
_BLOCK_S: Final = 0.05
# An engine's threads look for work for a while after a run, and are in the next one's way.
_REST_S: Final = 0.15
_LIMIT_S: Final = 120.0


@dataclass(frozen=True)
class ConvolutionTimes:
    """What one convolution takes in MindSpore, in two processes that took turns.

    Parameters
    ----------
    as_it_is_s : tuple of float
        The median of each round with the environment as it is.
    fast_s : tuple of float
        The same with oneDNN held to AVX2, round by round.
    """

    as_it_is_s: tuple[float, ...]
    fast_s: tuple[float, ...]


@dataclass(frozen=True)
class SlowConvolutions:
    """That convolutions take the slow path.

    Parameters
    ----------
    as_it_is_s : float
        What the convolution takes as it is, in seconds.
    fast_s : float
        What it takes with oneDNN held to AVX2.
    """

    as_it_is_s: float
    fast_s: float

    @property
    def factor(self) -> float:
        """How many times as long it takes."""
        return self.as_it_is_s / self.fast_s

    @property
    def symptom(self) -> str:
        """What was seen."""
        return (
            f"MindSpore's convolutions take a slow path on this processor: one of 64 channels, 3 x 3 at 56 x 56, took "
            f"{_milliseconds(self.as_it_is_s)}, and {_milliseconds(self.fast_s)} with oneDNN held to {FAST} "
            f"({self.factor:.0f} times as fast)."
        )

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return (
            f"Put this into the first cell, before MindSpore is imported, and restart the kernel: import os; "
            f'os.environ["{VARIABLE}"] = "{FAST}"'
        )


def is_worth_measuring(machine: Machine, environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether convolutions could take the slow path: if oneDNN isn't held back, and has more to use than AVX2."""
    if environment.get(VARIABLE, "").upper() == FAST:
        return False
    return not machine.features or any(feature.startswith(("avx512", "amx")) for feature in machine.features)


def measure_convolution(rounds: int = _ROUNDS, block_s: float = _BLOCK_S) -> ConvolutionTimes:
    """Time a convolution in two fresh MindSpore processes that take turns, and rest in between.

    Parameters
    ----------
    rounds : int
        How often each has its turn.
    block_s : float
        How long a turn lasts, in seconds; it has one run at least.

    Raises
    ------
    EngineError
        If MindSpore doesn't run.
    """
    as_it_is: list[float] = []
    fast: list[float] = []
    with ExitStack() as stack:
        rows = [
            (stack.enter_context(started("MindSpore", environment)), times)
            for environment, times in (({}, as_it_is), ({VARIABLE: FAST}, fast))
        ]
        for worker, _ in rows:
            worker.call("warm_up", limit_s=_LIMIT_S)
        for number in range(rounds):
            # Neither always comes second.
            for worker, times in rows if number % 2 == 0 else reversed(rows):
                time.sleep(_REST_S)
                times.append(_block(worker, block_s))
    return ConvolutionTimes(tuple(as_it_is), tuple(fast))


def judge(times: ConvolutionTimes) -> SlowConvolutions | None:
    """Return that convolutions take the slow path, if all rounds say so; None otherwise.

    Parameters
    ----------
    times : ConvolutionTimes
        What was measured.
    """
    factors = [slow / fast for slow, fast in zip(times.as_it_is_s, times.fast_s, strict=True)]
    if not factors or min(factors) <= LEAST_FACTOR:
        return None
    return SlowConvolutions(_middle(times.as_it_is_s), _middle(times.fast_s))


def _block(worker: Worker, duration_s: float) -> float:
    answer, _ = worker.call("convolve", duration_s=duration_s, limit_s=_LIMIT_S)
    return _middle(answer["durations_s"])


def _middle(durations_s: Sequence[float]) -> float:
    return float(median(durations_s))


def _milliseconds(duration_s: float) -> str:
    duration_ms = 1000 * duration_s
    return f"{duration_ms:.0f} ms" if duration_ms >= 9.95 else f"{duration_ms:.1f} ms"
