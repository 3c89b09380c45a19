"""Put MindIR of MindSpore 2.7 to 2.10 into the form of MindSpore 2.0, the only one that MindSpore Lite 2.0.0 reads.

In the newer form an operator's settings are constant inputs after its tensors; in the older they are attributes of the
operator. It needs nothing but the schema of the files, so it runs without importing MindSpore, which takes seconds::

    older_mindir.py MODEL FOLDER

writes the older form under the same name into a folder and prints its path, or that of the model itself if it is no
newer MindIR.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeAlias

import numpy as np
from google.protobuf.message import DecodeError


def _schema() -> ModuleType:
    """Return the classes of MindIR's protobuf, from MindSpore's folder."""
    if loaded := sys.modules.get("mindspore.train.mind_ir_pb2"):
        return loaded
    package = find_spec("mindspore")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("mindspore, whose schema of MindIR is needed, is not installed")
    path = Path(package.origin).with_name("train") / "mind_ir_pb2.py"
    spec = spec_from_file_location("mind_ir_pb2", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pb: Final[Any] = _schema()
_KIND: Final[Any] = pb.AttributeProto
_TENSOR: Final[Any] = pb.TensorProto
_OLDER_VERSION: Final = 1
_REFERENCE: Final = "REF::"
_SCALARS: Final = (("ints", "i"), ("floats", "f"), ("doubles", "d"))
# A bool is an int in Python, so it stands before it.
_FIELDS: Final = {
    bool: (_KIND.BOOL, "i", "ints"),
    int: (_KIND.INT64, "i", "ints"),
    float: (_KIND.FLOAT, "f", "floats"),
    str: (_KIND.STRING, "s", "strings"),
}

Value: TypeAlias = "bool | int | float | str | tuple[Value, ...] | None"
Setting = Callable[[Any], Value]
"""A setting's value in the older form, by that in the newer."""


def _layout(value: int) -> str:
    return ("NCHW", "NHWC")[value]


def _padding(value: int) -> str:
    return ("PAD", "SAME", "VALID")[value]


