"""What pruning removed, layer by layer: the proof that a pruned network is smaller, and where it isn't, why."""

from collections.abc import Sequence
from dataclasses import dataclass

from gsjupyter.report.document import Cell, Column, Document, Facts, Messages, Table
from gsjupyter.report.shown import Shown


@dataclass(frozen=True)
class LayerPruning:
    """One layer with a weight, before and after.

    Parameters
    ----------
    name : str
        The layer's name.
    operator : str
        MindSpore's operator.
    shape_before, shape_after : tuple of int
        The weight's shape.
    parameters_before, parameters_after : int
        How many numbers the weight has.
    multiply_adds_before, multiply_adds_after : int or None
        How many multiplications with additions one sample takes; None where a dynamic axis keeps it open.
    note : str
        Why channels stayed that are zero, where some did.
    """

    name: str
    operator: str
    shape_before: tuple[int, ...]
    shape_after: tuple[int, ...]
    parameters_before: int
    parameters_after: int
    multiply_adds_before: int | None
    multiply_adds_after: int | None
    note: str = ""


@dataclass(frozen=True, repr=False)
class PruningReport(Shown):
    """What pruning removed.

    Parameters
    ----------
    layers : tuple of LayerPruning
        The layers with weights, in the order in which they run.
    masks_left : int
        How many masks are still computed when the network runs; 0 if all were folded.
    """

    layers: tuple[LayerPruning, ...]
    masks_left: int

    @property
    def parameters_before(self) -> int:
        """The numbers of all weights before."""
        return sum(layer.parameters_before for layer in self.layers)

    @property
    def parameters_after(self) -> int:
        """The numbers of all weights after."""
        return sum(layer.parameters_after for layer in self.layers)

    @property
    def multiply_adds_before(self) -> int | None:
        """The multiply-adds of one sample before; None if those of a layer are open."""
        return _total([layer.multiply_adds_before for layer in self.layers])

    @property
    def multiply_adds_after(self) -> int | None:
        """The multiply-adds of one sample after; None if those of a layer are open."""
        return _total([layer.multiply_adds_after for layer in self.layers])

    @property
    def is_pruned(self) -> bool:
        """Whether anything was removed."""
        return any(layer.shape_after != layer.shape_before for layer in self.layers)

    def table(self) -> Table:
        """Return the table that reports show."""
        columns = [
            Column("name", "Layer"),
            Column("shape_before", "Weight"),
            Column("shape_after", "after"),
            Column("parameters_before", "Parameters", "integer"),
            Column("parameters_after", "after", "integer"),
            Column("parameters_left", "left", "percent"),
            Column("multiply_adds_before", "Multiply-adds", "integer"),
            Column("multiply_adds_after", "after", "integer"),
        ]
        if any(layer.note for layer in self.layers):
            columns.append(Column("note", "Note"))
        return Table("Pruning", columns, [_row(layer) for layer in self.layers])

    def document(self) -> Document:
        """Return what to show."""
        facts = Facts(
            [
                ("Parameters", _change(self.parameters_before, self.parameters_after)),
                ("Multiply-adds", _change(self.multiply_adds_before, self.multiply_adds_after)),
                ("Masks left", f"{self.masks_left:,}"),
            ]
        )
        warning = "Masks are left: they are computed at every call, and the network takes one batch size only."
        warnings = [Messages([("warning", warning)])] if self.masks_left else []
        return Document("Pruning", [facts, self.table(), *warnings])


def _total(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _change(before: int | None, after: int | None) -> str:
    if before is None or after is None:
        return "unknown, as an axis is dynamic"
    return f"{before:,} → {after:,}" + (f" ({after / before:.0%})" if before else "")


def _row(layer: LayerPruning) -> dict[str, Cell]:
    before, after = (" x ".join(map(str, shape)) for shape in (layer.shape_before, layer.shape_after))
    return {
        "name": layer.name,
        "operator": layer.operator,
        "shape_before": before,
        "shape_after": after,
        "parameters_before": layer.parameters_before,
        "parameters_after": layer.parameters_after,
        "parameters_left": layer.parameters_after / layer.parameters_before if layer.parameters_before else None,
        "multiply_adds_before": layer.multiply_adds_before,
        "multiply_adds_after": layer.multiply_adds_after,
        "note": layer.note,
    }
