"""Tuples and the order of side effects, which MindIR writes as operators: ONNX has only the tensors in them."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from gsjupyter.formats.onnx.builder import Lowered
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.sizes import ints_of
from gsjupyter.mindir import Node, Value

MAKERS: Final = ("MakeTuple", "make_list")
"""What makes a tuple of its inputs, as it was when MindSpore compiled the network."""


def tensors_of(operation: Operation, dtype: npt.DTypeLike | None = None) -> list[tuple[ir.Value, Value | None]]:
    """Return the tensors of the tuple that is the first input, each with its MindIR value, if that can be told.

    Parameters
    ----------
    operation : Operation
        What is being lowered.
    dtype : optional
        The data type to give them.

    Raises
    ------
    UnsupportedError
        If the input is no tuple of tensors.
    """
    source = operation.node.inputs[0]
    lowered = operation.builder.get(source)
    if not isinstance(lowered, tuple):
        raise operation.unsupported("it takes no tuple")
    known = source.inputs if isinstance(source, Node) and len(source.inputs) == len(lowered) else [None] * len(lowered)
    return [(_tensor(operation, item, value, dtype), value) for item, value in zip(lowered, known, strict=True)]


def _tensor(operation: Operation, item: Lowered, value: Value | None, dtype: npt.DTypeLike | None) -> ir.Value:
    if isinstance(item, ir.Value):
        own = value.dtype if value is not None else None
        return item if dtype is None or own is None else operation.cast(item, dtype, own)
    if not isinstance(item, int | float | np.ndarray):
        raise operation.unsupported(f"its tuple holds what is no tensor: {item!r}")
    return operation.builder.initializer(np.asarray(item, dtype))


def _made(operation: Operation) -> Lowered:
    return tuple(operation.builder.get(value) for value in operation.node.inputs)


def _item(operation: Operation) -> Lowered:
    items = operation.builder.get(operation.node.inputs[0])
    (index,) = ints_of(operation.constant(1))
    if not isinstance(items, tuple):
        raise operation.unsupported("what it takes an item of is no tuple")
    return items[index]


def _passed_on(operation: Operation) -> Lowered:
    return operation.builder.get(operation.node.inputs[0])


def _nothing(_: Operation) -> None:
    """Lower the order of side effects: a graph that is lowered has none."""


LOWERINGS: Final[Mapping[str, Lowering]] = {
    **dict.fromkeys((*MAKERS, "RealMakeTuple", "RealMakeList"), _made),
    **dict.fromkeys(("TupleGetItem", "list_getitem", "RealTupleGetItem", "RealListGetItem"), _item),
    **dict.fromkeys(("Load", "Depend"), _passed_on),
    "UpdateState": _nothing,
}
