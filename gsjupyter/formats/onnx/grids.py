"""The grids of quantized activations, as MindIR computes or notes them, and as uint8: the form of integer kernels.

A grid of fewer than 256 levels, or with ends of its own, is cut off on the integers, so that it saturates where it was
trained to.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.mindir import Array, Constant, Graph, Node, Parameter, Scope, Value
from gsjupyter.passes.simulation import is_simulated

QUANTIZE: Final = "QuantizeLinear"
DEQUANTIZE: Final = "DequantizeLinear"
CLIP: Final = "ClipIntegers"
"""Operators that stand in the graph until it is lowered: scale and zero point are inputs, as in ONNX."""

_FLOAT32: Final = np.dtype(np.float32)
_UINT8: Final = np.dtype(np.uint8)
_HIGHEST: Final = 255
_SIX: Final = np.float32(6)


@dataclass(frozen=True)
class Grid:
    """A grid of uint8: ``x = (q - zero_point) * scale`` for q from `lowest` to `highest`.

    Parameters
    ----------
    scale : ndarray of float32, of shape () or (channels,)
    zero_point : ndarray of uint8, in the shape of `scale`
    lowest, highest : int
    axis : int
        The axis of the channels, where each has a scale of its own.
    """

    scale: npt.NDArray[np.float32]
    zero_point: npt.NDArray[np.uint8]
    lowest: int = 0
    highest: int = _HIGHEST
    axis: int = 0

    @property
    def is_per_tensor(self) -> bool:
        """Whether there is one scale for all values."""
        return self.scale.ndim == 0

    @property
    def key(self) -> tuple[bytes, bytes, int, int, int]:
        """What equal grids have in common, and no others."""
        return self.scale.tobytes(), self.zero_point.tobytes(), self.lowest, self.highest, self.axis

    def behind(self, rectifier: Node) -> "Grid":
        """Return the grid cut off where a ReLU or ReLU6 cuts off the values before they are quantized."""
        zero_point, highest = int(self.zero_point), self.highest
        if rectifier.op == "ReLU6":
            highest = min(highest, int(np.rint(_SIX / self.scale)) + zero_point)
        lowest = min(max(self.lowest, zero_point), self.highest)
        return replace(self, lowest=lowest, highest=max(lowest, highest))


def noted_grid(note: tuple[float, int] | None, highest: object = None) -> Grid | None:
    """Return the grid of uint8 that a note stands for; None if it is no such grid.

    Parameters
    ----------
    note : tuple of float and int, optional
        Scale and zero point.
    highest : int, optional
        The highest integer, where it isn't 255.
    """
    end = highest if isinstance(highest, int) else _HIGHEST
    if note is None or not 0 <= note[1] <= end <= _HIGHEST:
        return None
    scale = np.asarray(note[0], np.float32)
    return Grid(scale, np.asarray(note[1], np.uint8), highest=end) if np.isfinite(scale) and scale > 0 else None


def simulated_grid(end: Value) -> tuple[Value, Grid] | None:
    """Return what is quantized, and on which grid, where MindIR computes quantization that ends in a value.

    None if it doesn't, or if no 256 levels hold the grid.
    """
    if not isinstance(end, Node) or not is_simulated(end):
        return None
    steps: list[Value] = [end]
    for _ in range(4):
        last = steps[-1]
        steps.append(last.inputs[0] if isinstance(last, Node) else last)
    nodes = [step for step in steps if isinstance(step, Node)]
    if len(nodes) < len(steps) or nodes[-1].op != "Div":
        return None
    multiplied, raised, lowered, _, divided = nodes
    scale, lowest, highest, divisor = (_numbers(node) for node in (multiplied, raised, lowered, divided))
    if scale is None or lowest is None or highest is None or divisor is None or not np.array_equal(scale, divisor):
        return None
    grid = _grid(*np.broadcast_arrays(scale, lowest, highest), rank=len(end.shape or ()))
    return (divided.inputs[0], grid) if grid is not None else None


def add_quantize(graph: Graph, value: Value, grid: Grid, scope: Scope) -> Node:
    """Add the operators that turn a value into integers and back; return the last.

    Parameters
    ----------
    graph : Graph
        The graph.
    value : Value
        What to quantize, in float32.
    grid : Grid
        On which grid.
    scope : Scope
        The layer that the operators are to belong to.
    """
    parameters = [Constant.of(grid.scale), Constant.of(grid.zero_point)]

    def step(operator: str, inputs: list[Value], dtype: npt.DTypeLike) -> Node:
        axis = {} if grid.is_per_tensor or operator == CLIP else {"axis": grid.axis}
        return graph.add(operator, inputs, scope=scope, shape=value.shape, dtype=dtype, attributes=axis)

    integers = step(QUANTIZE, [value, *parameters], _UINT8)
    if (grid.lowest, grid.highest) != (0, _HIGHEST):
        ends = [Constant.of(np.asarray(end, _UINT8)) for end in (grid.lowest, grid.highest)]
        integers = step(CLIP, [integers, *ends], _UINT8)
    return step(DEQUANTIZE, [integers, *parameters], _FLOAT32)


def _numbers(node: Node) -> Array | None:
    """Return the second input of an operator, if it is known."""
    value = node.inputs[1]
    if isinstance(value, Parameter):
        return value.array
    return np.asarray(value.value) if isinstance(value, Constant) and isinstance(value.value, np.ndarray) else None


def _grid(scale: Array, lowest: Array, highest: Array, *, rank: int) -> Grid | None:
    """Return the grid of uint8 from a scale and the ends, counted from the integer that stands for 0.0."""
    wide = [axis for axis, size in enumerate(scale.shape) if size > 1]
    scales, low, high = (np.asarray(item, np.float64).reshape(-1) for item in (scale, lowest, highest))
    whole = np.rint([low, high])
    if len(wide) > 1 or not (np.isfinite(scales) & (scales > 0)).all() or (whole != [low, high]).any():
        return None
    zero_point = np.clip(-low, 0, _HIGHEST)
    first, last = np.unique(low + zero_point), np.unique(high + zero_point)
    if first.size > 1 or last.size > 1 or not 0 <= first[0] <= last[0] <= _HIGHEST:
        return None
    shape = (-1,) if wide else ()
    return Grid(
        scales.astype(np.float32).reshape(shape),
        zero_point.astype(np.uint8).reshape(shape),
        int(first[0]),
        int(last[0]),
        wide[0] + rank - scale.ndim if wide else 0,
    )
