"""From an engine's profile to layers: without it a profile speaks of hundreds of operators that no user has written.

An operator with a weight is of the weight's layer: that is sure, as parameters have the names of their cells. Any
other is of the cell that it was written in, if the layers that ran before and after it agree: MindSpore compiles
equal cells once, and then says of the activation of every block that it is that of the first. Where it can't be so,
the operator is of the innermost cell that holds both the layer before it and the one after it. What the engine has put
in by itself, and what the network does outside of any cell, is of no layer.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from gsjupyter.benchmarking.records import OperatorTime


def operator_times(records: Sequence[Mapping[str, Any]], layers: Sequence[str] = ()) -> tuple[OperatorTime, ...]:
    """Return what the operators of a network take, the longest first.

    Parameters
    ----------
    records : sequence of mapping
        What an engine has told, in the order in which operators ran: `gsjupyter.engines.operator_records`.
    layers : sequence of str
        The names of the layers with weights, as in `Conversion.layers`. Without it a weight's cell is the layer.

    Returns
    -------
    tuple of OperatorTime
        Their shares add up to 1, unless nothing took any time.
    """
    named = frozenset(layers)
    owners = [_owner(record["scope"], record.get("weights", ()), named) for record in records]
    durations = [median(record["durations_s"]) if record["durations_s"] else 0.0 for record in records]
    total = sum(durations)
    times = [
        OperatorTime(record["name"], record["operator"], layer, duration, duration / total if total else 0.0)
        for record, layer, duration in zip(records, _layers_of(records, owners), durations, strict=True)
    ]
    return tuple(sorted(times, key=lambda time: -time.duration_s))


def _owner(scope: str, weights: Iterable[str], layers: Collection[str]) -> str:
    """Return the layer whose weight an operator reads; empty if it reads none."""
    weights = list(weights)
    cells = [weight.rpartition(".")[0] for weight in weights]
    # A cell with several weights has a layer for each, which is called like it.
    for name in (*weights, *cells):
        if name in layers:
            return name
    if not weights:
        return ""
    return scope if scope in cells or not cells[0] else cells[0]


def _layers_of(records: Sequence[Mapping[str, Any]], owners: Sequence[str]) -> list[str]:
    before, after = _latest(owners), _latest(owners[::-1])[::-1]
    containers = {cell for owner in set(owners) if owner for cell in _cells_around(owner)}
    return [
        owner or _cell(record["scope"], [previous, following], containers)
        for record, owner, previous, following in zip(records, owners, before, after, strict=True)
    ]


def _latest(owners: Sequence[str]) -> list[str]:
    """Return for each operator the layer with weights that ran last before it, or at it; empty if none did."""
    found, latest = [], ""
    for owner in owners:
        latest = owner or latest
        found.append(latest)
    return found


def _cell(scope: str, neighbours: Sequence[str], containers: Collection[str]) -> str:
    near = [name for name in neighbours if name]
    if not scope or not near:
        return scope
    # A cell of layers runs between these; one without, an activation, runs within the cell around it.
    around = scope if scope in containers else scope.rpartition(".")[0]
    if any(_is_within(name, around) for name in near):
        return scope
    return _common(near) if len(near) > 1 else ""


def _is_within(name: str, cell: str) -> bool:
    return not cell or name == cell or name.startswith(f"{cell}.")


def _cells_around(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _common(names: Sequence[str]) -> str:
    first, *others = [_cells_around(name) for name in names]
    shared = [cell for cell in first if all(cell in other for other in others)]
    return shared[-1] if shared else ""
