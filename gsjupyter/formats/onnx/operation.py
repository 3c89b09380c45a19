"""One MindIR operator as its lowering sees it: inputs as ONNX values, settings in Python, and nodes to add."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx.builder import Builder, Lowered, Operand
from gsjupyter.mindir import Array, Node

_REQUIRED: Final = object()

Shape = Sequence[int]


class Operation:
    """A MindIR node that is being lowered.

    Parameters
    ----------
    node : Node
        The node.
    builder : Builder
        The graph that it becomes part of.
    """

    def __init__(self, node: Node, builder: Builder) -> None:
        self.node = node
        self.builder = builder

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of its output in MindIR, -1 for a dynamic axis; None if it is no tensor."""
        return self.node.shape

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The data type of its output in MindIR.

        Raises
        ------
        UnsupportedError
            If it has none, or one that numpy lacks.
        """
        return self._known_type(self.node.dtype, "its output")

    def input_shape(self, index: int) -> tuple[int, ...]:
        """Return an input's shape in MindIR, -1 for a dynamic axis.

        Raises
        ------
        UnsupportedError
            If it is unknown.
        """
        value = self._lowered(index)
        if not isinstance(value, ir.Value | tuple):
            return np.shape(value)  # type: ignore[arg-type]  # a number or an array
        shape = self.node.inputs[index].shape
        if shape is None:
            raise self.unsupported(f"the shape of input {index} is unknown")
        return shape

    def input_dtype(self, index: int) -> np.dtype[np.generic]:
        """Return an input's data type in MindIR.

        Raises
        ------
        UnsupportedError
            If it is unknown.
        """
        return self._known_type(self.node.inputs[index].dtype, f"input {index}")

    def rank(self, index: int) -> int:
        """Return the number of an input's axes."""
        return len(self.input_shape(index))

    def tensor(self, index: int, dtype: npt.DTypeLike | None = None) -> ir.Value:
        """Return an input as an ONNX value.

        Parameters
        ----------
        index : int
            Which input.
        dtype : optional
            The data type to give it; of a number known at conversion, the one to store it in.
        """
        lowered = self._lowered(index)
        if isinstance(lowered, ir.Value):
            own = self.node.inputs[index].dtype
            differs = dtype is not None and own is not None and own != np.dtype(dtype)
            return self.cast(lowered, dtype) if dtype is not None and differs else lowered
        array = np.asarray(lowered)
        if array.dtype == object or isinstance(lowered, str | None):
            raise self.unsupported(f"input {index} is no tensor: {lowered!r}")
        # MindSpore's data type for Python's fractions is float32, not numpy's.
        usual = np.float32 if isinstance(lowered, float | tuple) and array.dtype == np.float64 else array.dtype
        return self.builder.initializer(array.astype(dtype if dtype is not None else usual))

    def operands(self, *indices: int) -> tuple[list[ir.Value], np.dtype[np.generic]]:
        """Return inputs in the data type that MindSpore brings them to, and that type."""
        common = self.common_type(*indices)
        return [self.tensor(index, common) for index in indices], common

    def common_type(self, *indices: int) -> np.dtype[np.generic]:
        """Return the data type that MindSpore brings inputs to.

        Tensors of integers take the type of those of fractions, and numbers that of tensors, but for a fraction beside
        integers, which makes them float32.
        """
        tensors, numbers = [], []
        for index in indices:
            lowered = self._lowered(index)
            if isinstance(lowered, bool | int | float):
                numbers.append(lowered)
            else:
                tensors.append(
                    np.asarray(lowered).dtype if isinstance(lowered, np.ndarray) else self.input_dtype(index)
                )
        fractions = [dtype for dtype in tensors if dtype.kind == "f"]
        common = np.result_type(*(fractions or tensors)) if tensors else np.dtype(np.float32)
        if any(isinstance(number, float) for number in numbers) and common.kind in "iub":
            common = np.dtype(np.float32)
        return common

    def optional(self, index: int) -> ir.Value | None:
        """Return an input as an ONNX value; None if it is left out."""
        return None if self.is_none(index) else self.tensor(index)

    def is_none(self, index: int) -> bool:
        """Say whether an input is left out."""
        return self._lowered(index) is None

    def constant(self, index: int) -> Lowered:
        """Return an input that is known at conversion: a number, a tuple, a string, or an array.

        Raises
        ------
        UnsupportedError
            If it is computed while the model runs.
        """
        parameter = self.node.parameter(index)
        if parameter is not None:
            return parameter.array
        lowered = self._lowered(index)
        if _is_computed(lowered):
            raise self.unsupported(f"input {index} is computed while the model runs")
        return lowered

    def is_constant(self, index: int) -> bool:
        """Say whether an input is known at conversion."""
        return self.node.parameter(index) is not None or not _is_computed(self._lowered(index))

    def setting(self, name: str, index: int | None = None, default: Any = _REQUIRED) -> Any:
        """Return one of the operator's settings, wherever MindSpore keeps it.

        Parameters
        ----------
        name : str
            The attribute's name.
        index : int, optional
            The input that it is where it isn't an attribute.
        default : optional
            What it is where it is neither.

        Raises
        ------
        UnsupportedError
            If it is neither and has no default, or is computed while the model runs.
        """
        attributes = self.node.attributes
        if name in attributes:
            return attributes[name]
        if index is not None and index < len(self.node.inputs):
            value = self.constant(index)
            return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
        if default is _REQUIRED:
            raise self.unsupported(f"it has no {name}")
        return default

    def ints(self, index: int) -> ir.Value:
        """Return an input that is a tuple of integers, or a tensor of them, as an int64 vector."""
        return self.int_vector(self._lowered(index), self.node.inputs[index].dtype)

    def int_vector(self, lowered: Lowered, dtype: np.dtype[np.generic] | None = None) -> ir.Value:
        """Return integers, known or computed, as an int64 vector."""
        if isinstance(lowered, tuple) and _is_computed(lowered):
            parts = [self.int_vector(item) for item in lowered]
            return self.add("Concat", *parts, axis=0) if len(parts) > 1 else parts[0]
        if isinstance(lowered, ir.Value):
            wide = lowered if dtype is None or dtype == np.int64 else self.cast(lowered, np.int64)
            return self.add("Reshape", wide, np.array([-1], np.int64))
        return self.builder.initializer(np.atleast_1d(np.asarray(lowered, np.int64)))

    def add(self, operator: str, *inputs: Operand, **attributes: Any) -> ir.Value:
        """Add an ONNX node with one output, called after the layer.

        Parameters
        ----------
        operator : str
            ONNX's name of the operator.
        *inputs : Value, ndarray or None
            What it reads; arrays are stored in the file, their float32 numbers in the type of computation.
        **attributes
            Its attributes; those that are None are left out.
        """
        return self.builder.add(self.node.layer, operator, inputs, attributes)[0]

    def add_many(self, operator: str, *inputs: Operand, outputs: int, **attributes: Any) -> tuple[ir.Value, ...]:
        """Add an ONNX node with several outputs."""
        return tuple(self.builder.add(self.node.layer, operator, inputs, attributes, outputs))

    def reads_beyond_first(self) -> bool:
        """Say whether anything reads another of its outputs than the first: most others only training needs.

        Who reads them as one tuple reads all.
        """
        readers = [reader for reader in self.node.readers if reader.op != "UpdateState"]
        indices = [index for index, _ in self.node.item_readers()]
        return any(indices) or len(indices) < len(readers)

    def cast(self, value: ir.Value, dtype: npt.DTypeLike, source: npt.DTypeLike | None = None) -> ir.Value:
        """Return a value in the data type that stands for a MindIR data type.

        Parameters
        ----------
        value : Value
            What to cast.
        dtype : numpy data type
            To what.
        source : optional
            Its own data type, where a value that has the wanted one already is to stay as it is.
        """
        if source is not None and np.dtype(source) == np.dtype(dtype):
            return value
        return self.builder.cast(value, dtype, self.node.layer)

    def number(self, value: float | Array, dtype: npt.DTypeLike = np.float32) -> Array:
        """Return a number as the array to give to `add`."""
        return np.asarray(value, dtype)

    def reshape(self, value: ir.Value, shape: Shape) -> ir.Value:
        """Return a value in another shape, -1 for one axis at most; a free batch stays free.

        Where the first size is a multiple of the batch size, it is what the other sizes leave.
        """
        target, batch = list(shape), self.builder.batch
        is_free = batch is not None and self.builder.is_variable(value)
        if is_free and batch is not None and target and -1 not in target and target[0] % batch == 0:
            target[0] = -1
        return self.add("Reshape", value, np.array(target, np.int64))

    def expand(self, value: ir.Value, shape: Shape) -> ir.Value:
        """Return a value broadcast to a shape; a first size that is the batch size is the free one."""
        batch = self.builder.batch
        if batch is None or len(shape) < 2 or shape[0] != batch:
            return self.add("Expand", value, np.array(shape, np.int64))
        rest = np.array(shape[1:], np.int64)
        return self.add("Expand", value, self.add("Concat", self.builder.batch_value(), rest, axis=0))

    def unsupported(self, reason: str) -> UnsupportedError:
        """Return the error that says why this operator can't be lowered, to raise."""
        cell = self.node.scope.cell_class
        layer = f"layer {self.node.layer}{f' ({cell})' if cell else ''}" if self.node.layer else "the network itself"
        return UnsupportedError(
            f"{self.node.op} in {layer} can't be written as ONNX: {reason}.",
            advice="Replace that layer by one of other operators, or export to .mindir.",
        )

    def _lowered(self, index: int) -> Lowered:
        return self.builder.get(self.node.inputs[index])

    def _known_type(self, dtype: np.dtype[np.generic] | None, what: str) -> np.dtype[np.generic]:
        if dtype is None:
            raise self.unsupported(f"the data type of {what} is unknown, or one that numpy lacks")
        return dtype


def _is_computed(lowered: Lowered) -> bool:
    """Say whether a value, or any in a tuple, is a tensor of the ONNX graph."""
    return any(map(_is_computed, lowered)) if isinstance(lowered, tuple) else isinstance(lowered, ir.Value)


Lowering: TypeAlias = Callable[[Operation], Lowered]
"""What turns one MindIR operator into ONNX nodes, and returns what its output became."""
