import os
import signal
import threading

import mindspore
import numpy as np
import pytest
from mindspore import Tensor

import gsjupyter as gs
from gsjupyter.errors import OptionError, UnsupportedError
from gsjupyter.prediction import sensitivity
from tests.networks import MLP, AnyBatch, LeNet, filled, random_input, state


@pytest.fixture
def lenet(rng):
    return filled(LeNet(), rng).set_train(False)


@pytest.fixture
def x(rng):
    return random_input(LeNet, rng)


def test_the_prediction_for_a_setting_is_what_its_conversion_has(lenet, x):
    measured = sensitivity(lenet, x)
    bits = {"conv1": 8, "conv2": 8, "classifier.0": 4, "classifier.2": 8, "classifier.4": 8}
    conversion = gs.convert(lenet, x, layers={name: f"int{chosen}" for name, chosen in bits.items()})
    assert measured.predict(bits) == pytest.approx(conversion.verification.sqnr_db, abs=1.0)


def test_the_source_is_left_as_it_is(lenet, x):
    lenet.set_train()
    before, mode = state(lenet), mindspore.get_context("mode")
    sensitivity(lenet, x)
    assert state(lenet) == before
    assert lenet.training
    assert mindspore.get_context("mode") == mode


def test_files_and_tensors_and_no_example_are_taken(lenet, x, tmp_path):
    path = tmp_path / "lenet.mindir"
    gs.export(gs.convert(lenet, x), path)
    one, two = sensitivity(path, Tensor(x)), sensitivity(path)
    assert (one.measurement.samples, one.measurement.input_kind) == (2, "given")
    assert two.measurement.input_kind == "random"
    assert [layer.name for layer in one.layers] == [layer.name for layer in two.layers]


def test_an_example_that_is_a_shape_only_becomes_random_input(rng):
    found = sensitivity(filled(AnyBatch(), rng), Tensor(shape=[None, 8], dtype=mindspore.float32))
    assert (found.measurement.samples, found.measurement.input_kind) == (1, "random")


def test_options_are_those_of_a_conversion(lenet, x):
    kept = sensitivity(lenet, x, keep="conv*", granularity="tensor", bits=(4, 8))
    assert [layer.name for layer in kept.layers] == ["classifier.0", "classifier.2", "classifier.4"]
    assert kept.choices[0].sizes_bytes == (48_000 // 2 + 4, 48_000 + 4)
    with pytest.raises(OptionError, match="Did you mean granularity"):
        sensitivity(lenet, x, granularty="tensor")
    with pytest.raises(OptionError, match=r"no layer 'conv9'"):
        sensitivity(lenet, x, keep="conv9")


def test_quantized_activations_set_a_limit(lenet, x):
    weights, both = sensitivity(lenet, x, bits=(8,)), sensitivity(lenet, x, bits=(8,), activations="int8")
    assert both.predict(8) < weights.predict(8)
    only = gs.convert(lenet, x, activations="int8")
    assert both.predict({}) == pytest.approx(only.verification.sqnr_db, abs=0.1)


def test_a_network_that_is_quantized_already_is_refused(rng):
    network, x = filled(MLP(), rng), rng.standard_normal((3, 8)).astype(np.float32)
    with pytest.raises(UnsupportedError, match="no layer whose weight"):
        sensitivity(gs.convert(network, x, weights="int8").model, x)


def again_and_again(network, x):
    while True:
        sensitivity(network, x)


def test_an_interrupt_stops_it_and_it_works_again(lenet, x):
    before = sensitivity(lenet, x).model
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        again_and_again(lenet, x)
    timer.join()
    assert sensitivity(lenet, x).model == before
