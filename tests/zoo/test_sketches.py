"""Sketches of the weights of all networks of the zoo, against the weights themselves."""

from __future__ import annotations

import pytest

from gsjupyter.quantization import Scheme, WeightSketch, quantize_weight, sqnr_db
from tests.zoo.networks import NAMES

pytestmark = [pytest.mark.zoo, pytest.mark.timeout(600)]

SETTINGS = ((3, 0.6), (4, 0.8), (5, 1.0), (8, 0.9), (8, 1.0))


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_the_predicted_sqnr_of_every_weight_is_the_true_one(name, symmetric):
    import mindcv

    made = mindcv.create_model(name, pretrained=False)
    weights = [(item.name, item.asnumpy()) for item in made.get_parameters() if item.ndim > 1]
    assert len(weights) > 10
    for parameter, weight in weights:
        sketch = WeightSketch.of(weight, 0, "channel", symmetric=symmetric)
        for bits, clipping in SETTINGS:
            scheme = Scheme(bits, symmetric, symmetric)
            true = sqnr_db(weight, quantize_weight(weight, 0, scheme, clipping).dequantize())
            found = sketch.sqnr_db(bits, clipping, narrow_range=symmetric)
            assert min(found, 100) == pytest.approx(min(true, 100), abs=0.2), (parameter, weight.shape, bits, clipping)
