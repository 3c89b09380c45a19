"""Put the results of post-training quantization into a float network: integer weights, and quantized inputs."""

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import ParameterError
from gsjupyter.goldenstick.ptq import PtqLayer
from gsjupyter.goldenstick.ptq_input import HIGHEST, LOWEST, PtqInput
from gsjupyter.mindir import Graph, Node, Parameter, Scope, Value
from gsjupyter.passes.linear import LinearOperator, linear_operator
from gsjupyter.passes.simulation import note_input, simulate_quantization
from gsjupyter.passes.stored_weight import store_weight
from gsjupyter.quantization import QuantizedArray

Number = TypeVar("Number", np.float32, np.int32)

_FLOAT32 = np.dtype(np.float32)


def fits(layer: PtqLayer, parameter: Parameter) -> bool:
    """Say whether the integers have the shape of a parameter, as they are or transposed."""
    return parameter.shape in (layer.integers.shape, layer.integers.shape[::-1])


def store_layer(graph: Graph, layer: PtqLayer, parameter: Parameter, *, simulate: bool = True) -> list[LinearOperator]:
    """Replace a float32 weight by the integers of a quantized layer, and quantize the layer's input.

    Integers in the shape of the weight are taken to lie as it does; else they are transposed. (A square weight that
    MindFormers keeps transposed, unpacked, can't be told from one that isn't.)

    Parameters
    ----------
    graph : Graph
        The network.
    layer : PtqLayer
        What the checkpoint has of the layer.
    parameter : Parameter
        The layer's weight in the network, in a shape that `fits`.
    simulate : bool
        Whether the quantized input is computed. If not, the layer only carries ``input_scale`` and
        ``input_zero_point``, counted as uint8 as all notes are; a smoothing factor is multiplied with either way, since
        the weight was divided by it.

    Returns
    -------
    list of LinearOperator
        The operators that read the weight.

    Raises
    ------
    ParameterError
        If the scale doesn't fit the weight's channels.
    """
    _read_directly(graph, parameter)
    found = [linear_operator(node) for node in parameter.readers]
    operators = [operator for operator in found if operator is not None]
    axis = operators[0].axis if operators else 0
    scope = operators[0].node.scope if operators else Scope.parse("")
    stored = store_weight(graph, parameter.name, as_stored(layer, parameter.shape or (), axis), scope)
    graph.replace(parameter, stored)
    reading = [linear_operator(operator.node) for operator in operators]
    readers = [operator for operator in reading if operator is not None]
    if layer.input is not None:
        quantize_inputs(graph, readers, layer.input, simulate=simulate)
    return readers


def as_stored(layer: PtqLayer, shape: tuple[int, ...], axis: int) -> QuantizedArray:
    """Return the integers of a layer as the weight of a given shape and output channel axis.

    Raises
    ------
    ParameterError
        If the scale doesn't fit.
    """
    integers = np.ascontiguousarray(layer.integers if layer.integers.shape == shape else layer.integers.T)
    outputs, inputs = shape[axis % 2], shape[1 - axis % 2]
    if layer.scale.size != 1 and (layer.scale.shape[-1] != outputs or inputs % (layer.groups or 1)):
        raise ParameterError(
            f"layer {layer.name} has {inputs} input and {outputs} output channels, and its weight_scale in the "
            f"checkpoint is of shape {layer.scale.shape}."
        )

    def beside(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
        if layer.groups is None:
            return values.reshape([-1, 1] if axis % 2 == 0 else [1, -1])
        return np.ascontiguousarray(values.T)[:, :, None] if axis % 2 == 0 else values[:, None, :]

    scale, offset = beside(layer.scale), beside(layer.offset)
    if layer.groups is None:
        return QuantizedArray(integers, scale, offset, layer.scheme)
    grouped = [outputs, layer.groups, -1] if axis % 2 == 0 else [layer.groups, -1, outputs]
    return QuantizedArray(integers.reshape(grouped), scale, offset, layer.scheme, shape)


def quantize_inputs(graph: Graph, operators: Iterable[LinearOperator], given: PtqInput, *, simulate: bool) -> None:
    """Multiply the input of layers with the smoothing factor and quantize it."""
    made: dict[Value, Value] = {}
    for operator in operators:
        data = operator.data
        if data not in made:
            made[data] = _quantized(graph, data, operator.node.scope, given, simulate=simulate)
        operator.node.set_input(operator.data_index, made[data])
        if given.scale is not None:
            note_input(operator.node, given.scale, given.offset - LOWEST)


def _quantized(graph: Graph, data: Value, scope: Scope, given: PtqInput, *, simulate: bool) -> Value:
    value: Value = data
    if given.smooth is not None:
        name = f"{scope.layer}.smooth_scale" if scope.layer else "smooth_scale"
        factor = graph.new_parameter(name, given.smooth)
        value = graph.add("Mul", [data, factor], scope=scope, shape=data.shape, dtype=_FLOAT32)
    if given.scale is None or not simulate:
        return value
    scale, offset = given.scale, given.offset
    return simulate_quantization(graph, value, scope, scale=scale, zero_point=offset, lowest=LOWEST, highest=HIGHEST)


def _read_directly(graph: Graph, parameter: Parameter) -> None:
    """Let the readers of a weight read it, and not the Load that only orders reads after writes: nobody writes it."""
    loads: list[Node] = [reader for reader in parameter.readers if reader.op == "Load"]
    for load in loads:
        graph.replace(load, parameter)
