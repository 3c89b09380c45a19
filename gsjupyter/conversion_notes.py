"""What the user should know of a conversion besides its figures: a result that says nothing of its limits misleads."""

from collections.abc import Sequence

import numpy as np

from gsjupyter.mindir import Array, Model
from gsjupyter.passes import linear_operators
from gsjupyter.report import Layers, Verification, format_bytes


def input_notes(example: Sequence[Array], verification: Verification) -> list[str]:
    """Return what is to be said of the input that a conversion was verified on."""
    if any(np.isnan(array).any() for array in example if np.issubdtype(array.dtype, np.floating)):
        return ["The input holds NaN, so the verification says little."]
    if np.isnan(verification.sqnr_db):
        return ["The output holds NaN for this input, so the verification says little."]
    return []


def quantization_notes(model: Model, layers: Layers) -> list[str]:
    """Return what is to be said of a network whose weights were to be quantized.

    Parameters
    ----------
    model : Model
        The quantized network, its weights not packed yet.
    layers : Layers
        What became of each layer.
    """
    notes = []
    if not any(record.weights != "float32" for record in layers):
        notes.append("No weight was quantized: see passes for the reasons.")
    graph = model.graph()
    known = {part for operator in linear_operators(graph) for part in operator.parameters}
    wide = [item for item in graph.parameters() if item.dtype == np.float32 and len(item.shape or ()) > 1]
    rest = [item for item in wide if item not in known]
    if rest:
        size = format_bytes(sum(item.size_bytes for item in rest))
        names = ", ".join(item.name for item in rest[:3]) + (", ..." if len(rest) > 3 else "")
        notes.append(f"Left in float32, since no pass knows their operators: {names} ({size}).")
    return notes
