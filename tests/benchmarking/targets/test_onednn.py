from __future__ import annotations

import pytest

from gsjupyter.benchmarking.records import Machine
from gsjupyter.benchmarking.targets.onednn import (
    ConvolutionTimes,
    is_worth_measuring,
    judge,
    measure_convolution,
)


def machine(*features):
    return Machine("host", "Linux", "processor", 2, 1 << 30, features)


def test_the_slow_path_is_told_with_its_cost_and_the_remedy():
    slow = judge(ConvolutionTimes((0.61, 0.6, 0.59), (0.007, 0.0075, 0.008)))
    assert slow is not None
    assert (slow.as_it_is_s, slow.fast_s) == (0.6, 0.0075)
    assert slow.factor == pytest.approx(80)
    assert "took 600 ms, and 7.5 ms with oneDNN held to AVX2 (80 times as fast)" in slow.symptom
    assert 'import os; os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"' in slow.remedy


@pytest.mark.parametrize(
    ("as_it_is_s", "fast_s"),
    [
        ((0.007, 0.007, 0.007), (0.007, 0.007, 0.007)),
        ((0.004, 0.004, 0.004), (0.007, 0.007, 0.007)),
        # One round that says nothing is enough for noise.
        ((0.6, 0.013, 0.6), (0.007, 0.007, 0.007)),
        ((0.6, 0.6, 0.6), (0.007, 0.4, 0.007)),
        ((0.02, 0.02, 0.02), (0.01, 0.01, 0.01)),
        ((), ()),
    ],
)
def test_noise_is_not_taken_for_it(as_it_is_s, fast_s):
    assert judge(ConvolutionTimes(as_it_is_s, fast_s)) is None


def test_where_it_could_be():
    assert is_worth_measuring(machine("avx2", "avx512f"), {})
    assert is_worth_measuring(machine("avx2", "avx512f", "amx_int8"), {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"})
    assert is_worth_measuring(machine(), {})


def test_where_it_cannot_be():
    assert not is_worth_measuring(machine("avx2", "avx512f"), {"ONEDNN_MAX_CPU_ISA": "avx2"})
    assert not is_worth_measuring(machine("avx2"), {})
    assert not is_worth_measuring(machine("asimd", "dotprod"), {})


def test_it_is_measured_in_turns(monkeypatch):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    times = measure_convolution(rounds=1, block_s=0.005)
    assert len(times.as_it_is_s) == len(times.fast_s) == 1
    assert min(times.as_it_is_s + times.fast_s) > 0
