"""Quantization computed in floating point: what a device with integer kernels would give, on any backend.

    x' = clip(round(x / scale), lowest - zero_point, highest - zero_point) * scale

which is ``(clip(round(x / scale) + zero_point, lowest, highest) - zero_point) * scale`` with two operators less.
"""

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import Constant, Graph, Node, Scope, Value

_FLOAT32 = np.dtype(np.float32)
_SCALE = "input_scale"
_ZERO_POINT = "input_zero_point"
_HIGHEST = "input_highest"
_LAST_UINT8 = 255
_STEPS = ("Div", "Rint", "Minimum", "Maximum", "Mul")


def note_input(node: Node, scale: float, zero_point: int, highest: int = _LAST_UINT8) -> None:
    """Note on a layer how its input is quantized, counted as uint8, for tools that read the file.

    The grid begins at 0; where it ends is noted if that isn't 255.
    """
    node.annotate(_SCALE, scale)
    node.annotate(_ZERO_POINT, zero_point)
    if highest != _LAST_UINT8:
        node.annotate(_HIGHEST, highest)


def noted_input(node: Node) -> tuple[float, int] | None:
    """Return the scale and zero point that a layer's input is noted to have; None if it has none."""
    notes = node.annotations
    scale, zero_point = notes.get(_SCALE), notes.get(_ZERO_POINT)
    return (scale, zero_point) if isinstance(scale, float) and isinstance(zero_point, int) else None


def is_simulated(value: Value) -> bool:
    """Say whether a value is quantized in the computation, as `simulate_quantization` does it."""
    for operator in reversed(_STEPS[1:]):
        if not isinstance(value, Node) or value.op != operator:
            return False
        value = value.inputs[0]
    return True


def begins_simulation(node: Node) -> bool:
    """Say whether a node is the first of those that quantize a value in the computation."""
    *before, last = _STEPS
    for operator in before:
        if node.op != operator or len(node.readers) != 1:
            return False
        node = node.readers[0]
    return node.op == last


def has_noted_input(node: Node) -> bool:
    """Say whether a layer's input is quantized already."""
    return _SCALE in node.annotations


def simulate_quantization(
    graph: Graph,
    value: Value,
    scope: Scope,
    *,
    scale: npt.ArrayLike,
    zero_point: npt.ArrayLike,
    lowest: int,
    highest: int,
) -> Node:
    """Add the operators that quantize and dequantize a value; return the last.

    Parameters
    ----------
    graph : Graph
        The graph.
    value : Value
        What to quantize, in float32.
    scope : Scope
        The layer that the operators are to belong to.
    scale, zero_point : array_like
        Numbers, or arrays that broadcast against the value.
    lowest, highest : int
        The grid's ends.
    """

    def step(operator: str, *inputs: Value) -> Node:
        return graph.add(operator, inputs, scope=scope, shape=value.shape, dtype=_FLOAT32)

    def constant(content: npt.ArrayLike) -> Constant:
        return Constant.of(np.asarray(content, np.float32))

    offset = np.asarray(zero_point, np.float64)
    rounded = step("Rint", step("Div", value, constant(scale)))
    below = step("Minimum", rounded, constant(highest - offset))
    clipped = step("Maximum", below, constant(lowest - offset))
    return step("Mul", clipped, constant(scale))
