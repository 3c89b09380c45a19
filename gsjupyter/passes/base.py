"""What a pass is, and the pipeline that runs passes in an order their needs allow."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from gsjupyter.mindir import Graph, Model, Node


@dataclass(frozen=True)
class Change:
    """What a pass did to one node, or why it left it alone.

    Parameters
    ----------
    layer : str
        The layer's name.
    operator : str
        The operator's name.
    is_done : bool
        Whether the graph was changed.
    reason : str
        What was done, or what stood in the way.
    """

    layer: str
    operator: str
    is_done: bool
    reason: str

    @classmethod
    def done(cls, node: Node, what: str) -> "Change":
        """Report a node that was changed."""
        return cls(node.layer or "(network)", node.op, True, what)

    @classmethod
    def skipped(cls, node: Node, reason: str) -> "Change":
        """Report a node that was left alone."""
        return cls(node.layer or "(network)", node.op, False, reason)

    def __str__(self) -> str:
        return f"{self.layer} ({self.operator}): {self.reason}"


class Pass(ABC):
    """One step of a conversion: a graph is edited in place, and every change is reported."""

    requires: ClassVar[tuple[type["Pass"], ...]] = ()
    """The passes that must have run before."""

    @property
    def name(self) -> str:
        """The name in reports."""
        return type(self).__name__

    @abstractmethod
    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""


@dataclass(frozen=True)
class PassResult:
    """What a pass did to a model.

    Parameters
    ----------
    name : str
        The pass.
    changes : tuple of Change
        Node by node.
    nodes_before, nodes_after : int
        How many nodes the graph had.
    """

    name: str
    changes: tuple[Change, ...]
    nodes_before: int
    nodes_after: int

    @property
    def done(self) -> tuple[Change, ...]:
        """The changes made."""
        return tuple(change for change in self.changes if change.is_done)

    @property
    def skipped(self) -> tuple[Change, ...]:
        """The nodes left alone, with the reasons."""
        return tuple(change for change in self.changes if not change.is_done)


class Pipeline:
    """Passes in order.

    Parameters
    ----------
    passes : sequence of Pass
        What to run. Each must come after those it requires.
    after : Pipeline, optional
        One that has run on the model before.

    Raises
    ------
    ValueError
        If a pass comes before one that it requires.
    """

    def __init__(self, passes: Sequence[Pass], after: "Pipeline | None" = None) -> None:
        seen = {type(step) for step in after.passes} if after is not None else set()
        for step in passes:
            missing = [needed.__name__ for needed in step.requires if needed not in seen]
            if missing:
                raise ValueError(f"{step.name} must run after {', '.join(missing)}")
            seen.add(type(step))
        self.passes: tuple[Pass, ...] = tuple(passes)

    def run(
        self, model: Model, progress: Callable[[str], None] = lambda name: None
    ) -> tuple[Model, tuple[PassResult, ...]]:
        """Return the model that the passes make of `model`, which stays as it is, and what each pass did.

        Parameters
        ----------
        model : Model
            Where to start.
        progress : callable
            Called with each pass's name before it runs.
        """
        graph = model.graph()
        results = []
        for step in self.passes:
            progress(step.name)
            before = len(graph.nodes())
            changes = step.run(graph)
            results.append(PassResult(step.name, tuple(changes), before, len(graph.nodes())))
        return model.with_graph(graph), tuple(results)


def apply(step: Pass, model: Model) -> tuple[Model, PassResult]:
    """Run one pass on a model, whatever it requires: for models that are known to be ready."""
    graph = model.graph()
    before = len(graph.nodes())
    changes = step.run(graph)
    return model.with_graph(graph), PassResult(step.name, tuple(changes), before, len(graph.nodes()))
