import numpy as np
from mindspore import Tensor, load, nn, ops

from gsjupyter.mindir import Runner, model_from_cell, save_model
from gsjupyter.passes import RemoveDeadCode, apply
from tests.passes.networks import Counting, assert_output, expected, normal, operators, standard

ORDERING = {"Load", "UpdateState", "Depend", "MakeTuple"}


def test_what_only_orders_the_reading_of_parameters_is_gone(rng):
    x = normal(rng, 2, 8)
    network = nn.SequentialCell(nn.Dense(8, 6), nn.ReLU(), nn.Dense(6, 4))
    exported = model_from_cell(network, [x])
    model, result = apply(RemoveDeadCode(), exported)
    assert set(operators(exported)) > ORDERING
    assert operators(model) == ["MatMul", "BiasAdd", "ReLU", "MatMul", "BiasAdd"]
    assert result.nodes_after < result.nodes_before
    assert_output(model, expected(network, x), x, relative=0)


def test_identities_are_gone(rng):
    x = normal(rng, 2, 8)
    network = nn.SequentialCell(nn.Identity(), nn.Dense(8, 4), nn.Identity())
    assert operators(standard(network, x)) == ["MatMul", "BiasAdd"]


def test_a_side_effect_is_kept_with_its_order_and_named(rng):
    x = normal(rng, 2, 8)
    network = Counting()
    model, result = apply(RemoveDeadCode(), model_from_cell(network, [x]))
    assert "Assign" in operators(model)
    assert ORDERING & set(operators(model))
    assert [change.operator for change in result.skipped] == ["Assign"]
    assert result.skipped[0].reason == "it has a side effect, so order is kept"


def test_a_network_with_a_side_effect_goes_on_counting(rng):
    x = normal(rng, 2, 8)
    network = Counting()
    model, _ = apply(RemoveDeadCode(), model_from_cell(network, [x]))
    dense = network.fc(Tensor(x)).asnumpy()
    runner = Runner(model)
    for call in (1, 2, 3):
        np.testing.assert_allclose(runner(x), dense + call, rtol=1e-5)


def test_the_order_is_kept_in_the_file_too(rng, tmp_path):
    x = normal(rng, 2, 8)
    network = Counting()
    model, _ = apply(RemoveDeadCode(), model_from_cell(network, [x]))
    save_model(model, tmp_path / "counting.mindir")
    cell = nn.GraphCell(load(str(tmp_path / "counting.mindir")))
    dense = network.fc(Tensor(x)).asnumpy()
    np.testing.assert_allclose(cell(Tensor(x)).asnumpy(), dense + 1, rtol=1e-5)
    np.testing.assert_allclose(cell(Tensor(x)).asnumpy(), dense + 2, rtol=1e-5)


class Unused(nn.Cell):
    """Computes something that nobody reads."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(8, 4)
        self.unused = nn.Dense(8, 300)

    def construct(self, x):
        self.unused(x)
        return ops.stop_gradient(self.fc(x))


def test_what_nobody_reads_takes_no_bytes(rng):
    model = standard(Unused(), normal(rng, 2, 8))
    assert [parameter.name for parameter in model.graph().parameters()] == ["fc.weight", "fc.bias"]
    assert "StopGradient" not in operators(model)
