"""Writes what the browser's predictions are held against: ``python -m tests.widgets.write_fixtures``.

The tests in TypeScript run without Python, so what Python computes lies in a file beside them. A test here makes sure
that it is what this makes.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np

from gsjupyter.quantization import Scheme, WeightSketch, weight_clipping
from gsjupyter.quantization.allocation import LayerChoices, ParetoCurve, best_allocation
from gsjupyter.quantization.sensitivity import BITS, ErrorModel, LayerCost, decibel
from gsjupyter.quantization.weight_size import weight_size_bytes
from gsjupyter.widgets.sketch_format import decode, encode
from tests.widgets import prediction_fixtures

FOLDER = Path(__file__).parents[2] / "labextension" / "test" / "fixtures"

GRIDS = (("channel", True), ("tensor", True), ("group:16", True), ("channel", False), ("tensor", False))
CLIPPINGS = (1.0, 0.93, 0.7, 0.3)
SHAPES = (((6, 1, 5, 5), 0), ((12, 40), 0), ((3, 8, 2, 2), 1), ((64, 100), 1), ((7, 1), 0), ((4096, 3), -1))


def weights():
    rng = np.random.default_rng(7)
    pruned = rng.standard_normal((8, 40))
    pruned[rng.random(pruned.shape) < 0.8] = 0
    cases = {
        "normal": rng.standard_normal((6, 1, 5, 5)),
        "heavy tails": rng.standard_t(2, (8, 64)) * 0.01,
        "positive": np.abs(rng.standard_normal((4, 30))),
        "pruned, with a channel of zeros": pruned * np.r_[0, np.ones(7)][:, None],
        "on a grid of five values": rng.integers(-2, 3, (4, 32)) * 0.1,
        "zeros": np.zeros((2, 3)),
    }
    return {name: values.astype(np.float32) for name, values in cases.items()}


def fixtures():
    return {"blocks": blocks(), "sizes": sizes(), **model_and_allocations()}


def json_decibel(value):
    return value if math.isfinite(value) else "inf"


def blocks():
    found = []
    for granularity, symmetric in GRIDS:
        sketches = [WeightSketch.of(weight, 0, granularity, symmetric=symmetric) for weight in weights().values()]
        data = encode(sketches)
        errors = [
            {"layer": layer, **error(sketch, sent, bits, clipping, narrow)}
            for layer, (sketch, sent) in enumerate(zip(sketches, decode(data), strict=True))
            for bits in (2, 3, 5, 8)
            for clipping in CLIPPINGS
            for narrow in ((True, False) if symmetric else (False,))
        ]
        block = {"granularity": granularity, "symmetric": symmetric, "layers": list(range(len(sketches)))}
        block["data"] = base64.b64encode(data).decode("ascii")
        found.append({"block": block, "errors": errors, "percentile": clippings(sketches, granularity, symmetric)})
    return found


def error(sketch, sent, bits, clipping, narrow):
    """Return what the browser is to find from the bytes, to rounding, and what the weight's own sketch says."""
    return {
        "bits": bits,
        "clipping": clipping,
        "narrow_range": narrow,
        "error": sent.error_power(bits, clipping, narrow_range=narrow),
        "sqnr_db": json_decibel(sent.sqnr_db(bits, clipping, narrow_range=narrow)),
        "exact_sqnr_db": json_decibel(sketch.sqnr_db(bits, clipping, narrow_range=narrow)),
    }


def clippings(sketches, granularity, symmetric):
    schemes = [Scheme(bits, symmetric, symmetric, granularity) for bits in BITS]
    return [[weight_clipping(sketch, scheme, "percentile") for scheme in schemes] for sketch in sketches]


def sizes():
    return [
        {
            "shape": list(shape),
            "axis": axis,
            "granularity": granularity,
            "symmetric": symmetric,
            "bits": bits,
            "bytes": weight_size_bytes(shape, axis, Scheme(bits, symmetric, symmetric, granularity)),
        }
        for shape, axis in SHAPES
        for granularity, symmetric in (*GRIDS, ("group:7", False))
        for bits in BITS
    ]


def model_and_allocations():
    """Return an error model whose layers were measured at a few bits, or have no effect, with what it predicts."""
    rng = np.random.default_rng(11)
    shapes = [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84), (10, 10)]
    costs = [cost(number, shape, rng) for number, shape in enumerate(shapes)]
    coarsest = sum(item.contributions[2] for item in costs)
    model = ErrorModel.with_ceiling(costs, coarsest / 2, 1e-4)
    choices = [
        LayerChoices(
            item.names,
            BITS,
            tuple(weight_size_bytes(shape, 0, Scheme(bits)) for bits in BITS),
            tuple(item.contribution_at(item.weight_errors[bits]) for bits in BITS),
        )
        for item, shape in zip(costs, shapes, strict=True)
    ]
    curve = ParetoCurve(choices, fixed_bytes=1000)
    limits = [int(size) for size in np.linspace(curve.sizes_bytes[0], curve.sizes_bytes[-1] + 500, 12)]
    return {
        "model": {
            "layers": [
                {"layer": number, "weight_errors": by_bits(item.weight_errors), "measured": by_bits(item.measured)}
                for number, item in enumerate(costs)
            ],
            "ceiling": model.ceiling,
            "activation_error": model.activation_error,
        },
        "contributions": [
            {"layer": number, "weight_error": float(error), "contribution": item.contribution_at(float(error))}
            for number, item in enumerate(costs)
            for error in (0.0, *np.geomspace(1e-9, 1.0, 7))
        ],
        "predictions": [
            {"bits": bits, "error": model.error_power(bits), "sqnr_db": decibel(model.error_power(bits))}
            for bits in BITS
        ],
        "allocation": {
            "choices": [asdict(item) for item in choices],
            "fixed_bytes": curve.fixed_bytes,
            "sizes_bytes": curve.sizes_bytes.tolist(),
            "errors": curve.error_powers.tolist(),
            "within": [allocated(limit, curve.within(limit)) for limit in limits],
            "best": [allocated(limit, best_allocation(choices, limit, fixed_bytes=1000)) for limit in limits],
        },
    }


def cost(number, shape, rng):
    weight = (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
    sketch = WeightSketch.of(weight, 0, "channel")
    errors = {bits: sketch.error_power(bits) for bits in BITS}
    measured = BITS if number % 2 else (2, 3, 5)
    gains = {bits: float(np.exp(rng.normal(2.0, 0.7))) if number != 4 else 0.0 for bits in measured}
    return LayerCost((f"layer{number}",), errors, {bits: gains[bits] * errors[bits] for bits in measured})


def by_bits(values):
    return {str(bits): value for bits, value in values.items()}


def allocated(limit, found):
    return {"limit_bytes": limit, "bits": list(found.bits.values()), "size_bytes": found.size_bytes,
            "error": found.error_power}  # fmt: skip


def files():
    """Return what each file is to hold."""
    return {"sketches.json": fixtures(), "predictions.json": prediction_fixtures.fixtures()}


def main():
    for name, content in files().items():
        (FOLDER / name).write_text(json.dumps(content, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
