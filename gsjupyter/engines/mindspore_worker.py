"""MindSpore in a process of its own, to be measured: nothing that a notebook has loaded or set takes part.

A file is loaded as `gsjupyter.load` does it, and run in graph mode.

Threads: on the CPU MindSpore has a pool of them, of one or more that hand out operators and some that compute, besides
the one that calls, and they spin while they wait. ``runtime_num_threads`` (also
``mindspore.device_context.cpu.op_tuning.threads_num``) bounds the pool, but never to less than two: told to use one
thread, it kept three of them and both cores of a machine busy, and so it did with OMP_NUM_THREADS=1. What it does heed
is which cores it may run on: its pool is as large as there are. So with less threads than cores, it is bound to as
many cores before it is imported; with as many, it runs as it always does.
"""

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gsjupyter.engines.messages import Array
from gsjupyter.engines.serving import Answer, Command, scratch, serve
from gsjupyter.engines.timed_runs import Run, TimedRuns
from gsjupyter.errors import EngineError, GsError

if TYPE_CHECKING:
    from gsjupyter.engines.mindspore_runner import BoundRunner


class Engine:
    """A model in MindSpore, and what can be asked of it."""

    def __init__(self) -> None:
        self._timed_runs = TimedRuns(self._bound, self._explained)
        self._runner: BoundRunner | None = None

    def commands(self) -> Mapping[str, Command]:
        """Return what can be asked for, by name."""
        return {"ready": self.ready, "load": self.load, "operators": self.operators, **self._timed_runs.commands()}

    def ready(self, arrays: Sequence[Array], *, target: str, threads: int) -> Answer:
        """Import MindSpore for a device and some threads, and count memory and energy from here on.

        Raises
        ------
        EngineError
            If MindSpore isn't there, or has no such device.
        """
        if target == "cpu":
            bind_to_cores(threads)
        try:
            import mindspore

            from gsjupyter.engines.mindspore_device import use_device
            from gsjupyter.engines.mindspore_runner import BoundRunner  # noqa: F401 - loading is to be nothing but that
        except ImportError as error:
            raise EngineError(f"MindSpore can't be imported: {error}.", advice="pip install mindspore") from error
        mindspore.set_context(mode=mindspore.GRAPH_MODE)
        use_device(target)
        self._timed_runs.begin(target)
        return {}, ()

    def load(self, arrays: Sequence[Array], *, path: str) -> Answer:
        """Load a file.

        Returns
        -------
        dict
            ``inputs`` (each with ``name``, ``dtype`` and ``shape``), ``load_s``.

        Raises
        ------
        ModelFileError
            If it is missing or no sound MindIR.
        EngineError
            If MindSpore can't load it.
        """
        from gsjupyter.engines.mindspore_runner import BoundRunner

        begin = time.perf_counter()
        self._runner = BoundRunner.of_file(Path(path))
        load_s = time.perf_counter() - begin
        inputs = [{"name": spec.name, "dtype": spec.dtype, "shape": spec.shape} for spec in self._runner.model.inputs]
        return {"inputs": inputs, "outputs": [], "providers": [], "load_s": load_s}, ()

    def operators(self, arrays: Sequence[Array], *, runs: int) -> Answer:
        """Run the model on its inputs under MindSpore's profiler; give ``operators``, a record for each."""
        from gsjupyter.engines.mindspore_profile import profiled

        with scratch() as folder:
            return {"operators": profiled(self._timed_runs.run, runs, folder, self._loaded().model)}, ()

    def _bound(self, arrays: Sequence[Array]) -> Run:
        return self._loaded().bound(arrays)

    def _explained(self, error: Exception) -> GsError:
        return self._loaded().explained(error)

    def _loaded(self) -> "BoundRunner":
        if self._runner is None:
            raise EngineError("MindSpore has no model loaded.")
        return self._runner


def bind_to_cores(count: int) -> None:
    """Let this process run on some cores only, if it may run on more; where the system knows of no such thing, on all.

    Parameters
    ----------
    count : int
        How many. Those that share no silicon come first.
    """
    if not hasattr(os, "sched_getaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if count < len(cores):
        os.sched_setaffinity(0, apart(cores)[:count])


def apart(cores: Sequence[int], folder: Path = Path("/sys/devices/system/cpu")) -> list[int]:
    """Return logical cores in another order: first one of each physical core, then the second of each, and so on.

    Parameters
    ----------
    cores : sequence of int
        Their numbers.
    folder : Path
        Where Linux tells which belong together; in vain, they stay in order.
    """
    taken: dict[str, int] = {}
    turns: list[tuple[int, int]] = []
    for core in cores:
        try:
            siblings = (folder / f"cpu{core}" / "topology" / "thread_siblings_list").read_text().strip()
        except OSError:
            siblings = str(core)
        turns.append((taken.get(siblings, 0), core))
        taken[siblings] = taken.get(siblings, 0) + 1
    return [core for _, core in sorted(turns)]


def main(descriptor: int) -> None:
    """Answer requests, in a folder where MindSpore may leave what it wants."""
    with scratch() as folder:
        os.chdir(folder)
        tempfile.tempdir = str(folder)
        serve(descriptor, Engine().commands())
