"""Ghost: recognise it; its modules are ordinary operators, and nothing has to be converted.

A `GhostModule` computes half of its channels by a convolution and makes the others of them, channel by channel.

Source: mindspore_gs 1.4.1, ``ghost/ghost.py``. K. Han et al., "GhostNet: More Features from Cheap Operations", CVPR
2020.
"""

from typing import Final

from gsjupyter.goldenstick.cells import cells_of_class
from gsjupyter.goldenstick.recognition import plural
from gsjupyter.mindir import Graph

GHOST_CELL: Final = "GhostModule"


def modules_in_words(graph: Graph) -> list[str]:
    """Return what Ghost did to a network: ``Ghost, 3 modules``.

    Parameters
    ----------
    graph : Graph
        The network as it was exported.
    """
    modules = cells_of_class(graph, GHOST_CELL)
    return [f"Ghost, {plural(len(modules), 'module')}"] if modules else []
