"""The bias of a linear operator as int32: integer kernels add it before anything is made float again."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsjupyter.formats.onnx.integer_weights import add_dequantize
from gsjupyter.mindir import Array, Constant, Graph, Node, Parameter
from gsjupyter.passes.integer_values import CONVOLUTIONS
from gsjupyter.passes.linear import LinearOperator


@dataclass(frozen=True)
class Bias:
    """Where a bias is: what reads it, at which input, and its numbers, of shape (out_channels,)."""

    reader: Node
    index: int
    parameter: Parameter

    @property
    def array(self) -> Array:
        """The numbers."""
        return self.parameter.array

    def quantize(self, graph: Graph, scale: npt.NDArray[np.float32]) -> None:
        """Put int32 with a scale in its place."""
        integers = np.rint(self.array.astype(np.float64) / scale).astype(np.int32)
        values = Parameter.of(self.parameter.name, integers)
        self.reader.set_input(self.index, add_dequantize(graph, [values, Constant.of(scale)], 0, self.reader))


def bias_of(operator: LinearOperator) -> Bias | None:
    """Return the bias that is added to what a linear operator gives, and to nothing else; None if there is none."""
    node = operator.node
    if node.op == "Dense":
        return _vector(node, 2, operator)
    reader = node.readers[0] if len(node.readers) == 1 else None
    if reader is None:
        return None
    if reader.op == "BiasAdd" and (node.op in CONVOLUTIONS or len(node.shape or ()) == 2):
        return _vector(reader, 1, operator)
    if reader.op in ("Add", "AddExt") and node.op not in CONVOLUTIONS:
        return _vector(reader, 1 if reader.inputs[0] is node else 0, operator)
    return None


def _vector(reader: Node, index: int, operator: LinearOperator) -> Bias | None:
    parameter = reader.parameter(index)
    channels = operator.shape[operator.axis]
    if parameter is None or parameter.dtype != np.float32 or parameter.shape != (channels,):
        return None
    return Bias(reader, index, parameter)
