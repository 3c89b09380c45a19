"""Benchmarks of several days and machines made one: what was measured alike is pooled, the rest stands side by side."""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from gsjupyter.benchmarking.records import Machine, Measurement, OutputCheck, Setting
from gsjupyter.benchmarking.results.result import Benchmark

Item = TypeVar("Item")


def added(left: Benchmark, right: Benchmark) -> Benchmark:
    """Return two benchmarks as one.

    Rows with the same setting are pooled: each keeps its processes and blocks, and what both hold (the same session
    added twice) counts once. A machine whose description differs from another of its name becomes a second one, and
    so do its rows. In whichever order several are added in pairs, the result is the same.

    Parameters
    ----------
    left, right : Benchmark
        What to add. Where both know a single thing, such as the baseline, the left one's is kept.
    """
    machines, hosts = _merged_machines(left.machines, right.machines)
    moved = [replace(row, setting=_moved(row.setting, hosts)) for row in right.rows]
    return Benchmark(
        rows=_merged_rows([*left.rows, *moved]),
        machines=machines,
        created=left.created or right.created,
        options=_merged_options(left.options, right.options),
        notes=tuple(dict.fromkeys((*left.notes, *right.notes))),
        is_complete=left.is_complete and right.is_complete,
        baseline=left.baseline or (_moved(right.baseline, hosts) if right.baseline is not None else None),
    )


def _merged_machines(
    left: Mapping[str, Machine], right: Mapping[str, Machine]
) -> tuple[dict[str, Machine], dict[str, str]]:
    """Return all machines, and the right ones' names among them by the names they had."""
    machines = dict(left)
    hosts = {}
    for host, machine in right.items():
        base = _base(host)
        known = (name for name, item in machines.items() if _base(name) == base and _is_same(item, machine))
        name = next(known, None) or next(name for name in _names(base) if name not in machines)
        machines.setdefault(name, replace(machine, host=name))
        hosts[host] = name
    return machines, hosts


def _names(base: str) -> Iterable[str]:
    yield base
    number = 2
    while True:
        yield f"{base} ({number})"
        number += 1


def _base(host: str) -> str:
    """Return a host's own name: none has a space, so what comes behind one was put there by an addition."""
    return host.partition(" (")[0]


def _is_same(one: Machine, other: Machine) -> bool:
    return replace(one, host=other.host) == other


def _moved(setting: Setting, hosts: Mapping[str, str]) -> Setting:
    return replace(setting, host=hosts.get(setting.host, setting.host))


def _merged_rows(rows: Iterable[Measurement]) -> tuple[Measurement, ...]:
    merged: dict[Setting, Measurement] = {}
    for row in rows:
        known = merged.get(row.setting)
        merged[row.setting] = row if known is None else _pooled(known, row)
    return tuple(merged.values())


def _pooled(left: Measurement, right: Measurement) -> Measurement:
    # Who has figures knows better than who has none why there are no more of them.
    obstacles = [row for row in (left, right) if row.has_figures] or [left, right]
    told = next((row for row in obstacles if row.obstacle), obstacles[0])
    return Measurement(
        setting=left.setting,
        size_bytes=max(left.size_bytes, right.size_bytes),
        launches=_united((*left.launches, *right.launches), lambda item: (item.session, item.number)),
        blocks=_united((*left.blocks, *right.blocks), lambda item: (item.session, item.launch, item.round)),
        check=_worse(left.check, right.check),
        operators=left.operators or right.operators,
        findings=_united((*left.findings, *right.findings), lambda item: item.rule),
        obstacle=told.obstacle,
        advice=told.advice,
    )


def _united(items: Iterable[Item], key: Callable[[Item], Hashable]) -> tuple[Item, ...]:
    """Return items without those whose key was there before."""
    first: dict[Hashable, Item] = {}
    for item in items:
        first.setdefault(key(item), item)
    return tuple(first.values())


def _worse(left: OutputCheck | None, right: OutputCheck | None) -> OutputCheck | None:
    if left is None or right is None:
        return left or right
    return right if _quality(right) < _quality(left) else left


def _quality(check: OutputCheck) -> float:
    return -math.inf if math.isnan(check.sqnr_db) else check.sqnr_db


def _merged_options(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of both; a tuple of all values of an option that differs."""
    merged = {}
    for name in dict.fromkeys((*left, *right)):
        values: dict[tuple[type, Any], None] = {}
        for options in (left, right):
            if name in options:
                given = options[name] if isinstance(options[name], tuple) else (options[name],)
                values |= dict.fromkeys((type(value), value) for value in given)
        merged[name] = next(iter(values))[1] if len(values) == 1 else tuple(value for _, value in values)
    return merged
