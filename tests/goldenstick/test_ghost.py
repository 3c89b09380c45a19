from __future__ import annotations

from gsjupyter.goldenstick.ghost import modules_in_words
from tests.goldenstick.pruned import IMAGE, converted, output, with_ghost_modules
from tests.passes.networks import assert_output, normal, operators, parameters
from tests.passes.pruned import without


def test_ghost_modules_are_ordinary_operators(rng):
    network = with_ghost_modules(rng)
    x = normal(rng, *IMAGE)
    wanted = output(network, x)
    source, model, _, _ = converted(network, x)
    assert_output(model, wanted, x)
    assert set(operators(model)) <= {"BiasAdd", "Concat", "Conv2D", "MakeTuple", "ReLU"}
    assert modules_in_words(source.graph()) == ["Ghost, 1 module"]


def test_a_pruned_ghost_module_gets_smaller(rng):
    network = with_ghost_modules(rng)
    module = next(cell for _, cell in network.cells_and_names() if type(cell).__name__ == "GhostModule")
    without(network.conv1, 1, 6)
    without(network.bn1, 1, 6)
    x = normal(rng, *IMAGE)
    wanted = output(network, x)
    _, model, _, _ = converted(network, x)
    assert_output(model, wanted, x)
    assert parameters(model)[network.conv1.weight.name].shape[0] == 6
    assert parameters(model)[module.primary_conv.conv.weight.name].shape[1] == 6


def test_a_network_without_ghost_modules_is_not_called_so(rng):
    source, _, _, _ = converted(with_ghost_modules(rng).conv1, normal(rng, *IMAGE))
    assert modules_in_words(source.graph()) == []
