"""Compute once, at conversion, what would come out the same at every call.

The constant part of the graph runs on MindSpore itself, so that no operator is implemented a second time here.
"""

import numpy as np

from gsjupyter.mindir import Array, Constant, Graph, Model, Node, Parameter, Value
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.constant_values import constant_nodes, values_of
from gsjupyter.passes.remove_dead_code import RemoveDeadCode

SMALL_BYTES = 1 << 16
"""Results up to this size are stored even where computing them takes less."""

_NARROW = tuple(np.dtype(kind) for kind in (np.int8, np.uint8, np.float16))


class FoldConstants(Pass):
    """Replace what depends on no input by its value.

    Left alone, with the reason in the change list: random operators, and results much larger than what they are
    computed from (a broadcast, or a weight stored in few bits), which would make the file larger for nothing.

    Parameters
    ----------
    model : Model
        The model that the graph is of: its version fields are needed to run a part of it.
    growth_limit : bool
        Whether to leave results alone that are larger than their sources. Switched off at load, where the file's size
        no longer matters.
    """

    requires = (RemoveDeadCode,)

    def __init__(self, model: Model, *, growth_limit: bool = True) -> None:
        self._model = model
        self._growth_limit = growth_limit

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        constant = constant_nodes(graph)
        changes, targets = [], []
        for node in _frontier(graph, constant):
            if self._growth_limit and (reason := _obstacle(node, _sources(node))):
                changes.append(Change.skipped(node, reason))
            else:
                targets.append(node)
        if not targets:
            return changes
        for node, value in zip(targets, values_of(self._model, graph, targets), strict=True):
            sources = _sources(node)
            graph.replace(node, _stored(graph, node, value, sources))
            changes.append(Change.done(node, "computed once" + _origin(sources)))
        return changes


def _frontier(graph: Graph, constant: set[Node]) -> list[Node]:
    """Return the constant tensors that are read by something that isn't constant."""
    return [
        node
        for node in graph.nodes()
        if node in constant
        and node.shape is not None
        and node.dtype is not None
        and any(reader not in constant for reader in node.readers)
    ]


def _sources(node: Node) -> list[Parameter]:
    found: dict[Value, None] = {}
    pending: list[Value] = [node]
    while pending:
        value = pending.pop()
        if value not in found:
            found[value] = None
            pending.extend(value.inputs if isinstance(value, Node) else ())
    return [value for value in found if isinstance(value, Parameter)]


def _obstacle(node: Node, sources: list[Parameter]) -> str:
    shape, dtype = node.shape or (), node.dtype or np.dtype(np.float32)
    narrow = [item for item in sources if item.dtype in _NARROW and item.dtype.itemsize < dtype.itemsize]
    if narrow:
        return f"{narrow[0].name} is stored as {narrow[0].dtype} to be small"
    size = int(np.prod([abs(axis) for axis in shape], dtype=np.int64)) * dtype.itemsize
    limit = max(SMALL_BYTES, sum(parameter.size_bytes for parameter in sources))
    return f"its result of {size:,} bytes is larger than what it is computed from" if size > limit else ""


def _stored(graph: Graph, node: Node, value: Array, sources: list[Parameter]) -> Value:
    if not sources and value.nbytes <= SMALL_BYTES:
        return Constant.of(value)
    name = sources[0].name if len(sources) == 1 else f"{node.layer}.constant" if node.layer else "constant"
    # The only source leaves the graph with this node, so its name is free again.
    leaves = len(sources) == 1 and _read_only_through(sources[0], node)
    return Parameter.of(name, value) if leaves else graph.new_parameter(name, value)


def _read_only_through(parameter: Parameter, node: Node) -> bool:
    pending: list[Value] = [parameter]
    while pending:
        readers = pending.pop().readers
        pending.extend(reader for reader in readers if reader is not node)
        if not readers:
            return False
    return True


def _origin(sources: list[Parameter]) -> str:
    return f", from {', '.join(parameter.name for parameter in sources[:3])}" if sources else ""
