"""Accuracy, which is what people convert for: LeNet-5 trained on real digits, float against int8."""

import numpy as np
import pytest
from mindspore import Tensor

import gsjupyter as gs
from tests.digits import trained

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=[0, 1, 2])
def digits(request):
    return trained(request.param)


def accuracy(network, images, labels):
    return float(np.mean(np.argmax(np.asarray(network(Tensor(images))), axis=1) == labels))


def test_int8_weights_and_activations_lose_at_most_half_a_point(digits):
    network, train_x, test_x, test_y = digits
    before = accuracy(network, test_x, test_y)
    conversion = gs.convert(network, test_x[:32], weights="int8", activations="int8", calibration=train_x)
    assert before > 0.95
    assert abs(before - accuracy(conversion, test_x, test_y)) <= 0.005


def test_int8_weights_take_at_most_036_of_the_bytes(digits):
    network, _, test_x, _ = digits
    before = gs.convert(network, test_x[:2]).model.size_bytes
    after = gs.convert(network, test_x[:2], weights="int8", activations="int8").model.size_bytes
    assert after <= 0.36 * before
