"""Golden Stick's ``fake_quant`` layers, which dequantize integers at every call, in the standard form.

    weight = Mul(Cast(Sub(Cast(integers, int32), offset)), scale)
    input' = Mul(Cast(Sub(Cast(Cast(Clamp(Add(Round(Div(input, scale)), offset)), int8), int32), offset)), scale)

Layers that compute in float16 are made to compute in float32, as all others do.
"""

from dataclasses import dataclass, replace

import numpy as np

from gsjupyter.goldenstick.constant_arrays import constant_array
from gsjupyter.goldenstick.ptq import PtqLayer
from gsjupyter.goldenstick.ptq_input import HIGHEST, LOWEST, PtqInput
from gsjupyter.goldenstick.ptq_weights import as_stored, quantize_inputs
from gsjupyter.goldenstick.scale_layout import layer_of
from gsjupyter.goldenstick.wide_layers import FLOAT16, FLOAT32, widened
from gsjupyter.mindir import Array, Graph, Node, Parameter, Value
from gsjupyter.passes import Change, Pass, RemoveDeadCode
from gsjupyter.passes.casting import cast
from gsjupyter.passes.linear import linear_operator
from gsjupyter.passes.stored_weight import store_weight, stored_weight

_INT8 = np.dtype(np.int8)


@dataclass(frozen=True)
class _Affine:
    """(integers - offset) * scale."""

    integers: Value
    offset: Array
    scale: Array


class RecognizePtqCells(Pass):
    """Turn weights that are dequantized at every call, and inputs that are quantized, into the standard form.

    Inputs that are quantized by what they hold stay as they are: those are ordinary operators.

    Left alone, with the reason in the change list: scales that are neither for a tensor, nor for channels or groups.

    Parameters
    ----------
    simulate : bool
        Whether quantized inputs are computed; if not, they are only noted.
    """

    requires = (RemoveDeadCode,)

    def __init__(self, *, simulate: bool = True) -> None:
        self.simulate = simulate
        self.layers: list[PtqLayer] = []
        """The layers that were recognised."""

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        changes = []
        for node in graph.nodes("Mul"):
            affine = _affine(node) if stored_weight(node) is None else None
            parameter = _int8_parameter(affine.integers) if affine is not None else None
            if affine is not None and parameter is not None:
                changes.append(self._store(graph, node, affine, parameter))
        return changes

    def _store(self, graph: Graph, node: Node, affine: _Affine, parameter: Parameter) -> Change:
        found = layer_of(parameter.name, parameter.array, affine.scale, affine.offset)
        if found is None:
            return Change.skipped(node, f"the scale of {parameter.name} is neither per channel nor per group")
        layer, axis = found
        quantized = as_stored(layer, parameter.shape or (), axis)
        stored = store_weight(graph, parameter.name, quantized, node.scope)
        graph.replace(node, cast(graph, stored, node.dtype or FLOAT32, node.scope))
        incoming = [self._finish(graph, reader) for reader in _layers_behind(stored)]
        self.layers.append(replace(layer, input=next(iter(incoming), None)))
        return Change.done(node, f"weight stored as {layer.scheme}")

    def _finish(self, graph: Graph, node: Node) -> PtqInput | None:
        """Let a layer compute in float32, and quantize its input in the standard form."""
        found = _quantized_input(node.inputs[0])
        if found is not None:
            node.set_input(0, found[0])
        wide = widened(graph, node)
        for index, value in enumerate(wide.inputs):
            wide.set_input(index, _without_narrowing(value))
        operator = linear_operator(wide)
        if found is None or operator is None:
            return None
        quantize_inputs(graph, [operator], found[1], simulate=self.simulate)
        return found[1]


def _affine(node: Value) -> _Affine | None:
    """Return what (integers - offset) * scale is made of; None if it is something else."""
    # MindSpore 2.7 casts the difference to the type of the scale, 2.10 leaves that to the product.
    difference = _behind(node.inputs[0], "Cast") if isinstance(node, Node) and node.op == "Mul" else None
    if not isinstance(node, Node) or not isinstance(difference, Node) or difference.op != "Sub":
        return None
    offset, scale = constant_array(difference.inputs[1]), constant_array(node.inputs[1])
    return _Affine(difference.inputs[0], offset, scale) if offset is not None and scale is not None else None


def _int8_parameter(value: Value) -> Parameter | None:
    value = _behind(value, "Cast")
    return value if isinstance(value, Parameter) and value.dtype == _INT8 else None


def _behind(value: Value, *operators: str) -> Value:
    """Return what a value was before some operators were applied to it."""
    while isinstance(value, Node) and value.op in operators:
        value = value.inputs[0]
    return value


def _layers_behind(stored: Node) -> list[Node]:
    """Return the readers of a weight, directly or in float16."""
    casts = [reader for reader in stored.readers if reader.op == "Cast"]
    readers = [*stored.readers, *(reader for node in casts for reader in node.readers)]
    return [reader for reader in readers if reader not in casts]


def _quantized_input(value: Value) -> tuple[Value, PtqInput] | None:
    """Return what a layer's input is before it is quantized, and how; None if it isn't, or otherwise."""
    affine = _affine(_behind(value, "Cast"))
    clamp = _behind(affine.integers, "Cast") if affine is not None else None
    if affine is None or not isinstance(clamp, Node) or clamp.op != "ClampScalar":
        return None
    ends = [constant_array(end) for end in clamp.inputs[1:3]]
    total = clamp.inputs[0]
    rounded = total.inputs[0] if isinstance(total, Node) and total.op == "Add" else None
    quotient = rounded.inputs[0] if isinstance(rounded, Node) and rounded.op == "Round" else None
    is_int8 = ends == [LOWEST, HIGHEST] and affine.scale.size == affine.offset.size == 1
    if not is_int8 or not isinstance(quotient, Node) or quotient.op != "Div":
        return None
    return quotient.inputs[0], PtqInput(None, float(affine.scale.reshape(-1)[0]), int(affine.offset.reshape(-1)[0]))


def _without_narrowing(value: Value) -> Value:
    """Return a float32 value directly where it only went through float16."""
    inner = value.inputs[0] if isinstance(value, Node) and value.op == "Cast" and value.dtype == FLOAT32 else None
    if not isinstance(inner, Node) or inner.op != "Cast" or inner.dtype != FLOAT16:
        return value
    source = inner.inputs[0]
    return source if source.dtype == FLOAT32 and stored_weight(source) is not None else value
