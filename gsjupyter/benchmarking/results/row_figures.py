"""All figures of a row, flat and in SI units: what a table, a data frame and a figure are made from."""

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from gsjupyter.benchmarking.records import Measurement
from gsjupyter.benchmarking.statistics.latency import Interval, Latency

if TYPE_CHECKING:
    from gsjupyter.benchmarking.results.result import Benchmark
    from gsjupyter.benchmarking.statistics.comparison import Comparison


@dataclass(frozen=True)
class RowFigures:
    """A row's figures; None where there is none.

    Parameters
    ----------
    name : str
        The row's name, which no other row has.
    subject, engine, target, provider, host : str
        What ran, in what, where.
    batch, threads : int
        Samples in each run, and threads.
    runs : int
        How many runs count.
    median_s, median_low_s, median_high_s : float, optional
        The median latency of a run and its 95 % confidence interval.
    p90_s, p95_s, p99_s : float, optional
        Percentiles of the latency.
    throughput_per_s, throughput_low_per_s, throughput_high_per_s : float, optional
        Samples per second, with the interval.
    variation : float, optional
        How much the latency varies, as a share of it.
    speed_up, speed_up_low, speed_up_high : float, optional
        How many times as fast as the baseline, with the interval.
    verdict : str, optional
        ``"faster"``, ``"slower"`` or ``"can't be told apart"``; ``"baseline"`` for the baseline itself; None where
        nothing could be compared.
    is_per_sample : bool
        Whether the time of a sample was compared, and not that of a run, because the batches differ.
    load_s, first_run_s : float, optional
        Medians over the processes.
    host_memory_bytes, device_memory_bytes : int, optional
        The most that any process took.
    size_bytes : int, optional
        The size of the file.
    sqnr_db, max_abs_error, argmax_agreement : float, optional
        The outputs against the reference.
    reference : str
        What the outputs were held against, in words; empty if they weren't.
    sample_energy_j : float, optional
        What a sample takes.
    obstacle : str
        Why there are no figures, or no more of them.
    """

    name: str
    subject: str
    engine: str
    target: str
    provider: str
    batch: int
    threads: int
    host: str
    runs: int = 0
    median_s: float | None = None
    median_low_s: float | None = None
    median_high_s: float | None = None
    p90_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    throughput_per_s: float | None = None
    throughput_low_per_s: float | None = None
    throughput_high_per_s: float | None = None
    variation: float | None = None
    speed_up: float | None = None
    speed_up_low: float | None = None
    speed_up_high: float | None = None
    verdict: str | None = None
    is_per_sample: bool = False
    load_s: float | None = None
    first_run_s: float | None = None
    host_memory_bytes: int | None = None
    device_memory_bytes: int | None = None
    size_bytes: int | None = None
    sqnr_db: float | None = None
    max_abs_error: float | None = None
    argmax_agreement: float | None = None
    reference: str = ""
    sample_energy_j: float | None = None
    obstacle: str = ""


def row_figures(benchmark: "Benchmark") -> tuple[RowFigures, ...]:
    """Return the figures of each row of a benchmark."""
    figures = []
    rows = zip(benchmark.names, benchmark.rows, benchmark.latencies, benchmark.comparisons, strict=True)
    for place, (name, row, latency, comparison) in enumerate(rows):
        verdict = {"verdict": "baseline"} if place == benchmark.baseline_place else _of_comparison(comparison)
        figures.append(
            RowFigures(
                name=name,
                subject=row.setting.subject,
                engine=row.setting.engine,
                target=row.setting.target,
                provider=row.setting.provider,
                batch=row.setting.batch,
                threads=row.setting.threads,
                host=row.setting.host,
                size_bytes=row.size_bytes or None,
                sample_energy_j=sample_energy_j(row),
                obstacle=row.obstacle,
                **_of_latency(latency),
                **verdict,
                **_of_launches(row),
                **_of_check(row),
            )
        )
    return tuple(figures)


def sample_energy_j(row: Measurement) -> float | None:
    """Return what a sample takes, in joule, over all processes of which it is known; None if it is of none."""
    known = {(item.session, item.number): item.energy_j for item in row.launches if item.energy_j is not None}
    runs = sum(len(block.durations_s) for block in row.blocks if (block.session, block.launch) in known)
    return sum(known.values()) / (runs * row.setting.batch) if runs else None


def _of_latency(latency: Latency | None) -> dict[str, Any]:
    if latency is None:
        return {}
    return {
        "runs": latency.runs,
        **_interval("median", latency.median_s, "_s"),
        "p90_s": _estimate(latency.p90_s),
        "p95_s": _estimate(latency.p95_s),
        "p99_s": _estimate(latency.p99_s),
        **_interval("throughput", latency.throughput, "_per_s"),
        "variation": latency.variation,
    }


def _of_comparison(comparison: "Comparison | None") -> dict[str, Any]:
    if comparison is None or comparison.speed_up is None:
        return {}
    return {
        "verdict": comparison.verdict,
        "is_per_sample": comparison.is_per_sample,
        **_interval("speed_up", comparison.speed_up),
    }


def _of_launches(row: Measurement) -> dict[str, Any]:
    if not row.launches:
        return {}
    devices = [item.device_memory_bytes for item in row.launches if item.device_memory_bytes is not None]
    return {
        "load_s": median(item.load_s for item in row.launches),
        "first_run_s": median(item.first_run_s for item in row.launches),
        "host_memory_bytes": max(item.host_memory_bytes for item in row.launches),
        "device_memory_bytes": max(devices, default=None),
    }


def _of_check(row: Measurement) -> dict[str, Any]:
    if row.check is None:
        return {}
    return {
        "sqnr_db": row.check.sqnr_db,
        "max_abs_error": row.check.max_abs_error,
        "argmax_agreement": row.check.argmax_agreement,
        "reference": row.check.reference,
    }


def _interval(name: str, interval: Interval | None, unit: str = "") -> dict[str, float | None]:
    estimate, low, high = (interval.estimate, interval.low, interval.high) if interval is not None else (None,) * 3
    return {f"{name}{unit}": estimate, f"{name}_low{unit}": low, f"{name}_high{unit}": high}


def _estimate(interval: Interval | None) -> float | None:
    return interval.estimate if interval is not None else None
