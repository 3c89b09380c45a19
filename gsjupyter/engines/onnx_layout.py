"""Which layer an operator is of that ONNX Runtime has made: its names are all that is left of the file's.

ONNX Runtime runs other operators than the file has: it fuses, reorders, replaces. Those are called after an operator
of the file, or a value that it computes, with something behind: after the last one that was fused, for example
(``relu/Relu_nchwc`` for a convolution with its ReLU). So the way leads back from there to the operator that holds the
weight. What ONNX Runtime has put in by itself, to change a layout for example, belongs to no layer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import onnx

_HOLD_WEIGHTS: Final = frozenset(
    ("Conv", "ConvTranspose", "ConvInteger", "Gemm", "MatMul", "MatMulInteger", "Gather", "LSTM", "GRU", "RNN")
)
_RUNS_WITH_WEIGHTS: Final = ("Conv", "Gemm", "MatMul")
# How far the weight's operator lies from the last one that was fused with it: bias, addition, activation.
_FURTHEST: Final = 6
_FUSED: Final = "fused "
_OWN_CONSTANTS: Final = "network/"
_NO_LAYER: Final = ("network", "output")


@dataclass(frozen=True)
class OnnxNode:
    """An operator of an ONNX file: its name, its kind, and the names of what it reads."""

    name: str
    operator: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class FileLayout:
    """How the operators of an ONNX file are called and connected: what the profile's names are looked up in.

    Parameters
    ----------
    nodes : mapping of str to OnnxNode
        The operators with a name, by it.
    producers : mapping of str to OnnxNode
        What computes a value, by its name.
    stored : frozenset of str
        The names of the stored values that are parameters.
    is_ours : bool
        Whether gsjupyter has written the file, and so named its operators after their layers.
    operators : int
        How many operators it has.
    """

    nodes: Mapping[str, OnnxNode]
    producers: Mapping[str, OnnxNode]
    stored: frozenset[str]
    is_ours: bool
    operators: int

    @classmethod
    def read(cls, path: Path) -> "FileLayout":
        """Read the layout of a file that ONNX Runtime has loaded already; its weights are not kept."""
        model = onnx.load_model(path, load_external_data=False)
        nodes: dict[str, OnnxNode] = {}
        producers: dict[str, OnnxNode] = {}
        for item in model.graph.node:
            node = OnnxNode(item.name, item.op_type, tuple(item.input))
            nodes.setdefault(item.name, node)
            producers.update(dict.fromkeys(item.output, node))
        nodes.pop("", None)
        stored = (tensor.name for tensor in model.graph.initializer)
        return cls(
            nodes,
            producers,
            frozenset(name for name in stored if not name.startswith(_OWN_CONSTANTS)),
            model.producer_name == "gsjupyter",
            len(model.graph.node),
        )

    def find(self, name: str) -> OnnxNode | None:
        """Return the operator that a name in a profile begins with, or its value; None if there is none."""
        name = name.removeprefix(_FUSED)
        while name:
            if node := self.nodes.get(name) or self.producers.get(name):
                return node
            cut = max(name.rfind("_"), name.rfind("/"))
            name = name[:cut] if cut > 0 else ""
        return None

    def with_weights(self, node: OnnxNode, runs_as: str) -> OnnxNode:
        """Return the operator that can hold a weight, where others behind it were fused with it; else the same one."""
        if node.operator in _HOLD_WEIGHTS or not any(kind in runs_as for kind in _RUNS_WITH_WEIGHTS):
            return node
        reached, seen = [node], {node}
        for _ in range(_FURTHEST):
            before = [self.producers[name] for item in reached for name in item.inputs if name in self.producers]
            reached = [item for item in before if item not in seen]
            seen.update(reached)
            if found := next((item for item in reached if item.operator in _HOLD_WEIGHTS), None):
                return found
        return node

    def weights(self, node: OnnxNode) -> tuple[str, ...]:
        """Return the parameters that an operator reads, through what turns stored integers into numbers as well."""
        found: dict[str, None] = {}
        for name in node.inputs:
            for _ in range(_FURTHEST):
                if name in self.stored or name not in self.producers:
                    break
                source = self.producers[name]
                if source.operator not in ("DequantizeLinear", "Cast", "Transpose", "Reshape", "Identity"):
                    break
                name = source.inputs[0]  # noqa: PLW2901 - on the way to where it is stored
            if name in self.stored:
                found[name] = None
        return tuple(found)

    def scope(self, node: OnnxNode, weights: Sequence[str]) -> str:
        """Return the cell that an operator is of; empty for the network itself, and where no name tells."""
        cell, slash, _ = node.name.rpartition("/")
        if self.is_ours:
            return "" if cell in _NO_LAYER else cell
        if not slash and weights:
            return weights[0].rpartition(".")[0]
        return dotted(cell)


def dotted(path: str) -> str:
    """Return a module's name from PyTorch's path to it: ``/layer1/layer1.0/conv1`` is ``layer1.0.conv1``."""
    names: list[str] = []
    for part in filter(None, path.split("/")):
        if names and part.startswith(f"{names[-1]}."):
            names.pop()
        names.append(part)
    return ".".join(names)
