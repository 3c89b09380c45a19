"""What pruning removed of each layer, put together from the network before and after and what the passes report."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from gsjupyter.mindir import Model
from gsjupyter.passes import (
    FoldMasks,
    Functionalize,
    LinearOperator,
    PassResult,
    RemoveChannels,
    RemoveDeadCode,
    apply,
    linear_operators,
)
from gsjupyter.report import LayerPruning, PruningReport


@dataclass(frozen=True)
class _Size:
    layer: str
    operator: str
    shape: tuple[int, ...]
    multiply_adds: int | None

    @property
    def parameters(self) -> int:
        return math.prod(self.shape)


def pruning_of(before: Model, after: Model, results: Sequence[PassResult]) -> PruningReport:
    """Return what was removed between two states of a network.

    Parameters
    ----------
    before, after : Model
        The network, before and after. Layers whose weight isn't stored in both are left out.
    results : sequence of PassResult
        What the passes between them report.
    """
    old, new = _sizes(_read_directly(before)), _sizes(after)
    notes: dict[str, list[str]] = defaultdict(list)
    for result in results:
        for change in result.skipped if result.name == RemoveChannels.__name__ else ():
            notes[change.layer].append(change.reason)
    layers = [
        LayerPruning(
            name=name,
            operator=size.operator,
            shape_before=old[name].shape,
            shape_after=size.shape,
            parameters_before=old[name].parameters,
            parameters_after=size.parameters,
            multiply_adds_before=old[name].multiply_adds,
            multiply_adds_after=size.multiply_adds,
            note="; ".join(dict.fromkeys(notes[size.layer])),
        )
        for name, size in new.items()
        if name in old
    ]
    masks = sum(len(result.skipped) for result in results if result.name == FoldMasks.__name__)
    return PruningReport(tuple(layers), masks)


def _read_directly(model: Model) -> Model:
    """Return a model whose operators read their weights directly, so that it is seen which is whose."""
    functional, _ = apply(Functionalize(), model)
    return apply(RemoveDeadCode(), functional)[0]


def _sizes(model: Model) -> dict[str, _Size]:
    """Return what each layer takes, all of its calls together."""
    sizes: dict[str, _Size] = {}
    for operator in linear_operators(model.graph()):
        if operator.is_embedding:
            continue
        name, count = operator.name, _multiply_adds(operator)
        known = sizes[name].multiply_adds if name in sizes else 0
        total = known + count if known is not None and count is not None else None
        sizes[name] = _Size(operator.node.layer or "(network)", operator.node.op, operator.shape, total)
    return sizes


def _multiply_adds(operator: LinearOperator) -> int | None:
    """Return how many multiplications with additions one sample takes; None where a dynamic axis keeps it open.

    Each number of the weight is used once for each position: of the output, or of the input if it is transposed.
    """
    node = operator.node
    value = operator.data if node.op.endswith("Transpose") else node
    shape = value.shape
    if shape is None or len(shape) < 2:
        return None
    is_convolution = node.op.startswith("Conv")
    positions = shape[2:] if is_convolution else shape[1:-1]
    return math.prod(operator.shape) * math.prod(positions) if all(size >= 0 for size in positions) else None
