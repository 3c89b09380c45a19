"""Matrix products that several read, one of them a ReLU: Lite would compute the ReLU into the product, for all of them.

Release 2.0.0 does so without a word. An operator between the two that changes nothing keeps them apart.
"""

from typing import Final

from gsjupyter.formats.lite.fake_quant_param import FAKE_QUANT_PARAM, MATRIX_PRODUCT, add_shield
from gsjupyter.mindir import Graph, Node, Parameter
from gsjupyter.passes.integer_values import RECTIFIERS

_PRODUCTS: Final = ("MatMul", "MatMulExt", "BatchMatMul", "Dense", MATRIX_PRODUCT)
_SUMS: Final = ("BiasAdd", "Add", "AddExt")


def part_from_rectifiers(graph: Graph) -> None:
    """Put something between each matrix product that others read as well and the ReLU that reads it.

    Parameters
    ----------
    graph : Graph
        The network, annotated or not.
    """
    for product in graph.nodes(*_PRODUCTS):
        end = _end(product)
        if len(end.readers) > 1:
            for reader in end.readers:
                if reader.op in RECTIFIERS:
                    reader.set_input(0, add_shield(graph, end))


def _end(node: Node) -> Node:
    """Return what a product is behind its bias and its annotations."""
    while len(node.readers) == 1:
        reader = node.readers[0]
        adds_bias = reader.op in _SUMS and any(isinstance(value, Parameter) for value in reader.inputs)
        if not adds_bias and reader.op != FAKE_QUANT_PARAM:
            break
        node = reader
    return node
