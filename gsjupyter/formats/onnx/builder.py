"""An ONNX graph under way: values by the MindIR value they stand for, and nodes that are called after their layer.

With names like ``layer1.0.conv1/Conv`` a profile of ONNX Runtime reads like the network.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx.batch_axis import BatchAxes
from gsjupyter.mindir import Array, AttributeValue, Constant, Graph, Input, InputSpec, Parameter, Value

OPSET: Final = 21
"""The version of the operators: the first with 4-bit integers and scales of blocks, which current runtimes all read."""

Lowered: TypeAlias = ir.Value | AttributeValue | tuple["Lowered", ...]
"""What a MindIR value became: a tensor of the ONNX graph, a tuple, or a value known at conversion."""

Operand: TypeAlias = ir.Value | Array | None
"""What an ONNX node can read: a value, an array that is stored in the file, or nothing, where an input is optional."""

_SHARED_BYTES = 1024
"""Arrays up to this size are stored once, however many nodes read an equal one."""
_CONSTANT: Final = "network/constant"
"""What stored values that are no parameters are called: no attribute of a cell, and so no parameter, has that name."""


class Builder:
    """Nodes and stored tensors of an ONNX graph.

    Parameters
    ----------
    graph : Graph
        The network.
    float_type : {numpy.float32, numpy.float16}
        What its float32 values are computed in.
    free_batch : bool
        Whether the first axis of all inputs is to take any size.
    """

    def __init__(self, graph: Graph, *, float_type: npt.DTypeLike = np.float32, free_batch: bool = False) -> None:
        self.batch = batch_size_of(graph.inputs) if free_batch else None
        """The size that the first axis has in MindIR, where it is to be free; None where it is to stay."""
        self.float_type: np.dtype[np.generic] = np.dtype(float_type)
        self.nodes: list[ir.Node] = []
        self.initializers: dict[str, ir.Value] = {}
        self.inputs: list[ir.Value] = []
        self._lowered: dict[Value, Lowered] = {}
        self._variable: set[ir.Value] = set()
        self._shared: dict[tuple[str, tuple[int, ...], bytes], ir.Value] = {}
        self._names: Counter[str] = Counter()
        self._batch_value: ir.Value | None = None
        self.batch_axes = BatchAxes(self.nodes, OPSET)
        """Where the batch lies in its values, if it is to be free."""
        for item in graph.inputs:
            self._add_input(item)

    def _add_input(self, item: Input) -> None:
        if item.shape is None or item.dtype is None:
            raise UnsupportedError(f"input {item.name} is no tensor of a data type that numpy has; ONNX gets no other.")
        dtype = ir.DataType.from_numpy(item.dtype)
        value = ir.val(self.unique(item.name), dtype, _free_axes(item, self.batch is not None))
        self.inputs.append(value)
        if self.batch is not None:
            self.batch_axes.add_input(value, dtype, item.shape)
        self._variable.add(value)
        self._lowered[item] = self.cast(value, item.dtype, item.name) if self._changes(item.dtype) else value

    def _changes(self, dtype: np.dtype[np.generic]) -> bool:
        return dtype == np.float32 and self.type_of(dtype) != dtype

    def type_of(self, dtype: npt.DTypeLike) -> np.dtype[np.generic]:
        """Return the data type that values of a MindIR data type are computed in."""
        return self.float_type if np.dtype(dtype) == np.float32 else np.dtype(dtype)

    def unique(self, name: str) -> str:
        """Return a name that nothing else has."""
        self._names[name] += 1
        if (count := self._names[name]) == 1:
            return name
        return self.unique(f"{name}_{count}")

    def add(
        self,
        layer: str,
        operator: str,
        inputs: Sequence[Operand],
        attributes: Mapping[str, Any],
        outputs: int = 1,
    ) -> Sequence[ir.Value]:
        """Add a node; return its outputs.

        Parameters
        ----------
        layer : str
            What it is called after.
        operator : str
            ONNX's name of the operator.
        inputs : sequence of Value, ndarray or None
            What it reads.
        attributes : mapping
            Its attributes; those that are None are left out.
        outputs : int
            How many outputs it has.
        """
        values = [self.initializer(item) if isinstance(item, np.ndarray | np.generic) else item for item in inputs]
        given = {name: value for name, value in attributes.items() if value is not None}
        name = self.unique(f"{layer or 'network'}/{operator}")
        results = [ir.Value(name=f"{name}:{index}" if index else name) for index in range(outputs)]
        self.nodes.append(ir.node(operator, values, given, outputs=results, name=name))
        if any(value in self._variable for value in values if value is not None):
            self._variable.update(results)
        return results

    def initializer(self, array: Array) -> ir.Value:
        """Return an array as a value that is stored in the file, its float32 numbers in the type of computation."""
        stored = self._narrowed(np.asarray(array))
        if stored.nbytes > _SHARED_BYTES:
            return self.store(ir.tensor(stored))
        key = (str(stored.dtype), stored.shape, stored.tobytes())
        if key not in self._shared:
            self._shared[key] = self.store(ir.tensor(stored))
        return self._shared[key]

    def _narrowed(self, array: Array) -> Array:
        if not self._changes(array.dtype):
            return np.ascontiguousarray(array).reshape(array.shape)
        limit = np.finfo(np.float16).max
        # A mask of -1e9 is to stay a very small number: as minus infinity a row of them has no softmax.
        finite = np.where(np.isfinite(array), np.clip(array, -limit, limit), array)
        return finite.astype(self.float_type)

    def store(self, tensor: ir.TensorProtocol, name: str | None = None) -> ir.Value:
        """Return a tensor as a value that is stored in the file, under a parameter's name or none of its own."""
        unique = self.unique(name or _CONSTANT)
        tensor.name = unique
        value = ir.val(unique, const_value=tensor)
        self.initializers[unique] = value
        return value

    def cast(self, value: ir.Value, dtype: npt.DTypeLike, layer: str = "") -> ir.Value:
        """Return a value in the data type that stands for a MindIR data type."""
        target = ir.DataType.from_numpy(self.type_of(dtype))
        return self.add(layer, "Cast", [value], {"to": target})[0]

    def set(self, value: Value, lowered: Lowered) -> None:
        """Note what a MindIR value became."""
        self._lowered[value] = lowered

    def get(self, value: Value) -> Lowered:
        """Return what a MindIR value became; parameters and constants become it now."""
        if value not in self._lowered:
            if isinstance(value, Parameter):
                self._lowered[value] = self.store(ir.tensor(self._narrowed(value.array)), value.name)
            else:
                self._lowered[value] = _known(value)
        return self._lowered[value]

    def is_variable(self, value: ir.Value) -> bool:
        """Say whether a value depends on the inputs."""
        return value in self._variable

    def common_row(self, array: Array) -> Array | None:
        """Return the row that an array has for each sample of a free batch, as an array of one; None if none."""
        has_row_each = self.batch is not None and self.batch > 1 and array.ndim > 1 and len(array) == self.batch
        return array[:1] if has_row_each and (array == array[:1]).all() else None

    def batch_value(self) -> ir.Value:
        """Return the free size of the first axis, a vector of one integer."""
        if self._batch_value is None:
            self._batch_value = self.add("", "Shape", [self.inputs[0]], {"start": 0, "end": 1})[0]
        return self._batch_value


def batch_size_of(inputs: Sequence[Input | InputSpec]) -> int | None:
    """Return the size that the first axes of all inputs have; None if they have none, or different ones."""
    sizes = {item.shape[0] if item.shape else None for item in inputs}
    size = sizes.pop() if len(sizes) == 1 else None
    return size if size is not None and size > 0 else None


def _free_axes(item: Input, is_free: bool) -> list[int | str]:
    shape: list[int | str] = [
        size if size >= 0 else f"{item.name}_{axis}" if axis else "batch" for axis, size in enumerate(item.shape or ())
    ]
    return ["batch", *shape[1:]] if is_free else shape


def _known(value: Value) -> AttributeValue:
    if isinstance(value, Constant):
        return value.value
    raise UnsupportedError(f"{value!r} is read before it is computed.")
