"""What layers get to see: the statistics of their inputs, without which rounding can only look at weights.

Each is gathered batch by batch, in memory that doesn't grow with the data. A second moment takes 4 bytes times the
square of the vector length though, 85 MB for a layer with 4,608 inputs. So second moments are gathered for some layers
at a time, with several passes over the data, and handed out one by one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsjupyter.calibration import run_calibration
from gsjupyter.errors import CalibrationError
from gsjupyter.mindir import Array, Graph, Model, Node, Value
from gsjupyter.passes import LinearOperator, linear_operators
from gsjupyter.quantization.layer_input import ConvolutionInput, LayerInput, MatrixInput

Floats = npt.NDArray[np.float32]
Uses = tuple[LayerInput, tuple[Value, ...]]

MEMORY_BYTES: Final = 1 << 29
"""What the second moments gathered in one pass over the data may take."""
MOST_INPUTS: Final = 8192
"""Layers with more inputs have no second moment: it takes over 256 MB, and minutes to factor."""


class InputStatistic(ABC):
    """Watches the inputs of a layer.

    Parameters
    ----------
    layer_input : LayerInput
        How the layer's input becomes vectors.
    """

    def __init__(self, layer_input: LayerInput) -> None:
        self.layer_input = layer_input

    @abstractmethod
    def update(self, array: Array) -> None:
        """Take in one batch of the layer's input."""

    @property
    @abstractmethod
    def value(self) -> Floats:
        """The statistic of all that was seen."""


class InputMaxima(InputStatistic):
    """The largest absolute value of each input channel, of shape (channels,)."""

    def __init__(self, layer_input: LayerInput) -> None:
        super().__init__(layer_input)
        self._maxima: Array = np.zeros((), np.float32)

    def update(self, array: Array) -> None:
        """Take in one batch of the layer's input."""
        axis = self.layer_input.channel_axis % array.ndim
        others = tuple(index for index in range(array.ndim) if index != axis)
        self._maxima = np.maximum(self._maxima, np.abs(array).max(axis=others, initial=0.0))

    @property
    def value(self) -> Floats:
        """The maxima."""
        return np.asarray(self._maxima, np.float32)


class InputMean(InputStatistic):
    """The mean of the input vectors, of shape (groups, vector length), padding included."""

    def __init__(self, layer_input: LayerInput) -> None:
        super().__init__(layer_input)
        self._sum: npt.NDArray[np.float64] = np.zeros((), np.float64)
        self._count = 0

    def update(self, array: Array) -> None:
        """Take in one batch of the layer's input."""
        for vectors in self.layer_input.vectors(array):
            self._sum = self._sum + vectors.sum(axis=1, dtype=np.float64)
            self._count += vectors.shape[1]

    @property
    def value(self) -> Floats:
        """The mean."""
        return np.asarray(self._sum / max(self._count, 1), np.float32)


class SecondMoment(InputStatistic):
    """The mean of ``x x^T`` over the input vectors `x`, of shape (groups, vector length, vector length)."""

    def __init__(self, layer_input: LayerInput) -> None:
        super().__init__(layer_input)
        self._sum: Floats | None = None
        self._count = 0

    def update(self, array: Array) -> None:
        """Take in one batch of the layer's input."""
        for vectors in self.layer_input.vectors(array):
            product = vectors.transpose(0, 2, 1) @ vectors
            self._sum = product if self._sum is None else np.add(self._sum, product, out=self._sum)
            self._count += vectors.shape[1]

    @property
    def value(self) -> Floats:
        """The second moment.

        Raises
        ------
        CalibrationError
            If nothing was seen.
        """
        if self._sum is None:
            raise CalibrationError("no input was seen, so it has no second moment.")
        return self._sum / np.float32(max(self._count, 1))


class InputStatistics:
    """One statistic of the inputs of a network's layers.

    Parameters
    ----------
    graph : Graph
        The network.
    statistic : type of InputStatistic
        Which.
    layers : collection of str, optional
        The layers to watch; all by default. Layers that share a weight have one statistic, of all their inputs, and
        layers that read the same value share the work. Left out are layers that `obstacle_to_statistics` names.
    """

    def __init__(self, graph: Graph, statistic: type[InputStatistic], layers: Collection[str] | None = None) -> None:
        self._statistics: dict[Uses, InputStatistic] = {}
        self._by_layer: dict[str, InputStatistic] = {}
        for name, uses in _uses(graph).items():
            if layers is None or name in layers:
                self._by_layer[name] = self._statistics.setdefault(uses, statistic(uses[0]))

    @property
    def collectors(self) -> Mapping[Value, Sequence[InputStatistic]]:
        """What `run_calibration` is to show to which statistic."""
        found: dict[Value, list[InputStatistic]] = {}
        for uses, statistic in self._statistics.items():
            for value in uses[1]:
                found.setdefault(value, []).append(statistic)
        return found

    def items(self) -> Iterator[tuple[str, Floats]]:
        """Yield each layer's name and statistic.

        Raises
        ------
        CalibrationError
            If one isn't finite.
        """
        for name, statistic in self._by_layer.items():
            value = statistic.value
            if not np.isfinite(value).all():
                raise CalibrationError("the calibration data makes NaN or infinite values.")
            yield name, value


