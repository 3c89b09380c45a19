"""A MindIR file as advice sees it: which weights are integers, and what MindSpore computes to make them so."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gsjupyter.benchmarking.advice.onnx_network import INTEGERS, Numbers


@dataclass(frozen=True)
class MindIRNetwork:
    """A network in MindIR.

    Parameters
    ----------
    layers : tuple of str
        The layers with a stored weight, in running order.
    weights : tuple of str
        The type in which each weight is stored, ``"int8"`` for example.
    weight_sizes : tuple of int
        How many numbers each weight has, in order of size.
    simulated : int
        How many activations are quantized in floating point.
    convolutions : int
        How many convolutions there are.
    float16_operators : int
        How many layers compute in float16.
    operators : int
        How many operators there are.
    """

    layers: tuple[str, ...]
    weights: tuple[str, ...]
    weight_sizes: tuple[int, ...]
    simulated: int
    convolutions: int
    float16_operators: int
    operators: int

    @property
    def numbers(self) -> Numbers:
        """What it computes with, as the file says: integers where activations are quantized too, if in float."""
        kinds = set(self.weights)
        if kinds & INTEGERS:
            return "integers" if self.simulated else "integer weights"
        if self.float16_operators or "float16" in kinds:
            return "float16"
        return "float32" if kinds else ""

    @property
    def integer_layers(self) -> tuple[str, ...]:
        """The layers whose weights are stored in integers."""
        return tuple(name for name, kind in zip(self.layers, self.weights, strict=True) if kind in INTEGERS)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "MindIRNetwork":
        """Return the network from what `to_json` gave."""
        known: dict[str, Any] = {key: tuple(item) if isinstance(item, list) else item for key, item in fields.items()}
        return cls(**known)


def read_mindir(path: Path) -> MindIRNetwork:
    """Read a file; it needs MindSpore, which takes seconds to import.

    Raises
    ------
    GsError
        If it is no sound MindIR, or has control flow that depends on data.
    """
    import numpy as np

    from gsjupyter.mindir import load_model
    from gsjupyter.passes import UnpackWeights, linear_operators
    from gsjupyter.passes.simulation import begins_simulation

    graph = load_model(path).graph()
    UnpackWeights().run(graph)
    found = [item for item in linear_operators(graph) if not item.is_embedding]
    nodes = [node for node in graph.nodes() if node.op not in _BOOKKEEPING]
    half = [node for node in nodes if node.op in _HEAVY and node.dtype == np.float16]
    return MindIRNetwork(
        layers=tuple(item.name for item in found),
        weights=tuple(str(item.weight.dtype) for item in found),
        weight_sizes=tuple(sorted(int(np.prod(item.shape)) for item in found)),
        simulated=sum(begins_simulation(node) for node in nodes),
        convolutions=sum(node.op in _CONVOLUTIONS for node in nodes),
        float16_operators=len(half),
        operators=len(nodes),
    )


_CONVOLUTIONS = frozenset(("Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose"))
_HEAVY = _CONVOLUTIONS | {"MatMul", "MatMulExt", "BatchMatMul", "Dense"}
_BOOKKEEPING = frozenset(("Depend", "Load", "MakeTuple", "TupleGetItem", "UpdateState", "make_list"))
