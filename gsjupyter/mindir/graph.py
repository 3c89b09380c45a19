"""The editing API that passes work on: a graph of values, with the protobuf nowhere in sight.

What the output doesn't need is not part of the graph: nodes are found from the output backwards, so dropping the last
reader of a node removes it, and everything that only it read.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy.typing as npt
from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.errors import ModelFileError
from gsjupyter.mindir.attributes import AttributeValue, encode, tensor_abstract, tuple_abstract
from gsjupyter.mindir.scope import Scope
from gsjupyter.mindir.types import Array
from gsjupyter.mindir.values import Input, Node, Parameter, Value, return_node

# MindSpore resolves these through its functional interface and keeps no attributes on them.
_FUNCTIONS = frozenset({"Add", "BiasAdd", "Cast", "Maximum", "Minimum", "Mul", "Sub"})


class Graph:
    """A network as values that read each other.

    Parameters
    ----------
    inputs : sequence of Input
        The graph's inputs, in the order in which they are given.
    output : Value
        What the graph returns; several outputs are one MakeTuple.
    """

    def __init__(self, inputs: Sequence[Input], output: Value) -> None:
        self.inputs = list(inputs)
        self._return = return_node(output)
        self._names: set[str] | None = None

    @property
    def output(self) -> Value:
        """What the graph returns."""
        return self._return.inputs[0]

    @output.setter
    def output(self, value: Value) -> None:
        self._return.set_input(0, value)

    def nodes(self, *operators: str) -> list[Node]:
        """Return the nodes in an order in which they can run; only those of the named operators, if any are named."""
        nodes = [value for value in self.values() if isinstance(value, Node)]
        return [node for node in nodes if node.op in operators] if operators else nodes

    def parameters(self) -> list[Parameter]:
        """Return the parameters that the output needs, in the order in which they are first read."""
        return [value for value in self.values() if isinstance(value, Parameter)]

    def values(self) -> list[Value]:
        """Return all values that the output needs, each after those it reads.

        Raises
        ------
        ModelFileError
            If nodes read each other in a circle.
        """
        order: list[Value] = []
        done: set[Value] = set()
        active: set[Value] = set()
        stack: list[tuple[Value, bool]] = [(self.output, False)]
        while stack:
            value, leaving = stack.pop()
            if leaving:
                active.discard(value)
                done.add(value)
                order.append(value)
            elif value in active:
                raise ModelFileError(f"the graph is no network: {value!r} reads its own output.")
            elif value not in done:
                active.add(value)
                stack.append((value, True))
                if isinstance(value, Node):
                    stack.extend((item, False) for item in reversed(value.inputs) if item not in done)
        return order

    def is_output(self, value: Value) -> bool:
        """Say whether the caller reads the value directly."""
        return self._return in value.readers

    def replace(self, old: Value, new: Value, *, readers: Iterable[Node] | None = None) -> None:
        """Let readers of `old` read `new` instead; `old` leaves the graph unless something still reads it.

        Parameters
        ----------
        old, new : Value
            What was read, and what is to be read.
        readers : iterable of Node, optional
            The readers to change; all of them by default. Name them when `new` is computed from `old`.
        """
        for reader in old.readers if readers is None else readers:
            for index, value in enumerate(reader.inputs):
                if value is old:
                    reader.set_input(index, new)

    def add(
        self,
        operator: str,
        inputs: Iterable[Value],
        *,
        scope: Scope,
        shape: Sequence[int] | None = None,
        dtype: npt.DTypeLike | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
    ) -> Node:
        """Make a node; it becomes part of the graph as soon as a value of the graph reads it.

        Parameters
        ----------
        operator : str
            MindSpore's name of the operator.
        inputs : iterable of Value
            What it reads.
        scope : Scope
            The layer that it belongs to.
        shape, dtype : optional
            The type of its output, where known.
        attributes : mapping, optional
            The operator's attributes.
        """
        kind = pb.PrimitiveProto.PRIMITIVE_FUNCTION if operator in _FUNCTIONS else pb.PrimitiveProto.PRIMITIVE
        primitive = pb.PrimitiveProto(op_type=operator, prim_type=kind)
        primitive.attribute.extend(encode(value, name) for name, value in (attributes or {}).items())
        abstract = tensor_abstract(shape, dtype) if shape is not None and dtype is not None else None
        return Node(primitive, inputs, scope, abstract)

    def add_tuple(self, values: Sequence[Value]) -> Node:
        """Make the tuple of values."""
        node = self.add("MakeTuple", values, scope=Scope.parse(""))
        node.abstract = tuple_abstract([value.abstract for value in values])
        return node

    def new_parameter(self, name: str, array: Array) -> Parameter:
        """Make a parameter under a name that no other parameter of the graph has, or had when one was first made."""
        if self._names is None:
            self._names = {parameter.name for parameter in self.parameters()}
        unique, count = name, 1
        while unique in self._names:
            count += 1
            unique = f"{name}_{count}"
        self._names.add(unique)
        return Parameter.of(unique, array)
