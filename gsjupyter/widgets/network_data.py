"""The network as the browser knows it: with this and a few sketches it answers sliders without asking the kernel.

It is the ``Network`` of ``labextension/src/panel/types.ts``, in strict JSON.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from gsjupyter.quantization import OBSERVERS, ActivationSketch
from gsjupyter.widgets.layer_inputs import LayerInputs
from gsjupyter.widgets.opened import OpenedNetwork, WeightGroup
from gsjupyter.widgets.results import decibel_data

_BINS: Final = 64


def network_data(opened: OpenedNetwork, names: Mapping[str, str | None]) -> dict[str, Any]:
    """Return a network as JSON.

    Parameters
    ----------
    opened : OpenedNetwork
        The network.
    names : mapping of str to str
        What the user calls it, its example and so on, see `Names.to_json`.

    Raises
    ------
    CalibrationError
        If the calibration data doesn't fit the network, or makes NaN.
    """
    return {
        "name": opened.float_model.name,
        "names": dict(names),
        "inputs": [
            {
                "name": spec.name,
                "shape": None if spec.shape is None else [int(size) for size in spec.shape],
                "dtype": str(spec.dtype),
            }
            for spec in opened.float_model.inputs
        ],
        "recognised": list(opened.recognised),
        "notes": list(opened.notes),
        "float_bytes": opened.float_bytes,
        "fixed_bytes": opened.fixed_bytes,
        "layers": [_layer(opened, group) for group in opened.groups],
    }


def _layer(opened: OpenedNetwork, group: WeightGroup) -> dict[str, Any]:
    low, high = group.range
    sketch = opened.inputs.sketch(group.operators)
    return {
        "name": group.name,
        "names": list(group.names),
        "operator": group.operators[0].node.op,
        "shape": [int(size) for size in group.operators[0].shape],
        "parameters": group.size,
        # What no option changes stays as it is, which for stored integers is less.
        "float_bytes": group.kept_bytes if group.obstacle else group.float_bytes,
        "low": low,
        "high": high,
        "obstacle": group.obstacle,
        "weights": [{"shape": [int(size) for size in item.shape], "axis": item.axis} for item in group.weights],
        "activation": None if sketch is None else _activation(opened.inputs, sketch),
    }


def _activation(inputs: LayerInputs, sketch: ActivationSketch) -> dict[str, Any]:
    ranges = {observer: asdict(inputs.range(sketch, observer)) for observer in OBSERVERS}
    return {
        "low": sketch.low,
        "high": sketch.high,
        "observers": {name: {**found, "sqnr_db": decibel_data(found["sqnr_db"])} for name, found in ranges.items()},
        "counts": _histogram(sketch),
    }


def _histogram(sketch: ActivationSketch) -> list[int]:
    """Return how many values lie in each bin between the smallest and the largest, zeros included."""
    filled = np.flatnonzero(sketch.counters)
    centers = (sketch.first_counter + filled + 0.5) * sketch.width
    numbers = sketch.counters[filled]
    if sketch.zeros:
        centers, numbers = np.append(centers, 0.0), np.append(numbers, sketch.zeros)
    ends = (sketch.low, sketch.high) if sketch.low < sketch.high else (sketch.low, sketch.low + 1.0)
    # A counter at an end may have its middle beyond it.
    counts, _ = np.histogram(np.clip(centers, *ends), _BINS, ends, weights=numbers)
    return [int(count) for count in counts]
