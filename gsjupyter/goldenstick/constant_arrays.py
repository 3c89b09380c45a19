"""The value of small constant parts of a graph, in numpy: the scales of Golden Stick's layers are shaped in the graph.

A scale for each group is repeated for each element (ExpandDims, Tile, Reshape, Transpose) before it is applied.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from gsjupyter.mindir import TYPE_IDS, Array, Constant, Node, Parameter, Value

_KINDS: Final = {code: str(dtype) for dtype, code in TYPE_IDS.items()}
MOST_BYTES: Final = 1 << 32
"""Larger results are not computed: a file may ask for any size."""


def constant_array(value: Value) -> Array | None:
    """Return the value of a constant part of a graph; None if it isn't constant, or computed by other operators."""
    steps: list[Node] = []
    while isinstance(value, Node):
        if value.op not in _OPERATORS:
            return None
        steps.append(value)
        value = value.inputs[0]
    array = _stored(value)
    for node in reversed(steps):
        array = _OPERATORS[node.op](array, node) if array is not None else None
    return array


def _stored(value: Value) -> Array | None:
    if isinstance(value, Parameter):
        return value.array if value.is_readable else None
    content = value.value if isinstance(value, Constant) else None
    return np.asarray(content) if isinstance(content, np.ndarray | int | float) else None


def _numbers(node: Node) -> tuple[int, ...] | None:
    """Return the second input, a number or a tuple of them."""
    value = node.inputs[1].value if len(node.inputs) > 1 and isinstance(node.inputs[1], Constant) else None
    numbers = value if isinstance(value, tuple) else (value,)
    whole = [int(number) for number in numbers if isinstance(number, int)]
    return tuple(whole) if len(whole) == len(numbers) else None


def _with_numbers(compute: Callable[[Array, tuple[int, ...]], Array]) -> Callable[[Array, Node], Array | None]:
    def computed(array: Array, node: Node) -> Array | None:
        numbers = _numbers(node)
        try:
            return compute(array, numbers) if numbers is not None else None
        except (ValueError, IndexError):
            return None

    return computed


def _cast(array: Array, node: Node) -> Array | None:
    numbers = _numbers(node)
    kind = _KINDS.get(numbers[0]) if numbers else None
    return array.astype(kind) if kind is not None else None


def _tiled(array: Array, numbers: tuple[int, ...]) -> Array:
    if math.prod(numbers) * array.nbytes > MOST_BYTES:
        raise ValueError("too large")
    return np.tile(array, numbers)


_OPERATORS: Final[dict[str, Callable[[Array, Node], Array | None]]] = {
    "Cast": _cast,
    "ExpandDims": _with_numbers(lambda array, numbers: np.expand_dims(array, numbers[0])),
    "Load": lambda array, node: array,
    "Reshape": _with_numbers(lambda array, numbers: array.reshape(numbers)),
    "Tile": _with_numbers(_tiled),
    "Transpose": _with_numbers(np.transpose),
}
