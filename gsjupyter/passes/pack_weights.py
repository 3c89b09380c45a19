"""Pack integers of fewer than 8 bits: without it a file of 4-bit weights is as large as one of int8."""

from typing import Final

import numpy as np

from gsjupyter.mindir import Constant, Graph, Model, Node, Parameter, Scope, Value
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.casting import cast
from gsjupyter.passes.packed_integers import packed_integers, store_packed
from gsjupyter.quantization.packing import INTEGERS, PackedIntegers, pack

LEAST_GAIN_BYTES: Final = 256
"""A file that gets smaller by less is not worth the operators, nor is it certain: names grow with their numbers."""

_FLOAT32: Final = np.dtype(np.float32)


class PackWeights(Pass):
    """Replace ``Cast(integers, float32)`` by packed bytes and what unpacks them.

    The last pass of a conversion: no other one knows weights in this form. `UnpackWeights` takes it back.

    Left alone, with the reason in the change list: integers that need all 8 bits, that something reads other than as
    float32, or that are so few that the operators take more than is saved.

    Parameters
    ----------
    model : Model
        The model that the graph is of: its name and version fields are needed to say what a part of it takes in a file.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.saved_bytes: dict[str, int] = {}
        """What was saved of each array of integers, by parameter name."""

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        packed = {found[0] for node in graph.nodes() if (found := packed_integers(node)) is not None}
        integers = [item for item in graph.parameters() if item.dtype in INTEGERS and any(map(_widens, item.readers))]
        return [
            Change.skipped(item.readers[0], f"{item.name} is packed already")
            if item in packed
            else self._pack(graph, item)
            for item in integers
        ]

    def _pack(self, graph: Graph, integers: Parameter) -> Change:
        reader = next(filter(_widens, integers.readers))
        others = [other for other in integers.readers if not _widens(other)]
        if others:
            return Change.skipped(reader, f"{integers.name} is also read by {others[0].op}")
        packed = pack(integers.array.astype(integers.dtype, copy=False))
        if reason := self._obstacle(graph, integers, packed, reader.scope):
            return Change.skipped(reader, reason)
        numbers = store_packed(graph, integers.name, packed, reader.scope)
        for other in integers.readers:
            graph.replace(other, numbers)
        self.saved_bytes[integers.name] = integers.size_bytes - packed.data.nbytes
        return Change.done(reader, f"{integers.name} packed, {packed.grid.bits} bits each")

    def _obstacle(self, graph: Graph, integers: Parameter, packed: PackedIntegers, scope: Scope) -> str:
        if packed.grid.bits == 8:
            return f"the integers of {integers.name} need all 8 bits"
        saved = integers.size_bytes - packed.data.nbytes
        before = self._size_bytes(cast(graph, Parameter.of(integers.name, integers.array), _FLOAT32, scope))
        after = self._size_bytes(store_packed(graph, integers.name, packed, scope))
        if before - after >= LEAST_GAIN_BYTES:
            return ""
        operators = after - before + saved
        return f"packing {integers.name} saves {saved:,} bytes, what unpacks it takes {operators:,}"

    def _size_bytes(self, value: Value) -> int:
        """Return what a value and all that it is computed from take in a file; constants may be shared there."""
        part = Graph([], value)
        size = self._model.with_graph(part, output_keys=()).size_bytes
        part.output = Constant.of(None)
        return size


def _widens(node: Node) -> bool:
    return node.op == "Cast" and node.dtype == _FLOAT32
