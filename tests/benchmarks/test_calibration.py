"""Calibration with images, against ONNX Runtime's on the same images, and in memory that doesn't grow with them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gsjupyter as gs
from tests.zoo.networks import images, network

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]

ROOT = Path(__file__).parents[2]
MEGABYTE = 1e6
MOST_TIMES_SLOWER = 3.5
"""Ours also has MindSpore export the network, and verifies the result on it, which does not grow with the images."""


def measured(*arguments):
    command = [sys.executable, "-m", "tests.benchmarks.calibrate_one", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def float_file(tmp_path):
    rng = np.random.default_rng(0)
    conversion = gs.convert(network("resnet50", rng), images(rng, 1))
    return gs.export(conversion, tmp_path / "resnet50.onnx").path


def test_32_images_take_a_few_times_longer_than_with_onnxruntime(benchmark, float_file):
    reference = measured(32, float_file)
    ours = benchmark.pedantic(measured, (32,))
    benchmark.extra_info.update(ours=ours, onnxruntime=reference, ratio=ours["seconds"] / reference["seconds"])
    print(f"\nours {ours}, onnxruntime {reference}")
    assert ours["seconds"] <= MOST_TIMES_SLOWER * reference["seconds"]


def test_memory_does_not_grow_with_the_images(benchmark):
    few, more, many = measured(32), measured(64), benchmark.pedantic(measured, (256,))
    benchmark.extra_info.update({"32": few, "64": more, "256": many})
    print(f"\n32 images {few}, 64 images {more}, 256 images {many}")
    assert more["peak_bytes"] <= few["peak_bytes"] + 100 * MEGABYTE
    assert many["peak_bytes"] <= few["peak_bytes"] + 100 * MEGABYTE
