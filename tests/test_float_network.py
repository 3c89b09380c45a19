"""What conversion, prediction and panel start from."""

from __future__ import annotations

import numpy as np
import pytest

import gsjupyter as gs
from gsjupyter.errors import InputError
from gsjupyter.float_network import float_network
from gsjupyter.mindir import Runner
from gsjupyter.passes import linear_operators
from tests.networks import LeNet, filled, random_input


def opened(source, example, calibration=None):
    steps = []
    network = float_network(source, example, None, calibration, simulate=True, begin=steps.append)
    return network, steps


def test_a_network_gets_its_standard_form(rng):
    network, x = filled(LeNet(), rng).set_train(False), random_input(LeNet, rng)
    found, steps = opened(network, x)
    assert steps[0] == "export to MindIR"
    assert "FoldBatchNorm" in steps
    assert not found.model.graph().nodes("BatchNorm")
    assert len(linear_operators(found.model.graph())) == 5
    np.testing.assert_allclose(Runner(found.model)(x), Runner(found.source.model)(x), rtol=1e-4, atol=1e-5)
    assert found.input_kind == "given"
    assert found.data.is_example


def test_a_file_without_an_example_gets_random_numbers(rng, tmp_path):
    x = random_input(LeNet, rng)
    path = gs.export(gs.convert(filled(LeNet(), rng), x), tmp_path / "lenet.mindir").path
    one, other = (opened(path, None)[0] for _ in range(2))
    assert one.input_kind == "random"
    assert one.example[0].shape == x.shape
    np.testing.assert_array_equal(one.example[0], other.example[0])


def test_a_cell_needs_an_example():
    with pytest.raises(InputError, match="an example of its input is needed"):
        opened(LeNet(), None)