def _window(value: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return the sizes of a window along all four axes, by those of its height and width."""
    sizes = value if isinstance(value, tuple) else (value,)
    return sizes if len(sizes) == 4 else (1, 1, sizes[0], sizes[-1])


def _axes(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)


@dataclass(frozen=True)
class Operator:
    """Where an operator's settings are in the newer form.

    Parameters
    ----------
    tensors : int
        How many inputs it keeps.
    settings : mapping of str to callable
        The attributes that the inputs after them become, in their order.
    name : str
        What the older form calls it; empty if it has the same name there.
    """

    tensors: int
    settings: Mapping[str, Setting] = field(default_factory=dict)
    name: str = ""


_MULTIPLICATION: Final = {"transpose_a": bool, "transpose_b": bool}
_REDUCTION: Final = {"keep_dims": bool}
_MASKS: Final = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")

OPERATORS: Final = {
    "ArgMaxWithValue": Operator(1, {"axis": int, "keep_dims": bool}),
    "AvgPool": Operator(1, {"kernel_size": _window, "strides": _window, "pad_mode": _padding, "data_format": _layout}),
    "BatchMatMul": Operator(2, _MULTIPLICATION),
    "BatchNorm": Operator(5, {"is_training": bool, "epsilon": float, "momentum": float, "data_format": _layout}),
    "BiasAdd": Operator(2, {"data_format": _layout}),
    "BroadcastTo": Operator(1, {"shape": _axes}),
    "Concat": Operator(1, {"axis": int}),
    "CumSum": Operator(2, {"exclusive": bool, "reverse": bool}),
    "Elu": Operator(1, {"alpha": float}),
    "Gather": Operator(3, {"batch_dims": int}),
    "LayerNorm": Operator(3, {"begin_norm_axis": int, "begin_params_axis": int, "epsilon": float}),
    "LogSoftmax": Operator(1, {"axis": int}),
    "MatMul": Operator(2, _MULTIPLICATION),
    "MatMulExt": Operator(2, name="BatchMatMul"),
    "Muls": Operator(2, name="Mul"),
    "ReduceMax": Operator(2, _REDUCTION),
    "ReduceMean": Operator(2, _REDUCTION),
    "ReduceMin": Operator(2, _REDUCTION),
    "ReduceProd": Operator(2, _REDUCTION),
    "ReduceSum": Operator(2, {**_REDUCTION, "skip_mode": bool}),
    "ResizeNearestNeighbor": Operator(1, {"size": _axes, "align_corners": bool, "half_pixel_centers": bool}),
    "Softmax": Operator(1, {"axis": _axes}),
    "Split": Operator(1, {"axis": int, "output_num": int}),
    "Squeeze": Operator(1, {"axis": _axes}),
    "StridedSlice": Operator(4, dict.fromkeys(_MASKS, int)),
}
"""The operators whose settings moved."""

ARITHMETIC: Final = ("Add", "Div", "Maximum", "Minimum", "Mul", "Pow", "RealDiv", "Sub")
"""Operators of two tensors, of which the newer form allows one to be a number."""


def older_form(model: Path, folder: Path) -> Path:
    """Write the older form of a newer MindIR.

    Parameters
    ----------
    model : Path
        A file, perhaps with its parameters in a folder beside it.
    folder : Path
        Where to write.

    Returns
    -------
    Path
        What was written; the model itself if it is no newer MindIR, or no sound one, which then is for the
        engine to judge.
    """
    proto = pb.ModelProto()
    try:
        proto.ParseFromString(model.read_bytes())
    except DecodeError:
        return model
    if proto.mind_ir_version <= _OLDER_VERSION:
        return model
    try:
        rewrite(proto)
    except (LookupError, TypeError, ValueError):
        # Damaged, or with settings that are computed: the engine has its own words for either.
        return model
    locations = {parameter.external_data.location for parameter in proto.graph.parameter}
    for beside in {Path(location).parts[0] for location in locations if location}:
        (folder / beside).symlink_to(model.resolve().with_name(beside))
    older = folder / model.name
    older.write_bytes(proto.SerializeToString())
    return older


def rewrite(proto: Any) -> None:
    """Put a model, as its protobuf, into the older form."""
    proto.mind_ir_version = _OLDER_VERSION
    primitives = _Primitives(proto)
    for graph in (proto.graph, *proto.functions):
        constants = {node.output[0]: node.attribute[0] for node in graph.node if node.op_type == "Constant"}
        tensors: list[Any] = []
        for node in graph.node:
            primitive = primitives.get(node.op_type)
            if primitive is None:
                continue
            if operator := OPERATORS.get(primitive.op_type):
                values = _take_settings(node, operator, constants)
                primitive = primitives.variant(primitive, operator.name or primitive.op_type, values)
                node.op_type = f"{_REFERENCE}{primitive.name}"
            if primitive.op_type in ARITHMETIC:
                tensors += _make_tensors(node, constants)
        _set_nodes(graph, [*tensors, *graph.node])


class _Primitives:
    """The operators of a model with their attributes, which nodes share."""

    def __init__(self, proto: Any) -> None:
        self._proto = proto
        self._by_name = {primitive.name: primitive for primitive in proto.primitives}
        self._made: dict[bytes, Any] = {}

    def get(self, reference: str) -> Any:
        """Return the operator that a node refers to, None if it refers to a function."""
        return self._by_name.get(reference.removeprefix(_REFERENCE))

    def variant(self, primitive: Any, name: str, values: Mapping[str, Value]) -> Any:
        """Return an operator under another name and with further attributes."""
        copy = pb.PrimitiveProto()
        copy.CopyFrom(primitive)
        copy.op_type = name
        copy.attribute.extend(encode(value, attribute) for attribute, value in values.items())
        key = copy.SerializeToString(deterministic=True)
        if key not in self._made:
            copy.name = f"{primitive.name}_{len(self._made)}"
            self._by_name[copy.name] = self._made[key] = copy
            self._proto.primitives.append(copy)
        return self._made[key]


def _take_settings(node: Any, operator: Operator, constants: Mapping[str, Any]) -> dict[str, Value]:
    """Return a node's settings by the names of the attributes that they become, and let it read them no longer."""
    values: dict[str, Value] = {}
    for (name, setting), source in zip(operator.settings.items(), node.input[operator.tensors :], strict=False):
        values[name] = setting(decode(constants[source]))
        if name == "data_format":
            values["format"] = values[name]
    del node.input[operator.tensors :]
    return values


def _make_tensors(node: Any, constants: Mapping[str, Any]) -> list[Any]:
    """Let a node read numbers as tensors of the type that it computes; return the constants that hold them."""
    types = [tensor.data_type for attribute in node.attribute for tensor in attribute.tensors]
    made = []
    for index, source in enumerate(node.input):
        number = decode(constants[source]) if source in constants and not constants[source].tensors else None
        if not isinstance(number, int | float):
            continue
        name = f"{node.output[0]}:{index}"
        data_type, dtype = (_TENSOR.INT32, np.int32) if types == [_TENSOR.INT32] else (_TENSOR.FLOAT, np.float32)
        tensor = _TENSOR(name="value0", data_type=data_type, raw_data=np.array(number, dtype).tobytes())
        value = _KIND(name="value", type=_KIND.TENSORS, tensors=[tensor])
        made.append(pb.NodeProto(name=name, output=[name], op_type="Constant", attribute=[value]))
        node.input[index] = name
    return made


def _set_nodes(graph: Any, nodes: Sequence[Any]) -> None:
    """Let a graph have these nodes, but for constants that nobody reads."""
    read = {name for node in nodes for name in node.input} | {item.name for item in graph.output}
    # What a message holds is gone when it is cleared, so these are copies.
    kept = [node.SerializeToString() for node in nodes if node.op_type != "Constant" or node.output[0] in read]
    del graph.node[:]
    graph.node.extend(map(pb.NodeProto.FromString, kept))


def decode(attribute: Any) -> Any:
    """Return the Python value of a constant."""
    if attribute.type in (_KIND.TUPLE, _KIND.LIST):
        return tuple(decode(item) for item in attribute.values)
    if attribute.type == _KIND.NONE:
        return None
    if attribute.type == _KIND.STRING:
        return (attribute.strings[0] if attribute.strings else attribute.s).decode()
    for repeated, single in _SCALARS:
        # Inside a tuple a scalar stands in the repeated field, outside in the single one.
        if values := getattr(attribute, repeated):
            return values[0]
        if attribute.HasField(single):
            return getattr(attribute, single)
    return 0


def encode(value: Value, name: str = "", *, in_tuple: bool = False) -> Any:
    """Return the attribute that holds a value."""
    attribute = _KIND(name=name)
    if isinstance(value, tuple):
        attribute.type = _KIND.TUPLE
        attribute.values.extend(encode(item, in_tuple=True) for item in value)
        return attribute
    attribute.type, single, repeated = next(entry for kind, entry in _FIELDS.items() if isinstance(value, kind))
    encoded = value.encode() if isinstance(value, str) else int(value) if isinstance(value, bool) else value
    if in_tuple:
        getattr(attribute, repeated).append(encoded)
    else:
        setattr(attribute, single, encoded)
    return attribute


if __name__ == "__main__":
    sys.stdout.write(f"{older_form(Path(sys.argv[1]), Path(sys.argv[2]))}\n")
