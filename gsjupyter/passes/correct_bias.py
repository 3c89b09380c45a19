"""Take out of each bias what rounding the weight has added to the outputs on average: a shift that would add up.

Rounding errors of a weight cancel only if its inputs have mean zero, and behind a ReLU they haven't. The output's mean
moves by ``(W' - W) E[x]``, which the bias can undo exactly [1]_:

    bias' = bias - (W' - W) E[x]

.. [1] M. Nagel, M. van Baalen, T. Blankevoort, M. Welling, "Data-Free Quantization Through Weight Equalization and Bias
   Correction", ICCV 2019, section 4.2. There E[x] comes from BatchNorm, here from calibration.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import Constant, Graph, Node, Parameter
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.linear import LinearOperator, linear_operators
from gsjupyter.passes.quantize_weights import QuantizeWeights

Doubles = npt.NDArray[np.float64]
_FORMAT_NCHW = 0


class CorrectBias(Pass):
    """Shift the biases of layers with integer weights so that their outputs keep their means.

    A layer without a bias gets one. Left alone, with the reason in the change list: layers whose weight isn't in
    integers, and those whose inputs weren't watched.

    Parameters
    ----------
    weights : mapping of str to ndarray
        The weights as they were in floating point, by layer name.
    means : mapping of str to ndarray of shape (groups, vector length)
        The mean of the vectors that each weight is multiplied with, in floating point, by layer name: what
        `gsjupyter.input_statistics.InputMean` gathers. They must be means of what counts: padding tokens in calibration
        data would shift the biases for tokens that nobody looks at.
    """

    requires = (QuantizeWeights,)

    def __init__(
        self, weights: Mapping[str, npt.NDArray[np.floating[Any]]], means: Mapping[str, npt.NDArray[np.floating[Any]]]
    ) -> None:
        self.weights = weights
        self.means = means

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        return [self._correct(graph, operator) for operator in linear_operators(graph) if not operator.is_embedding]

    def _correct(self, graph: Graph, operator: LinearOperator) -> Change:
        stored, name = operator.stored, operator.name
        if stored is None or not stored.is_integer:
            return Change.skipped(operator.node, "its weight isn't stored in integers")
        if name not in self.weights or name not in self.means:
            return Change.skipped(operator.node, "the mean of its input isn't known")
        error = stored.quantized.dequantize().astype(np.float64) - self.weights[name]
        shift = mean_shift(error, operator.axis, self.means[name])
        if not shift.any():
            return Change.skipped(operator.node, "its output has kept its mean")
        _add_to_bias(graph, operator, -shift)
        return Change.done(operator.node, f"bias corrected by up to {np.abs(shift).max():.3g}")


def mean_shift(error: npt.NDArray[np.floating[Any]], axis: int, mean: npt.NDArray[np.floating[Any]]) -> Doubles:
    """Return by how much the mean of each output channel moves.

    Parameters
    ----------
    error : ndarray
        The weight's error.
    axis : int
        Its output channel axis.
    mean : ndarray of shape (groups, vector length)
        The mean of the vectors that it is multiplied with.

    Returns
    -------
    ndarray of shape (channels,)
    """
    rows = np.moveaxis(error, axis, 0).reshape(len(mean), -1, mean.shape[1])
    return np.asarray(np.einsum("gcv,gv->gc", rows, mean, dtype=np.float64)).reshape(-1)


def _add_to_bias(graph: Graph, operator: LinearOperator, change: Doubles) -> None:
    node, place = operator.node, _bias_of(operator)
    if place is not None:
        owner, index, old = place
        numbers = (old.array.astype(np.float64) + change).astype(np.float32)
        alone = len(old.readers) == 1
        owner.set_input(index, Parameter.of(old.name, numbers) if alone else graph.new_parameter(old.name, numbers))
        return
    bias = graph.new_parameter(f"{operator.name}.bias", change.astype(np.float32))
    if node.op == "Dense" and isinstance(node.inputs[2], Constant):
        node.set_input(2, bias)
        return
    readers = node.readers
    is_image = node.op == "Conv2D"
    inputs = [node, bias, Constant.of(_FORMAT_NCHW)] if is_image else [node, bias]
    shifted = graph.add("BiasAdd" if is_image else "Add", inputs, scope=node.scope, shape=node.shape, dtype=np.float32)
    graph.replace(node, shifted, readers=readers)


def _bias_of(operator: LinearOperator) -> tuple[Node, int, Parameter] | None:
    """Return where a layer's bias is: what reads it, at which input, and the bias; None if it has none."""
    node = operator.node
    own = node.parameter(2) if node.op == "Dense" else None
    if own is not None:
        return node, 2, own
    reader = node.readers[0]
    bias = reader.parameter(1) if len(node.readers) == 1 and reader.op == "BiasAdd" else None
    return (reader, 1, bias) if bias is not None else None
