"""Whole networks of the kinds that the zoo lacks, and a transformer: what operators do together."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest

import gsjupyter as gs
from gsjupyter.formats.onnx import to_onnx
from tests.formats.onnx.agreement import run_onnx
from tests.formats.onnx.networks import NETWORKS, network

# MindSpore's hyperbolic tangent is off by 1.5e-5, and the GRU takes 12 of them one after the other.
TOLERANCE = 5e-5


@pytest.fixture(scope="module", params=NETWORKS)
def case(request):
    """Give a network as it is converted with two samples, three samples, and what MindSpore makes of them."""
    rng = np.random.default_rng(5)
    made = network(request.param, rng)
    x = rng.normal(0, 3, (3, *made.input_shape[1:])).astype(np.float32)
    return gs.convert(made, x[:2]).model, x, made(mindspore.Tensor(x)).asnumpy()


def largest_error(onnx_model, x, expected):
    (actual,) = run_onnx(onnx_model, x).values()
    assert actual.shape == expected.shape
    return np.abs(actual - expected).max() / np.abs(expected).max()


def test_it_gives_what_it_gives_on_mindspore(case):
    model, x, expected = case
    assert largest_error(to_onnx(model), x[:2], expected[:2]) <= TOLERANCE


def test_with_a_free_batch_it_takes_another_number_of_samples(case):
    model, x, expected = case
    assert largest_error(to_onnx(model, free_batch=True), x, expected) <= TOLERANCE


def test_in_float16_it_is_near(case):
    model, x, expected = case
    assert largest_error(to_onnx(model, float_type=np.float16), x[:2], expected[:2]) <= 1e-2


def test_nodes_are_called_after_layers(case):
    model, _, _ = case
    layers = {node.layer for node in model.graph().nodes() if node.op.startswith(("Conv2D", "MatMul", "LSTM"))} - {""}
    named = {(node.name or "").rpartition("/")[0] for node in to_onnx(model).graph}
    assert layers
    assert layers <= named
