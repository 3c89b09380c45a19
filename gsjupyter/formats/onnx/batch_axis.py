"""Where the batch lies in each value: a sequence first, or beside the heads of attention, it isn't the first axis.

MindIR knows all sizes and not which of them are the batch size. So the shapes of the ONNX graph are inferred once more,
for a number of samples that divides no other size: what it divides holds the batch. Where two axes were merged into
one, their order is noted too, for the reshape that parts them again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
import onnx
import onnx_ir as ir
from onnx.reference import ReferenceEvaluator

from gsjupyter.mindir import Array

_SAMPLES: Final = 1_000_003
"""A prime number that is no size of a network."""
_COMPUTED: Final = frozenset(
    [
        "Add",
        "Cast",
        "Concat",
        "Div",
        "Gather",
        "Max",
        "Min",
        "Mod",
        "Mul",
        "Reshape",
        "Slice",
        "Squeeze",
        "Sub",
        "Unsqueeze",
    ]
)
"""What shapes are computed with while the model runs."""
_LIMIT: Final = 64
"""Values of more numbers are no shapes."""


@dataclass(frozen=True)
class BatchAxis:
    """The one axis of a value that holds the batch, of `outer` times the batch size times `inner`, in this order."""

    axis: int
    outer: int = 1
    inner: int = 1


class BatchAxes:
    """Where the batch lies in the values of an ONNX graph under way.

    Parameters
    ----------
    nodes : sequence of Node
        Its nodes in running order; more may come.
    opset : int
        The version of their operators.
    """

    def __init__(self, nodes: Sequence[ir.Node], opset: int) -> None:
        self._nodes = nodes
        self._opset = opset
        self._seen = 0
        self._types: dict[ir.Value, onnx.TypeProto] = {}
        self._contents: dict[ir.Value, Array] = {}
        self._found: dict[ir.Value, BatchAxis] = {}

    def add_input(self, value: ir.Value, dtype: int, shape: Sequence[int]) -> None:
        """Note an input whose first axis is the batch; -1 in its shape is a size that nobody knows."""
        sizes = [_SAMPLES, *(size if size >= 0 else None for size in shape[1:])]
        self._types[value] = onnx.helper.make_tensor_type_proto(dtype, sizes)
        self._found[value] = BatchAxis(0)

    def of(self, value: ir.Value) -> BatchAxis | None:
        """Return where the batch lies in a value; None if it isn't there, is there twice, or nobody knows."""
        self._catch_up()
        return self._found.get(value)

    def of_reshaped(self, value: ir.Value, target: Sequence[int], batch: int) -> list[BatchAxis]:
        """Return where the batch may lie in a value after a reshape: one place, if the batch isn't of one sample.

        Parameters
        ----------
        value : ir.Value
            What is reshaped.
        target : sequence of int
            The shape that it gets with a batch of the size that the network was exported with.
        batch : int
            That size.
        """
        self._catch_up()
        return self._places(value, target, batch)

    def _places(self, value: ir.Value, target: Sequence[int], batch: int) -> list[BatchAxis]:
        found = self._found.get(value)
        sizes = self._sizes(value) if found is not None else None
        if found is None or sizes is None or min(target, default=0) < 1:
            return []
        before, after = prod(sizes[: found.axis]) * found.outer, prod(sizes[found.axis + 1 :]) * found.inner
        places = []
        for axis in range(len(target)):
            outer, rest = divmod(before, prod(target[:axis]))
            inner, other = divmod(after, prod(target[axis + 1 :]))
            if not rest and not other and target[axis] == outer * batch * inner:
                places.append(BatchAxis(axis, outer, inner))
        return places

    def _sizes(self, value: ir.Value) -> list[int] | None:
        shape = self._types[value].tensor_type.shape
        sizes = [item.dim_value if item.HasField("dim_value") else -1 for item in shape.dim]
        return None if -1 in sizes else sizes

    def _catch_up(self) -> None:
        while self._seen < len(self._nodes):
            node = self._nodes[self._seen]
            self._seen += 1
            inputs = [value for value in node.inputs if value is not None]
            for value in inputs:
                self._note_stored(value)
            if all(value in self._types for value in inputs):
                self._infer(node, inputs)

    def _note_stored(self, value: ir.Value) -> None:
        tensor = value.const_value
        if value in self._types or tensor is None:
            return
        self._types[value] = onnx.helper.make_tensor_type_proto(int(tensor.dtype), tensor.shape.numpy())
        if tensor.size <= _LIMIT:
            self._contents[value] = tensor.numpy()

    def _infer(self, node: ir.Node, inputs: Sequence[ir.Value]) -> None:
        proto = ir.serde.serialize_node(node)
        types = {str(value.name): self._types[value] for value in inputs}
        contents = {str(value.name): self._contents[value] for value in inputs if value in self._contents}
        try:
            found = onnx.shape_inference.infer_node_outputs(
                onnx.defs.get_schema(node.op_type, self._opset),
                proto,
                types,
                {name: onnx.numpy_helper.from_array(array, name) for name, array in contents.items()},
                opset_imports=[onnx.helper.make_opsetid("", self._opset)],
            )
        except onnx.shape_inference.InferenceError:
            # A size that is baked in fits no other batch. Nobody knows what comes of it.
            return
        for value in node.outputs:
            inferred = found.get(str(value.name))
            if inferred is not None and inferred.tensor_type.HasField("shape"):
                self._types[value] = inferred
                self._note_axis(node, value)
        self._note_contents(node, proto, types, contents)

    def _note_contents(
        self, node: ir.Node, proto: onnx.NodeProto, types: Mapping[str, Any], contents: Mapping[str, Array]
    ) -> None:
        if node.op_type == "Shape":
            sizes = self._sizes(node.inputs[0]) if node.inputs[0] is not None else None
            if sizes is not None:
                start, end = (node.attributes.get(name) for name in ("start", "end"))
                chosen = sizes[slice(start.as_int() if start else 0, end.as_int() if end else None)]
                self._contents[node.outputs[0]] = np.array(chosen, np.int64)
        elif node.op_type in _COMPUTED and len(contents) == len(types) > 0:
            results: Any = ReferenceEvaluator(proto).run(None, dict(contents))
            if results[0].size <= _LIMIT:
                self._contents[node.outputs[0]] = results[0]

    def _note_axis(self, node: ir.Node, value: ir.Value) -> None:
        sizes = self._sizes(value)
        axes = [] if sizes is None else [axis for axis, size in enumerate(sizes) if size % _SAMPLES == 0 and size]
        if sizes is None or len(axes) != 1:
            return
        (axis,) = axes
        count = sizes[axis] // _SAMPLES
        order = (1, 1) if count == 1 else self._order(node, axis, count, sizes)
        if order is not None:
            self._found[value] = BatchAxis(axis, *order)

    def _order(self, node: ir.Node, axis: int, count: int, sizes: Sequence[int]) -> tuple[int, int] | None:
        """Return what is outside and inside of the batch in an axis of `count` times its size."""
        sources = [self._found.get(value) for value in node.inputs if value is not None and self._has_batch(value)]
        if None in sources or not sources:
            return None
        known = [source for source in sources if source is not None]
        if node.op_type in ("Reshape", "Flatten"):
            source = node.inputs[0]
            places = self._places(source, sizes, _SAMPLES) if source is not None and len(known) == 1 else []
            return next(((place.outer, place.inner) for place in places), None)
        if node.op_type == "Concat" and all(source == BatchAxis(axis, 1, known[0].inner) for source in known):
            is_whole = len(known) == len(node.inputs) and len(known) * known[0].inner == count
            if node.attributes["axis"].as_int() == axis and is_whole:
                return len(known), known[0].inner
        orders = {(source.outer, source.inner) for source in known}
        same = orders.pop()
        return same if not orders and same[0] * same[1] == count else None

    def _has_batch(self, value: ir.Value) -> bool:
        sizes = self._types[value].tensor_type.shape.dim
        return any(not item.HasField("dim_value") or item.dim_value % _SAMPLES == 0 for item in sizes)
