from __future__ import annotations

import math

import pytest

from gsjupyter.engines.lite_benchmark_output import failure, read_comparison, read_times
from gsjupyter.errors import EngineError, InputError, ModelFileError, UnsupportedError

# As programs of several releases and builds write it, their own logs in between.
V1_0 = """ModelPath = lenet.ms
InDataPath =
start reading model file
PrepareTime = 8.215 ms
Running warm up loops...
Running benchmark loops...
Model = lenet.ms, NumThreads = 2, MinRunTime = 72.228996 ms, MaxRuntime = 73.094002 ms, AvgRunTime = 72.556000 ms
Run Benchmark lenet.ms Success.
"""
V2_0 = """[WARNING] LITE(20,7f68,benchmark):2026-01-02-03:04:05.006.007 [src/numa.cc:35] NUMAAdapter] Open failed!
ModelPath = /models/le net, v2.ms
ModelType = MindIR_Lite
LoopCount = 10
NumThreads = 4
start unified benchmark run
PrepareTime = 31.709 ms
Running benchmark loops...
Model = le net, v2.ms, NumThreads = 4, MinRunTime = 0.009915 ms, MaxRunTime = 0.022093 ms, AvgRunTime = 0.012887 ms
"""
WITH_SEPARATORS = """---------------------------
Prepare Time: 2.5 ms
Min Run Time : 1.5e+00 ms | Max Run Time : 2.5e+00 ms | Avg Run Time : 2 ms
---------------------------
"""
IN_OTHER_UNITS = "minruntime = 900 us, maxruntime = 0.002 s, avgruntime = 1.1 ms\n"

ACCURACY = """PrepareTime = 31.709 ms
MarkAccuracy
InData 0: 0.417022 0.720325
================ Comparing Output data ================
Data of node Default/head/Softmax-op204 : 4.75662e-05 0.000445443
Mean bias of node/tensor Default/head/Softmax-op204 : 0%
Data of node Default/aux/Add-op1 : 1 2
Mean bias of node/tensor Default/aux/Add-op1 : 1.5%
Mean bias of all nodes/tensors: 0.75%
=======================================================
"""
COSINE = """================ Comparing Output data ================
Data of node Default/head/Softmax-op204 : 4.75662e-05
Mean cosine distance of node/tensor Default/head/Softmax-op204 : 99.9%
Cosine distance of all nodes/tensors: 0.999735081163433
=======================================================
"""


@pytest.mark.parametrize(
    ("text", "prepare_ms", "least_ms", "most_ms", "mean_ms"),
    [
        (V1_0, 8.215, 72.228996, 73.094002, 72.556),
        (V2_0, 31.709, 0.009915, 0.022093, 0.012887),
        (WITH_SEPARATORS, 2.5, 1.5, 2.5, 2.0),
        (IN_OTHER_UNITS, None, 0.9, 2.0, 1.1),
    ],
)
def test_run_times_are_read_in_the_words_of_each_release(text, prepare_ms, least_ms, most_ms, mean_ms):
    found = read_times(text, runs=10, threads=2)
    assert (found.runs, found.threads) == (10, 2)
    assert found.prepare_s == (None if prepare_ms is None else pytest.approx(prepare_ms / 1e3))
    assert [found.least_s, found.most_s, found.mean_s] == pytest.approx([least_ms / 1e3, most_ms / 1e3, mean_ms / 1e3])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Segmentation fault",
        "MinRunTime = 1 ms, MaxRuntime = 2 ms",
        "MinRunTime = -1 ms, MaxRuntime = 2 ms, AvgRunTime = 1 ms",
        "MinRunTime = nan ms, MaxRuntime = nan ms, AvgRunTime = nan ms",
        "MinRunTime = 1 ms, MaxRuntime = inf ms, AvgRunTime = 1 ms",
        # As of no run at all, where the least begins at a second.
        "MinRunTime = 1000.0 ms, MaxRuntime = 0.0 ms, AvgRunTime = 0.0 ms",
        "MinRunTime = 1 ms, MaxRuntime = 2 ms, AvgRunTime = 5 ms",
        "MinRunTime = 1.2.3 ms, MaxRuntime = 2 ms, AvgRunTime = 1.5 ms",
    ],
)
def test_run_times_that_can_not_be_are_nonsense(text):
    with pytest.raises(EngineError, match="has ended without figures that make sense"):
        read_times(text, runs=10, threads=2)


def test_outputs_are_compared_in_fractions():
    found = read_comparison(ACCURACY)
    assert found.mean_bias == pytest.approx(0.0075)
    assert found.bias_of == {"Default/head/Softmax-op204": 0.0, "Default/aux/Add-op1": pytest.approx(0.015)}
    assert found.cosine is None
    assert read_comparison(ACCURACY + COSINE).cosine == pytest.approx(0.999735081163433)
    assert read_comparison(COSINE) is None
    assert math.isnan(read_comparison("Mean bias of all nodes/tensors: nan%").mean_bias)


GLOG = (
    "[ERROR] LITE(2,7f,benchmark):2026-11-25-13:51:40.262 [src/lite_session.cc:1989] LoadModel] Import model failed.\n"
    "[ERROR] LITE(2,7f,benchmark):2026-11-25-13:51:40.263 [src/model_impl.cc:239] Build] Init session failed\n"
)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "error while loading shared libraries: libmindspore-lite.so: cannot open shared object file: No such file",
            EngineError,
            "Lite's benchmark program doesn't start: the loader doesn't find libmindspore-lite.so.",
        ),
        (
            "./benchmark: /lib/libc.so.6: version `GLIBC_2.38' not found (required by ./benchmark)",
            EngineError,
            "it needs GLIBC_2.38, and this system's libraries are older.",
        ),
        (
            "Input binary file size error, required: 3136, in fact: 12",
            InputError,
            "an input of net.ms takes 3136 bytes there, 12 given.",
        ),
        (
            f"{GLOG}ms_model_.Build failed while running net.ms",
            ModelFileError,
            "MindSpore Lite can't load net.ms: Import model failed; Init session failed.",
        ),
        ("Device type:Ascend is not supported.", UnsupportedError, "Device type:Ascend is not supported."),
        ("Input tensor resize failed.", InputError, "MindSpore Lite can't resize net.ms to these inputs"),
        ("Output tensor has nan or inf data, compare fail\nError in CompareData", EngineError, "net.ms gives NaN"),
        ("Inference error \nRun MarkPerformance error: -1", EngineError, "MindSpore Lite can't run net.ms: Run Mark"),
        ("", EngineError, r"failed on net.ms \(exit code 3\): nothing."),
        ("a licence is missing\n", EngineError, r"failed on net.ms \(exit code 3\): a licence is missing."),
    ],
)
def test_a_failure_is_told_in_words(text, error, message):
    found = failure(text, 3, "net.ms")
    assert type(found) is error
    with pytest.raises(error, match=message):
        raise found
