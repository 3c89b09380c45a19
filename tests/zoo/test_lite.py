"""Real networks as files for MindSpore Lite: in its real engine 2.0.0 they give what they give on MindSpore."""

from __future__ import annotations

import numpy as np
import pytest

import gsjupyter as gs
from tests.lite.release import is_built
from tests.zoo.networks import SMALL, image_size, images, network

NAMES = (
    *SMALL,
    "mobilenet_v1_100",
    "mobilenet_v2_100",
    "mobilenet_v3_small_100",
    "resnet18",
    "resnet50",
    "efficientnet_b0",
    "densenet121",
    "googlenet",
    "inception_v3",
    "repvgg_a0",
)
LARGEST_ERROR = 1e-4
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not is_built(), reason="MindSpore Lite isn't built: make test-lite builds it"),
]


@pytest.fixture(autouse=True)
def lite(monkeypatch):
    from tests.lite.release import lite_home

    monkeypatch.setenv("LITE_HOME", str(lite_home()))
    monkeypatch.syspath_prepend(str(lite_home() / "python"))


@pytest.fixture(params=[name if name in SMALL else pytest.param(name, marks=pytest.mark.zoo) for name in NAMES])
def named(request, rng):
    return network(request.param, rng), images(rng, 2, image_size(request.param))


def test_lite_gives_what_mindspore_gives(named, tmp_path):
    net, x = named
    conversion = gs.convert(net, x)
    artifact = gs.export(conversion, tmp_path / "net.ms")
    assert artifact.notes == ()
    assert artifact.verification.relative_error <= LARGEST_ERROR
    with gs.load(artifact.path) as model:
        outputs = model(x[::-1])
    # Different samples give different outputs, in the order of the samples.
    peak = np.abs(outputs).max()
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3 * peak
    np.testing.assert_allclose(outputs, conversion(x)[::-1], atol=LARGEST_ERROR * peak)


@pytest.mark.parametrize("name", ["squeezenet1_1", pytest.param("mobilenet_v2_100", marks=pytest.mark.zoo)])
def test_int8_that_is_carried_over_is_small_and_near(name, rng, tmp_path):
    net, x = network(name, rng), images(rng, 2, image_size(name))
    conversion = gs.convert(net, x, weights="int8", activations="int8", calibration=images(rng, 8, image_size(name)))
    artifact = gs.export(conversion, tmp_path / "net.ms")

    assert artifact.size_bytes <= 0.4 * conversion.float_model.size_bytes
    assert artifact.verification.sqnr_db >= conversion.verification.sqnr_db - 3
