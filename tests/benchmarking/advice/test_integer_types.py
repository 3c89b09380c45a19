"""Signed activations and unsigned weights: which of them really end up slow, ONNX Runtime's optimizer decides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gsjupyter.benchmarking.advice.integer_types import signed_activations, unsigned_weights
from tests.benchmarking.advice.cases import ARM, X86, evidence, row


def test_kernels_on_signed_activations_are_named(files):
    rows = [row("signed operators", median_s=2e-3), row("unsigned operators", median_s=0.2e-3)]
    found = signed_activations(evidence(files, *rows))
    assert found.symptom == (
        "activations are int8 in 3 layers, and x86 processors want uint8: 3 layers run on a slow kernel "
        "(layer0, layer1, layer2)"
    )
    assert found.gain == "about 10x, as unsigned operators shows in this benchmark"


def test_what_becomes_float_because_of_them_is_counted(files):
    found = signed_activations(evidence(files, row("signed with pooling")))
    assert "values become floats around 3 operators (3 MaxPool)" in found.symptom
    assert found.gain.endswith("as measured on another machine")


@pytest.mark.parametrize("name", ["signed", "healthy", "products", "unsigned operators", "float"])
def test_where_onnxruntime_makes_them_unsigned_nothing_is_lost(name, files):
    # In "signed" they are int8 in the file: ONNX Runtime changes that where all around it allows it.
    assert signed_activations(evidence(files, row(name))) is None


@pytest.mark.parametrize("machine", [ARM, None])
def test_they_are_no_fault_on_other_processors(machine, files):
    assert signed_activations(evidence(files, row("signed operators"), machine=machine)) is None


def test_unsigned_weights_are_slow_with_vnni(files):
    rows = [row("unsigned weights", median_s=2.5e-3), row("healthy", median_s=1e-3)]
    found = unsigned_weights(evidence(files, *rows))
    assert found.symptom.startswith("weights are uint8 in 3 layers (layer0, layer1, layer2)")
    assert "--asymmetric" in found.remedy
    assert found.gain == "about 2.5x, as healthy shows in this benchmark"


@pytest.mark.parametrize("name", ["healthy", "products", "signed", "float", "dynamic"])
def test_signed_weights_are_right(name, files):
    assert unsigned_weights(evidence(files, row(name))) is None


def test_without_vnni_nothing_is_known_of_unsigned_weights(files):
    older = replace(X86, features=("avx2",))
    assert unsigned_weights(evidence(files, row("unsigned weights"), machine=older)) is None


def test_the_latest_processors_multiply_two_signed_factors(files):
    latest = replace(X86, features=(*X86.features, "avx_vnni_int8"))
    assert signed_activations(evidence(files, row("signed operators"), machine=latest)) is None
