"""Packed integers: the form in which they stand in the graph, written and recognised in one place.

    integers = join @ floor(split @ Cast(bytes, float32)) + lowest

as `gsjupyter.quantization.packing` describes it, reshaped, and with the last few cut off where the words aren't full.
These are ordinary operators, which any backend runs; the result is that of ``Cast(integers, float32)``, bit for bit.
"""

import math
from typing import Final

import numpy as np

from gsjupyter.errors import GsError
from gsjupyter.mindir import Array, AttributeValue, Constant, Graph, Node, Parameter, Scope, Value
from gsjupyter.passes.casting import cast
from gsjupyter.quantization.packing import INTEGERS, IntegerGrid, PackedIntegers

_FLOAT32: Final = np.dtype(np.float32)
_PACKED: Final = "packed_integers"
_LONGEST: Final = 8
# Where each operator of the form reads what comes from the bytes.
_DATA: Final = {"Add": 0, "Cast": 0, "Floor": 0, "MatMul": 1, "Reshape": 0, "Slice": 0}


def store_packed(graph: Graph, name: str, packed: PackedIntegers, scope: Scope) -> Node:
    """Put packed integers into a graph; return the node that gives them as float32.

    Parameters
    ----------
    graph : Graph
        The graph.
    name : str
        What the bytes are called.
    packed : PackedIntegers
        The integers.
    scope : Scope
        The layer that they belong to.
    """
    node = _unpacking(graph, Parameter.of(name, packed.data), packed, scope)
    grid = packed.grid
    node.annotate(_PACKED, (packed.dtype.name, grid.bits, grid.lowest, grid.step))
    return node


def is_said_to_be_packed(node: Node) -> bool:
    """Say whether a node claims to give packed integers, which may be false in a file from elsewhere."""
    try:
        return _PACKED in node.annotations
    except GsError:
        return False


def packed_integers(node: Node) -> tuple[Parameter, PackedIntegers] | None:
    """Return the bytes and what they stand for, if a node gives packed integers exactly as `store_packed` writes them.

    Nothing that a file says is taken for granted: the form is written once more from what the annotation and the bytes
    say, and compared with what is there.
    """
    try:
        annotation = node.annotations.get(_PACKED)
        stored = _stored(node) if isinstance(annotation, tuple) and len(annotation) == 4 else None
        packed = _described(annotation, stored.array, node.shape) if stored is not None else None
        if stored is None or packed is None:
            return None
        expected = _unpacking(Graph([], stored), Parameter.of(stored.name, packed.data), packed, node.scope)
        return (stored, packed) if _is_same(node, expected) else None
    except GsError:
        return None


def _unpacking(graph: Graph, stored: Parameter, packed: PackedIntegers, scope: Scope) -> Node:
    split, join = packed.grid.matrices()
    words, as_it_is = packed.data.shape[1], Constant.of(False)

    def add(operator: str, inputs: list[Value], *shape: int) -> Node:
        return graph.add(operator, inputs, scope=scope, shape=shape, dtype=_FLOAT32)

    def product(matrix: Array, value: Value) -> Node:
        # Neither of the two is transposed.
        return add("MatMul", [Constant.of(matrix), value, as_it_is, as_it_is], len(matrix), words)

    pieces = product(split, cast(graph, stored, _FLOAT32, scope))
    digits = product(join * np.float32(packed.grid.step), add("Floor", [pieces], len(split), words))
    if packed.size != packed.grid.word_digits * words:
        flat = add("Reshape", [digits, Constant.of((-1,))], packed.grid.word_digits * words)
        digits = add("Slice", [flat, Constant.of((0,)), Constant.of((packed.size,))], packed.size)
    if digits.shape != packed.shape:
        digits = add("Reshape", [digits, Constant.of(packed.shape)], *packed.shape)
    if packed.grid.lowest:
        digits = add("Add", [digits, Constant.of(np.full((), packed.grid.lowest, np.float32))], *packed.shape)
    return digits


def _stored(node: Node) -> Parameter | None:
    """Return the bytes that everything comes from, if nothing but this node needs any step of it."""
    value: Value = node
    for _ in range(_LONGEST):
        if not isinstance(value, Node):
            break
        index = _DATA.get(value.op, len(value.inputs))
        if index >= len(value.inputs):
            return None
        value = value.inputs[index]
        if len(value.readers) > 1:
            return None
    return value if isinstance(value, Parameter) and value.is_readable else None


def _described(annotation: AttributeValue, data: Array, shape: tuple[int, ...] | None) -> PackedIntegers | None:
    if not isinstance(annotation, tuple) or len(annotation) != 4 or shape is None or not math.prod(shape):
        return None
    name, *numbers = annotation
    bits, lowest, step = (number if type(number) is int else 0 for number in numbers)
    dtype = next((dtype for dtype in INTEGERS if dtype.name == name), None)
    if dtype is None or data.dtype != np.uint8:
        return None
    return PackedIntegers(data.astype(np.uint8, copy=False), IntegerGrid(bits, lowest, step), shape, dtype)


def _is_same(value: Value, expected: Value) -> bool:
    if isinstance(expected, Constant):
        return isinstance(value, Constant) and _is_equal(value.value, expected.value)
    if isinstance(expected, Node):
        return (
            isinstance(value, Node)
            and value.op == expected.op
            and not value.attributes
            and len(value.inputs) == len(expected.inputs)
            and all(map(_is_same, value.inputs, expected.inputs))
        )
    return isinstance(value, Parameter)


def _is_equal(value: AttributeValue, expected: AttributeValue) -> bool:
    if isinstance(expected, np.ndarray):
        is_alike = isinstance(value, np.ndarray) and value.dtype == expected.dtype and value.shape == expected.shape
        return is_alike and np.array_equal(np.asarray(value), expected)
    return type(value) is type(expected) and value == expected