def input_statistics(
    model: Model, batches: Iterable[Sequence[Array]], statistic: type[InputStatistic]
) -> dict[str, Floats]:
    """Return a statistic of the inputs of each layer, by layer name, from one pass over calibration data.

    Parameters
    ----------
    model : Model
        A float model.
    batches : iterable of sequences of ndarray
        The network's inputs, batch by batch.
    statistic : type of InputStatistic
        Which.

    Raises
    ------
    CalibrationError
        If there is no batch, or one doesn't fit the network or makes NaN.
    """
    graph = model.graph()
    statistics = InputStatistics(graph, statistic)
    if statistics.collectors:
        run_calibration(model, graph, batches, statistics.collectors)
    return dict(statistics.items())


def second_moments(
    model: Model,
    batches: Callable[[], Iterable[Sequence[Array]]],
    layers: Collection[str] | None = None,
    memory_bytes: int = MEMORY_BYTES,
) -> Iterator[tuple[str, Floats]]:
    """Yield the second moment of each layer's input, with the layer's name: use one before taking the next.

    Parameters
    ----------
    model : Model
        A float model.
    batches : callable
        Returns the calibration batches; called once for each pass over the data.
    layers : collection of str, optional
        The layers that need one; all by default. Those that `obstacle_to_moment` names have none.
    memory_bytes : int
        What the moments of one pass may take together; a single layer may take more.

    Raises
    ------
    CalibrationError
        If there is no batch, or one doesn't fit the network or makes NaN.
    """
    graph = model.graph()
    operators = [operator for operator in linear_operators(graph) if not obstacle_to_moment(operator)]
    sizes = {item.name: _moment_bytes(item) for item in operators if layers is None or item.name in layers}
    for part in _parts(sizes, memory_bytes):
        statistics = InputStatistics(graph, SecondMoment, part)
        run_calibration(model, graph, batches(), statistics.collectors)
        yield from statistics.items()


def layer_input(operator: LinearOperator) -> LayerInput | None:
    """Return how a layer's input becomes vectors; None if that isn't known."""
    node = operator.node
    if node.op == "Conv2D" and node.attributes.get("format", "NCHW") == "NCHW":
        return _convolution_input(node, operator.shape)
    if node.op in ("MatMul", "Dense", "MatMulExt", "BatchMatMul") and len(operator.shape) == 2:
        return MatrixInput(node.op in ("MatMul", "BatchMatMul") and bool(node.argument("transpose_a")))
    return None


def obstacle_to_statistics(operator: LinearOperator) -> str:
    """Return why nothing is known of a layer's inputs; empty if they can be watched."""
    if operator.is_embedding:
        return "an embedding has no input but row numbers"
    if layer_input(operator) is None:
        return f"the input of {operator.node.op} can't be taken as vectors"
    return ""


def obstacle_to_moment(operator: LinearOperator) -> str:
    """Return why a layer has no second moment; empty if it has one."""
    if reason := obstacle_to_statistics(operator):
        return reason
    inputs = _vector_length(operator)
    return f"it has {inputs:,} inputs, more than {MOST_INPUTS:,}" if inputs > MOST_INPUTS else ""


def _convolution_input(node: Node, shape: Sequence[int]) -> ConvolutionInput | None:
    attributes: Mapping[str, Any] = node.attributes
    mode = str(attributes["pad_mode"]).lower()
    top, bottom, left, right = attributes["pad"] if mode == "pad" else (0, 0, 0, 0)
    if mode not in ("same", "valid", "pad") or len(shape) != 4:
        return None
    stride, dilation = (tuple(attributes[name][-2:]) for name in ("stride", "dilation"))
    padding = None if mode == "same" else ((top, bottom), (left, right))
    return ConvolutionInput((shape[2], shape[3]), stride, dilation, padding, attributes["group"])


def _vector_length(operator: LinearOperator) -> int:
    rest = [size for index, size in enumerate(operator.shape) if index != operator.axis]
    return int(np.prod(rest))


def _moment_bytes(operator: LinearOperator) -> int:
    found = layer_input(operator)
    groups = found.groups if isinstance(found, ConvolutionInput) else 1
    return groups * _vector_length(operator) ** 2 * np.dtype(np.float32).itemsize


def _uses(graph: Graph) -> dict[str, Uses]:
    """Return how each layer's weight is applied, and to what values, by layer name: all, where layers share it."""
    by_weight: dict[Value, list[LinearOperator]] = {}
    for operator in linear_operators(graph):
        by_weight.setdefault(operator.weight, []).append(operator)
    found: dict[str, Uses] = {}
    for operators in by_weight.values():
        ways = {layer_input(operator) for operator in operators}
        way = ways.pop()
        if way is not None and not ways:
            uses = (way, tuple(operator.data for operator in operators))
            found.update((operator.name, uses) for operator in operators)
    return found


def _parts(sizes: Mapping[str, int], limit: int) -> Iterator[list[str]]:
    part: list[str] = []
    for name, size in sizes.items():
        if part and sum(sizes[item] for item in part) + size > limit:
            yield part
            part = []
        part.append(name)
    if part:
        yield part
