"""The linear operators of a network: where each keeps its weight, and along which axis the output channels lie."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from gsjupyter.mindir import Graph, Node, Parameter, Value
from gsjupyter.passes.stored_weight import StoredWeight, stored_weight

# A cell with one weight calls it so; the number is that of a layer which got a weight of its own by folding.
_USUAL_WEIGHT: Final = re.compile(r"(weight|embedding_table)(_\d+)?")
# Golden Stick numbers the cells that it wraps (Conv2d, Conv2d_1, ...); only their parameters keep the network's names.
_WRAPPING_CELLS: Final = ("Conv2dQuant", "DenseQuant", "Conv2dBnFoldQuantOneConv", "Conv2dBnWithoutFoldQuant")


@dataclass(frozen=True)
class _Layout:
    data: int
    weight: int
    output_axis: Callable[[Node], int]


def _matmul_axis(node: Node) -> int:
    return -2 if node.argument("transpose_b") else -1


_LAYOUTS: Final = {
    "Conv2D": _Layout(0, 1, lambda node: 0),
    "Conv3D": _Layout(0, 1, lambda node: 0),
    "Conv2DTranspose": _Layout(0, 1, lambda node: 1),
    "Conv3DTranspose": _Layout(0, 1, lambda node: 1),
    "MatMul": _Layout(0, 1, _matmul_axis),
    "BatchMatMul": _Layout(0, 1, _matmul_axis),
    "MatMulExt": _Layout(0, 1, lambda node: -1),
    "Dense": _Layout(0, 1, lambda node: 0),
    "Gather": _Layout(1, 0, lambda node: 0),
}


@dataclass(frozen=True)
class LinearOperator:
    """A convolution, matrix product or embedding with a stored weight.

    Parameters
    ----------
    node : Node
        The operator.
    weight : Parameter
        Its weight, as it is stored.
    axis : int
        The weight's output channel axis; the row axis of an embedding.
    stored : StoredWeight, optional
        How the weight is stored, if in less than float32.
    """

    node: Node
    weight: Parameter
    axis: int
    stored: StoredWeight | None = None

    @property
    def name(self) -> str:
        """The layer's name; the parameter's where no cell made the operator, or the cell may hold several weights."""
        layer, parameter = self.node.layer, self.weight.name
        if not layer or self.node.scope.cell_class in _WRAPPING_CELLS:
            return parameter.removesuffix(".weight")
        own = parameter.removeprefix(f"{layer}.")
        usual = own == parameter or _USUAL_WEIGHT.fullmatch(own) is not None
        return layer if usual else parameter

    @property
    def data_index(self) -> int:
        """Which input the data is."""
        return _LAYOUTS[self.node.op].data

    @property
    def weight_index(self) -> int:
        """Which input the weight is."""
        return _LAYOUTS[self.node.op].weight

    @property
    def data(self) -> Value:
        """What the weight is applied to."""
        return self.node.inputs[self.data_index]

    @property
    def shape(self) -> tuple[int, ...]:
        """The weight's shape; integers with a scale for each group may be stored in another."""
        return self.node.inputs[self.weight_index].shape or ()

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the weight is stored as: itself, or integers with their scale and zero point."""
        if self.stored is None:
            return (self.weight,)
        parts = (self.weight, self.stored.scale, self.stored.zero_point)
        return tuple(part for part in parts if part is not None)

    @property
    def is_embedding(self) -> bool:
        """Whether it looks up rows instead of multiplying."""
        return self.node.op == "Gather"


def linear_operator(node: Node) -> LinearOperator | None:
    """Return a node as a linear operator; None if it is none, or its weight isn't a stored matrix."""
    layout = _LAYOUTS.get(node.op)
    if layout is None or layout.weight >= len(node.inputs):
        return None
    matrix = node.inputs[layout.weight]
    stored = stored_weight(matrix)
    weight = stored.values if stored is not None else matrix
    if not isinstance(weight, Parameter) or matrix.dtype != np.float32 or len(matrix.shape or ()) < 2:
        return None
    if node.op == "Gather" and node.argument("axis") != 0:
        return None
    return LinearOperator(node, weight, layout.output_axis(node) % len(matrix.shape or ()), stored)


def linear_operators(graph: Graph) -> list[LinearOperator]:
    """Return the linear operators of a graph, in the order in which they run."""
    found = (linear_operator(node) for node in graph.nodes(*_LAYOUTS))
    return [operator for operator in found if operator is not None]


def along(axis: int, values: np.ndarray, ndim: int) -> np.ndarray:  # type: ignore[type-arg]  # any data type
    """Return a vector in the shape that broadcasts along one axis of an array with `ndim` axes."""
    return values.reshape([-1 if index == axis % ndim else 1 for index in range(ndim)])
