"""The benchmark: models on engines and targets, timed so that differences can be trusted."""

import tempfile
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from gsjupyter.benchmarking.advice import advise
from gsjupyter.benchmarking.options import BenchmarkOptions, options_from
from gsjupyter.benchmarking.protocol.batches import Inputs, arrays_of
from gsjupyter.benchmarking.protocol.launches import Launches
from gsjupyter.benchmarking.protocol.live import Line, Live, Silence
from gsjupyter.benchmarking.protocol.outputs import check_outputs
from gsjupyter.benchmarking.protocol.plan import Limits, plan_rows
from gsjupyter.benchmarking.protocol.processes import Procedure
from gsjupyter.benchmarking.protocol.profiles import profile_rows
from gsjupyter.benchmarking.protocol.rows import Row, rows_of
from gsjupyter.benchmarking.protocol.subjects import Subject, subjects_of
from gsjupyter.benchmarking.protocol.written_batches import batch_for_free_files, note_on_batches
from gsjupyter.benchmarking.records import ENGINES, TARGETS, EngineName, Machine, Measurement, Target
from gsjupyter.benchmarking.results.result import Benchmark
from gsjupyter.benchmarking.targets.machine import this_machine
from gsjupyter.benchmarking.targets.targets import find_places
from gsjupyter.choices import check_choice, check_count
from gsjupyter.engines.messages import Array
from gsjupyter.errors import OptionError
from gsjupyter.interrupts import interruptible
from gsjupyter.progress import Steps

_RANDOM: Final = (
    "Run on random input: give inputs, where speed depends on them or outputs are to be compared on real ones."
)

_NOTHING_YET: Final = "interrupted before anything was measured"

_NOT_JUDGED: Final = (
    "The look at the results was interrupted, so outputs may not have been compared, and advice may lack."
)


def benchmark(
    subjects: Any,
    inputs: Any = None,
    *,
    targets: str | Iterable[str] = "cpu",
    engines: str | Iterable[str] | None = None,
    batches: int | Iterable[int] | None = None,
    threads: int | Iterable[int] | None = None,
    options: BenchmarkOptions | None = None,
    cluster: Any = None,
    **settings: Any,
) -> Benchmark:
    """Measure how fast models run, on each engine and target, so that differences can be trusted.

    Each row is a model on an engine on a target, with a batch size and a number of threads. It runs in fresh processes,
    side by side with the others and in turns with them; outputs are compared. What can't run, crashes or hangs has a
    row that says so. An interrupt keeps what was measured.

    Parameters
    ----------
    subjects : path, Artifact, Conversion, nn.Cell, a loaded model, or a list of these or mapping of labels to them
        What to measure. A ``.mindir`` file runs on MindSpore, an ``.onnx`` file on ONNX Runtime, a ``.ms`` file on
        MindSpore Lite, and a conversion or a network on the first two, and on Lite if ``engines`` names it.
    inputs : ndarray, Tensor or tuple of these, optional
        One batch of the input, several inputs as a tuple. By default the example of a conversion; else random numbers.
    targets : {"cpu", "gpu", "ascend"} or iterable of these
        Where to run.
    engines : {"mindspore", "onnxruntime", "lite"} or iterable of these, optional
        On which engines; by default on those that a model is for.
    batches : int or iterable of int, optional
        The batch sizes: samples are repeated or left out. As in the inputs by default, and without inputs as a file
        says; files that take any batch follow the first that doesn't.
    threads : int or iterable of int, optional
        How many threads an operator may use on the CPU; as many as can run at once by default.
    options : BenchmarkOptions, optional
        How to measure, all at once; single settings go before it.
    cluster : str or ipyparallel.Client, optional
        An IPython Parallel cluster, or the name of its profile, on whose machines it is to run.
    **settings
        The fields of `BenchmarkOptions`.

    Returns
    -------
    Benchmark

    Raises
    ------
    OptionError
        If an option is unknown or out of range.
    SourceError, InputError, ModelFileError
        If something is no model, a network comes without inputs, or a file is missing or isn't what its manifest says.
    ClusterError
        If the cluster can't be reached.

    Examples
    --------
    >>> gs.benchmark(["lenet.onnx", "lenet.mindir"], x)
    >>> gs.benchmark({"float": conversion, "int8": quantized}, batches=[1, 8], targets=["cpu", "gpu"])
    """
    chosen = options_from(settings, options)
    wanted_targets: tuple[Target, ...] = _chosen("targets", targets, TARGETS)
    wanted_engines: tuple[EngineName, ...] | None = None
    if engines is not None:
        wanted_engines = _chosen("engines", engines, ENGINES)
    wanted_batches, wanted_threads = _counts("batches", batches), _counts("threads", threads)
    given = arrays_of(inputs) if inputs is not None else None
    with tempfile.TemporaryDirectory(prefix="gsjupyter-") as folder:
        with interruptible():
            found = subjects_of(subjects, given, Path(folder), wanted_engines)
        where: dict[str, Any] = {"targets": wanted_targets, "engines": wanted_engines}
        where |= {"batches": wanted_batches, "threads": wanted_threads}
        if cluster is None:
            with Steps() as steps:
                return measure(found, given, options=chosen, steps=steps, **where)
        from gsjupyter.benchmarking.cluster.remote import benchmark_on

        return benchmark_on(cluster, found, given, options=chosen, **where)


