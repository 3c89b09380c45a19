"""Which cells a graph was made from: the scopes of its nodes tell, where the network itself is not at hand."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import Graph


def cells_of_class(graph: Graph, cell_class: str) -> list[str]:
    """Return the dotted names of the cells of a class, in the order in which they run."""
    found: dict[str, None] = {}
    for path in dict.fromkeys(node.scope.path for node in graph.nodes()):
        names: list[str] = []
        for part in path.split("/")[1:]:
            name, _, kind = part.rpartition("-")
            names.append(name)
            if kind == cell_class:
                found[".".join(names)] = None
    return list(found)


def current_value(parameter: Any, checkpoint: Mapping[str, Any] | None) -> npt.NDArray[np.generic]:
    """Return the value that a parameter has in a checkpoint; its own, if the checkpoint doesn't have it.

    Parameters
    ----------
    parameter : Parameter
        A parameter of a cell.
    checkpoint : mapping of str to array, Tensor or Parameter, optional
        Values by parameter name, as ``mindspore.load_checkpoint`` gives them.
    """
    value = (checkpoint or {}).get(parameter.name, parameter)
    return np.asarray(value.asnumpy() if hasattr(value, "asnumpy") else value)
