"""What Apply found, as the panel shows it: the truth of each layer beside its prediction, by the layer's number."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gsjupyter.report import LayerRecord
from gsjupyter.report.layers_block import LayersBlock
from gsjupyter.widgets.options_data import data_of

if TYPE_CHECKING:
    from gsjupyter.artifact import Artifact
    from gsjupyter.conversion import Conversion
    from gsjupyter.mindir import Array

MOST_RESULTS: Final = 8
"""How many results a panel keeps; older ones go."""

_FLOAT_BYTES: Final = 4


def decibel_data(sqnr_db: float | None) -> float | str | None:
    """Return a number of decibel as the browser has it: ``"inf"`` without any error, None where it isn't known."""
    if sqnr_db is None or math.isnan(sqnr_db):
        return None
    if math.isinf(sqnr_db):
        # An output that has nothing in common with the source's is as bad as it gets, and is no number either.
        return "inf" if sqnr_db > 0 else None
    return float(sqnr_db)


def result_data(
    conversion: "Conversion",
    network: Mapping[str, Any],
    *,
    number: int,
    code: str,
    bound_to: str | None = None,
    predicted_db: float | str | None = None,
) -> dict[str, Any]:
    """Return a conversion as ``Result`` of types.ts.

    Parameters
    ----------
    conversion : Conversion
        What was made.
    network : mapping
        The panel's network, ``Network`` of types.ts.
    number : int
        Counts the results.
    code : str
        The magic that makes the same.
    bound_to : str, optional
        The name of the notebook that it is bound to.
    predicted_db : float, str or None
        The SQNR that was predicted for the output, in decibel.
    """
    layers = layer_results(conversion.layers, network["layers"])
    return {
        "number": number,
        "options": data_of(conversion.options),
        "code": code,
        "title": f"{conversion.name}: {conversion.formats}",
        "bound_to": bound_to,
        "size_bytes": conversion.model.size_bytes,
        "weight_bytes": sum(layer["bytes"] for layer in layers.values()),
        "source_bytes": conversion.source.size_bytes,
        "sqnr_db": decibel_data(conversion.verification.sqnr_db),
        "verification": str(conversion.verification),
        "predicted_db": predicted_db,
        "notes": list(conversion.notes),
        "layers": layers,
        "document": _report(conversion),
    }


def _report(conversion: "Conversion") -> dict[str, Any]:
    """Return the report as JSON without its chart, whose data are the most of it: the panel has one of its own."""
    document = conversion.document()
    blocks = [block for block in document.blocks if not isinstance(block, LayersBlock)]
    return replace(document, blocks=blocks).to_json()


def layer_results(records: Sequence[LayerRecord], layers: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what became of each layer, by its number in the network; those that the table lacks are left out.

    Parameters
    ----------
    records : sequence of LayerRecord
        The conversion's table, a record for each name.
    layers : sequence of mapping
        The network's layers, ``Layer`` of types.ts, whose names share a weight.
    """
    by_name = {record.name: record for record in records}
    found = {}
    for number, layer in enumerate(layers):
        own = [by_name[name] for name in layer["names"] if name in by_name]
        if own:
            found[str(number)] = _layer_result(own, layer["parameters"])
    return found


def _layer_result(records: Sequence[LayerRecord], parameters: int) -> dict[str, Any]:
    first = records[0]
    before, after = (sum(getattr(record, name) for record in records) for name in ("bytes_before", "bytes_after"))
    shares = [record.error_share for record in records if record.error_share is not None]
    return {
        "weights": first.weights,
        "activations": first.activations,
        # A record counts a shared weight for each of its names, and of several weights under one name the first.
        "bytes": round(_FLOAT_BYTES * parameters * after / before) if before else after,
        "sqnr_db": decibel_data(first.sqnr_db),
        "input_sqnr_db": decibel_data(first.activation_sqnr_db),
        "clipped_share": first.clipped_share,
        "error_share": max(shares, default=None),
        "rmse_over_scale": first.rmse_over_scale,
        "note": first.note,
    }


def is_of(conversion: "Conversion", network: Mapping[str, Any], example: Sequence["Array"]) -> bool:
    """Say whether a conversion was made from a network and verified on the same input: whether it can be compared.

    Parameters
    ----------
    conversion : Conversion
        What was made at another time.
    network : mapping
        The panel's network, ``Network`` of types.ts.
    example : sequence of ndarray
        The panel's input.
    """
    known = {name: layer for layer in network["layers"] for name in layer["names"]}
    if not known or {record.name for record in conversion.layers} != set(known):
        return False
    is_same = len(conversion.example) == len(example) and all(map(np.array_equal, conversion.example, example))
    moves_weights = conversion.options.equalize or conversion.options.smooth
    return is_same and all(
        _is_like(record, known[record.name], moves_weights=moves_weights) for record in conversion.layers
    )


def _is_like(record: LayerRecord, layer: Mapping[str, Any], *, moves_weights: bool) -> bool:
    if len(layer["names"]) > 1:
        return True
    if list(record.shape) != list(layer["shape"]):
        return False
    if moves_weights or record.channel_ranges is None:
        return True
    # Trained on since then, a network has other weights in the same shapes.
    return math.isclose(record.channel_ranges[-1], max(-layer["low"], layer["high"]), rel_tol=1e-5, abs_tol=1e-12)


def exported_data(artifact: "Artifact") -> dict[str, Any]:
    """Return a file as ``Exported`` of types.ts."""
    found = f", in ONNX Runtime {artifact.verification}" if artifact.verification is not None else ""
    made_from = f"{artifact.manifest.source}, {artifact.manifest.options['description']}"
    return {
        "path": str(artifact.path),
        "size_bytes": artifact.size_bytes,
        "summary": "\n".join([f"{artifact.path.name}: {made_from}{found}", *artifact.notes]),
    }
