"""The layer that a node belongs to, read from its scope: without it statistics would be per node, not per layer.

MindSpore writes the path of cells into each node: ``Default/blocks-SequentialCell/0-Dense/MatMul-op0`` is the MatMul
of the cell ``blocks.0``, of class Dense.
"""

from dataclasses import dataclass

_ROOT = "Default"
WRAPPER_CELL = "exported_network"


@dataclass(frozen=True)
class Scope:
    """Where in the network a node was made.

    Parameters
    ----------
    layer : str
        The cell's dotted name, as in ``network.cells_and_names()``; empty for the network itself.
    cell_class : str
        The class of that cell; empty for the network itself.
    path : str
        The cells' part of MindSpore's scope.
    """

    layer: str
    cell_class: str
    path: str

    @classmethod
    def parse(cls, domain: str) -> "Scope":
        """Read the scope from a node's ``domain``; foreign text gives the scope of the network itself."""
        parts = domain.split("/")
        cells = [part for part in parts[1:-1] if "-" in part] if parts[0] == _ROOT else []
        if cells and cells[0].rpartition("-")[0] == WRAPPER_CELL:
            cells = cells[1:]
        names = [cell.rpartition("-") for cell in cells]
        return cls(
            layer=".".join(name for name, _, _ in names),
            cell_class=names[-1][2] if names else "",
            path="/".join([_ROOT, *cells]),
        )

    @property
    def parent_class(self) -> str:
        """The class of the cell around it; empty if that is the network itself."""
        parts = self.path.split("/")
        return parts[-2].rpartition("-")[2] if len(parts) > 2 else ""

    def domain(self, operator: str, index: int) -> str:
        """Return the ``domain`` of an operator in this scope."""
        return f"{self.path}/{operator}-op{index}"
