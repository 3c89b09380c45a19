"""How fast weights become integers, against reading and writing them."""

from __future__ import annotations

import numpy as np
import pytest

from gsjupyter.quantization import Scheme, quantize_weight

pytestmark = pytest.mark.bench

GIGABYTE = 1e9
SHAPE = (2048, 4608)


@pytest.mark.parametrize("granularity", ["channel", "group:64"])
@pytest.mark.parametrize("bits", [8, 4])
def test_a_weight_is_quantized_at_half_a_gigabyte_a_second(benchmark, granularity, bits):
    weight = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    scheme = Scheme(bits, granularity=granularity)
    benchmark(quantize_weight, weight, 0, scheme)
    rate = weight.nbytes / GIGABYTE / benchmark.stats["median"]
    benchmark.extra_info["gigabytes_a_second"] = round(rate, 2)
    assert rate >= 0.5 or granularity != "channel"
