"""Values that no input reaches are known at conversion."""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from gsjupyter.formats.onnx.builder import Builder
from gsjupyter.formats.onnx.constant_values import known_value
from gsjupyter.mindir import model_from_cell


class Scaled(nn.Cell):
    """A weight times a number times the input."""

    def __init__(self, weight):
        super().__init__()
        self.weight = Parameter(Tensor(weight), name="weight")

    def construct(self, x):
        return ops.tanh(self.weight) * x


def test_what_is_computed_from_parameters_alone(rng):
    weight = rng.standard_normal((2, 3)).astype(np.float32)
    builder = Builder(model_from_cell(Scaled(weight), (Tensor(weight),)).graph())
    stored = builder.initializer(weight)
    (doubled,) = builder.add("layer", "Add", [stored, stored], {})
    (turned,) = builder.add("layer", "Transpose", [doubled], {"perm": [1, 0]})
    (product,) = builder.add("layer", "MatMul", [builder.inputs[0], turned], {})
    np.testing.assert_array_equal(known_value(builder, stored), weight)
    np.testing.assert_array_equal(known_value(builder, turned), 2 * weight.T)
    assert known_value(builder, product) is None
    assert known_value(builder, builder.inputs[0]) is None
