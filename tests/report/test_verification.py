from __future__ import annotations

import math

import numpy as np
import pytest

from gsjupyter.report import OutputComparison, verify


@pytest.fixture
def logits(rng):
    return rng.standard_normal((50, 10)).astype(np.float32)


def test_equal_outputs_are_called_identical(logits):
    verification = verify({"0": logits}, {"0": logits.copy()}, 50, "given")
    assert str(verification) == "identical output on 50 given samples"
    assert (verification.sqnr_db, verification.max_abs_error, verification.argmax_agreement) == (math.inf, 0.0, 1.0)


def test_the_figures_are_those_of_the_definitions(logits, rng):
    noisy = logits + rng.normal(0, 0.01, logits.shape).astype(np.float32)
    comparison = OutputComparison.of("0", logits, noisy)
    assert comparison.sqnr_db == pytest.approx(40, abs=0.5)
    assert comparison.max_abs_error == pytest.approx(np.abs(noisy - logits).max(), rel=1e-6)
    assert comparison.relative_error == pytest.approx(comparison.max_abs_error / np.abs(logits).max(), rel=1e-6)
    assert comparison.argmax_agreement == np.mean(logits.argmax(1) == noisy.argmax(1))


def test_agreement_is_the_share_of_samples_of_one_class(logits):
    changed = logits.copy()
    changed[:5] = -changed[:5]
    verification = verify({"0": logits}, {"0": changed}, 50, "random")
    assert verification.argmax_agreement == 0.9
    assert "same class 90% on 50 random samples" in str(verification)


@pytest.mark.parametrize("shape", [(50,), (50, 1), (5, 2, 5), (0, 10)])
def test_what_is_no_classification_has_no_agreement(shape):
    assert OutputComparison.of("0", np.ones(shape), np.ones(shape)).argmax_agreement is None


def test_several_outputs_are_as_good_as_the_worst(logits):
    worse = logits + np.float32(0.5)
    verification = verify({"a": logits, "b": logits}, {"a": logits, "b": worse}, 50, "given")
    assert [output.name for output in verification.outputs] == ["a", "b"]
    assert verification.sqnr_db == verification.outputs[1].sqnr_db
    assert verification.cosine == verification.outputs[1].cosine
    assert verification.max_abs_error == pytest.approx(0.5, rel=1e-6)


def test_outputs_of_integers_are_not_compared(logits):
    indices = logits.argmax(1)
    assert len(verify({"a": logits, "b": indices}, {"a": logits, "b": indices}, 50, "given").outputs) == 1


def test_one_sample_is_singular():
    assert str(verify({"0": np.ones((1, 3))}, {"0": np.ones((1, 3))}, 1, "given")).endswith("on 1 given sample")


@pytest.mark.parametrize("place", ["0", "1"])
def test_an_output_that_became_nan_is_not_called_good(logits, place):
    outputs = {"0": logits.copy(), "1": logits.copy()}
    outputs[place][3, 3] = math.nan
    verification = verify({"0": logits, "1": logits}, outputs, 50, "given")
    figures = [verification.sqnr_db, verification.cosine, verification.max_abs_error, verification.relative_error]
    assert all(math.isnan(figure) for figure in figures)
    assert "identical" not in str(verification)


def test_a_network_that_gives_integers_only_is_verified_by_them():
    classes = np.arange(5)
    assert str(verify({"0": classes}, {"0": classes}, 5, "given")) == "identical output on 5 given samples"
    assert verify({"0": classes}, {"0": classes + 2}, 5, "given").max_abs_error == 2