def measure(
    subjects: Sequence[Subject],
    inputs: tuple[Array, ...] | None = None,
    *,
    targets: Sequence[Target] = ("cpu",),
    engines: Collection[EngineName] | None = None,
    batches: Sequence[int] = (),
    threads: Sequence[int] = (),
    options: BenchmarkOptions | None = None,
    limits: Limits | None = None,
    steps: Line | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
) -> Benchmark:
    """Measure files on this machine; MindSpore isn't imported for it.

    Parameters
    ----------
    subjects : sequence of Subject
        What to measure.
    inputs : tuple of ndarray, optional
        What to run them on.
    targets, engines, batches, threads, options
        As in `benchmark`; no batches or threads are the default ones.
    limits : Limits, optional
        How long something may take before it counts as hung.
    steps : Line, optional
        Where to say what goes on.
    clock : callable, optional
        What tells when it began.

    Raises
    ------
    KeyboardInterrupt
        If it was interrupted before anything was measured.
    """
    created, chosen, line = clock(), options or BenchmarkOptions(), steps or Silence()
    rows: list[Row] = []
    notes: list[str] = []
    is_complete = True
    line.begin("benchmark: look at the machine")
    with interruptible():
        machine = this_machine()
    try:
        with interruptible():
            inputs_of = Inputs.of(inputs, subjects, chosen.seed)
            asked = _asked(subjects, engines)
            planned = plan_rows(
                subjects,
                find_places(targets, asked),
                engines=engines,
                batches=batches or (inputs_of.batch_known(),),
                threads=threads or (machine.threads,),
            )
            rows += rows_of(planned)
            within = limits or Limits()
            line.begin("benchmark: look at the files")
            inputs_of = replace(inputs_of, free_batch=batch_for_free_files(rows, within))
            notes += _run(rows, Procedure.of(inputs_of, chosen, within), chosen, line)
    except KeyboardInterrupt:
        if not any(row.blocks for row in rows):
            # Where exactly that was is nothing to the user, and would be pages of our frames.
            raise KeyboardInterrupt(_NOTHING_YET) from None
        is_complete = False
    judged, is_judged = _judged(rows, machine, line)
    notes += [] if is_judged else [_NOT_JUDGED]
    return Benchmark(
        rows=judged,
        machines={machine.host: machine},
        created=created.isoformat(timespec="seconds"),
        options=chosen.as_mapping(),
        notes=(*_notes(subjects, rows), *notes),
        is_complete=is_complete,
    )


def _asked(subjects: Sequence[Subject], engines: Collection[EngineName] | None) -> tuple[EngineName, ...]:
    wanted = engines if engines is not None else [engine for subject in subjects for engine in subject.engines]
    return tuple(engine for engine in ENGINES if engine in wanted)


def _run(rows: Sequence[Row], procedure: Procedure, options: BenchmarkOptions, line: Line) -> list[str]:
    live = Live(line, sum(row.is_open for row in rows), options.launches)
    Launches(rows, procedure, np.random.default_rng(options.seed), live).run()
    return profile_rows(rows, procedure, live) if options.operators else []


def _judged(rows: Sequence[Row], machine: Machine, line: Line) -> tuple[tuple[Measurement, ...], bool]:
    """Return the rows with what is to be said of them, and whether that is all: an interrupt costs no figures."""
    judged: tuple[Measurement, ...] = ()
    files = {
        row.setting(machine.host): row.planned.subject.files[row.planned.engine].path
        for row in rows
        if row.planned.engine in row.planned.subject.files
    }
    try:
        with interruptible():
            line.begin("benchmark: look at the results")
            check_outputs(rows)
            measurements = tuple(row.measurement(machine.host) for row in rows)
            # Interrupted, it returns what it has found by then, and the interrupt comes after that.
            judged = advise(measurements, {machine.host: machine}, files)
    except KeyboardInterrupt:
        return judged or tuple(row.measurement(machine.host) for row in rows), False
    return judged, True


def _notes(subjects: Sequence[Subject], rows: Sequence[Row]) -> tuple[str, ...]:
    notes = [note for subject in subjects for note in subject.notes]
    if any(row.outputs is not None and row.origin is None for row in rows):
        notes.append(_RANDOM)
    if differing := note_on_batches(rows):
        notes.append(differing)
    return tuple(dict.fromkeys(notes))


def _chosen(option: str, given: str | Iterable[str], choices: Sequence[Any]) -> tuple[Any, ...]:
    values = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    if not values:
        raise OptionError(f"{option} names none.", advice=f"Choose from {', '.join(choices)}.")
    for value in values:
        check_choice(option, value, choices)
    return tuple(dict.fromkeys(values))


def _counts(option: str, given: Any) -> tuple[int, ...]:
    if given is None:
        return ()
    values = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    if not values:
        raise OptionError(f"{option} names none.", advice="Leave it out for the default.")
    for value in values:
        check_count(option, value)
    return tuple(dict.fromkeys(values))
