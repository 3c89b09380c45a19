"""Attributes and abstracts of MindIR as Python values, so that a pass reads ``(1, 1)`` and not a nest of messages."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.mindir.types import Array, array_of, numpy_dtype, tensor_of, type_code

_KIND: Final = pb.AttributeProto
_INTEGERS: Final = {
    _KIND.UINT8,
    _KIND.INT8,
    _KIND.UINT16,
    _KIND.INT16,
    _KIND.INT32,
    _KIND.INT64,
    _KIND.UINT32,
    _KIND.UINT64,
}
_MONADS: Final = {_KIND.UMONAD, _KIND.IOMONAD}


class Opaque:
    """A value that has no counterpart in Python (monads, types, closures): carried along, never looked into."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"<{self.kind}>"


AttributeValue: TypeAlias = bool | int | float | str | Array | tuple["AttributeValue", ...] | Opaque | None


def decode(attribute: pb.AttributeProto) -> AttributeValue:
    """Return the Python value of an attribute; lists and tuples both become tuples."""
    kind = attribute.type
    if kind in (_KIND.TUPLE, _KIND.LIST):
        return tuple(decode(item) for item in attribute.values)
    if kind == _KIND.NONE:
        return None
    if kind in (_KIND.TENSOR, _KIND.TENSORS) and attribute.tensors:
        return array_of(attribute.tensors[0])
    if kind == _KIND.BOOL:
        return bool(_scalar(attribute.i, attribute.ints))
    if kind in _INTEGERS:
        return int(_scalar(attribute.i, attribute.ints))
    if kind == _KIND.FLOAT:
        return float(_scalar(attribute.f, attribute.floats))
    if kind == _KIND.DOUBLE:
        return float(_scalar(attribute.d, attribute.doubles))
    if kind == _KIND.STRING:
        text = attribute.strings[0] if attribute.strings else attribute.s
        return str(text.decode("utf-8", "replace"))
    return Opaque(_KIND.AttributeType.Name(kind))


def _scalar(single: float, repeated: Sequence[float]) -> float:
    # Inside a tuple MindSpore writes scalars into the repeated field, outside into the single one.
    return repeated[0] if repeated else single


def encode(value: AttributeValue, name: str = "") -> pb.AttributeProto:
    """Return the attribute that holds a Python value: the inverse of `decode`, but for `Opaque`.

    Raises
    ------
    TypeError
        If the value is of no kind that MindIR has.
    """
    attribute = _encode_scalar(value) if not isinstance(value, tuple) else _encode_tuple(value)
    attribute.name = name
    return attribute


def _encode_scalar(value: AttributeValue) -> pb.AttributeProto:
    match value:
        case None:
            return pb.AttributeProto(type=_KIND.NONE)
        case bool():
            return pb.AttributeProto(type=_KIND.BOOL, i=int(value))
        case int():
            return pb.AttributeProto(type=_KIND.INT64, i=value)
        case float():
            return pb.AttributeProto(type=_KIND.FLOAT, f=value)
        case str():
            return pb.AttributeProto(type=_KIND.STRING, s=value.encode())
        case np.ndarray():
            return pb.AttributeProto(type=_KIND.TENSORS, tensors=[tensor_of(value, "value0")])
        case _:
            raise TypeError(f"MindIR has no attribute for {value!r}")


def _encode_tuple(values: tuple[AttributeValue, ...]) -> pb.AttributeProto:
    attribute = pb.AttributeProto(type=_KIND.TUPLE)
    for value in values:
        item = encode(value)
        # The loader reads scalars inside a tuple from the repeated fields only.
        if item.type in (_KIND.BOOL, _KIND.INT64):
            item = pb.AttributeProto(type=item.type, ints=[item.i])
        elif item.type == _KIND.FLOAT:
            item = pb.AttributeProto(type=item.type, floats=[item.f])
        elif item.type == _KIND.STRING:
            item = pb.AttributeProto(type=item.type, strings=[item.s])
        attribute.values.append(item)
    return attribute


def is_monad(attribute: pb.AttributeProto) -> bool:
    """Say whether a constant is a monad: the token by which MindIR orders reads and writes of parameters."""
    return attribute.type in _MONADS


def tensor_abstract(shape: Sequence[int], dtype: npt.DTypeLike) -> pb.AttributeProto:
    """Return the abstract (MindIR's word for the inferred type of a value) of a tensor."""
    tensor = pb.TensorProto(dims=shape, data_type=type_code(dtype))
    return pb.AttributeProto(name="shape", type=_KIND.TENSORS, tensors=[tensor])


def tuple_abstract(items: Sequence[pb.AttributeProto | None]) -> pb.AttributeProto | None:
    """Return the abstract of a tuple, None if that of an item is unknown."""
    abstract = pb.AttributeProto(name="shape", type=_KIND.TUPLE)
    for item in items:
        if item is None:
            return None
        copy = pb.AttributeProto()
        copy.CopyFrom(item)
        copy.ClearField("name")
        abstract.values.append(copy)
    abstract.seq_info.is_dyn_len = False
    return abstract


def item_abstract(abstract: pb.AttributeProto | None, index: int) -> pb.AttributeProto | None:
    """Return the abstract of one item of a tuple, None where it is unknown."""
    if abstract is None or index >= len(abstract.values):
        return None
    item = pb.AttributeProto()
    item.CopyFrom(abstract.values[index])
    item.name = "shape"
    return item


def resized(abstract: pb.AttributeProto | None, shapes: Sequence[Sequence[int]]) -> pb.AttributeProto | None:
    """Return an abstract with other shapes: that of a tensor, or those of a tuple's tensors, one after the other."""
    if abstract is None:
        return None
    copy = pb.AttributeProto()
    copy.CopyFrom(abstract)
    tensors = [*copy.tensors, *(tensor for item in copy.values for tensor in item.tensors)]
    for tensor, shape in zip(tensors, shapes, strict=False):
        tensor.dims[:] = shape
    return copy


def shape_of(abstract: pb.AttributeProto | None) -> tuple[int, ...] | None:
    """Return the shape that an abstract gives, -1 for a dynamic axis; None if it is no tensor."""
    if abstract is None or len(abstract.tensors) != 1:
        return None
    return tuple(abstract.tensors[0].dims)


def dtype_of(abstract: pb.AttributeProto | None) -> np.dtype[np.generic] | None:
    """Return the numpy data type that an abstract gives; None if it is no tensor or numpy lacks the type."""
    if abstract is None or len(abstract.tensors) != 1:
        return None
    return numpy_dtype(abstract.tensors[0].data_type)


def dtypes_of(abstract: pb.AttributeProto | None) -> tuple[np.dtype[np.generic] | None, ...]:
    """Return the numpy data types of a value's tensors, those of nested tuples one after the other."""
    if abstract is None or abstract.type != _KIND.TUPLE:
        return (dtype_of(abstract),)
    return tuple(dtype for item in abstract.values for dtype in dtypes_of(item))
