import numpy as np
import pytest

from gsjupyter.quantization import Scheme, quantize_weight
from gsjupyter.quantization.weight_rows import WeightRows, pieces


@pytest.mark.parametrize("granularity", ["tensor", "channel", "group:4"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_rows_hold_each_value_once_with_its_own_scale(axis, granularity, rng):
    weight = rng.standard_normal((5, 6, 7)).astype(np.float32)
    quantized = quantize_weight(weight, axis, Scheme(8, granularity=granularity))
    rows = WeightRows.of(weight, quantized, axis)
    own = np.arange(rows.numbers.shape[1]) < rows.lengths[:, None]
    assert own.sum() == weight.size
    assert sorted(rows.numbers[own]) == sorted(weight.ravel())
    dequantized = rows.dequantized(slice(None))
    assert sorted(dequantized[own]) == sorted(quantized.dequantize().ravel())
    assert (np.abs(rows.numbers - dequantized) <= rows.scale * 0.501).all()


@pytest.mark.parametrize("shape", [(0, 4), (1, 1_000_000), (700, 300), (300_000, 1), (5, 0)])
def test_pieces_are_all_rows_in_order(shape):
    assert [row for part in pieces(shape) for row in range(shape[0])[part]] == list(range(shape[0]))
