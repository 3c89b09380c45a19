"""Benchmarks with figures that are known, because nothing was measured."""

from __future__ import annotations

from dataclasses import replace

from gsjupyter.benchmarking.records import (
    Block,
    Device,
    Finding,
    Launch,
    Machine,
    Measurement,
    OperatorTime,
    OutputCheck,
    Setting,
)
from gsjupyter.benchmarking.results.result import Benchmark

ATTACK = "</style><img src=x onerror=alert(1)>$a_b$"
HOST = "host-a"
CREATED = "2026-03-01T12:00:00+08:00"

MACHINE = Machine(
    host=HOST,
    system="Debian 12",
    processor="Some CPU",
    threads=2,
    memory_bytes=8_000_000_000,
    features=("avx2",),
    devices=(Device("gpu", "Some GPU", 80_000_000_000, "550.1"),),
    versions={"mindspore": "2.10.0", "onnxruntime": "1.32.0"},
)


def setting(subject="net", **changes):
    given = {"engine": "onnxruntime", "target": "cpu", "batch": 1, "threads": 2, "host": HOST, "provider": "cpu"}
    return Setting(subject, **{**given, **changes})


def blocks(duration_s, *, session="day1", launches=3, rounds=4, runs=5):
    """Give blocks whose medians differ from round to round by a few per mille, in the same way for all rows."""
    return tuple(
        Block(session, launch, number, tuple(duration_s * (1 + 0.002 * (number - 1.5)) for _ in range(runs)))
        for launch in range(launches)
        for number in range(rounds)
    )


def launches(*, session="day1", count=3, **changes):
    given = {
        "load_s": 0.25,
        "first_run_s": 0.5,
        "warm_up_runs": 12,
        "is_stable": True,
        "host_memory_bytes": 50_000_000,
        **changes,
    }
    return tuple(Launch(session, number, **given) for number in range(count))


def row(subject="net", duration_s=0.01, *, session="day1", size_bytes=45_000_000, **changes):
    """Give a row that was measured; `changes` are those of its setting or its fields."""
    fields = {name: changes.pop(name) for name in list(changes) if name in Measurement.__dataclass_fields__}
    given = {"launches": launches(session=session), "blocks": blocks(duration_s, session=session), **fields}
    return Measurement(setting(subject, **changes), size_bytes, **given)


def missing(subject="net", obstacle="no such device.", **changes):
    return Measurement(setting(subject, **changes), obstacle=obstacle, advice="Buy one.")


def benchmark(*rows, **changes):
    given = {"machines": {HOST: MACHINE}, "created": CREATED, "options": {"duration_s": 3.0, "runs": 10}, **changes}
    return Benchmark(tuple(rows), **given)


def check(sqnr_db=30.0, **changes):
    given = {"reference": "its source", "max_abs_error": 0.1, "argmax_agreement": 0.9375, "samples": 32, **changes}
    return OutputCheck(sqnr_db=sqnr_db, **given)


FINDING = Finding("signed-activations", "s8 activations take 51 % of the time", "Export it again", "up to 2.1x")
OPERATORS = (OperatorTime("conv", "Conv", "features.0", 0.006, 0.75), OperatorTime("fc", "Gemm", "fc", 0.002, 0.25))

FULL = benchmark(
    row("net", 0.1, engine="mindspore", provider="", check=check(float("inf"))),
    row("net", 0.02, check=check(110.0), operators=OPERATORS),
    row("net int8", 0.0101, size_bytes=12_000_000, check=check(28.0), findings=(FINDING,)),
    row("net int8", 0.04, batch=8, size_bytes=12_000_000),
    row("net", 0.001, target="gpu", provider="cuda", launches=launches(device_memory_bytes=10**9, energy_j=0.5)),
    missing("net int8", "ONNX Runtime has no TensorRT here.", target="gpu", provider="tensorrt"),
    notes=("net was exported for it.",),
)


def on_host(benchmark, host):
    """Give the same benchmark of another machine."""
    rows = tuple(replace(item, setting=replace(item.setting, host=host)) for item in benchmark.rows)
    return replace(benchmark, rows=rows, machines={host: replace(MACHINE, host=host)})
