"""An ONNX file as advice sees it: its layers with weights, and in which numbers each reads and stores them.

Files come from anywhere: integers may stand behind DequantizeLinear, behind Cast and Mul (as gsjupyter writes weights
that no integer kernel takes), or in operators that compute with them already. Weights themselves are not kept: only
what is small, such as zero points.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
import onnx
import onnx_ir as ir

from gsjupyter.engines.onnx_layout import dotted

Numbers: TypeAlias = Literal["integers", "integer weights", "float16", "float32", ""]
"""What a network computes with, as its file says; empty if it has no layers with weights."""

INTEGERS: Final = frozenset(("int8", "uint8", "int4", "uint4", "int2", "uint2", "int16", "uint16"))

MOVES: Final = frozenset(
    ("DepthToSpace", "Flatten", "Identity", "MaxPool", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze")
)
"""Operators that only move numbers, or pick some: what was integers before them is so behind."""

_LINEAR: Final = frozenset(
    ("Conv", "ConvTranspose", "FusedConv", "FusedGemm", "FusedMatMul", "Gemm", "MatMul", "NhwcFusedConv")
)
# Operators that compute with integers as they are: where they read data and weight, and where the zero points.
_INTEGER_LINEAR: Final = {
    "ConvInteger": (0, 1),
    "MatMulInteger": (0, 1),
    "DynamicQuantizeMatMul": (0, 1),
    "MatMulIntegerToFloat": (0, 1),
    "MatMulNBits": (0, 1),
    "QGemm": (0, 3),
    "QLinearConv": (0, 3),
    "QLinearMatMul": (0, 3),
}
_WEIGHT_STEPS: Final = 12
_SMALL_BYTES: Final = 1 << 16


@dataclass(frozen=True)
class LinearLayer:
    """A convolution or matrix product with a stored weight.

    Parameters
    ----------
    node : onnx_ir.Node
        The operator.
    data : str
        The type of its input, ``"uint8"`` for example; empty if it is no integer.
    weight : str
        The type in which its weight is stored.
    size : int
        How many numbers the weight has.
    """

    node: ir.Node
    data: str
    weight: str
    size: int

    @property
    def name(self) -> str:
        """The layer's name: the cell that the operator's name begins with."""
        return layer_name(self.node)

    @property
    def is_quantized(self) -> bool:
        """Whether both its input and its weight are integers."""
        return self.data != "" and self.weight in INTEGERS


class OnnxNetwork:
    """A network in ONNX.

    Parameters
    ----------
    model : onnx_ir.Model
        The network.
    """

    def __init__(self, model: ir.Model) -> None:
        self.nodes: tuple[ir.Node, ...] = tuple(ir.traversal.RecursiveGraphIterator(model.graph))
        # The model owns them.
        self._model = model

    @classmethod
    def read(cls, path: Path) -> "OnnxNetwork":
        """Read a file; values that lie beside it are not read.

        Raises
        ------
        Exception
            Of any kind, if it is no sound ONNX: nobody vouches for the file.
        """
        proto = onnx.load_model(path, load_external_data=False)
        for tensor in proto.graph.initializer:
            if tensor.ByteSize() > _SMALL_BYTES:
                _empty(tensor)
        return cls(ir.from_proto(proto))

    @cached_property
    def operators(self) -> Counter[str]:
        """How often each operator occurs."""
        return Counter(node.op_type for node in self.nodes)

    @cached_property
    def layers(self) -> tuple[LinearLayer, ...]:
        """Its layers with a stored weight, in running order."""
        found = (_layer(node) for node in self.nodes)
        return tuple(layer for layer in found if layer is not None)

    @cached_property
    def numbers(self) -> Numbers:
        """What it computes with, as the file says."""
        if any(layer.is_quantized for layer in self.layers):
            return "integers"
        kinds = {layer.weight for layer in self.layers}
        if kinds & INTEGERS:
            return "integer weights"
        return "float16" if "float16" in kinds else "float32" if kinds else ""

    @cached_property
    def weight_sizes(self) -> tuple[int, ...]:
        """How many numbers each weight has, in order of size: alike in all forms of one network."""
        return tuple(sorted(layer.size for layer in self.layers))


def layer_name(node: ir.Node) -> str:
    """Return the layer that an operator is of, as its name says and profiles call it; empty if it has none."""
    name = node.name or ""
    return dotted(name.rpartition("/")[0]) or name


def data_type(value: ir.Value | None) -> str:
    """Return the type of the integers that a value was made of, where it was quantized; empty if it wasn't."""
    for _ in range(_WEIGHT_STEPS):
        node = value.producer() if value is not None else None
        if value is None or node is None:
            return ""
        if node.op_type == "DequantizeLinear":
            return "" if _is_stored(node.inputs[0]) else quantized_type(node)
        if node.op_type not in MOVES:
            return ""
        value = node.inputs[0]
    return ""


