"""The values of a graph: inputs, parameters, constants, and nodes, which are the values they compute.

Each value knows its readers. A node that loses its last reader gives up its own inputs, so "has this convolution
another reader?" is answered by the graph as it is, not as it was.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.errors import UnsupportedError
from gsjupyter.mindir.arguments import position_of
from gsjupyter.mindir.attributes import AttributeValue, decode, dtype_of, dtypes_of, encode, is_monad, resized, shape_of
from gsjupyter.mindir.scope import Scope
from gsjupyter.mindir.types import Array, array_of, numpy_dtype, tensor_of

NodeT = TypeVar("NodeT", bound="Node")


class Value:
    """Something that a node can read."""

    def __init__(self, abstract: pb.AttributeProto | None = None) -> None:
        self.abstract = abstract
        self._readers: dict[Node, int] = {}

    @property
    def readers(self) -> tuple["Node", ...]:
        """The nodes that read this value, each once."""
        return tuple(self._readers)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape, -1 for a dynamic axis; None if unknown or no tensor."""
        return shape_of(self.abstract)

    @property
    def dtype(self) -> np.dtype[np.generic] | None:
        """The numpy data type; None if unknown or no tensor."""
        return dtype_of(self.abstract)

    @property
    def dtypes(self) -> tuple[np.dtype[np.generic] | None, ...]:
        """The numpy data types of its tensors, those of nested tuples one after the other."""
        return dtypes_of(self.abstract)

    def resize(self, *shapes: Sequence[int]) -> None:
        """Note that the value has another shape, or the items of a tuple have other shapes; data types stay."""
        self.abstract = resized(self.abstract, shapes)

    def add_reader(self, node: "Node") -> None:
        """Count one more input of `node` that reads this value."""
        self._readers[node] = self._readers.get(node, 0) + 1

    def drop_reader(self, node: "Node") -> None:
        """Count one input of `node` less."""
        self._readers[node] -= 1
        if not self._readers[node]:
            del self._readers[node]


class Input(Value):
    """An input of the graph."""

    def __init__(self, name: str, proto: pb.ValueInfoProto) -> None:
        abstract = proto.attr_info if proto.HasField("attr_info") else None
        if len(proto.tensor) == 1:
            abstract = pb.AttributeProto(name="shape", type=pb.AttributeProto.TENSORS, tensors=[proto.tensor[0]])
        super().__init__(abstract)
        self.name = name
        self.proto = proto

    def __repr__(self) -> str:
        return f"Input({self.name}, {self.shape}, {self.dtype})"


class Parameter(Value):
    """A stored tensor.

    Parameters
    ----------
    name : str
        The name as MindSpore's ``Parameter.name`` has it.
    proto : TensorProto
        Its values and type. Parameters are never changed in place: a pass makes a new one, so that models can share.
    """

    def __init__(self, name: str, proto: pb.TensorProto) -> None:
        abstract = pb.TensorProto(dims=proto.dims, data_type=proto.data_type)
        super().__init__(pb.AttributeProto(name="shape", type=pb.AttributeProto.TENSORS, tensors=[abstract]))
        self.name = name
        self.proto = proto

    @classmethod
    def of(cls, name: str, array: Array) -> "Parameter":
        """Make a parameter that holds the values of an array."""
        return cls(name, tensor_of(array))

    @property
    def array(self) -> Array:
        """The values, not copied and read-only.

        Raises
        ------
        UnsupportedError
            If numpy lacks the data type.
        """
        return array_of(self.proto)

    @property
    def is_readable(self) -> bool:
        """Whether numpy can represent the values."""
        return numpy_dtype(self.proto.data_type) is not None

    @property
    def size_bytes(self) -> int:
        """The bytes that the values take."""
        return len(self.proto.raw_data)

    def __repr__(self) -> str:
        return f"Parameter({self.name}, {self.shape}, {self.dtype})"


class Constant(Value):
    """A value known when the model was made: a number, a string, a tuple, a tensor."""

    def __init__(self, proto: pb.AttributeProto) -> None:
        tensors = len(proto.tensors) == 1
        super().__init__(proto if tensors else None)
        self.proto = proto

    @classmethod
    def of(cls, value: AttributeValue) -> "Constant":
        """Make a constant of a Python value or an array."""
        return cls(encode(value, "value"))

    @property
    def value(self) -> AttributeValue:
        """The value in Python: arrays for tensors, tuples for tuples and lists."""
        return decode(self.proto)

    @property
    def is_monad(self) -> bool:
        """Whether it is the token by which MindIR orders side effects."""
        return is_monad(self.proto)

    def __repr__(self) -> str:
        return f"Constant({self.value!r})"


