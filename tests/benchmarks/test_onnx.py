"""Int8 in ONNX Runtime: against MindSpore in float, and against what ONNX Runtime's own quantization makes.

All run in this process, with two threads and one image, some runs of each in every round. Before each its
predecessor's threads get time to rest: they wait for more work at full speed, on the same processors.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter, sleep

import numpy as np
import onnxruntime
import pytest

import gsjupyter as gs
from gsjupyter.quantization import sqnr_db
from tests.benchmarks.static_quantization import quantize_static
from tests.zoo.networks import images, network

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]

ROUNDS = 6
WARM_UP = 3
RUNS = 10
REST_S = 0.3
LEAST_SPEED_UP = {"resnet50": 6, "mobilenet_v2_100": 10}
"""Over MindSpore in float. How much it is depends on the processor: ResNet-50 is 17 times as fast on one that computes
convolutions in float slowly, and 7 times on one where integer products already run as fast as they can."""
CALIBRATION_IMAGES = 32
TEST_IMAGES = 16


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    made = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = made.get_inputs()[0].name
    return lambda x: made.run(None, {name: x})[0]


def interleaved(runs, x):
    """Return the median seconds of each run, by its name."""
    seconds = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            sleep(REST_S)
            seconds[name] += [_timed(run, x) for _ in range(WARM_UP + RUNS)][WARM_UP:]
    return {name: median(taken) for name, taken in seconds.items()}


def _timed(run, x):
    start = perf_counter()
    run(x)
    return perf_counter() - start


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2_100"])
def test_int8_is_many_times_as_fast_as_mindspore_and_as_good_as_static_quantization(name, tmp_path, benchmark):
    rng = np.random.default_rng(0)
    net = network(name, rng)
    calibration = [images(rng, 1) for _ in range(CALIBRATION_IMAGES)]
    x = calibration[0]
    in_float = gs.convert(net, x)
    in_int8 = gs.convert(net, x, weights="int8", activations="int8", calibration=calibration)
    gs.export(in_float, tmp_path / "float.onnx", fixed_batch=True)
    gs.export(in_int8, tmp_path / "int8.onnx", fixed_batch=True)
    quantize_static(tmp_path / "float.onnx", tmp_path / "static.onnx", calibration)
    runs = {
        "MindSpore float": in_float,
        **{f"ONNX Runtime {name}": session(tmp_path / f"{name}.onnx") for name in ("float", "int8", "static")},
    }
    seconds = benchmark.pedantic(interleaved, (runs, x))
    unseen = [images(rng, 1) for _ in range(TEST_IMAGES)]
    outputs = {key: np.concatenate([runs[key](image) for image in unseen]) for key in runs}
    sqnr = {key: sqnr_db(outputs["MindSpore float"], output) for key, output in outputs.items()}
    benchmark.extra_info.update(seconds=seconds, sqnr_db=sqnr)
    for key, taken in seconds.items():
        print(f"\n{name}, {key}: {taken * 1e3:.2f} ms, SQNR {sqnr[key]:.1f} dB", end="")
    assert seconds["MindSpore float"] >= LEAST_SPEED_UP[name] * seconds["ONNX Runtime int8"]
    assert seconds["ONNX Runtime int8"] <= 1.05 * seconds["ONNX Runtime static"]
    assert sqnr["ONNX Runtime int8"] >= sqnr["ONNX Runtime static"]