def quantized_type(node: ir.Node) -> str:
    """Return the type of the integers on one side of a QuantizeLinear or DequantizeLinear."""
    if len(node.inputs) > 2 and node.inputs[2] is not None and (name := type_of(node.inputs[2])):
        return name
    if node.op_type == "DequantizeLinear":
        source = node.inputs[0]
        maker = source.producer() if source is not None else None
        if maker is not None and maker.op_type == "QuantizeLinear":
            return quantized_type(maker)
        return type_of(source) or "uint8"
    attribute = node.attributes.get("output_dtype")
    return _type_name(ir.DataType(attribute.as_int())) if attribute is not None and attribute.as_int() else "uint8"


def type_of(value: ir.Value | None) -> str:
    """Return a value's type as numpy calls it; empty if that isn't known."""
    if value is None:
        return ""
    tensor = value.const_value
    kind = tensor.dtype if tensor is not None else value.dtype
    return _type_name(kind) if kind is not None else ""


def small_array(value: ir.Value | None) -> np.ndarray | None:  # type: ignore[type-arg]  # any data type
    """Return a stored value; None if it is computed, or too large to be kept."""
    tensor = ir.convenience.get_const_tensor(value) if value is not None else None
    if tensor is None or tensor.nbytes > _SMALL_BYTES:
        return None
    try:
        return np.asarray(tensor.numpy())
    except (ValueError, OSError):
        return None


def _type_name(kind: ir.DataType) -> str:
    return {"FLOAT": "float32", "DOUBLE": "float64"}.get(kind.name, kind.name.lower())


def _layer(node: ir.Node) -> LinearLayer | None:
    if node.op_type in _INTEGER_LINEAR:
        data_index, weight_index = _INTEGER_LINEAR[node.op_type]
        weight = _stored(_input(node, weight_index))
        if weight is None:
            return None
        data = "" if node.op_type == "MatMulNBits" else _read_type(node, data_index)
        return LinearLayer(node, data, *weight)
    if node.op_type not in _LINEAR:
        return None
    weight = _stored(_input(node, 1))
    return LinearLayer(node, data_type(_input(node, 0)), *weight) if weight is not None else None


def _read_type(node: ir.Node, index: int) -> str:
    """Return the type of the integers that a kernel reads."""
    zero_point = {"QLinearConv": 2, "QLinearMatMul": 2, "QGemm": 2, "MatMulIntegerToFloat": 4}.get(node.op_type)
    name = type_of(_input(node, zero_point)) if zero_point is not None else ""
    if name:
        return name
    source = _input(node, index)
    maker = source.producer() if source is not None else None
    if maker is not None and maker.op_type == "QuantizeLinear":
        return quantized_type(maker)
    return type_of(source) if type_of(source) in INTEGERS else "uint8"


def _stored(value: ir.Value | None) -> tuple[str, int] | None:
    """Return the type and the size of the stored numbers that a value is computed from; None if from anything else.

    The largest of them counts: scales and zero points are smaller than what they belong to.
    """
    pending, seen = [(value, "")], 0
    largest: tuple[str, int] | None = None
    while pending:
        item, rounded_to = pending.pop()
        seen += 1
        if item is None:
            continue
        node = item.producer()
        if _is_stored(item):
            size = _size(item)
            if largest is None or size > largest[1]:
                largest = (rounded_to or type_of(item), size)
        elif node is None or seen > 4 * _WEIGHT_STEPS:
            return None
        else:
            # Weights that were trained as integers are stored in float, and rounded when the file is loaded.
            kind = quantized_type(node) if node.op_type == "QuantizeLinear" else rounded_to
            pending += [(source, kind) for source in node.inputs]
    return largest


def _is_stored(value: ir.Value | None) -> bool:
    if value is None:
        return False
    node = value.producer()
    return value.const_value is not None or value.is_initializer() or (node is not None and node.op_type == "Constant")


def _size(value: ir.Value) -> int:
    tensor = ir.convenience.get_const_tensor(value)
    return int(tensor.size) if tensor is not None else 0


def _input(node: ir.Node, index: int) -> ir.Value | None:
    return node.inputs[index] if index < len(node.inputs) else None


def _empty(tensor: onnx.TensorProto) -> None:
    """Forget a tensor's numbers, and keep its name, type and shape."""
    for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
        tensor.ClearField(field)