class Node(Value):
    """An operator applied to values; also the value that it computes.

    Parameters
    ----------
    primitive : PrimitiveProto
        The operator and its attributes.
    inputs : sequence of Value
        What it reads, in order.
    scope : Scope
        The layer that it belongs to.
    abstract : AttributeProto, optional
        The inferred type of its output.
    proto : NodeProto, optional
        The node as it was read, for the annotations that are carried along.
    """

    def __init__(
        self,
        primitive: pb.PrimitiveProto,
        inputs: Iterable[Value],
        scope: Scope,
        abstract: pb.AttributeProto | None = None,
        proto: pb.NodeProto | None = None,
    ) -> None:
        super().__init__(abstract)
        self.primitive = primitive
        self.scope = scope
        self.proto = proto if proto is not None else pb.NodeProto()
        self._inputs: list[Value] = []
        self._set_inputs(inputs)

    def __repr__(self) -> str:
        return f"Node({self.op}, {self.layer or 'network'})"

    @property
    def op(self) -> str:
        """The operator's name, ``Conv2D`` for example."""
        return str(self.primitive.op_type)

    @property
    def layer(self) -> str:
        """The dotted name of the cell that made it; empty for the network itself."""
        return self.scope.layer

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The values that it reads, in order."""
        return tuple(self._inputs)

    @property
    def attributes(self) -> Mapping[str, AttributeValue]:
        """The attributes of its operator, in Python values."""
        return {attribute.name: decode(attribute) for attribute in self.primitive.attribute}

    def set_input(self, index: int, value: Value) -> None:
        """Read another value in place of input `index`."""
        value.add_reader(self)
        old, self._inputs[index] = self._inputs[index], value
        old.drop_reader(self)
        _discard_if_unread(old)

    def stop_reading(self) -> tuple[Value, ...]:
        """Give up all inputs, as a node does that nobody reads any longer; return what they were."""
        inputs = self.inputs
        self._inputs.clear()
        for value in inputs:
            value.drop_reader(self)
        return inputs

    def _set_inputs(self, inputs: Iterable[Value]) -> None:
        for value in inputs:
            self._inputs.append(value)
            value.add_reader(self)

    def argument(self, name: str) -> AttributeValue:
        """Return an operator's setting, wherever its version of MindSpore keeps it: an attribute or a constant input.

        Raises
        ------
        UnsupportedError
            If it is neither, or computed while the model runs.
        """
        attributes = self.attributes
        if name in attributes:
            return attributes[name]
        index = position_of(self.op, name)
        if index is not None and index < len(self._inputs):
            value = self._inputs[index]
            if isinstance(value, Constant):
                return value.value
        raise UnsupportedError(f"{self.op} of layer {self.layer or '(network)'} has no constant {name!r}.")

    def number(self, name: str) -> float:
        """Return an operator's setting that is a number.

        Raises
        ------
        UnsupportedError
            If it isn't constant, or no number.
        """
        value = self.argument(name)
        if not isinstance(value, int | float):
            raise UnsupportedError(f"{name} of {self.op} in layer {self.layer or '(network)'} is no number: {value!r}.")
        return float(value)

    def parameter(self, index: int) -> Parameter | None:
        """Return the parameter that input `index` is, None if it is computed."""
        value = self._inputs[index] if index < len(self._inputs) else None
        return value if isinstance(value, Parameter) else None

    def item_readers(self) -> Iterator[tuple[int, "Node"]]:
        """Yield (index, node) of each TupleGetItem that takes an item of this node's tuple."""
        for reader in self.readers:
            if reader.op == "TupleGetItem":
                index = reader.inputs[1]
                if isinstance(index, Constant) and isinstance(index.value, int):
                    yield index.value, reader

    def set_attribute(self, name: str, value: AttributeValue) -> None:
        """Change an attribute of the operator for this node alone; in a file nodes share one description of it."""
        primitive = pb.PrimitiveProto()
        primitive.CopyFrom(self.primitive)
        del primitive.attribute[:]
        primitive.attribute.extend(item for item in self.primitive.attribute if item.name != name)
        primitive.attribute.append(encode(value, name))
        self.primitive = primitive

    def annotate(self, name: str, value: AttributeValue) -> None:
        """Attach a named value to the node: carried in the file, ignored when it runs."""
        self.proto.node_attr.append(encode(value, name))

    @property
    def annotations(self) -> Mapping[str, AttributeValue]:
        """The named values attached to the node."""
        return {attribute.name: decode(attribute) for attribute in self.proto.node_attr}


def _discard_if_unread(value: Value) -> None:
    pending: list[Value] = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, Node) and not current.readers:
            pending.extend(current.stop_reading())


def return_node(output: Value) -> Node:
    """Make the reader that stands for the caller: what it reads is the graph's output."""
    return Node(pb.PrimitiveProto(op_type="Return"), [output], Scope.parse(""))
