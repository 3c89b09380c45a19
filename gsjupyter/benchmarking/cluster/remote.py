"""A benchmark on the machines of a cluster: the rows of all of them in one table, and none lost with its engine."""

import tempfile
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gsjupyter.benchmarking.cluster import remote_worker
from gsjupyter.benchmarking.cluster.parcel import Parcel
from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.protocol.subjects import Subject
from gsjupyter.benchmarking.records import EngineName, Measurement, Setting, Target
from gsjupyter.benchmarking.results.result import Benchmark
from gsjupyter.benchmarking.results.storage import from_json
from gsjupyter.cluster import (
    Call,
    Cluster,
    Host,
    InterruptedCallError,
    LostEngineError,
    Outcome,
    Task,
    connected,
    run_tasks,
)
from gsjupyter.cluster.engine_folder import cleared, sent
from gsjupyter.engines.messages import Array
from gsjupyter.errors import ClusterError
from gsjupyter.progress import Steps

if TYPE_CHECKING:
    from ipyparallel import Client

_PROVIDERS: Final[Mapping[Target, str]] = {"cpu": "cpu", "gpu": "cuda", "ascend": "cann"}


def benchmark_on(
    cluster: "Client | str",
    subjects: Sequence[Subject],
    inputs: tuple[Array, ...] | None = None,
    *,
    options: BenchmarkOptions,
    targets: Sequence[Target] = ("cpu",),
    engines: Collection[EngineName] | None = None,
    batches: Sequence[int] = (),
    threads: Sequence[int] = (),
    clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
) -> Benchmark:
    """Make the same benchmark on each machine of a cluster, on one engine of each, and return all rows together.

    If an engine is lost, the work is done again on another one of its host; if that has none left, its rows say so.

    Parameters
    ----------
    cluster : ipyparallel.Client or str
        A connection, or the name of a profile whose cluster runs.
    subjects : sequence of Subject
        What to measure. Their files are sent along.
    inputs : tuple of ndarray, optional
        What to run them on; sent along as well.
    options, targets, engines, batches, threads, clock
        As in `run.measure`.

    Returns
    -------
    Benchmark
        The rows of all machines. After an interrupt it has what was measured until then.

    Raises
    ------
    ClusterError
        If the cluster can't be reached, or lacks something.
    GsError
        What `run.measure` raises, if it does so on all machines.
    KeyboardInterrupt
        If it was interrupted before anything was measured, or a second time.
    """
    created = clock()
    wanted = {
        "targets": targets,
        "engines": None if engines is None else tuple(engines),
        "batches": batches,
        "threads": threads,
    }
    parcel = Parcel(tuple(subjects), inputs, options, wanted)
    with Steps() as steps:
        steps.begin("benchmark: connect to the cluster")
        with connected(cluster) as found:
            outcomes, is_whole = _outcomes(found, parcel, steps)
    _raise_common(outcomes)
    merged = reduce(add, [_part(outcome, parcel) for outcome in outcomes])
    if not is_whole and not any(row.has_figures for row in merged.rows):
        raise KeyboardInterrupt
    notes = (*merged.notes, *found.notes, *_losses(outcomes))
    return replace(
        merged,
        created=created.isoformat(timespec="seconds"),
        notes=tuple(dict.fromkeys(notes)),
        is_complete=merged.is_complete and is_whole,
    )


def _outcomes(cluster: Cluster, parcel: Parcel, steps: Steps) -> tuple[list[Outcome[Benchmark]], bool]:
    """Return what came of the benchmark on each host, in the order of the hosts, and whether there was no interrupt."""
    news = dict.fromkeys((host.name for host in cluster.hosts), "waits")

    def tell(host: Host, text: str) -> None:
        news[host.name] = text
        steps.begin("; ".join(f"{name}: {what}" for name, what in news.items()))

    with tempfile.TemporaryDirectory(prefix="gsjupyter-") as folder:
        files, rest = parcel.packed(Path(folder))
        tasks = [Task(host, partial(_steps, files, rest)) for host in cluster.hosts]
        outcomes, is_whole = run_tasks(cluster, tasks, tell)
    begun = {outcome.host: outcome for outcome in outcomes}
    never = InterruptedCallError("interrupted before this machine's turn.")
    return [begun.get(host, Outcome(host, error=never)) for host in cluster.hosts], is_whole


def _steps(files: Mapping[str, Path], parcel: str) -> Generator[Call, str, Benchmark]:
    token = yield from sent(files)
    try:
        text = yield Call(remote_worker.__name__, remote_worker.run.__name__, (token, parcel))
        # An engine isn't trusted more than a file from elsewhere.
        benchmark = from_json(text.encode("utf-8", "replace"), "what an engine answered")
    except Exception:
        yield cleared(token)
        raise
    with suppress(ClusterError):
        yield cleared(token)
    return benchmark


def _raise_common(outcomes: Sequence[Outcome[Benchmark]]) -> None:
    """Raise what went wrong on each host, unless the hosts themselves are the reason."""
    errors = [outcome.error for outcome in outcomes]
    for error in errors:
        if error is None or isinstance(error, LostEngineError | InterruptedCallError):
            return
    raise errors[0] or AssertionError


def _part(outcome: Outcome[Benchmark], parcel: Parcel) -> Benchmark:
    """Return a host's rows, under the name by which the cluster knows it."""
    name, found = outcome.host.name, outcome.result
    if found is None:
        return Benchmark(tuple(_marked(outcome, parcel)), {}, "", parcel.options.as_mapping())
    rows = tuple(replace(row, setting=replace(row.setting, host=name)) for row in found.rows)
    machines = dict([(name, replace(machine, host=name)) for machine in found.machines.values()][:1])
    return replace(found, rows=rows, machines=machines, baseline=None)


def _marked(outcome: Outcome[Benchmark], parcel: Parcel) -> Iterator[Measurement]:
    """Yield the rows of a host that has none, each with the reason."""
    error = outcome.error
    reason, advice = (error.message, error.advice) if error is not None else ("nothing came back.", "")
    for subject in parcel.subjects:
        for target in parcel.wanted["targets"] or ():
            for engine in parcel.wanted["engines"] or subject.engines:
                own = subject.obstacle(engine)
                yield Measurement(
                    Setting(
                        subject=subject.label,
                        engine=engine,
                        target=target,
                        batch=1,
                        threads=1,
                        host=outcome.host.name,
                        provider=_PROVIDERS[target] if engine == "onnxruntime" else "",
                        digest="" if own is not None else subject.files[engine].digest,
                    ),
                    obstacle=reason if own is None else own.reason,
                    advice=advice if own is None else own.advice,
                )


def _losses(outcomes: Iterable[Outcome[Benchmark]]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.lost:
            numbers = " and ".join(map(str, outcome.lost))
            done = "its work was done again" if outcome.result is not None else "its work was not done"
            yield f"Engine {numbers} on host {outcome.host.name} was lost; {done}."
