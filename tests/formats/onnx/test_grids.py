"""Activation grids of all kinds, held against MindSpore's computation of the same: equal to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from mindspore import nn

from gsjupyter.formats.onnx.write_quantization import WriteQuantization
from gsjupyter.mindir import Constant, Runner
from gsjupyter.passes.simulation import simulate_quantization
from tests.formats.onnx.integer_kernels import optimized
from tests.passes.networks import standard

GRIDS = {
    "uint8": {"zero_point": 37, "lowest": 0, "highest": 255},
    "int8, symmetric": {"zero_point": 0, "lowest": -128, "highest": 127},
    "int8, narrow": {"zero_point": 0, "lowest": -127, "highest": 127},
    "uint4": {"zero_point": 3, "lowest": 0, "highest": 15},
    "int4, narrow": {"zero_point": 0, "lowest": -7, "highest": 7},
    "all negative": {"zero_point": 0, "lowest": -255, "highest": 0},
    "without zero": {"zero_point": -20, "lowest": 0, "highest": 200},
    "each channel its own": {"zero_point": [[3], [0], [200]], "lowest": 0, "highest": 255},
}
TOO_WIDE = {
    "10 bits": {"zero_point": 0, "lowest": -512, "highest": 511},
    "between the integers": {"zero_point": 0.5, "lowest": 0, "highest": 255},
    "far from zero": {"zero_point": -300, "lowest": 0, "highest": 255},
}


class Opposite(nn.Cell):
    def construct(self, x):
        return -x


def simulated(grids, x, rectifier=None):
    """Return a model that rounds its negated input on each of the grids, behind a rectifier of its own."""
    model = standard(Opposite(), x)
    graph = model.graph()
    value = graph.output
    outputs = []
    for grid in grids.values():
        channels = np.size(grid["zero_point"])
        scale = np.linspace(0.02, 0.03, channels).reshape(np.shape(grid["zero_point"]))
        start = graph.add(rectifier, [value], scope=value.scope, shape=x.shape, dtype=x.dtype) if rectifier else value
        outputs.append(simulate_quantization(graph, start, value.scope, scale=scale, **grid))
    whole = [graph.add_tuple(outputs), Constant.of(0)]
    shape = (len(x) * len(outputs), *x.shape[1:])
    graph.output = graph.add("Concat", whole, scope=value.scope, shape=shape, dtype=x.dtype)
    return model.with_graph(graph)


@pytest.mark.parametrize("rectifier", [None, "ReLU", "ReLU6"])
def test_each_grid_saturates_and_rounds_as_in_mindspore(rng, rectifier):
    halves = np.tile(np.arange(-1000, 1000) * 0.01, (3, 1))
    x = np.concatenate([rng.uniform(-9, 9, (3, 4000)), halves], axis=1).astype(np.float32)
    model = simulated(GRIDS, x, rectifier)
    operators, output = optimized(model, x)
    assert not {"Round", "Div"} & set(operators)
    # Only where each channel has a scale of its own do the ends of the grid not do the same.
    assert sum(operator in ("Relu", "Max", "Min") for operator in operators) <= 1
    np.testing.assert_array_equal(output, Runner(model)(x))


def test_other_grids_stay_as_they_are_with_the_reason(rng):
    x = rng.uniform(-9, 9, (3, 400)).astype(np.float32)
    model = simulated(TOO_WIDE, x)
    result = WriteQuantization().run(model.graph())
    assert [change.reason for change in result] == ["its grid doesn't fit 8 bits"] * len(TOO_WIDE)
    operators, output = optimized(model, x)
    assert "Round" in operators
    np.testing.assert_allclose(output, Runner(model)(x), rtol=1e-6, atol=1e-6)
